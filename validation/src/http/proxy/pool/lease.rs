//! A proxy for one attempt at one page.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use super::{ADDRESSES_TTL, Guard, Pool, Proxy, Seat, State};
use crate::Waits;
use crate::http::fault::{Fault, Reason};
use crate::http::fetcher::{Resolve, Unresolved};
use crate::suppression::{Held, Suppression};

/// The proxies that one page was tried through.
#[derive(Debug, Default)]
pub(in crate::http) struct Tried(HashSet<usize>);

/// A proxy that was chosen for an attempt. What it is dropped without having told changes nothing.
pub(in crate::http) struct Lease<'p> {
    pool: &'p Pool,
    index: usize,
    site: Arc<str>,
    trial: bool,
    pub(in crate::http) proxy: &'p Proxy,
    _permit: Option<OwnedSemaphorePermit>,
}

/// A proxy through which a page did not come, where it may as well have been the site.
pub(in crate::http) struct Suspect {
    index: usize,
    /// Whether it was counted already.
    convicted: bool,
    fault: Fault,
}

impl Pool {
    /// Counts a failure as the proxy's after all: the site answered another, and not by failing the same way.
    pub(in crate::http) fn convict(&self, suspect: &Suspect, said: Option<Reason>) {
        if !suspect.convicted && said != Some(suspect.fault.reason) {
            self.failed(suspect.index, &suspect.fault);
        }
    }

    /// Chooses a proxy for a site that was not tried for this page yet, and waits for its turn. Nothing when there is none
    /// left; the first attempt always gets one, if need be one that rests.
    pub(in crate::http) async fn lease(&self, site: &Arc<str>, tried: &Tried) -> Option<Lease<'_>> {
        let (mut lease, seat) = self.begin(site, tried)?;
        // The semaphore is never closed.
        lease._permit = Arc::clone(&seat.permits).acquire_owned().await.ok();
        if let Some(pace) = &seat.pace {
            pace.turn().await;
        }
        Some(lease)
    }

    /// Chooses as [`lease`](Self::lease) does, where the turn of the proxy is now.
    ///
    /// # Errors
    ///
    /// Where it has to be waited for.
    pub(in crate::http) fn lease_now(
        &self,
        site: &Arc<str>,
        tried: &Tried,
    ) -> Result<Option<Lease<'_>>, Busy> {
        let Some((mut lease, seat)) = self.begin(site, tried) else {
            return Ok(None);
        };
        let permit = Arc::clone(&seat.permits).try_acquire_owned();
        lease._permit = Some(permit.map_err(|_| Busy)?);
        match &seat.pace {
            Some(pace) if !pace.turn_now() => Err(Busy),
            _ => Ok(Some(lease)),
        }
    }

    fn begin(&self, site: &Arc<str>, tried: &Tried) -> Option<(Lease<'_>, &Seat)> {
        let (index, trial) = self.with(|state| self.choose(state, site, &tried.0))?;
        let seat = self.seats.get(index)?;
        let lease = Lease {
            pool: self,
            index,
            site: Arc::clone(site),
            trial,
            proxy: &seat.proxy,
            _permit: None,
        };
        Some((lease, seat))
    }
}

/// A proxy whose turn is not now.
pub(in crate::http) struct Busy;

impl Tried {
    /// Takes note that a page is tried through a proxy.
    pub(in crate::http) fn add(&mut self, lease: &Lease<'_>) {
        self.0.insert(lease.index);
    }
}

impl Lease<'_> {
    /// The proxy works, whatever became of the page. Where the site itself answered, it is asked the same way again.
    pub(in crate::http) fn worked(&self, answered: bool) {
        self.pool.succeeded(self.index);
        if answered && self.pool.config.sticky {
            let now = Instant::now();
            self.pool.with(|state| {
                if state.habits.get(&self.site, now) != Some(&self.index) {
                    state.habits.put(Arc::clone(&self.site), self.index, now);
                }
            });
        }
    }

    /// The site turned this proxy away, or the proxy does not go there. It works all the same if the site answered.
    pub(in crate::http) fn banned(&self, answered: bool) {
        if answered {
            self.pool.succeeded(self.index);
        }
        let now = Instant::now();
        self.pool.with(|state| {
            let pair = (self.index, Arc::clone(&self.site));
            state.bans.put(pair, (), now);
            self.forget_habit(state, now);
        });
    }

    /// The proxy failed.
    pub(in crate::http) fn failed(&self, fault: &Fault) {
        self.pool.failed(self.index, fault);
        let now = Instant::now();
        self.pool.with(|state| self.forget_habit(state, now));
    }

    /// Something failed, and nobody knows whether it was the proxy.
    pub(in crate::http) fn suspected(&self, fault: &Fault) -> Suspect {
        // A proxy on trial has to show that it works.
        if self.trial {
            self.pool.failed(self.index, fault);
        }
        Suspect {
            index: self.index,
            convicted: self.trial,
            fault: fault.clone(),
        }
    }

    fn forget_habit(&self, state: &mut State, now: Instant) {
        if state.habits.get(&self.site, now) == Some(&self.index) {
            state.habits.forget(&self.site);
        }
    }

    /// Finds the addresses of the proxy that may be spoken to.
    ///
    /// # Errors
    ///
    /// That it has none, or none that the guard and the suppression list let pass.
    pub(in crate::http) async fn addresses(
        &self,
        resolver: &dyn Resolve,
        (guard, suppression): (&dyn Guard, &Suppression),
        waits: &Waits,
    ) -> Result<Vec<SocketAddr>, Fault> {
        let seat = self.pool.seats.get(self.index);
        let known = seat.and_then(|seat| {
            let known = seat
                .addresses
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (since, addresses) = known.as_ref()?;
            (since.elapsed() < ADDRESSES_TTL).then(|| addresses.clone())
        });
        let found = match known {
            Some(found) => found,
            None => {
                let found = resolve(self.proxy, resolver, waits).await?;
                if let Some(seat) = seat {
                    let mut known = seat
                        .addresses
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    *known = Some((Instant::now(), found.clone()));
                }
                found
            }
        };
        checked(self.proxy, &found, guard, suppression)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.trial {
            let now = Instant::now();
            self.pool.with(|state| {
                if let Some(standing) = state.standings.get_mut(self.index) {
                    standing.abandon_trial(now);
                }
            });
        }
    }
}

/// Finds a proxy's addresses by its host.
pub(in crate::http::proxy) async fn resolve(
    proxy: &Proxy,
    resolver: &dyn Resolve,
    waits: &Waits,
) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(address) = proxy.host.parse() {
        return Ok(vec![address]);
    }
    let found = resolver.resolve(&proxy.host, waits).await;
    found.map_err(|why| {
        let why = match why {
            Unresolved::Timeout => "nobody answered in time".to_owned(),
            Unresolved::Error(why) | Unresolved::Suppressed(why) => why,
        };
        Fault::proxy("proxy_unresolved", format!("{}: {why}", proxy.host))
    })
}

/// Keeps the addresses that may be spoken to.
///
/// # Errors
///
/// That there is none, and whose word that is.
pub(in crate::http::proxy) fn checked(
    proxy: &Proxy,
    found: &[IpAddr],
    guard: &dyn Guard,
    suppression: &Suppression,
) -> Result<Vec<SocketAddr>, Fault> {
    let refusal = |why: &str| {
        let text = format!("the address of {} is not allowed: {why}", proxy.host);
        Fault::proxy("proxy_address_refused", text)
    };
    let mut refused = refusal("it has no address");
    let mut allowed = Vec::new();
    for address in found {
        let server = SocketAddr::new(*address, proxy.port);
        match (guard.refuses(server), suppression.address(*address)) {
            (Some(why), _) => refused = refusal(why),
            (None, Some(held)) => refused = suppressed(proxy, *address, held),
            (None, None) => allowed.push(server),
        }
    }
    match allowed.is_empty() {
        true => Err(refused),
        false => Ok(allowed),
    }
}

/// Says that a proxy is left alone. Without a list everybody is, which is no fault of the proxy's.
pub(in crate::http) fn suppressed(proxy: &Proxy, address: IpAddr, held: Held) -> Fault {
    let what = format!("the proxy {} at {address}", proxy.host);
    match held {
        Held::Unread => Fault::held(what, held),
        _ => Fault::proxy("proxy_suppressed", format!("{what}: {held}")),
    }
}
