//! Words that are frequent in any text of a language: articles, pronouns, conjunctions, prepositions, auxiliary verbs.

/// Languages by their tags (RFC 5646), with words in lower case of at most 16 bytes. Words that are spelt alike in several
/// languages stand in each; what tells is how many are found.
pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "en",
        "the of and to in is that for it was on are with as be at by this have from or had not but what all were when we there \
         can an your which their if will has been our you more they who its about",
    ),
    (
        "de",
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie \
         nach wird bei einer um am sind noch wie einem über einen so zum haben nur oder aber wir ihr unser seit zur vom",
    ),
    (
        "fr",
        "le la les de des du un une et à en dans que qui pour pas sur par est au aux avec ce il elle se son sa ses plus ne nous \
         vous votre notre sont ou mais être cette ces ont été leur d'un l'on comme",
    ),
    (
        "es",
        "el la los las de del un una y a en que por para con no es se su al lo como más pero sus le ya o este sí porque esta \
         entre cuando muy sin sobre también me hasta hay donde nuestra nuestro desde todo son",
    ),
    (
        "it",
        "il lo la i gli le di del della dei delle un una e a in che per con non è si da al alla sono come più ma nel nella anche \
         questo questa o se ha tutti dal nostro nostra vostro essere ci perché tutto",
    ),
    (
        "pt",
        "o a os as de do da dos das um uma e em no na nos nas que por para com não é se ao mais mas como foi ele à sua seu ou \
         também pela pelo até isso ela entre depois sem mesmo são está nossa nosso desde você",
    ),
    (
        "nl",
        "de het een en van in is dat op te zijn voor met die niet aan er om ook als dan maar bij of uit nog naar heeft wordt door \
         over ze hij deze je wij onze wat worden meer kan tot uw geen was sinds dit",
    ),
    (
        "pl",
        "i w z na do się nie to jest że o a jak od za po ale co dla przez są tak czy tylko ze oraz być już może jego jej który \
         która które przy bez pod nasz nasze można jako ich lub gdy tym tego ma",
    ),
    (
        "sv",
        "och i att det som en på är av för med till den har de inte om ett han men var jag från vi kan så när eller ska efter \
         hos vår våra alla du också sin mot här över mer sedan allt finns oss",
    ),
    (
        "da",
        "og i at det som en på er af for med til den har de ikke om et han men var jeg fra vi kan så når eller skal efter hos \
         vores alle du også sin mod her over mere siden blev hvad ud være os ved man",
    ),
    (
        "fi",
        "ja on ei se että oli ovat hän mutta kuin myös joka ole tai sen kun niin jos nyt mitä vain voi minä kaikki sekä olla \
         ovat kanssa tämä me he sinä meidän nämä olemme jossa mukaan sitä ennen jo",
    ),
    (
        "cs",
        "a v se na je že s z do o to i ve pro jako za by jsou ale po tak od k nebo podle které který která být jeho při už jen \
         jsme také až však bude není si jsem mezi nás vás našem když či",
    ),
    (
        "tr",
        "ve bir bu da de için ile çok ne daha en olarak gibi kadar ama o olan sonra ya her var mi ki değil ise veya hem ben biz \
         siz tüm kendi şey olduğu bizim en hiç beri nasıl göre",
    ),
    (
        "hu",
        "a az és hogy nem is egy ez azt meg van volt de csak már ha mint még vagy meg ki el lehet lesz sem ezt minden kell után \
         amely nagyon aki ami mert majd itt számára óta között több",
    ),
    (
        "ro",
        "și în de la cu pe nu o un este care pentru mai din că sau se ca al ale ai fi sunt a fost au lui prin ce după iar dar \
         acest această noi lor nostru noastră cel cea foarte poate către",
    ),
    (
        "ru",
        "и в не на что с по это как из у за от к но для он она мы вы они то же все так бы было его ее или если нет при до быть \
         мой наш ваш где есть также еще уже только может который",
    ),
    (
        "uk",
        "і в не на що з та до це як за від у для але він вона ми ви вони то все так було його її або якщо є при бути наш ваш де \
         також ще вже тільки може який яка які про цей",
    ),
    (
        "bg",
        "и в не на че с за от това как се да по е са но той тя ние вие те при или ако има бъде нашия вашия където също още вече \
         само може който която които до със във към без между след",
    ),
    (
        "ar",
        "في من على إلى عن أن هذا هذه التي الذي كان ما لا هو هي مع كل بعد قبل بين أو ثم قد لم لن ذلك نحن كما حتى عند غير",
    ),
    (
        "fa",
        "و در به از که این آن را با است برای یک ما می تا بر هم شد شود خود های ها کرد نیز اما یا هر باید دارد همه شما",
    ),
];
