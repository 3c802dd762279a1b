//! Fetching a domain's start page, after its robots.txt (RFC 9309) was asked whether that is wanted.
//!
//! The file is fetched as the page is, https first. Where nobody answers for it, nobody would for the page, so that its failure is the
//! domain's and dead hosts cost no more than one fetch. What it says is kept as long as the domain is being fetched, no longer.

use projections::domains::Candidate;
use url::Url;
use validation::{
    http::{self, Blame, Fault, Reason},
    robots::{self, Rules},
};

use super::Kit;

/// Code of the failure of a page that robots.txt keeps out.
const DISALLOWED: &str = "robots_disallowed";

/// What came of visiting a domain.
pub(super) struct Visited {
    /// The report of the page, or of why there is none.
    pub(super) report: http::Report,
    /// What the host's robots.txt allows; everything where it is not followed.
    pub(super) rules: Rules,
    /// Requests for robots.txt.
    pub(super) asked: usize,
}

/// What a robots.txt means.
enum Meaning {
    Rules(Rules),
    /// The host keeps everybody out, in words.
    Closed(String),
    /// Nobody answered, as the report says.
    Unreachable,
}

/// Fetches the start page of a domain as far as its robots.txt allows.
pub(super) async fn visit(kit: &Kit, candidate: &Candidate) -> Visited {
    if let Some(held) = kit.holds(candidate) {
        return Visited {
            report: kit.left_alone(held),
            rules: Rules::default(),
            asked: 0,
        };
    }
    let target = || http::Target {
        host: candidate.name.clone(),
        addresses: candidate.addresses.clone(),
    };
    if kit.robots_agent.is_none() {
        return Visited {
            report: kit.fetcher.fetch(target()).await,
            rules: Rules::default(),
            asked: 0,
        };
    }
    let file = kit.fetcher.fetch_path(target(), robots::PATH).await;
    let asked = requests(&file);
    let visited = |report, rules| Visited {
        report,
        rules,
        asked,
    };
    let rules = match meaning(kit, &file) {
        Meaning::Rules(rules) => rules,
        Meaning::Closed(why) => return visited(refused(&file, why), Rules::default()),
        Meaning::Unreachable => {
            // Its own requests are counted with the report.
            let report = http::Report { page: None, ..file };
            return Visited {
                report,
                rules: Rules::default(),
                asked: 0,
            };
        }
    };
    if !rules.allow("/") {
        let why = format!("{} disallows it", robots::PATH);
        return visited(refused(&file, why), rules);
    }
    // The list may have been changed since.
    if let Some(held) = kit.holds(candidate) {
        return visited(kit.left_alone(held), rules);
    }
    // Where https could not be had for the one, it is not tried for the other.
    let plain = Url::parse(&format!("http://{}/", candidate.name)).ok();
    let mut report = match (plain, &file.https_failure) {
        (Some(plain), Some(_)) => http::Report {
            https_failure: file.https_failure.clone(),
            ..kit.fetcher.fetch_url(plain, &candidate.addresses).await
        },
        _ => kit.fetcher.fetch(target()).await,
    };
    report.elapsed += file.elapsed;
    visited(report, rules)
}

/// Reads what the robots.txt of another host says, at the address that answered for it.
pub(super) async fn rules_of(kit: &Kit, page: &Url, addresses: &[std::net::IpAddr]) -> Rules {
    let (Some(_), Ok(url)) = (&kit.robots_agent, page.join(robots::PATH)) else {
        return Rules::default();
    };
    let file = kit.fetcher.fetch_url(url, addresses).await;
    match meaning(kit, &file) {
        Meaning::Rules(rules) => rules,
        Meaning::Closed(_) | Meaning::Unreachable => Rules::nothing(),
    }
}

/// Judges what came of asking for robots.txt (§2.3.1): what is not there, or leads in circles, forbids nothing; what
/// fails or cannot be reached forbids everything.
fn meaning(kit: &Kit, file: &http::Report) -> Meaning {
    let agent = kit.robots_agent.as_deref().unwrap_or_default();
    let fault = file.fault.as_ref();
    match (file.status, fault) {
        (_, Some(fault)) if fault.code == "redirect_loop" => Meaning::Rules(Rules::default()),
        (None, _) => Meaning::Unreachable,
        (Some(200..=299), None) => {
            let text = file.page.as_ref().map(|page| page.text.as_str());
            Meaning::Rules(Rules::parse(text.unwrap_or_default(), agent))
        }
        (Some(status @ 200..=299), Some(fault)) if fault.code.starts_with("status_") => {
            Meaning::Closed(format!(
                "{} answered {status}, which the persona does not allow, so that it was not read",
                robots::PATH
            ))
        }
        (Some(200..=299), Some(_)) => Meaning::Unreachable,
        (Some(status @ 500..), _) => Meaning::Closed(format!("{} answered {status}", robots::PATH)),
        (Some(_), _) => Meaning::Rules(Rules::default()),
    }
}

/// Makes the report of a page that is not asked for.
fn refused(file: &http::Report, why: String) -> http::Report {
    http::Report {
        fault: Some(Fault {
            reason: Reason::Error,
            code: DISALLOWED.into(),
            text: why,
            blame: Blame::Target,
            expired_at: None,
        }),
        elapsed: file.elapsed,
        ..http::Report::default()
    }
}

/// Counts the requests of a fetch: every redirect that was followed is one, so is the one that ended it, and each through
/// another proxy.
pub(super) fn requests(report: &http::Report) -> usize {
    let through_others = report.attempts.saturating_sub(1);
    report.redirects.len()
        + 1
        + usize::from(report.https_failure.is_some())
        + usize::try_from(through_others).unwrap_or(usize::MAX)
}
