//! Telling the language of a text that does not say it.
//!
//! The script decides where only one of the languages known here is written in it. Among those that share a script the words
//! decide that are frequent in every text of a language and say nothing, such as *and* and *the*. Short lists of these tell
//! languages apart well from some twenty words on; with fewer, or where two languages are close, the confidence says so, and
//! below [`LEAST_CONFIDENCE`] nothing is said.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

mod words;

use self::words::WORDS;

/// Bytes of a text that are looked at.
const MAX_LOOKED_AT: usize = 4 << 10;
/// Letters that a text must have for its script to mean anything.
const MIN_LETTERS: usize = 20;
/// Share of the letters that must be of one script.
const MAIN_SCRIPT: f32 = 0.6;
/// Share of kana among the characters of a text in Han characters that makes it Japanese.
const KANA: f32 = 0.05;
/// Frequent words that must be found.
const MIN_HITS: u32 = 4;
/// Share of the words that must be frequent ones of the language; texts have some 0.3.
const MIN_SHARE: f32 = 0.06;
/// Longest word of the lists, in bytes.
const LONGEST_WORD: usize = 16;
/// Confidence below which nothing is said.
pub const LEAST_CONFIDENCE: f32 = 0.5;

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Language {
    /// Its tag (RFC 5646), such as `de`.
    pub tag: &'static str,
    /// How sure that is, from [`LEAST_CONFIDENCE`] to 1, in hundredths.
    pub confidence: f32,
}

/// Tells the language of a text, or nothing where it cannot be told.
pub fn language_of(text: &str) -> Option<Language> {
    let end = (0..=text.len().min(MAX_LOOKED_AT))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let text = text.get(..end)?;
    let scripts = Scripts::of(text);
    let (tag, confidence) = match scripts.main()? {
        Script::Latin | Script::Cyrillic | Script::Arabic => by_words(text)?,
        Script::Han => ("zh", scripts.share(Script::Han)),
        Script::Kana => ("ja", 1.0),
        Script::Hangul => ("ko", 1.0),
        Script::Greek => ("el", 1.0),
        Script::Hebrew => ("he", 1.0),
        Script::Thai => ("th", 1.0),
    };
    let confidence = (confidence * 100.0).round() / 100.0;
    (confidence >= LEAST_CONFIDENCE).then_some(Language { tag, confidence })
}

/// A script that letters belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Greek,
    Hebrew,
    Arabic,
    Thai,
    Hangul,
    Kana,
    Han,
}

impl Script {
    const ALL: [Self; 9] = [
        Self::Latin,
        Self::Cyrillic,
        Self::Greek,
        Self::Hebrew,
        Self::Arabic,
        Self::Thai,
        Self::Hangul,
        Self::Kana,
        Self::Han,
    ];

    /// Tells the script of a letter by the block that it is in.
    const fn of(c: char) -> Option<Self> {
        Some(match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Self::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Self::Greek,
            '\u{400}'..='\u{52f}' => Self::Cyrillic,
            '\u{590}'..='\u{5ff}' => Self::Hebrew,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => Self::Arabic,
            '\u{e00}'..='\u{e7f}' => Self::Thai,
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => Self::Hangul,
            '\u{3040}'..='\u{30ff}' => Self::Kana,
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => Self::Han,
            _ => return None,
        })
    }
}

/// How many letters of each script a text has.
struct Scripts {
    letters: [usize; Script::ALL.len()],
    all: usize,
}

impl Scripts {
    fn of(text: &str) -> Self {
        let mut scripts = Self {
            letters: [0; Script::ALL.len()],
            all: 0,
        };
        for script in text.chars().filter_map(Script::of) {
            if let Some(count) = scripts.letters.get_mut(script as usize) {
                *count += 1;
                scripts.all += 1;
            }
        }
        scripts
    }

    fn share(&self, script: Script) -> f32 {
        let letters = self.letters.get(script as usize).copied().unwrap_or(0);
        letters as f32 / self.all.max(1) as f32
    }

    /// Names the script of the text; Japanese has two.
    fn main(&self) -> Option<Script> {
        if self.all < MIN_LETTERS {
            return None;
        }
        let east = self.share(Script::Han) + self.share(Script::Kana);
        if east >= MAIN_SCRIPT && self.share(Script::Kana) >= KANA * east {
            return Some(Script::Kana);
        }
        Script::ALL
            .into_iter()
            .find(|script| self.share(*script) >= MAIN_SCRIPT)
    }
}

/// The languages of each frequent word, a bit for each position in [`WORDS`].
static FREQUENT: LazyLock<HashMap<&'static str, u32, BuildHasherDefault<Fnv>>> =
    LazyLock::new(|| {
        let mut languages: HashMap<_, _, BuildHasherDefault<Fnv>> = HashMap::default();
        for (position, (_, words)) in WORDS.iter().enumerate() {
            for word in words.split_ascii_whitespace() {
                *languages.entry(word).or_insert(0) |= 1 << position;
            }
        }
        languages
    });

/// FNV-1a: the words are short, and nobody can add any to the table.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Finds the language most of whose frequent words a text has, and how far ahead of the next it is.
fn by_words(text: &str) -> Option<(&'static str, f32)> {
    let mut hits = [0_u32; WORDS.len()];
    let mut words = 0_u32;
    let mut lower = String::new();
    for word in text.split(|c: char| !c.is_alphabetic() && c != '\'') {
        if word.is_empty() {
            continue;
        }
        words += 1;
        if word.len() > LONGEST_WORD {
            continue;
        }
        lower.clear();
        lower.extend(word.chars().flat_map(char::to_lowercase));
        let mut languages = FREQUENT.get(lower.as_str()).copied().unwrap_or(0);
        while languages != 0 {
            if let Some(count) = hits.get_mut(languages.trailing_zeros() as usize) {
                *count += 1;
            }
            languages &= languages - 1;
        }
    }
    let mut ranked: Vec<(u32, &'static str)> = hits
        .iter()
        .zip(WORDS)
        .map(|(hits, (tag, _))| (*hits, *tag))
        .collect();
    ranked.sort_unstable_by(|one, other| other.cmp(one));
    let (best, tag) = *ranked.first()?;
    let next = ranked.get(1).map_or(0, |(hits, _)| *hits);
    if best < MIN_HITS || (best as f32) < MIN_SHARE * words as f32 {
        return None;
    }
    // Sure with many finds and a next one at half of them; half as sure with few.
    let ahead = (2.0 * (1.0 - next as f32 / best as f32)).min(1.0);
    let many = 1.0 - (-(best as f32) / 5.0).exp();
    Some((tag, ahead * many))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        (
            "en",
            "Welcome to our shop. We have been making furniture for the home and the office since 1950, and all of it is made by hand from the best wood that you can find.",
        ),
        (
            "de",
            "Willkommen in unserem Laden. Wir fertigen seit 1950 Möbel für das Haus und das Büro, und alles wird von Hand aus dem besten Holz gemacht, das es gibt.",
        ),
        (
            "fr",
            "Bienvenue dans notre boutique. Nous fabriquons des meubles pour la maison et le bureau depuis 1950, et tout est fait à la main avec le meilleur bois que l'on trouve.",
        ),
        (
            "es",
            "Bienvenidos a nuestra tienda. Hacemos muebles para la casa y la oficina desde 1950, y todo se hace a mano con la mejor madera que se puede encontrar en el mundo.",
        ),
        (
            "it",
            "Benvenuti nel nostro negozio. Dal 1950 facciamo mobili per la casa e per l'ufficio, e tutto è fatto a mano con il miglior legno che si può trovare nel mondo.",
        ),
        (
            "pt",
            "Bem-vindo à nossa loja. Fazemos móveis para a casa e o escritório desde 1950, e tudo é feito à mão com a melhor madeira que se pode encontrar. Não há outra como a nossa.",
        ),
        (
            "nl",
            "Welkom in onze winkel. Wij maken sinds 1950 meubels voor het huis en voor het kantoor, en alles wordt met de hand gemaakt van het beste hout dat er is.",
        ),
        (
            "pl",
            "Witamy w naszym sklepie. Od 1950 roku robimy meble do domu i do biura, a wszystko jest wykonane ręcznie z najlepszego drewna, jakie można znaleźć na świecie. Nie ma drugiego takiego.",
        ),
        (
            "sv",
            "Välkommen till vår butik. Vi har tillverkat möbler för hemmet och för kontoret sedan 1950, och allt är gjort för hand av det bästa trä som finns att få.",
        ),
        (
            "da",
            "Velkommen til vores butik. Vi har lavet møbler til hjemmet og til kontoret siden 1950, og det hele er lavet i hånden af det bedste træ, som man kan få. Hvad er der ellers at ønske af os?",
        ),
        (
            "fi",
            "Tervetuloa kauppaamme. Olemme tehneet huonekaluja kotiin ja toimistoon vuodesta 1950, ja kaikki on tehty käsin parhaasta puusta, mitä on saatavilla, mutta se ei ole kallista.",
        ),
        (
            "cs",
            "Vítejte v našem obchodě. Od roku 1950 vyrábíme nábytek pro domácnost i kancelář a vše je vyrobeno ručně z nejlepšího dřeva, které se dá najít. Jsme tu pro vás, když je třeba.",
        ),
        (
            "tr",
            "Mağazamıza hoş geldiniz. 1950 yılından beri ev ve ofis için mobilya yapıyoruz ve her şey bulunabilecek en iyi ahşaptan elle yapılır. Bu bir aile işi ve çok daha fazlası için buradayız.",
        ),
        (
            "hu",
            "Üdvözöljük az üzletünkben. 1950 óta készítünk bútorokat a ház és az iroda számára, és minden kézzel készül a legjobb fából, ami csak van. Ez egy családi cég, hogy is ne.",
        ),
        (
            "ro",
            "Bine ați venit în magazinul nostru. Facem mobilă pentru casă și pentru birou din 1950, iar totul este făcut de mână din cel mai bun lemn care se poate găsi. Nu este altul ca al nostru.",
        ),
        (
            "ru",
            "Добро пожаловать в наш магазин. Мы делаем мебель для дома и для офиса с 1950 года, и всё это сделано вручную из лучшего дерева, что можно найти, и не только.",
        ),
        (
            "uk",
            "Ласкаво просимо до нашого магазину. Ми робимо меблі для дому та для офісу з 1950 року, і все це зроблено вручну з найкращого дерева, що можна знайти, але не тільки.",
        ),
        (
            "bg",
            "Добре дошли в нашия магазин. Ние правим мебели за дома и за офиса от 1950 година и всичко е направено на ръка от най-доброто дърво, което може да се намери, а не само това.",
        ),
        ("el", "Καλώς ήρθατε στο κατάστημά μας."),
        ("he", "ברוכים הבאים לחנות הרהיטים שלנו"),
        (
            "ar",
            "مرحبا بكم في متجرنا. نحن نصنع الأثاث من أفضل الخشب منذ عام 1950 في هذا البلد، وكل ذلك من عمل اليد، إلى جانب ما هو على الموقع.",
        ),
        (
            "fa",
            "به فروشگاه ما خوش آمدید. ما از سال 1950 برای خانه و دفتر مبلمان می سازیم و همه آن با دست از بهترین چوب است که در این جا پیدا می شود.",
        ),
        ("th", "ยินดีต้อนรับสู่ร้านเฟอร์นิเจอร์ของเรา"),
        (
            "ko",
            "우리 가게에 오신 것을 환영합니다. 우리는 최고의 나무로 가구를 만듭니다.",
        ),
        (
            "ja",
            "私たちの店へようこそ。最高の木材で家具を作っています。",
        ),
        (
            "zh",
            "欢迎来到我们的商店。我们用最好的木材手工制作家具和办公用品。",
        ),
    ];

    #[test]
    fn a_paragraph_of_each_language_is_told() {
        for (tag, text) in SAMPLES {
            let found = language_of(text);
            assert_eq!(found.map(|found| found.tag), Some(*tag), "{text}");
        }
        for (tag, words) in WORDS {
            assert!(SAMPLES.iter().any(|(known, _)| known == tag), "{tag}");
            assert!(
                words
                    .split_ascii_whitespace()
                    .all(|word| word.len() <= LONGEST_WORD),
                "{tag}"
            );
        }
    }

    #[test]
    fn more_text_makes_it_surer() {
        let (_, english) = SAMPLES[0];
        let few = language_of("Welcome to our shop, and to the best of all.").unwrap();
        let many = language_of(english).unwrap();
        assert!(few.confidence < many.confidence, "{few:?} {many:?}");
        assert!(many.confidence > 0.9);
    }

    #[test]
    fn nothing_is_said_of_what_says_nothing() {
        for text in [
            "",
            "Shop",
            "Lorem Ipsum GmbH & Co. KG +49 30 1234567",
            "1234 5678 90 — € $ 12,50 … 1234 5678 90 1234 5678 90",
            "Login Home Blog Support Download Newsletter Facebook Instagram YouTube Cookies Copyright",
            // As much of the one as of the other.
            "the and of to with und der die nicht das",
            "αβγδεζηθικλ abcdefghijkl абвгдежзийкл",
        ] {
            assert_eq!(language_of(text), None, "{text}");
        }
    }

    #[test]
    fn no_more_than_the_beginning_of_a_long_text_is_looked_at() {
        let (_, english) = SAMPLES[0];
        let (_, german) = SAMPLES[1];
        let text = english.repeat(MAX_LOOKED_AT / english.len() + 1) + &german.repeat(1_000);
        assert_eq!(language_of(&text).map(|found| found.tag), Some("en"));
        // Its bound may lie inside a character.
        assert_eq!(language_of(&"я".repeat(MAX_LOOKED_AT)), None);
        assert!(language_of(&("a".to_owned() + &"я".repeat(MAX_LOOKED_AT))).is_none());
    }
}
