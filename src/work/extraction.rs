//! Extraction: the live names of an order over HTTP, their pages matched against the run's keywords.

mod content;
mod micro_crawl;
mod scan;
mod suppressed;
mod visit;

pub use self::visit::Robots;
pub(super) use self::{scan::Scanner, visit::Visitor};

use std::sync::Arc;

use aggregates::{
    domain::{Event, HttpChecked, HttpReason, Outcome, PageFacts},
    ids::{ProxyId, RuleId, RunId},
    keyword_set::{Rule, RuleType},
    persona::{CookieMode, DnsConfig, HttpConfig, TlsVersion},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use projections::domains::Candidate;
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use validation::{
    Waits, dns, http,
    keywords::{self, Matcher},
    suppression::Suppression,
    technologies::Technologies,
};

pub(super) use self::suppressed::add_name_servers;
use self::visit::Visited;
use super::{Network, engines::KitError, manner::Manner, record::Found, validation as dns_phase};

/// Domains of one order at once: most of them wait until their sites may be asked again. The fetcher bounds the requests
/// that are under way, of all orders together.
const AT_ONCE: usize = 256;

/// What an order of an extraction run works with.
pub(super) struct Kit {
    fetcher: http::Fetcher,
    scanner: Option<Scanner>,
    rules: Arc<[RuleId]>,
    technologies: Arc<Technologies>,
    /// As whom robots.txt is read; absent where it is not followed.
    robots_agent: Option<String>,
    suppression: Suppression,
}

/// Resolves names that are met on the way, such as the targets of redirects.
pub(super) struct Names(pub(super) dns::Engine);

impl http::Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, waits: &'a Waits) -> http::Resolving<'a> {
        Box::pin(async move {
            let report = self.0.check_counting(host, waits).await;
            match report.outcome {
                dns::Outcome::Ok => Ok(report.addresses),
                dns::Outcome::Error(_) if report.suppressed => Err(http::Unresolved::Suppressed(
                    report.detail.unwrap_or_default(),
                )),
                dns::Outcome::Timeout => Err(http::Unresolved::Timeout),
                dns::Outcome::Error(reason) => {
                    let detail = report.detail.map(|detail| format!(" ({detail})"));
                    let why = format!("{reason}{}", detail.unwrap_or_default());
                    Err(http::Unresolved::Error(why))
                }
            }
        })
    }

    fn name_servers<'a>(&'a self, host: &'a str, waits: &'a Waits) -> http::NamingServers<'a> {
        Box::pin(async move {
            let found = self.0.name_servers(host, waits).await;
            found.map_err(http::Unresolved::Suppressed)
        })
    }
}

/// Translates a persona's configuration into that of the engine for names that are met on the way. Its resolvers and paces
/// hold, but such a name is no candidate: there is no pause before it, and nobody asks whether its zone is a wildcard.
pub(super) fn names_config(persona: &DnsConfig, network: &Network) -> Result<dns::Config, String> {
    let config = dns_phase::config(persona, &[], network)?;
    Ok(dns::Config {
        delay: None,
        check_wildcards: false,
        ..config
    })
}

impl Kit {
    /// Builds the fetcher and compiles the rules, on a thread that may block: trusted roots and system resolvers are read
    /// from files, and many rules take long.
    ///
    /// # Errors
    /// [`KitError::Refused`] for what cannot be honoured, [`KitError::NotStarted`] for what does not start now.
    pub(super) async fn build(
        (http, proxies): (HttpConfig, Option<Arc<http::Pool>>),
        dns: DnsConfig,
        rules: Vec<Rule>,
        network: Network,
        cancel: CancellationToken,
    ) -> Result<Self, KitError> {
        let built = spawn_blocking(move || {
            Self::build_here((&http, proxies), &dns, &rules, &network, &cancel)
        });
        built
            .await
            .unwrap_or_else(|error| Err(KitError::not_started(&error)))
    }

    fn build_here(
        (http, proxies): (&HttpConfig, Option<Arc<http::Pool>>),
        dns: &DnsConfig,
        rules: &[Rule],
        network: &Network,
        cancel: &CancellationToken,
    ) -> Result<Self, KitError> {
        let technologies = network.technologies().map_err(KitError::Refused)?;
        let scanner = if rules.is_empty() {
            None
        } else {
            let compiled = compile(rules).map_err(|error| KitError::Refused(error.to_string()))?;
            Some(Scanner::new(compiled))
        };
        // Last: rules that cannot be honoured end the run, whatever does not start now.
        let fetcher = fetcher((http, proxies), dns, network, cancel)?;
        Ok(Self {
            fetcher,
            scanner,
            rules: rules.iter().map(|rule| rule.id).collect(),
            technologies,
            robots_agent: robots_agent(http),
            suppression: network.suppression.clone(),
        })
    }
}

/// Says as whom a persona reads robots.txt, where it follows it.
pub(super) fn robots_agent(http: &HttpConfig) -> Option<String> {
    http.follows_robots().then(|| http.user_agent.clone())
}

/// Makes a fetcher, and the engine by which it finds hosts that it meets on the way. This reads files, and so blocks.
///
/// # Errors
/// [`KitError::Refused`] for what cannot be honoured, [`KitError::NotStarted`] for what does not start now.
pub(super) fn fetcher(
    (http, proxies): (&HttpConfig, Option<Arc<http::Pool>>),
    dns: &DnsConfig,
    network: &Network,
    cancel: &CancellationToken,
) -> Result<http::Fetcher, KitError> {
    let resolver = names_config(dns, network).map_err(KitError::Refused)?;
    let mut config = config(http, network).map_err(KitError::Refused)?;
    config.proxies = proxies;
    // Both configurations are valid: what fails from here on is this machine's, and may go better another time.
    let engine = dns::Engine::start(resolver, cancel.child_token())
        .map_err(|error| KitError::not_started(&error))?;
    http::Fetcher::new(config, Arc::new(Names(engine)))
        .map_err(|error| KitError::not_started(&error))
}

/// Compiles the rules of a run.
///
/// # Errors
/// Names the first rule that the matcher does not take, by its id.
pub(super) fn compile(rules: &[Rule]) -> Result<Matcher, keywords::Error> {
    let rules: Vec<keywords::Rule> = rules.iter().map(rule).collect();
    Matcher::compile(&rules)
}

fn rule(rule: &Rule) -> keywords::Rule {
    keywords::Rule {
        id: rule.id.to_string(),
        pattern: rule.pattern.clone(),
        kind: match rule.rule_type {
            RuleType::String => keywords::Kind::Literal,
            RuleType::Regex => keywords::Kind::Regex,
        },
        case_sensitive: rule.is_case_sensitive,
        category: rule.category.clone(),
        weight: rule.weight,
        context_chars: usize::try_from(rule.context_chars).unwrap_or(usize::MAX),
    }
}

/// Translates a persona's configuration, and what the operator says about the network, into the fetcher's.
///
/// # Errors
/// What the fetcher cannot honour, in words.
pub(super) fn config(persona: &HttpConfig, network: &Network) -> Result<http::Config, String> {
    let mut config = http::Config::new(&persona.user_agent);
    config.headers = persona.headers.clone().into_iter().collect();
    config.header_order.clone_from(&persona.header_order);
    config.cookies = match persona.cookie_mode() {
        CookieMode::Preserve => http::Cookies::Preserve,
        CookieMode::Ignore => http::Cookies::Ignore,
        CookieMode::Custom => {
            let cookies = persona.cookie_handling.clone().unwrap_or_default().cookies;
            http::Cookies::Custom(cookies.into_iter().collect())
        }
    };
    config.follow_redirects = persona.follow_redirects.unwrap_or(true);
    config
        .allowed_status_codes
        .clone_from(&persona.allowed_status_codes);
    config.timeout = persona.request_timeout();
    let (lowest, highest) = persona.tls_versions();
    config.tls_min = tls(lowest)?;
    config.tls_max = tls(highest)?;
    config.http2 = persona.http2();
    config.rate = persona
        .rate_limit_dps
        .filter(|rate| *rate > 0.0)
        .map(|per_second| http::Rate {
            per_second,
            burst: persona.rate_limit_burst.unwrap_or(1).max(1),
        });
    config.http_port = network.http_port;
    config.https_port = network.https_port;
    config.allow = network.allowed();
    // A user names proxies as freely as sites.
    config.proxy_guard = Arc::new(network.allowed());
    config.forward_inside = network.allow_private;
    config.politeness = Some(network.politeness.clone());
    config.own_loopback = network.allow_private && !network.polite_to_loopback;
    config.suppression = network.suppression.clone();
    config.trusted_roots.clone_from(&network.trusted_roots);
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

fn tls(version: TlsVersion) -> Result<http::TlsVersion, String> {
    match version {
        TlsVersion::Tls12 => Ok(http::TlsVersion::V1_2),
        TlsVersion::Tls13 => Ok(http::TlsVersion::V1_3),
        TlsVersion::Tls10 | TlsVersion::Tls11 => Err("TLS 1.0 and 1.1 are not spoken".to_owned()),
    }
}

/// A page could not be read, which is no word on the page: nothing is recorded of it.
#[derive(Debug, thiserror::Error)]
#[error("the page of {name} cannot be read")]
pub(super) struct Unread {
    name: String,
    source: JoinError,
}

/// Fetches every candidate and reads its page.
///
/// # Errors
/// The first page that could not be read.
pub(super) async fn fetch(
    kit: &Kit,
    run_id: RunId,
    candidates: Vec<Candidate>,
    manner: Manner,
) -> Result<Vec<Found>, Unread> {
    stream::iter(manner.arranged(candidates))
        .map(|candidate| async move {
            manner.pause().await;
            let visited = visit::visit(kit, &candidate).await;
            match checked(kit, run_id, &candidate, visited).await {
                Ok(checked) => Ok(Found {
                    name: candidate.name,
                    state: candidate.state,
                    result: Event::HttpChecked(checked),
                }),
                Err(source) => Err(Unread {
                    name: candidate.name,
                    source,
                }),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn checked(
    kit: &Kit,
    run_id: RunId,
    candidate: &Candidate,
    visited: Visited,
) -> Result<HttpChecked, JoinError> {
    let Visited {
        mut report,
        rules,
        asked,
    } = visited;
    let (outcome, reason) = match report.outcome() {
        http::Outcome::Ok => (Outcome::Ok, None),
        http::Outcome::Timeout => (Outcome::Timeout, Some(HttpReason::Timeout)),
        http::Outcome::Error(reason) => (Outcome::Error, Some(reason_of(reason))),
    };
    let page = match report.page.take() {
        Some(page) => Some(content::page_facts(kit, (candidate, &rules), &report, page).await?),
        None => (outcome == Outcome::Ok).then(|| content::without_page(kit, &report)),
    };
    Ok(HttpChecked {
        run_id,
        outcome,
        reason,
        detail: report
            .fault
            .as_ref()
            .map(|fault| format!("{}: {}", fault.code, fault.text)),
        status: report.status,
        final_url: report.final_url.as_ref().map(ToString::to_string),
        attempts: attempts(&report, page.as_ref(), asked),
        redirects: report.redirects,
        headers: report.headers.into_iter().collect(),
        tls_version: report.tls_version.map(ToOwned::to_owned),
        certificate_expires: report.certificate_expires,
        https_failure: report.https_failure,
        proxy: report.proxy.map(|proxy| ProxyId(proxy.0)),
        elapsed_ms: u32::try_from(report.elapsed.as_millis()).unwrap_or(u32::MAX),
        page,
        taken_from: None,
    })
}

/// Counts requests: those of the fetch, if there was one, those for robots.txt, and one for each further page.
fn attempts(report: &http::Report, page: Option<&PageFacts>, asked: usize) -> u32 {
    let further = page
        .and_then(|page| page.micro_crawl.as_ref())
        .map_or(0, |crawl| crawl.pages.len() + crawl.missed.len());
    let own = report
        .final_url
        .as_ref()
        .map_or(0, |_| visit::requests(report));
    u32::try_from(own + asked + further).unwrap_or(u32::MAX)
}

const fn reason_of(reason: http::Reason) -> HttpReason {
    match reason {
        http::Reason::Timeout => HttpReason::Timeout,
        http::Reason::NotFound => HttpReason::NotFound,
        http::Reason::Upstream5xx => HttpReason::Upstream5xx,
        http::Reason::ProxyError => HttpReason::ProxyError,
        http::Reason::TlsError => HttpReason::TlsError,
        http::Reason::SslExpired => HttpReason::SslExpired,
        http::Reason::ConnectionReset => HttpReason::ConnectionReset,
        http::Reason::Error => HttpReason::Error,
    }
}

#[cfg(test)]
mod fields;
#[cfg(test)]
mod tests;
