//! What a fetched page says, as the log keeps it.

use aggregates::domain::{
    Contacts, DetectedLanguage, Keyword, PageFacts, Places, Technology as Recorded,
};
use projections::domains::Candidate;
use tokio::task::JoinError;
use validation::{
    http, keywords, page,
    robots::Rules,
    technologies::{Site, Technology},
};

use super::{Kit, micro_crawl};

/// Says of a success whose body is no page (an image, say) what is known of it.
pub(super) fn without_page(kit: &Kit, report: &http::Report) -> PageFacts {
    PageFacts {
        bytes: report.bytes as u64,
        cut: report.truncated,
        content_hash: report.content_hash.clone().unwrap_or_default(),
        keywords: kit.scanner.as_ref().map(|_| Vec::new()),
        ..PageFacts::default()
    }
}

/// Judges a page, and reads further ones of its site where it gives little.
///
/// # Errors
/// When reading it panicked, which is no word on the page.
pub(super) async fn page_facts(
    kit: &Kit,
    of: (&Candidate, &Rules),
    report: &http::Report,
    page: page::Page,
) -> Result<PageFacts, JoinError> {
    let parked = page::parked(&page, report.final_url.as_ref(), &[]);
    let technologies = kit.technologies.detect(&Site {
        headers: &report.headers,
        cookies: &report.cookies,
        page: &page,
    });
    let (page, hits) = match &kit.scanner {
        None => (page, None),
        Some(scanner) => {
            let (page, hits) = scanner.scan(page).await?;
            (page, Some(hits))
        }
    };
    let detected = match page.language {
        Some(_) => None,
        None => page::language_of(&page.text),
    };
    let mut facts = PageFacts {
        title: page.title,
        language: page.language,
        snippet: page.snippet,
        bytes: report.bytes as u64,
        cut: report.truncated,
        content_hash: report.content_hash.clone().unwrap_or_default(),
        h1_count: page.h1_count,
        internal_links: page.links_internal,
        external_links: page.links_external,
        parked_confidence: parked.confidence,
        parked_signals: parked.signals.into_iter().map(ToOwned::to_owned).collect(),
        contacts: Contacts {
            mails: page.contacts.mails,
            phones: page.contacts.phones,
            links: page.contacts.links,
        },
        keywords_incomplete: hits.as_ref().is_some_and(|hits| hits.incomplete),
        keywords: hits.map(|hits| found(kit, hits)),
        detected_language: detected.map(|found| DetectedLanguage {
            language: found.tag.to_owned(),
            confidence: found.confidence,
        }),
        technologies: technologies.into_iter().map(recorded).collect(),
        micro_crawl: None,
    };
    micro_crawl::extend(kit, of, report, &page.links, &mut facts).await?;
    Ok(facts)
}

fn recorded(technology: Technology) -> Recorded {
    Recorded {
        name: technology.name,
        category: technology.category,
        version: technology.version,
        evidence: technology.evidence,
    }
}

fn found(kit: &Kit, hits: keywords::Hits) -> Vec<Keyword> {
    let keyword = |rule: keywords::RuleHits| {
        let places = Places {
            title: rule.places.title,
            h1: rule.places.h1,
            meta: rule.places.meta,
            anchor: rule.places.anchor,
            body: rule.places.body,
            microcrawl: 0,
        };
        keyword(kit, rule, places)
    };
    hits.rules.into_iter().filter_map(keyword).collect()
}

/// Makes what is kept of a rule's finds, which lie in these places.
pub(super) fn keyword(kit: &Kit, found: keywords::RuleHits, places: Places) -> Option<Keyword> {
    Some(Keyword {
        rule_id: *kit.rules.get(found.rule)?,
        pattern: found.pattern,
        category: found.category,
        weight: found.weight,
        hits: found.count,
        places,
        contexts: found.contexts,
    })
}
