//! The one place where trials fetch.

use aggregates::persona::{DnsConfig, HttpConfig};
use event_store::describe;
use tokio::{sync::OnceCell, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use validation::{
    http::{self, Blame, Fault, Reason, Unresolved},
    suppression::SUPPRESSED,
};

use super::{Seen, Target, Tell, Trial, Unfinished};
use crate::work::{
    Network,
    extraction::{self, Visitor},
};

/// What the engines call a page whose name leads nowhere.
const NO_HOST: &str = "host_unresolved";

/// The pages that one pair of personas fetches; the engines are made when the first is wanted, and all of them keep their
/// paces together.
pub struct Pages {
    http: HttpConfig,
    dns: DnsConfig,
    fetcher: OnceCell<http::Fetcher>,
}

impl Pages {
    /// Fetches as the one persona says, and finds hosts as the other does.
    #[must_use]
    pub fn new(http: HttpConfig, dns: DnsConfig) -> Self {
        Self {
            http,
            dns,
            fetcher: OnceCell::new(),
        }
    }

    /// Fetches the page of a target, after its name was looked up and its robots.txt asked. Everything that a trial fetches
    /// is fetched here.
    pub(super) async fn visit(
        &self,
        trial: &Trial,
        network: &Network,
        target: &Target,
        tell: &Tell,
    ) -> Result<http::Report, Unfinished> {
        let make = || self.make(network, &trial.cancel);
        let made = self.fetcher.get_or_try_init(make).await?;
        let watcher = Tell::clone(tell);
        let fetcher = made.watched(move |step| watcher(Seen::Http(step)));
        let addresses = match target.name() {
            Some(name) => fetcher.resolve(name).await,
            // The fetcher takes it out of the URL.
            None => Ok(Vec::new()),
        };
        let addresses = match addresses {
            Ok(addresses) => addresses,
            Err(why) => return Ok(unresolved(target, why)),
        };
        let agent = extraction::robots_agent(&self.http);
        let visitor = Visitor {
            fetcher: &fetcher,
            robots_agent: agent.as_deref(),
            told: &|robots| tell(Seen::Robots(robots)),
            // Names, addresses and name servers are looked up in the suppression list by the engines themselves.
            held: &|| None,
        };
        let visited = match target {
            Target::Domain(name) => visitor.start_page(name.as_str(), &addresses).await,
            Target::Page(url) => visitor.page(url, &addresses).await,
        };
        let report = visited.report;
        if report.fault.is_none() {
            tell(Seen::Fetched {
                url: report.final_url.as_ref().map(ToString::to_string),
                status: report.status,
                bytes: report.bytes,
            });
        }
        Ok(report)
    }

    /// Makes the engines, on a thread that may block.
    async fn make(
        &self,
        network: &Network,
        cancel: &CancellationToken,
    ) -> Result<http::Fetcher, Unfinished> {
        let (http, dns) = (self.http.clone(), self.dns.clone());
        let (network, cancel) = (network.clone(), cancel.clone());
        let make =
            spawn_blocking(move || extraction::fetcher((&http, None), &dns, &network, &cancel));
        let made = make
            .await
            .map_err(|error| Unfinished::Engine(error.to_string()))?;
        made.map_err(|error| Unfinished::Engine(describe(&error)))
    }
}

/// Makes the report of a page whose host has no address.
fn unresolved(target: &Target, why: Unresolved) -> http::Report {
    let (reason, code, text) = match why {
        Unresolved::Timeout => (
            Reason::Timeout,
            NO_HOST,
            "nobody answered in time".to_owned(),
        ),
        Unresolved::Error(why) => (Reason::Error, NO_HOST, why),
        Unresolved::Suppressed(why) => (Reason::Error, SUPPRESSED, why),
    };
    http::Report {
        fault: Some(Fault {
            reason,
            code: code.into(),
            text: format!("{}: {text}", target.name().unwrap_or_default()),
            blame: Blame::Target,
            expired_at: None,
        }),
        ..http::Report::default()
    }
}
