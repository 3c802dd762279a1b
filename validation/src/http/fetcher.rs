//! Fetching one domain: https first, then http.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use url::{Host, Url};

use super::attempts::Attempts;
use super::client::Template;
use super::config::{Config, Error};
use super::connect::{Connector, Route};
use super::fault::{Blame, Fault};
use super::pace::Pace;
use super::report::Report;
use super::steps::{Step, Steps};
use super::visit::{Going, Missed, Visit};
use crate::Waits;

/// The answer of [`Resolve`].
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Unresolved>> + Send + 'a>>;

/// The answer of [`Resolve::name_servers`].
pub type NamingServers<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<String>, Unresolved>> + Send + 'a>>;

/// Says why a host has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// Nobody answered in time.
    Timeout,
    /// Nobody may be asked, by the word of the suppression list; in words.
    Suppressed(String),
    /// There is none, or nobody could find out; in words.
    Error(String),
}

/// Finds the addresses of hosts that redirects lead to.
///
/// What it answers is checked before it is used, so it need not know which addresses are allowed. It is stopped when the
/// time of the fetch runs out, of which the waits that it counts are no part.
pub trait Resolve: Send + Sync {
    /// Finds the addresses of a host, or says why there are none. What it waits by our own doing it counts in `waits`, in
    /// the future that it answers and in no task of its own.
    fn resolve<'a>(&'a self, host: &'a str, waits: &'a Waits) -> Resolving<'a>;

    /// Finds every name server that answers for a host, for a suppression list that names some. Who cannot tell them says so:
    /// the host is left alone then.
    fn name_servers<'a>(&'a self, host: &'a str, waits: &'a Waits) -> NamingServers<'a> {
        let _ = (host, waits);
        let why = "who answers for it cannot be asked, and the suppression list names name servers";
        Box::pin(std::future::ready(Err(Unresolved::Suppressed(
            why.to_owned(),
        ))))
    }
}

/// A domain to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host name.
    pub host: String,
    /// Its addresses, as known from the DNS; they are not asked for again.
    pub addresses: Vec<IpAddr>,
}

/// Fetches pages with one configuration. Cloning gives another handle to the same client and the same limits.
#[derive(Clone)]
pub struct Fetcher {
    pub(super) inner: Arc<Inner>,
    steps: Steps,
}

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) connector: Connector,
    pub(super) headers: Template,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) pace: Option<Pace>,
    pub(super) in_flight: Semaphore,
}

/// The time of one fetch.
pub(super) struct Clock {
    started: Instant,
    pub(super) deadline: Instant,
    pub(super) waited: Duration,
}

impl Clock {
    pub(super) fn start(timeout: Duration) -> Self {
        let started = Instant::now();
        Self {
            started,
            deadline: started + timeout,
            waited: Duration::ZERO,
        }
    }

    /// Gives back the time spent waiting for a turn: it is our doing, not the server's.
    pub(super) fn excuse(&mut self, waited: Duration) {
        self.deadline += waited;
        self.waited += waited;
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.waited)
    }
}

impl Fetcher {
    /// Makes a fetcher; this loads the trusted roots, so one is made for a configuration, not for a request.
    ///
    /// # Errors
    ///
    /// Says which setting cannot be honoured.
    pub fn new(config: Config, resolver: Arc<dyn Resolve>) -> Result<Self, Error> {
        config.validate()?;
        let connector = Connector::new(&config)?;
        let headers = Template::new(&config)?;
        Ok(Self {
            steps: Steps::default(),
            inner: Arc::new(Inner {
                pace: config.rate.map(Pace::new),
                in_flight: Semaphore::new(config.in_flight),
                connector,
                headers,
                resolver,
                config,
            }),
        })
    }

    /// Gives another handle to the same client and the same limits, of whose fetches somebody is told step by step, from
    /// within the fetch: whoever is told must not block.
    #[must_use]
    pub fn watched(&self, watcher: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            steps: Steps::to(watcher),
        }
    }

    /// Finds the addresses of a host, as those of redirects are found. This takes the time that the resolver takes: none
    /// of a fetch's.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved> {
        let found = self.inner.resolver.resolve(host, &Waits::default()).await;
        self.steps.tell(|| Step::Resolved {
            host: host.to_owned(),
            found: found.clone(),
        });
        found
    }

    /// Fetches the start page of a domain. Dropping the future ends the fetch.
    pub async fn fetch(&self, target: Target) -> Report {
        self.fetch_path(target, "/").await
    }

    /// Fetches a page of a domain by its absolute path, as [`fetch`](Self::fetch) does the start page.
    pub async fn fetch_path(&self, target: Target, path: &str) -> Report {
        let mut clock = Clock::start(self.inner.config.timeout);
        let entry = |scheme| entry(scheme, &target.host, path);
        let (Some(https), Some(http)) = (entry("https"), entry("http")) else {
            let text = format!("{:?} is not a host name", target.host);
            return failed(Fault::error("host_invalid", text).blamed(Blame::Unknown));
        };
        let mut attempts = Attempts::default();
        let mut report = self
            .fetch_entry(https, http, &target.addresses, &mut clock, &mut attempts)
            .await;
        report.attempts = attempts.count;
        report
    }

    /// Tries https, and http where nothing was answered.
    async fn fetch_entry(
        &self,
        https: Url,
        http: Url,
        addresses: &[IpAddr],
        clock: &mut Clock,
        attempts: &mut Attempts,
    ) -> Report {
        let mut https_fault = None;
        if self.inner.config.tries_https() {
            match self.attempt(https, addresses, clock, attempts).await {
                Ok(report) => return report,
                // A proxy's failure says nothing about https.
                Err(missed)
                    if missed.unanswered
                        && missed.fault.blame != Blame::Proxy
                        && !clock.is_over() =>
                {
                    https_fault = Some(missed.fault)
                }
                Err(missed) => return missed.into_report(clock.elapsed()),
            }
        }
        let result = self.attempt(http, addresses, clock, attempts).await;
        let https_failure = https_fault.as_ref().map(Fault::line);
        let mut report = match (result, https_fault) {
            (Ok(report), _) => report,
            (Err(missed), Some(https)) if missed.unanswered => {
                let fault = Fault::of_both(https, missed.fault.clone());
                Missed { fault, ..missed }.into_report(clock.elapsed())
            }
            (Err(missed), _) => missed.into_report(clock.elapsed()),
        };
        report.https_failure = https_failure;
        report
    }

    /// Fetches one page of a host whose addresses are known, such as a link of a page fetched before. There is no other
    /// scheme to fall back to.
    pub async fn fetch_url(&self, url: Url, addresses: &[IpAddr]) -> Report {
        let mut clock = Clock::start(self.inner.config.timeout);
        let mut attempts = Attempts::default();
        let fetched = self.attempt(url, addresses, &mut clock, &mut attempts);
        let mut report = match fetched.await {
            Ok(report) => report,
            Err(missed) => missed.into_report(clock.elapsed()),
        };
        report.attempts = attempts.count;
        report
    }

    /// Visits an address and follows where it leads, with leave for the first request where that was got before; the
    /// future is large, so it lives on the heap.
    pub(super) async fn visit(
        &self,
        url: Url,
        addresses: &[IpAddr],
        through: Option<Route<'_>>,
        first: Option<Going<'_>>,
        clock: &mut Clock,
    ) -> Result<Report, Missed> {
        let mut visit = Visit::new((&self.inner, &self.steps), url, addresses, through, clock);
        visit.first = first;
        let result = Box::pin(visit.run()).await;
        if let Err(missed) = &result {
            self.steps.tell(|| Step::Failed {
                url: missed.report.final_url.clone(),
                fault: missed.fault.clone(),
            });
        }
        result.map(|mut report| {
            report.elapsed = clock.elapsed();
            report
        })
    }
}

pub(super) fn closed() -> Fault {
    Fault::error("closed", "the fetcher is closed").blamed(Blame::Unknown)
}

fn failed(fault: Fault) -> Report {
    Report {
        fault: Some(fault),
        ..Report::default()
    }
}

/// Makes the address of a domain's page; names beyond ASCII become A-labels.
fn entry(scheme: &str, host: &str, path: &str) -> Option<Url> {
    let host = host.trim_end_matches('.');
    // Anything that is not only a host would move the rest of the address.
    Host::parse(host).ok()?;
    Url::parse(&format!("{scheme}://{host}{path}")).ok()
}
