//! A pool of proxies: which one fetches the next page, and what is known of each.
//!
//! Three things are kept apart. A proxy's **health** counts its own failures only; one that fails repeatedly rests, and then
//! gets one page at a time until one goes well. A **ban** is between a proxy and a site: the site, or the proxy's rules, turn
//! this one away, and others are asked. A **habit** is the proxy that a site was last fetched through, which is kept while it
//! works, so that a site sees one visitor. All three are bounded.
//!
//! A failure of which nobody knows whose it is, is judged in hindsight: if the page then comes through another proxy, it was
//! the first proxy's; if others fail likewise, it was the site's.

mod choice;
mod choose;
mod health;
mod lease;
mod remembered;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, broadcast};

use self::choice::Choice;
use self::health::{Change, Standing};
pub(in crate::http) use self::lease::suppressed;
pub(in crate::http) use self::lease::{Lease, Suspect, Tried};
pub(super) use self::lease::{checked, resolve};
use self::remembered::Remembered;
use super::{Error, Guard, Probe, Proxy, ProxyId, is_unauthorized};
use crate::http::config::Rate;
use crate::http::fault::Fault;
use crate::http::pace::Pace;

/// Most proxies of a pool.
const MAX_MEMBERS: usize = 10_000;
/// Most further proxies for one page.
const MAX_RETRIES: u32 = 10;
/// Most pages at once through one proxy.
const MAX_IN_FLIGHT: usize = 10_000;
/// Longest time for one attempt, and for a rest.
const MAX_TIME: Duration = Duration::from_secs(3_600);
/// Pairs of a proxy and a site, and sites with their proxies, that are remembered.
const MAX_REMEMBERED: usize = 65_536;
/// Changes of health that a listener may be behind; older ones are lost to it, which it is told.
const MAX_BEHIND: usize = 1_024;
/// How long the addresses of a proxy's name are used.
const ADDRESSES_TTL: Duration = Duration::from_secs(60);

/// Says which proxy gets the next site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// Any, with chances by weight. Those of weight zero are the reserve.
    Weighted,
    /// The first that works, in the order of the members.
    Failover,
}

/// A proxy of a pool.
#[derive(Debug, Clone)]
pub struct Member {
    /// The proxy.
    pub proxy: Proxy,
    /// Its share under [`Strategy::Weighted`].
    pub weight: u32,
}

/// Holds what can be set for a pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// Which proxy gets the next site.
    pub strategy: Strategy,
    /// Further proxies that a page is tried through, at most 10.
    pub max_retries: u32,
    /// Time for one attempt with all its redirects, within that of the fetch.
    pub timeout: Duration,
    /// Whether a site keeps its proxy while that works.
    pub sticky: bool,
    /// Failures in a row after which a proxy rests. Refused credentials are one too many at once.
    pub failures: u32,
    /// How long the first rest lasts. Each further one is twice as long, up to 20 times the first.
    pub rest: Duration,
    /// How long a pair of a proxy and a site that turn each other away is remembered.
    pub ban: Duration,
    /// Pages at once through one proxy.
    pub in_flight: usize,
    /// How fast pages go through one proxy, if that is limited.
    pub rate: Option<Rate>,
}

impl Default for PoolConfig {
    /// Round robin with two retries, 8 s an attempt, sticky; three failures, half a minute's rest, bans of ten minutes; 64
    /// pages at once.
    fn default() -> Self {
        Self {
            strategy: Strategy::RoundRobin,
            max_retries: 2,
            timeout: Duration::from_secs(8),
            sticky: true,
            failures: 3,
            rest: Duration::from_secs(30),
            ban: Duration::from_secs(600),
            in_flight: 64,
            rate: None,
        }
    }
}

/// A proxy's health changed, or is known for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthChange {
    /// Whose.
    pub proxy: ProxyId,
    /// Whether it works now.
    pub healthy: bool,
    /// The failure that ended its health; nothing where it works.
    pub fault: Option<Fault>,
}

/// What is known of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whose.
    pub proxy: ProxyId,
    /// Whether it works, as far as is known.
    pub healthy: bool,
    /// Pages that it fetched, whatever the site said.
    pub successes: u64,
    /// Failures that were its own.
    pub failures: u64,
}

/// Says what of a pool is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PoolError {
    /// There is no proxy, or too many.
    #[error("a pool has 1 to 10000 proxies, not {0}")]
    Size(usize),
    /// One proxy is there twice.
    #[error("proxy {0} is in the pool twice")]
    Twice(ProxyId),
    /// A proxy cannot be used.
    #[error("proxy {0}: {1}")]
    Proxy(ProxyId, Error),
    /// A setting is out of its bounds.
    #[error("{name} must be {bounds}")]
    Bounds {
        /// The setting.
        name: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
}

/// A pool of proxies.
pub struct Pool {
    config: PoolConfig,
    seats: Vec<Seat>,
    state: Mutex<State>,
    changes: broadcast::Sender<HealthChange>,
}

/// A proxy and what limits it.
struct Seat {
    proxy: Proxy,
    permits: Arc<Semaphore>,
    pace: Option<Pace>,
    /// Where it is, and since when that is known.
    addresses: Mutex<Option<(Instant, Vec<IpAddr>)>>,
}

/// What changes with every page.
struct State {
    standings: Vec<Standing>,
    choice: Choice,
    bans: Remembered<(usize, Arc<str>), ()>,
    habits: Remembered<Arc<str>, usize>,
}

impl Pool {
    /// Makes a pool in which every proxy is taken for healthy.
    ///
    /// # Errors
    ///
    /// Names the setting or the proxy that cannot be honoured.
    pub fn new(config: PoolConfig, members: Vec<Member>) -> Result<Self, PoolError> {
        config.validate()?;
        if !(1..=MAX_MEMBERS).contains(&members.len()) {
            return Err(PoolError::Size(members.len()));
        }
        let mut known = std::collections::HashSet::new();
        for member in &members {
            let id = member.proxy.id;
            if !known.insert(id) {
                return Err(PoolError::Twice(id));
            }
            let checked = member.proxy.validate();
            checked.map_err(|error| PoolError::Proxy(id, error))?;
        }
        let choice = Choice::new(config.strategy, &members);
        let state = State {
            standings: members.iter().map(|_| Standing::default()).collect(),
            choice,
            bans: Remembered::new(MAX_REMEMBERED, config.ban),
            habits: Remembered::new(MAX_REMEMBERED, MAX_TIME),
        };
        let seats = members
            .into_iter()
            .map(|member| Seat {
                proxy: member.proxy,
                permits: Arc::new(Semaphore::new(config.in_flight)),
                pace: config.rate.map(Pace::new),
                addresses: Mutex::default(),
            })
            .collect();
        Ok(Self {
            seats,
            state: Mutex::new(state),
            changes: broadcast::Sender::new(MAX_BEHIND),
            config,
        })
    }

    /// Listens for news of health: that a proxy fetched its first page, went to rest, and came back from it, each told once,
    /// when it happens. A listener that is more than 1,024 behind is told so and finds what it missed in [`Pool::health`].
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<HealthChange> {
        self.changes.subscribe()
    }

    /// Tells what is known of every proxy, in the order of the members.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.with(|state| {
            let both = self.seats.iter().zip(&state.standings);
            both.map(|(seat, standing)| Health {
                proxy: seat.proxy.id,
                healthy: standing.is_healthy(),
                successes: standing.successes,
                failures: standing.failures,
            })
            .collect()
        })
    }

    /// Takes in what a health check found out. A probe that does not tell whose fault it is changes nothing.
    pub fn record(&self, proxy: ProxyId, probe: &Probe) {
        let Some(index) = self.seats.iter().position(|seat| seat.proxy.id == proxy) else {
            return;
        };
        match (probe.is_healthy(), &probe.fault) {
            (Some(true), _) => self.succeeded(index),
            (Some(false), Some(fault)) => self.failed(index, fault),
            _ => {}
        }
    }

    /// Further proxies that a page is tried through.
    pub(in crate::http) fn max_retries(&self) -> u32 {
        self.config.max_retries
    }

    /// Time for one attempt.
    pub(in crate::http) fn timeout(&self) -> Duration {
        self.config.timeout
    }

    fn succeeded(&self, index: usize) {
        self.change(index, Standing::succeeded);
    }

    /// Counts a failure that is the proxy's own.
    fn failed(&self, index: usize, fault: &Fault) {
        let certain = is_unauthorized(fault);
        let (failures, rest) = (self.config.failures, self.config.rest);
        let now = Instant::now();
        self.change(index, |standing| {
            let allowed = if certain { 1 } else { failures };
            standing.failed(allowed, rest, now, fault)
        });
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut Standing) -> Option<Change>) {
        let Some(seat) = self.seats.get(index) else {
            return;
        };
        // Told under the lock, so that changes are told in their order.
        self.with(|state| {
            let Some(Change { healthy, fault }) = state.standings.get_mut(index).and_then(change)
            else {
                return;
            };
            // An error says that nobody listens.
            let _ = self.changes.send(HealthChange {
                proxy: seat.proxy.id,
                healthy,
                fault,
            });
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PoolConfig {
    fn validate(&self) -> Result<(), PoolError> {
        let time = |time: Duration| !time.is_zero() && time <= MAX_TIME;
        let rate = |rate: Rate| {
            rate.per_second.is_finite()
                && rate.per_second > 0.0
                && rate.per_second <= 1e6
                && rate.burst > 0
        };
        let times = "more than zero and at most an hour";
        for (name, fine, bounds) in [
            ("max_retries", self.max_retries <= MAX_RETRIES, "at most 10"),
            ("timeout", time(self.timeout), times),
            ("failures", self.failures > 0, "at least 1"),
            ("rest", time(self.rest), times),
            ("ban", time(self.ban), times),
            (
                "in_flight",
                (1..=MAX_IN_FLIGHT).contains(&self.in_flight),
                "1 to 10000",
            ),
            (
                "rate",
                self.rate.is_none_or(rate),
                "a positive number of pages a second with a burst of at least one",
            ),
        ] {
            if !fine {
                return Err(PoolError::Bounds { name, bounds });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("config", &self.config)
            .field("proxies", &self.seats.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
