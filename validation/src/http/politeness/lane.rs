//! Those who are asked one after the other: a registrable domain, or an address.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::limits::Bound;
use super::standing::Why;

/// How long after it might have been asked again nobody remembers how somebody behaved.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The most that the pace of somebody who fails is stretched.
pub(super) const MOST_STRETCHED: u32 = 8;
/// Bits of an IPv6 address that are one host's network (RFC 4291 §2.5.4).
const HOST_NETWORK: u32 = 64;

/// Whom a lane protects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Domain(Box<str>),
    Address(IpAddr),
}

impl Key {
    /// Names the registrable domain of a host, or the host where it has none.
    pub(super) fn domain(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host);
        Self::Domain(psl::domain_str(host).unwrap_or(host).into())
    }

    /// Names the host of an address.
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (128 - HOST_NETWORK);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// One of those.
#[derive(Debug)]
pub(super) struct Lane {
    /// One permit a connection, given out in the order of asking.
    pub(super) connections: Arc<Semaphore>,
    most: usize,
    state: Mutex<State>,
}

/// How a lane stands.
#[derive(Debug)]
pub(super) struct State {
    /// How far apart requests leave.
    interval: Duration,
    /// When the next request may leave.
    pub(super) next: Instant,
    /// How many times the interval is kept.
    pub(super) stretch: u32,
    /// Until when it is left alone, and why.
    pub(super) rests: Option<(Instant, Why)>,
    /// Times in a row that it said, or showed, that it is too much.
    pub(super) strikes: u32,
}

impl State {
    /// Gives the first moment at which a request may leave.
    pub(super) fn due(&self) -> Instant {
        self.rests
            .map_or(self.next, |(until, _)| until.max(self.next))
    }
}

/// Tells how far apart requests leave of which there are so many a second.
pub(super) fn interval(per_second: f64) -> Duration {
    Duration::from_secs_f64(per_second.recip())
}

impl Lane {
    pub(super) fn new(bound: Bound) -> Self {
        let most = usize::from(bound.connections).max(1);
        Self {
            connections: Arc::new(Semaphore::new(most)),
            most,
            state: Mutex::new(State {
                interval: interval(bound.per_second),
                next: Instant::now(),
                stretch: 1,
                rests: None,
                strikes: 0,
            }),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps another pace from now on. What waits already waits for as long as it was told.
    pub(super) fn pace(&self, per_second: f64) {
        let mut state = self.state();
        state.interval = interval(per_second);
        state.next = state
            .next
            .min(Instant::now() + state.interval * state.stretch);
    }

    /// Takes note, in the lane's state, that a request leaves: what was late is lost to the pace.
    pub(super) fn leaves(state: &mut State, now: Instant) {
        state.next = now + state.interval * state.stretch;
    }

    /// Tells whether it is as good as a new one: nobody is asking, and it behaved, or that is past.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let state = self.state();
        let behaves = state.stretch == 1 && state.strikes == 0;
        let forgotten = if behaves { Duration::ZERO } else { REMEMBERED };
        self.connections.available_permits() == self.most && state.due() + forgotten <= now
    }
}

#[cfg(test)]
mod tests {
    use super::super::back_off::{Observed, at_address, at_domain};
    use super::*;

    #[test]
    fn who_failed_and_is_not_asked_any_more_is_forgotten() {
        let bound = Bound {
            connections: 1,
            per_second: 1.0,
        };
        let (domain, address) = (Lane::new(bound), Lane::new(bound));
        let now = Instant::now();
        assert!(domain.is_idle(now) && address.is_idle(now));
        at_domain(&domain, Observed::Silence, now);
        at_address(&address, Observed::Silence);
        let rested = domain.state().due();
        assert!(rested > now);
        for lane in [&domain, &address] {
            assert!(!lane.is_idle(rested), "{lane:?}");
            assert!(lane.is_idle(rested + REMEMBERED), "{lane:?}");
        }
    }

    #[test]
    fn the_dot_at_the_end_of_a_name_makes_no_other_domain() {
        assert_eq!(Key::domain("www.shop.test."), Key::domain("shop.test"));
    }
}
