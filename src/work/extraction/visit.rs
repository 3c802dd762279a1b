//! Fetching a domain's start page, or one page by its address, after its robots.txt (RFC 9309) was asked whether that is wanted.
//!
//! The file is fetched as the page is, https first. Where nobody answers for it, nobody would for the page, so that its failure is the
//! domain's and dead hosts cost no more than one fetch. What it says is kept as long as the domain is being fetched, no longer.

use std::net::IpAddr;

use projections::domains::Candidate;
use url::{Position, Url};
use validation::{
    http::{self, Blame, Fault, Reason},
    robots::{self, Rules},
};

use super::Kit;

/// Code of the failure of a page that robots.txt keeps out.
const DISALLOWED: &str = "robots_disallowed";

/// What came of visiting a domain, or of one page.
pub(in crate::work) struct Visited {
    /// The report of the page, or of why there is none.
    pub(in crate::work) report: http::Report,
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

/// What robots.txt has to say of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Robots {
    /// It is not asked: the persona does not follow it.
    Ignored,
    /// The page may be fetched.
    Allows,
    /// The page may not be fetched, in words.
    Forbids(String),
    /// Nobody answered, so that the page is not asked for either.
    Unreachable,
}

/// Who fetches: with what, as whom robots.txt is read where it is followed, who is told what it says, and who may say, once
/// it was read, that the domain is left alone all the same.
pub(in crate::work) struct Visitor<'v> {
    pub(in crate::work) fetcher: &'v http::Fetcher,
    pub(in crate::work) robots_agent: Option<&'v str>,
    pub(in crate::work) told: &'v (dyn Fn(Robots) + Sync),
    pub(in crate::work) held: &'v (dyn Fn() -> Option<http::Report> + Sync),
}

/// Fetches the start page of a domain as far as its robots.txt allows.
pub(super) async fn visit(kit: &Kit, candidate: &Candidate) -> Visited {
    let held = || kit.holds(candidate).map(|held| kit.left_alone(held));
    if let Some(report) = held() {
        return Visited {
            report,
            rules: Rules::default(),
            asked: 0,
        };
    }
    let visitor = Visitor {
        fetcher: &kit.fetcher,
        robots_agent: kit.robots_agent.as_deref(),
        told: &|_| {},
        held: &held,
    };
    visitor
        .start_page(&candidate.name, &candidate.addresses)
        .await
}

impl Visitor<'_> {
    /// Fetches the start page of a domain at these addresses, https first.
    pub(in crate::work) async fn start_page(&self, host: &str, addresses: &[IpAddr]) -> Visited {
        let target = || http::Target {
            host: host.to_owned(),
            addresses: addresses.to_vec(),
        };
        let Some(agent) = self.robots_agent else {
            return self.unasked(self.fetcher.fetch(target()).await);
        };
        let file = self.fetcher.fetch_path(target(), robots::PATH).await;
        let (asked, rules) = match self.permission(agent, &file, "/") {
            Ok(rules) => (requests(&file), rules),
            Err(refusal) => return refusal.of(file),
        };
        // The suppression list may have been changed since.
        if let Some(report) = (self.held)() {
            return Visited {
                report,
                rules,
                asked,
            };
        }
        // Where https could not be had for the one, it is not tried for the other.
        let plain = Url::parse(&format!("http://{host}/")).ok();
        let mut report = match (plain, &file.https_failure) {
            (Some(plain), Some(_)) => http::Report {
                https_failure: file.https_failure.clone(),
                ..self.fetcher.fetch_url(plain, addresses).await
            },
            _ => self.fetcher.fetch(target()).await,
        };
        report.elapsed += file.elapsed;
        Visited {
            report,
            rules,
            asked,
        }
    }

    /// Fetches one page of a host at these addresses.
    pub(in crate::work) async fn page(&self, url: &Url, addresses: &[IpAddr]) -> Visited {
        let (Some(agent), Ok(of_host)) = (self.robots_agent, url.join(robots::PATH)) else {
            return self.unasked(self.fetcher.fetch_url(url.clone(), addresses).await);
        };
        let file = self.fetcher.fetch_url(of_host, addresses).await;
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let (asked, rules) = match self.permission(agent, &file, path) {
            Ok(rules) => (requests(&file), rules),
            Err(refusal) => return refusal.of(file),
        };
        let mut report = self.fetcher.fetch_url(url.clone(), addresses).await;
        report.elapsed += file.elapsed;
        Visited {
            report,
            rules,
            asked,
        }
    }

    fn unasked(&self, report: http::Report) -> Visited {
        (self.told)(Robots::Ignored);
        Visited {
            report,
            rules: Rules::default(),
            asked: 0,
        }
    }

    /// Judges whether a page may be fetched, and tells.
    fn permission(&self, agent: &str, file: &http::Report, path: &str) -> Result<Rules, Refusal> {
        let judged = match meaning(agent, file) {
            Meaning::Rules(rules) if rules.allow(path) => Ok(rules),
            Meaning::Rules(rules) => {
                let why = format!("{} disallows it", robots::PATH);
                Err(Refusal::Forbidden(why, rules))
            }
            Meaning::Closed(why) => Err(Refusal::Forbidden(why, Rules::default())),
            Meaning::Unreachable => Err(Refusal::Unreachable),
        };
        (self.told)(match &judged {
            Ok(_) => Robots::Allows,
            Err(Refusal::Forbidden(why, _)) => Robots::Forbids(why.clone()),
            Err(Refusal::Unreachable) => Robots::Unreachable,
        });
        judged
    }
}

/// Why a page is not asked for.
enum Refusal {
    /// robots.txt keeps it out, in words, by these rules.
    Forbidden(String, Rules),
    /// Nobody answered.
    Unreachable,
}

impl Refusal {
    /// Makes what came of it, by what came of asking for robots.txt.
    fn of(self, file: http::Report) -> Visited {
        match self {
            Self::Forbidden(why, rules) => Visited {
                report: refused(&file, why),
                rules,
                asked: requests(&file),
            },
            // Its own requests are counted with the report.
            Self::Unreachable => Visited {
                report: http::Report { page: None, ..file },
                rules: Rules::default(),
                asked: 0,
            },
        }
    }
}

/// Reads what the robots.txt of another host says, at the address that answered for it.
pub(super) async fn rules_of(kit: &Kit, page: &Url, addresses: &[IpAddr]) -> Rules {
    let (Some(agent), Ok(url)) = (&kit.robots_agent, page.join(robots::PATH)) else {
        return Rules::default();
    };
    let file = kit.fetcher.fetch_url(url, addresses).await;
    match meaning(agent, &file) {
        Meaning::Rules(rules) => rules,
        Meaning::Closed(_) | Meaning::Unreachable => Rules::nothing(),
    }
}

/// Judges what came of asking for robots.txt (§2.3.1): what is not there, or leads in circles, forbids nothing; what
/// fails or cannot be reached forbids everything.
fn meaning(agent: &str, file: &http::Report) -> Meaning {
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
