//! The micro-crawl: where a start page gives little, a few pages that it links to on its own host are searched too.
//!
//! They are fetched as the start page was, as far as the host's robots.txt allows, by the same fetcher with its pace, persona and proxy, one after the other, from the
//! address that answered for the host. What is found there is kept apart, as finds on further pages.

use std::net::IpAddr;

use aggregates::{
    domain::{Keyword, MicroCrawl, MissedPage, PageFacts, Places},
    scoring,
};
use projections::domains::{Candidate, confidence};
use tokio::task::JoinError;
use url::{Position, Url};
use validation::{http, keywords, robots::Rules};

use super::{Kit, content, scan::Scanner, visit};

/// Distinct keywords from which a start page gives enough.
const ENOUGH_KEYWORDS: usize = 2;
/// Size from which a start page is not a small one, bytes.
const LARGE_PAGE: u64 = 60_000;
/// Further pages that are asked for.
const MAX_PAGES: usize = 3;
/// Links of which robots.txt is asked, in the order of the page, and the longest path of one, bytes: a page may have a hundred
/// long ones, and the file fifty thousand patterns.
const MAX_ASKED: usize = 20;
const MAX_PATH: usize = 1_024;
/// Bytes of further pages that are searched, together. A page that exceeds what is left ends the crawl.
const MAX_BYTES: u64 = 150_000;
/// Endings of addresses that lead to no page.
const FILES: &[&str] = &[
    ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".zip", ".gz", ".mp3", ".mp4",
    ".doc", ".docx", ".xls", ".xlsx", ".xml", ".json", ".ics", ".css", ".js",
];

/// Searches further pages where the start page gives little, and adds what they say.
///
/// # Errors
/// When the search of a page panicked.
pub(super) async fn extend(
    kit: &Kit,
    (candidate, rules): (&Candidate, &Rules),
    start: &http::Report,
    links: &[Url],
    facts: &mut PageFacts,
) -> Result<(), JoinError> {
    let (Some(scanner), Some(from)) = (&kit.scanner, &start.final_url) else {
        return Ok(());
    };
    if !gives_little(facts) || choose(links, from).next().is_none() {
        return Ok(());
    }
    let own_host = from.host_str() == Some(candidate.name.as_str());
    let addresses: Vec<IpAddr> = match start.address {
        Some(address) => vec![address.ip()],
        None if own_host => candidate.addresses.clone(),
        None => return Ok(()),
    };
    let of_host = match own_host {
        true => rules.clone(),
        false => visit::rules_of(kit, from, &addresses).await,
    };
    let allowed =
        |url: &&Url| of_host.allow(url[Position::BeforePath..Position::AfterQuery].as_ref());
    let mut crawl = MicroCrawl::default();
    let asked = choose(links, from)
        .filter(|url| url.path().len() <= MAX_PATH)
        .take(MAX_ASKED);
    for url in asked.filter(allowed).take(MAX_PAGES) {
        if own_host && kit.holds(candidate).is_some() {
            break;
        }
        let report = kit.fetcher.fetch_url(url.clone(), &addresses).await;
        if !take(kit, scanner, &mut crawl, facts, (url, from), report).await? {
            break;
        }
    }
    if !(crawl.pages.is_empty() && crawl.missed.is_empty()) {
        facts.micro_crawl = Some(crawl);
    }
    Ok(())
}

/// Tells whether a page was searched for keywords, has few of them, is small, and is not parked.
fn gives_little(facts: &PageFacts) -> bool {
    let found = facts.keywords.as_ref().map(Vec::len);
    found.is_some_and(|found| found < ENOUGH_KEYWORDS)
        && facts.bytes < LARGE_PAGE
        && confidence(facts.parked_confidence) < scoring::PARKED_FROM
}

/// Chooses the pages that may be asked for: the links that lead elsewhere on the very same origin and to no file.
fn choose<'l>(links: &'l [Url], from: &'l Url) -> impl Iterator<Item = &'l Url> {
    let other = move |url: &&Url| {
        let path = url.path().to_ascii_lowercase();
        url.origin() == from.origin()
            && (url.path(), url.query()) != (from.path(), from.query())
            && !(path == "/" && url.query().is_none())
            && !FILES.iter().any(|ending| path.ends_with(ending))
    };
    links.iter().filter(other)
}

/// Adds one further page. Tells whether there is room for more.
async fn take(
    kit: &Kit,
    scanner: &Scanner,
    crawl: &mut MicroCrawl,
    facts: &mut PageFacts,
    (url, from): (&Url, &Url),
    report: http::Report,
) -> Result<bool, JoinError> {
    let bytes = report.bytes as u64;
    let stayed = report
        .final_url
        .as_ref()
        .is_some_and(|end| end.host_str() == from.host_str());
    let refusal = match (&report.fault, &report.page) {
        (Some(fault), _) => Some(format!("{}: {}", fault.code, fault.text)),
        (None, _) if !stayed => Some("left_host: the page is on another host".to_owned()),
        (None, None) => Some("no_page: the answer is no page".to_owned()),
        (None, Some(_)) if report.content_hash.as_ref() == Some(&facts.content_hash) => {
            Some("same_page: it is the start page again".to_owned())
        }
        (None, Some(_)) if crawl.bytes + bytes > MAX_BYTES => {
            Some("too_large: the pages together are larger than is searched".to_owned())
        }
        (None, Some(_)) => None,
    };
    let full = crawl.bytes.saturating_add(bytes) >= MAX_BYTES;
    match (refusal, report.page) {
        (None, Some(page)) => {
            let (_, hits) = scanner.scan(page).await?;
            crawl.bytes += bytes;
            crawl.pages.push(url.to_string());
            facts.keywords_incomplete |= hits.incomplete;
            merge(kit, facts, hits);
        }
        (refusal, _) => crawl.missed.push(MissedPage {
            url: url.to_string(),
            detail: refusal.unwrap_or_default(),
        }),
    }
    Ok(!full)
}

/// Adds the finds of a further page to those of the start page.
fn merge(kit: &Kit, facts: &mut PageFacts, hits: keywords::Hits) {
    let known = facts.keywords.get_or_insert_default();
    for found in hits.rules {
        let places = Places {
            microcrawl: found.count,
            ..Places::default()
        };
        let Some(more) = content::keyword(kit, found, places) else {
            continue;
        };
        match known
            .iter_mut()
            .find(|keyword| keyword.rule_id == more.rule_id)
        {
            Some(keyword) => add(keyword, more),
            None => known.push(more),
        }
    }
}

fn add(keyword: &mut Keyword, more: Keyword) {
    keyword.hits = keyword.hits.saturating_add(more.hits);
    let places = &mut keyword.places;
    places.microcrawl = places.microcrawl.saturating_add(more.places.microcrawl);
    let room = keywords::MAX_CONTEXTS.saturating_sub(keyword.contexts.len());
    keyword
        .contexts
        .extend(more.contexts.into_iter().take(room));
}
