//! One page through one proxy after the other, until it comes or the site has spoken.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use url::Url;

use super::connect::Route;
use super::fault::{Blame, Fault};
use super::fetcher::{Clock, Fetcher};
use super::proxy::{self, Lease, Pool, Suspect, Tried};
use super::ranges::AllowedRanges;
use super::report::Report;
use super::visit::{Going, Missed, Needs};
use crate::Waits;

/// What one fetch has tried so far.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// How often the page was asked for.
    pub(super) count: u32,
    /// How many of these were for want of a better answer.
    retries: u32,
}

type Visited = Result<Report, Missed>;

/// What an attempt through a proxy tells, the most telling last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The proxy failed.
    Proxy,
    /// Something failed, and nobody knows whose fault it is.
    Unknown,
    /// The site, or the proxy's rules, turned this proxy away.
    Banned,
    /// The site answered, or failed by itself.
    Settled,
}

/// The proxy of an attempt, or that there is none left.
struct ItsProxy<'p, 't> {
    pool: &'p Pool,
    site: &'t Arc<str>,
    tried: &'t Tried,
}

impl<'p> Needs for ItsProxy<'p, '_> {
    type Had = Option<Lease<'p>>;

    fn now(&self) -> Option<Self::Had> {
        self.pool.lease_now(self.site, self.tried).ok()
    }

    async fn wait(&self) -> Self::Had {
        self.pool.lease(self.site, self.tried).await
    }
}

impl Fetcher {
    /// Visits an address, through proxies where there are any.
    pub(super) async fn attempt(
        &self,
        url: Url,
        addresses: &[IpAddr],
        clock: &mut Clock,
        attempts: &mut Attempts,
    ) -> Visited {
        match &self.inner.config.proxies {
            None => {
                // The second scheme is no second attempt.
                attempts.count = 1;
                self.visit(url, addresses, None, None, clock).await
            }
            Some(pool) => {
                let tries = self.by_proxies(pool, url, addresses, clock, attempts);
                Box::pin(tries).await
            }
        }
    }

    async fn by_proxies(
        &self,
        pool: &Pool,
        url: Url,
        addresses: &[IpAddr],
        clock: &mut Clock,
        attempts: &mut Attempts,
    ) -> Visited {
        let site = site_of(&url);
        let mut tried = Tried::default();
        let mut suspects: Vec<Suspect> = Vec::new();
        let mut found = Found::default();
        loop {
            let proxy = ItsProxy {
                pool,
                site: &site,
                tried: &tried,
            };
            let address = addresses.first().copied();
            let left = self.inner.leave_with(&url, address, clock, &proxy).await;
            let (going, lease) = match left {
                Ok(left) => left,
                Err(fault) => {
                    found.add(Verdict::Settled, Err(unreached(url.clone(), fault)));
                    break;
                }
            };
            let Some(lease) = lease else { break };
            tried.add(&lease);
            attempts.count = attempts.retries + 1;
            let visited = self
                .through(&lease, url.clone(), addresses, going, clock, pool)
                .await;
            let verdict = judge(&visited);
            self.tell(&lease, verdict, &visited, &mut suspects);
            if verdict == Verdict::Settled && answered(&visited) {
                // The site is there: what failed otherwise before failed on the way.
                let said = visited.as_ref().err().map(|missed| missed.fault.reason);
                for suspect in suspects.drain(..) {
                    pool.convict(&suspect, said);
                }
            }
            found.add(verdict, visited);
            if verdict == Verdict::Settled
                || attempts.retries >= pool.max_retries()
                || clock.is_over()
            {
                break;
            }
            attempts.retries += 1;
        }
        found.settle()
    }

    /// Makes one attempt, which has its own time within that of the fetch.
    async fn through(
        &self,
        lease: &Lease<'_>,
        url: Url,
        addresses: &[IpAddr],
        going: Going<'_>,
        clock: &mut Clock,
        pool: &Pool,
    ) -> Visited {
        let (whole, waited) = (clock.deadline, clock.waited);
        clock.deadline = whole.min(Instant::now() + pool.timeout());
        let mut visited = self.routed(lease, url, addresses, going, clock).await;
        clock.deadline = whole + (clock.waited - waited);
        let report = match &mut visited {
            Ok(report) => report,
            Err(missed) => &mut *missed.report,
        };
        report.proxy = Some(lease.proxy.id);
        visited
    }

    async fn routed(
        &self,
        lease: &Lease<'_>,
        url: Url,
        addresses: &[IpAddr],
        going: Going<'_>,
        clock: &mut Clock,
    ) -> Visited {
        let waits = Waits::default();
        let config = &self.inner.config;
        let permitted = (&*config.proxy_guard, &config.suppression);
        let found = lease.addresses(&*self.inner.resolver, permitted, &waits);
        let deadline = tokio::time::Instant::from_std(clock.deadline);
        let found = tokio::time::timeout_at(deadline, found).await;
        clock.excuse(waits.so_far());
        let servers = match found {
            Ok(Ok(servers)) => servers,
            Ok(Err(fault)) => return Err(unreached(url, fault)),
            Err(_) => {
                let text = format!("time ran out while {} was resolved", lease.proxy.host);
                return Err(unreached(url, Fault::proxy("proxy_unresolved", text)));
            }
        };
        let route = self.route(lease.proxy, &servers);
        self.visit(url, addresses, Some(route), Some(going), clock)
            .await
    }

    /// Decides how a proxy at these addresses is used.
    pub(super) fn route<'r>(
        &self,
        proxy: &'r proxy::Proxy,
        servers: &'r [std::net::SocketAddr],
    ) -> Route<'r> {
        let outside =
            |server: &std::net::SocketAddr| AllowedRanges::Public.refuses(server.ip()).is_none();
        let inside_too = self.inner.config.forward_inside;
        Route {
            proxy,
            addresses: servers,
            forward: proxy.protocol.is_http() && (inside_too || servers.iter().all(outside)),
        }
    }

    /// Tells the pool what is known now.
    fn tell(
        &self,
        lease: &Lease<'_>,
        verdict: Verdict,
        visited: &Visited,
        suspects: &mut Vec<Suspect>,
    ) {
        match (verdict, visited) {
            (Verdict::Settled, visited) => lease.worked(answered(visited)),
            (Verdict::Banned, visited) => lease.banned(answered(visited)),
            (Verdict::Proxy, Err(missed)) => lease.failed(&missed.fault),
            (Verdict::Unknown, Err(missed)) => suspects.push(lease.suspected(&missed.fault)),
            (Verdict::Proxy | Verdict::Unknown, Ok(_)) => {}
        }
    }
}

/// Judges an attempt.
fn judge(visited: &Visited) -> Verdict {
    match visited {
        Ok(report) if turns_away(report) => Verdict::Banned,
        Ok(_) => Verdict::Settled,
        Err(missed) => match missed.fault.blame {
            Blame::Target if turns_away(&missed.report) => Verdict::Banned,
            Blame::Target => Verdict::Settled,
            Blame::Proxy if missed.fault.code == proxy::FORBIDDEN => Verdict::Banned,
            Blame::Proxy => Verdict::Proxy,
            Blame::Unknown => Verdict::Unknown,
        },
    }
}

/// Tells whether the site itself said something.
fn answered(visited: &Visited) -> bool {
    match visited {
        Ok(_) => true,
        Err(missed) => missed.report.status.is_some(),
    }
}

/// Tells an answer that is meant for the visitor, not for the page: another visitor may be let in.
fn turns_away(report: &Report) -> bool {
    let status = report.status.unwrap_or_default();
    let refused = matches!(status, 403 | 429) && report.page.is_none();
    let challenged = report.header("cf-mitigated") == Some("challenge");
    let title = report.page.as_ref().and_then(|page| page.title.as_deref());
    refused || challenged || title.is_some_and(is_challenge)
}

/// Tells the title of a page that wants a human.
fn is_challenge(title: &str) -> bool {
    let title = title.to_lowercase();
    [
        "captcha",
        "are you a robot",
        "are you human",
        "attention required!",
        "just a moment...",
    ]
    .iter()
    .any(|words| title.contains(words))
}

/// What the attempts at one page found, of which one is reported.
#[derive(Default)]
struct Found {
    /// The most telling.
    best: Option<(Verdict, Visited)>,
    /// The last one of which nobody knows whose fault it is, and whether the one before it failed alike.
    doubtful: Option<(Missed, bool)>,
}

impl Found {
    fn add(&mut self, verdict: Verdict, visited: Visited) {
        match visited {
            Err(missed) if verdict == Verdict::Unknown => {
                let alike = self.doubtful.take().is_some_and(|(before, agreed)| {
                    agreed || before.fault.reason == missed.fault.reason
                });
                self.doubtful = Some((missed, alike));
            }
            visited
                if self
                    .best
                    .as_ref()
                    .is_none_or(|(known, _)| verdict >= *known) =>
            {
                self.best = Some((verdict, visited));
            }
            _ => {}
        }
    }

    /// Chooses. Where several proxies failed alike it is the site's fault, also when another proxy was turned away, be it
    /// by the site or by its own rules.
    fn settle(self) -> Visited {
        match (self.best, self.doubtful) {
            (Some((Verdict::Settled, visited)), _) => visited,
            (_, Some((missed, true))) => Err(Missed {
                fault: missed.fault.blamed(Blame::Target),
                ..missed
            }),
            (Some((Verdict::Banned, visited)), _) => visited,
            (_, Some((missed, false))) => Err(missed),
            (Some((_, visited)), None) => visited,
            // The first attempt always gets a proxy; this is for a pool that lost it.
            (None, None) => Err(Missed {
                fault: Fault::proxy("no_proxy", "there is no proxy to be had"),
                unanswered: true,
                report: Box::default(),
            }),
        }
    }
}

fn unreached(url: Url, fault: Fault) -> Missed {
    Missed {
        fault,
        unanswered: true,
        report: Box::new(Report {
            final_url: Some(url),
            ..Report::default()
        }),
    }
}

/// Names the site that an address belongs to: its registrable domain, or the host where it has none.
fn site_of(url: &Url) -> Arc<str> {
    let host = url.host_str().unwrap_or_default();
    psl::domain_str(host).unwrap_or(host).into()
}
