//! Trying one proxy, for health checks and for whoever wants to know whether it works.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;
use url::{Host, Url};

use super::Proxy;
use super::pool::{checked, resolve};
use crate::http::fault::{Blame, Fault, Reason};
use crate::http::fetcher::{Clock, Fetcher, Unresolved};
use crate::{Waits, suppression::SUPPRESSED};

/// What a probe found out.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Status of the last answer, of the site or of what stands for it.
    pub status_code: Option<u16>,
    /// How long it took, with resolving.
    pub elapsed: Duration,
    /// Why there is no success.
    pub fault: Option<Fault>,
}

impl Probe {
    /// Tells whether the proxy works; nothing where the failure may as well be the page's.
    #[must_use]
    pub fn is_healthy(&self) -> Option<bool> {
        match self.fault.as_ref().map(|fault| fault.blame) {
            None => Some(true),
            Some(Blame::Proxy) => Some(false),
            // Only something that works shows us what the site says.
            Some(Blame::Target) => self.status_code.is_some().then_some(true),
            Some(Blame::Unknown) => None,
        }
    }
}

impl Fetcher {
    /// Fetches a page through one proxy, whatever pool there is, in one attempt. The addresses of both are resolved and checked
    /// as always; headers, redirects, TLS and times are those of the configuration.
    pub async fn probe(&self, proxy: &Proxy, url: Url) -> Probe {
        let since = Instant::now();
        let mut clock = Clock::start(self.inner.config.timeout);
        let (status_code, fault) = match Box::pin(self.probed(proxy, url, &mut clock)).await {
            Ok(found) => found,
            Err(fault) => (None, Some(fault)),
        };
        Probe {
            status_code,
            elapsed: since.elapsed(),
            fault,
        }
    }

    async fn probed(
        &self,
        proxy: &Proxy,
        url: Url,
        clock: &mut Clock,
    ) -> Result<(Option<u16>, Option<Fault>), Fault> {
        let invalid = |error: &dyn std::error::Error| Fault::proxy("proxy_invalid", error);
        proxy.validate().map_err(|error| invalid(&error))?;
        let waits = Waits::default();
        let (resolver, config) = (&*self.inner.resolver, &self.inner.config);
        let deadline = tokio::time::Instant::from_std(clock.deadline);
        let found = timeout_at(deadline, resolve(proxy, resolver, &waits)).await;
        let found = found.map_err(|_| Fault::proxy("proxy_unresolved", "time ran out"))??;
        let servers = checked(proxy, &found, &*config.proxy_guard, &config.suppression)?;
        let addresses = match url.host() {
            // Addresses in an address are read by the visit itself.
            Some(Host::Domain(host)) => {
                let found = timeout_at(deadline, resolver.resolve(host, &waits)).await;
                found
                    .unwrap_or(Err(Unresolved::Timeout))
                    .map_err(unresolved)?
            }
            _ => Vec::new(),
        };
        clock.excuse(waits.so_far());
        let route = self.route(proxy, &servers);
        let visited = self.visit(url, &addresses, Some(route), None, clock).await;
        Ok(match visited {
            Ok(report) => (report.status, None),
            Err(missed) => (missed.report.status, Some(missed.fault)),
        })
    }
}

fn unresolved(why: Unresolved) -> Fault {
    match why {
        Unresolved::Timeout => Fault::new(Reason::Timeout, "host_unresolved", "nobody answered"),
        Unresolved::Suppressed(why) => Fault::error(SUPPRESSED, why),
        Unresolved::Error(why) => Fault::error("host_unresolved", why),
    }
}
