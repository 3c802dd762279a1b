//! Politeness: how often and how many at once the sites of one owner, and the machines that host many, are asked.
//!
//! Whoever fetches takes a [`Turn`] before every request, of the registrable domain, of the address and of all requests together, and
//! keeps it until the answer is read. Requests of one domain or address leave evenly spaced, in the order in which
//! they came, whichever campaign they are of: the fetchers of a process share one [`Politeness`]. A site that says that it is too
//! much ([`back_off`]) is left alone for as long as it says. What is late is never made up for.

mod back_off;
mod lane;
mod limits;
mod standing;
mod turn;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::time::Instant;

pub(super) use self::back_off::Observed;
use self::lane::{Key, Lane, interval};
pub use self::limits::{BadExemption, Bound, Exempt, Limits, Rates};
use self::standing::Counts;
pub use self::standing::{BackedOff, Standing, Why};
pub(super) use self::turn::{NoTurn, Turn};

/// Code of a page that is not asked for because its site wants to be left alone for longer than is waited.
pub const BACKED_OFF: &str = "BACKED_OFF";
/// Lanes kept without a look at which of them are idle.
const MANY: usize = 16_384;

/// The limits of a process and what is known of whom they protect. Clones share it.
#[derive(Clone, Debug)]
pub struct Politeness(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: RwLock<Limits>,
    exempt: Exempt,
    lanes: Mutex<Lanes>,
    /// When the next request of all may leave.
    next: Mutex<Instant>,
    counts: Counts,
}

#[derive(Debug)]
struct Lanes {
    known: HashMap<Key, Arc<Lane>>,
    /// How many there may be before idle ones are looked for.
    many: usize,
}

impl Default for Politeness {
    fn default() -> Self {
        Self::new(Limits::default(), Exempt::default())
    }
}

impl Politeness {
    /// Starts with everybody unasked.
    #[must_use]
    pub fn new(limits: Limits, exempt: Exempt) -> Self {
        Self(Arc::new(Shared {
            limits: RwLock::new(limits),
            exempt,
            lanes: Mutex::new(Lanes {
                known: HashMap::new(),
                many: MANY,
            }),
            next: Mutex::new(Instant::now()),
            counts: Counts::default(),
        }))
    }

    /// Returns the limits of the moment.
    #[must_use]
    pub fn limits(&self) -> Limits {
        *self.0.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks at other rates from now on, those who are known already as well.
    pub fn set_rates(&self, rates: Rates) {
        // Whoever makes a lane meanwhile waits, so that none is made by what was.
        let lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut limits = self
            .0
            .limits
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        limits.domain.per_second = rates.domain;
        limits.address.per_second = rates.address;
        limits.per_second = rates.all;
        drop(limits);
        for (key, lane) in &lanes.known {
            lane.pace(match key {
                Key::Domain(_) => rates.domain,
                Key::Address(_) => rates.address,
            });
        }
        drop(lanes);
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).min(Instant::now() + interval(rates.all));
    }

    /// Gives the lanes of a host at an address: that of its registrable domain, unless it has no name, and that of the
    /// address.
    ///
    /// A lane that is as good as a new one is forgotten when there are many. What is left is bounded by the fetches under way
    /// and by those who are left alone, for [`back_off::LONGEST`] at most, or failed within the last minute.
    fn lanes(&self, host: &str, address: Option<IpAddr>) -> Vec<Arc<Lane>> {
        let named = host.trim_matches(['[', ']']).parse::<IpAddr>().is_err();
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = self.limits();
        let domain = named.then(|| (Key::domain(host), limits.domain));
        let address = address.map(|address| (Key::address(address), limits.address));
        lanes.make_room();
        let keys = domain.into_iter().chain(address);
        keys.map(|(key, bound)| lanes.lane(key, bound)).collect()
    }
}

impl Lanes {
    fn make_room(&mut self) {
        if self.known.len() >= self.many {
            let now = Instant::now();
            self.known
                .retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_idle(now));
            self.many = MANY.max(2 * self.known.len());
        }
    }

    fn lane(&mut self, key: Key, bound: Bound) -> Arc<Lane> {
        let lane = self
            .known
            .entry(key)
            .or_insert_with(|| Arc::new(Lane::new(bound)));
        Arc::clone(lane)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn other_rates_hold_at_once_for_who_is_known_and_who_is_not() {
        let politeness = Politeness::new(Limits::default(), Exempt::default());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let slow = Rates {
            domain: 0.01,
            address: 0.02,
            all: 1_000.0,
        };
        drop(politeness.turn("known.test", address).await.unwrap());
        politeness.set_rates(slow);
        let now = Instant::now();
        let due = |host| {
            let lanes = politeness.lanes(host, address);
            let due = lanes.iter().map(|lane| lane.state().due() - now);
            due.collect::<Vec<_>>()
        };
        // What was reserved before stays, and what leaves now leaves by the new pace.
        assert!(due("known.test")[0] <= Duration::from_secs(1));
        for lane in politeness.lanes("known.test", address) {
            Lane::leaves(&mut lane.state(), now);
        }
        assert_eq!(due("known.test")[0], Duration::from_secs(100));
        assert_eq!(due("new.test")[1], Duration::from_secs(50));
        politeness.set_rates(Rates {
            domain: 10.0,
            address: 10.0,
            ..slow
        });
        let lanes = politeness.lanes("known.test", address);
        let latest = Instant::now() + Duration::from_millis(100);
        assert!(lanes.iter().all(|lane| lane.state().due() <= latest));
        assert!((politeness.limits().domain.per_second - 10.0).abs() < 1e-9);
    }
}
