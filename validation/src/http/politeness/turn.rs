//! A turn: when a request may leave, and what is kept while it is under way.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

use super::Politeness;
use super::back_off::{self, Observed};
use super::lane::{Lane, State, interval};
use super::standing::{Counts, Why};

/// The longest that a request waits for somebody who wants to be left alone. One who wants it for longer is not waited
/// for: whoever waits holds up the others of its work order.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Permission for one request. Its connection counts until it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Turn {
    politeness: Politeness,
    /// The domain's lane, where there is one, and the address's.
    lanes: Vec<Arc<Lane>>,
    /// Whether the first lane is a domain's.
    named: bool,
    /// When each lane would let the next request go without this one, and with it.
    taken: Vec<(Instant, Instant)>,
    _connections: Vec<OwnedSemaphorePermit>,
}

/// Why there is no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct NoTurn {
    /// How long the site is left alone yet.
    pub(in crate::http) left: Duration,
    pub(in crate::http) why: Why,
}

impl Politeness {
    /// Waits for a turn to ask a host at an address; nothing where there is no limit to keep.
    ///
    /// # Errors
    /// When the site is left alone for longer than is waited.
    pub(in crate::http) async fn turn(
        &self,
        host: &str,
        address: Option<IpAddr>,
    ) -> Result<Option<Turn>, NoTurn> {
        if self.0.exempt.covers(host, address) {
            return Ok(None);
        }
        let lanes = self.lanes(host, address);
        let named = lanes.len() > usize::from(address.is_some());
        let mut connections = Vec::with_capacity(lanes.len());
        for lane in &lanes {
            // The domain's before the address's, everywhere: nobody waits in a circle. They are never closed.
            connections.extend(Arc::clone(&lane.connections).acquire_owned().await.ok());
            // Who waits for a domain to be asked again holds no connection to its address, which others have too.
            self.until_due(lane).await?;
        }
        let mut turn = Turn {
            politeness: self.clone(),
            lanes,
            named,
            taken: Vec::new(),
            _connections: connections,
        };
        turn.wait().await?;
        Ok(Some(turn))
    }

    /// Waits until a lane lets a request go.
    async fn until_due(&self, lane: &Lane) -> Result<(), NoTurn> {
        loop {
            let now = Instant::now();
            let due = self.due(&lane.state(), now)?;
            if due <= now {
                return Ok(());
            }
            sleep_until(due).await;
        }
    }

    /// Tells when a lane lets a request go, unless that is later than is waited for.
    fn due(&self, state: &State, now: Instant) -> Result<Instant, NoTurn> {
        if let Some((until, why)) = state.rests
            && let left = until.saturating_duration_since(now)
            && left > LONGEST_WAIT
        {
            Counts::one(&self.0.counts.given_up);
            return Err(NoTurn { left, why });
        }
        Ok(state.due())
    }

    /// Takes the next moment of all requests together. One that is given up is lost to the pace.
    fn reserve(&self, now: Instant) -> Instant {
        let interval = interval(self.limits().per_second);
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let this = (*next).max(now);
        *next = this + interval;
        this
    }
}

impl Turn {
    /// Waits until all lanes let the request go, and all requests together do.
    async fn wait(&mut self) -> Result<(), NoTurn> {
        while let Some(due) = self.take(Instant::now())? {
            sleep_until(due).await;
        }
        let moment = self.politeness.reserve(Instant::now());
        if moment > Instant::now() {
            sleep_until(moment).await;
            // The pace of those who are asked counts from when the request leaves.
            let now = Instant::now();
            for (lane, taken) in self.lanes.iter().zip(&mut self.taken) {
                let mut state = lane.state();
                Lane::leaves(&mut state, now);
                taken.1 = state.next;
            }
        }
        Ok(())
    }

    /// Leaves at once if all lanes allow it, and says otherwise when they may.
    fn take(&mut self, now: Instant) -> Result<Option<Instant>, NoTurn> {
        // Of all lanes at once, in one order everywhere: what one allows and another does not is not taken.
        let mut states: Vec<_> = self.lanes.iter().map(|lane| lane.state()).collect();
        let mut due = None;
        for state in &states {
            due = due.max(Some(self.politeness.due(state, now)?));
        }
        if let Some(due) = due.filter(|due| *due > now) {
            return Ok(Some(due));
        }
        let mut taken = Vec::with_capacity(states.len());
        for state in &mut states {
            let before = state.next;
            Lane::leaves(state, now);
            taken.push((before, state.next));
        }
        drop(states);
        self.taken = taken;
        Ok(None)
    }

    /// Takes note that the request leaves, after so long a wait for this.
    pub(in crate::http) fn leaves(&self, waited: Duration) {
        self.politeness.0.counts.left(waited);
    }

    /// Gives the turn to others: the request does not leave now. Its moment among all requests together is lost.
    pub(in crate::http) fn give_back(self) {
        for (lane, (before, with)) in self.lanes.iter().zip(&self.taken) {
            let mut state = lane.state();
            // Unless somebody left after it.
            if state.next == *with {
                state.next = *before;
            }
        }
    }

    /// Takes note of what came of the request.
    pub(in crate::http) fn observe(&self, observed: Observed) {
        let now = Instant::now();
        let (domain, address) = match (self.named, self.lanes.as_slice()) {
            (true, [domain, rest @ ..]) => (Some(domain), rest.first()),
            (_, lanes) => (None, lanes.first()),
        };
        // A site without a name is its address.
        let site = domain.or(address);
        if site.is_some_and(|lane| back_off::at_domain(lane, observed, now)) {
            Counts::one(&self.politeness.0.counts.back_offs);
        }
        if let Some(lane) = address {
            back_off::at_address(lane, observed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::Bound;
    use super::super::{Exempt, Limits};
    use super::*;

    #[tokio::test]
    async fn sites_that_rest_hold_up_no_other_site_of_their_address() {
        let limits = Limits {
            address: Bound {
                connections: 4,
                per_second: 100.0,
            },
            ..Limits::default()
        };
        let politeness = Politeness::new(limits, Exempt::default());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let resting: Vec<String> = (0..8).map(|n| format!("resting{n}.test")).collect();
        for host in &resting {
            let turn = politeness.turn(host, address).await.unwrap().unwrap();
            let rest = Some(LONGEST_WAIT.mul_f64(0.9));
            turn.observe(Observed::TooMuch(Why::TooManyRequests, rest));
        }
        let waiting = resting.iter().map(|host| politeness.turn(host, address));
        let other = async {
            let turn = politeness.turn("other.test", address);
            tokio::time::timeout(LONGEST_WAIT / 2, turn).await
        };
        tokio::select! {
            biased;
            turns = futures::future::join_all(waiting) => panic!("{turns:?}"),
            turn = other => assert!(turn.expect("they hold it up").unwrap().is_some()),
        }
    }

    #[tokio::test]
    async fn a_turn_that_is_given_back_is_the_next_ones() {
        let politeness = Politeness::new(Limits::default(), Exempt::default());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let due = || {
            let lanes = politeness.lanes("shop.test", address);
            lanes.iter().map(|lane| lane.state().due()).max().unwrap()
        };
        let turn = politeness.turn("shop.test", address).await;
        let turn = turn.unwrap().unwrap();
        assert!(due() > Instant::now());
        turn.give_back();
        assert!(due() <= Instant::now());
        let turn = politeness.turn("shop.test", address).await.unwrap();
        drop(turn);
        assert!(due() > Instant::now(), "it was used");
    }
}
