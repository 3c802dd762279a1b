//! Telling parked and for-sale pages from real ones.
//!
//! No single sign is enough: an article may speak of domains for sale, a shop may use a registrar's name servers. Each
//! sign that is seen has a weight, and the signs are taken as independent evidence, so the confidence is 1 − Π(1 − weight).

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use url::Url;

use super::Page;

/// Name servers that serve parked names only, or nearly so; a name below one of these counts.
pub const PARKING_NAME_SERVERS: &[&str] = &[
    "above.com",
    "afternic.com",
    "bodis.com",
    "cashparking.com",
    "dan.com",
    "domainparkingserver.net",
    "dsredirection.com",
    "fabulous.com",
    "hugedomains.com",
    "namefind.com",
    "parkingcrew.net",
    "parklogic.com",
    "parkpage.foundationapi.com",
    "rookdns.com",
    "sedoparking.com",
    "smartname.com",
    "undeveloped.com",
    "uniregistrymarket.link",
    "voodoo.com",
    "ztomy.com",
];

/// Hosts that parked names redirect to, frame, or load their script from.
const PARKING_HOSTS: &[&str] = &[
    "above.com",
    "afternic.com",
    "atom.com",
    "bodis.com",
    "brandbucket.com",
    "buydomains.com",
    "d38psrni17bvxu.cloudfront.net",
    "dan.com",
    "domainmarket.com",
    "dynadot.com",
    "efty.com",
    "forsale.godaddy.com",
    "hugedomains.com",
    "namefind.com",
    "parkingcrew.net",
    "parklogic.com",
    "parkweb.io",
    "sav.com",
    "searchvity.com",
    "sedo.com",
    "sedoparking.com",
    "squadhelp.com",
    "undeveloped.com",
    "uniregistry.com",
];

/// What parked pages say of themselves, in lower case.
const PHRASES: &[&str] = &[
    "this domain is for sale",
    "domain for sale",
    "domain name for sale",
    "domain is for sale",
    "may be for sale",
    "buy this domain",
    "purchase this domain",
    "this domain is available",
    "domain is parked",
    "domain name is parked",
    "is parked free",
    "parked domain",
    "domain parking",
    "make an offer on this domain",
    "inquire about this domain",
    "get this domain",
    "the domain has expired",
    "this domain has expired",
    "this domain name has expired",
    "related searches",
    "this domain has recently been registered",
    "this domain was recently registered",
    "this web page is parked",
    "future home of",
    "domain steht zum verkauf",
    "domain zu verkaufen",
    "domain kaufen",
    "diese domain ist geparkt",
    "domaine est à vendre",
    "domaine à vendre",
    "acheter ce domaine",
    "dominio está en venta",
    "dominio en venta",
    "comprar este dominio",
    "dominio è in vendita",
    "dominio in vendita",
    "domeinnaam is te koop",
    "domein te koop",
    "domena na sprzedaż",
    "domínio à venda",
    "домен продается",
    "домен продаётся",
    "域名出售",
    "ドメインは売り出し中",
];

static SPOKEN: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    // The list is fixed, so building can only fail for everybody or nobody; the tests below see to nobody.
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(PHRASES)
        .ok()
});

/// Text shorter than this, in bytes, is little for a page that somebody keeps.
const THIN: usize = 600;

/// Says how likely a page is parked, and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parked {
    /// From 0, no sign of it, to 1; to four decimals, so that it compares with a bound as it reads.
    pub confidence: f32,
    /// The signs seen: `title_phrase`, `heading_phrase`, `text_phrase`, `text_phrases`, `parking_name_server`,
    /// `parking_redirect`, `parking_embed`, `thin_text`, `no_own_links`.
    pub signals: Vec<&'static str>,
}

/// Judges a page by its words, its name servers, where it led and what it links to.
///
/// `final_url` is the address after redirects, `name_servers` the names of the domain's NS records where they are known.
pub fn parked(page: &Page, final_url: Option<&Url>, name_servers: &[String]) -> Parked {
    let mut strong: Vec<(&'static str, f32)> = Vec::new();
    if page.title.as_deref().is_some_and(|title| spoken(title) > 0) {
        strong.push(("title_phrase", 0.6));
    }
    if page.h1.iter().any(|heading| spoken(heading) > 0) {
        strong.push(("heading_phrase", 0.5));
    }
    let thin = page.text.len() < THIN;
    match (spoken(&page.text), thin) {
        (0, _) => {}
        (1, false) => strong.push(("text_phrase", 0.15)),
        (_, false) => strong.push(("text_phrases", 0.3)),
        (1, true) => strong.push(("text_phrase", 0.45)),
        (_, true) => strong.push(("text_phrases", 0.6)),
    }
    if name_servers
        .iter()
        .any(|name| below(name, PARKING_NAME_SERVERS))
    {
        strong.push(("parking_name_server", 0.6));
    }
    let leads = |address: &str| Url::parse(address).ok().is_some_and(|url| parking(&url));
    if final_url.is_some_and(parking) || page.refresh.as_deref().is_some_and(leads) {
        strong.push(("parking_redirect", 0.8));
    }
    let absolute = |source: &String| match source.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None => source.clone(),
    };
    if page
        .frames
        .iter()
        .chain(&page.scripts)
        .any(|source| leads(&absolute(source)))
    {
        strong.push(("parking_embed", 0.6));
    }
    // Little text and no links of its own is how parked pages look, but so do many honest ones: it only adds to the rest.
    if !strong.is_empty() {
        if thin {
            strong.push(("thin_text", 0.2));
        }
        if page.links_internal == 0 {
            strong.push(("no_own_links", 0.15));
        }
    }
    let doubt: f32 = strong.iter().map(|(_, weight)| 1.0 - weight).product();
    Parked {
        confidence: match strong.is_empty() {
            true => 0.0,
            false => ((1.0 - doubt) * 10_000.0).round() / 10_000.0,
        },
        signals: strong.into_iter().map(|(signal, _)| signal).collect(),
    }
}

/// Counts the distinct phrases in a text.
fn spoken(text: &str) -> usize {
    let Some(search) = SPOKEN.as_ref() else {
        return 0;
    };
    let mut seen: Vec<_> = search
        .find_iter(text)
        .map(|found| found.pattern())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

fn parking(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| below(host, PARKING_HOSTS))
}

/// Tells whether a name is one of `zones` or below it.
fn below(name: &str, zones: &[&str]) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    zones.iter().any(|zone| {
        name.strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        super::super::read(html.as_bytes(), None, None)
    }

    #[test]
    fn a_for_sale_page_is_told_with_confidence() {
        let html = "<title>This domain is for sale</title><h1>Buy this domain</h1><p>This domain name is parked and may be \
                    for sale. Make an offer.</p>";
        let verdict = parked(&page(html), None, &[]);
        assert!(verdict.confidence >= 0.9, "{verdict:?}");
        assert!(
            verdict.signals.contains(&"title_phrase") && verdict.signals.contains(&"thin_text")
        );
    }

    #[test]
    fn a_long_article_that_mentions_domains_for_sale_is_not_parked() {
        let article = format!(
            "<h1>News</h1><p>A domain for sale.</p>{}",
            "<p>Words <a href=/a>and links</a>.</p>".repeat(100)
        );
        assert!(parked(&page(&article), None, &[]).confidence < 0.45);
    }

    #[test]
    fn a_short_honest_page_shows_no_sign() {
        let verdict = parked(
            &page("<title>Bakery</title><p>Open from seven.</p>"),
            None,
            &["ns1.example.net".into()],
        );
        assert_eq!(verdict, Parked::default());
    }

    #[test]
    fn name_servers_redirects_and_embedded_scripts_are_signs() {
        let blank = page("<script src='//img.sedoparking.com/x.js'></script>");
        let url = Url::parse("https://www.hugedomains.com/x").unwrap();
        let verdict = parked(&blank, Some(&url), &["NS1.SedoParking.com.".into()]);
        for signal in ["parking_name_server", "parking_redirect", "parking_embed"] {
            assert!(verdict.signals.contains(&signal), "{signal}");
        }
        assert!(parked(&blank, None, &["ns.notsedoparking.com".into()]).confidence < 0.8);
        assert!(SPOKEN.is_some());
    }
}
