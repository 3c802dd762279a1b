//! How many connections each address has, and the places that there are for all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{peer::ClientAddress, settings::Settings};

/// How many connections an address has at most that may have one of the last places.
const FEW: usize = 4;
/// One place in so many is one of the last.
const LAST: usize = 10;

/// How many connections each address has.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address's share, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Option<(Arc<Shares>, IpAddr)>,
    /// How many the address had with this one.
    number: usize,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
        }
    }

    /// Takes one of an address's share; nothing where it has all of it. Proxies of the operator's stand for many.
    pub(super) fn of(self: &Arc<Self>, address: IpAddr, settings: &Settings) -> Option<Share> {
        if settings.trusts(address) {
            let (of, number) = (None, 0);
            return Some(Share { of, number });
        }
        let address = ClientAddress(address).neighbourhood();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.entry(address).or_default();
        if *of_address >= self.most {
            return None;
        }
        *of_address += 1;
        Some(Share {
            number: *of_address,
            of: Some((Arc::clone(self), address)),
        })
    }
}

impl Share {
    /// Tells whether a proxy of the operator's has it.
    pub(super) const fn is_a_proxys(&self) -> bool {
        self.of.is_none()
    }

    const fn is_one_of_few(&self) -> bool {
        self.number <= FEW
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, address)) = &self.of else {
            return;
        };
        let mut taken = shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_address) = taken.get_mut(address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                taken.remove(address);
            }
        }
    }
}

/// The places of all connections. The last tenth is for addresses with few connections, so that those who have many do not
/// keep everybody else out.
#[derive(Clone, Debug)]
pub(super) struct Places {
    common: Arc<Semaphore>,
    last: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self {
            common: Arc::new(Semaphore::new(most - most / LAST)),
            last: Arc::new(Semaphore::new(most / LAST)),
        }
    }

    /// Takes a place if there is one.
    pub(super) fn take(&self, share: &Share) -> Option<OwnedSemaphorePermit> {
        let common = self.common.clone().try_acquire_owned().ok();
        let last = || self.last.clone().try_acquire_owned().ok();
        common.or_else(|| share.is_one_of_few().then(last).flatten())
    }

    /// Waits for a place.
    pub(super) async fn wait(&self, share: &Share) -> Option<OwnedSemaphorePermit> {
        let common = self.common.clone().acquire_owned();
        if !share.is_one_of_few() {
            return common.await.ok();
        }
        tokio::select! {
            place = common => place.ok(),
            place = self.last.clone().acquire_owned() => place.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            trusted_proxies: vec!["10.0.0.1".parse().unwrap()],
            ..Settings::default()
        }
    }

    #[test]
    fn an_address_has_its_share_and_a_proxy_of_the_operators_has_none() {
        let (shares, settings) = (Arc::new(Shares::new(2)), settings());
        let of = |text: &str| shares.of(text.parse().unwrap(), &settings);
        let (first, second) = (of("192.0.2.1"), of("192.0.2.1"));
        assert!(first.is_some() && second.is_some() && of("192.0.2.1").is_none());
        assert!(of("192.0.2.2").is_some());
        drop(first);
        assert!(of("192.0.2.1").is_some());
        drop(second);
        assert!(shares.taken.lock().unwrap().is_empty());
        let proxied: Vec<_> = (0..9).map(|_| of("10.0.0.1")).collect();
        assert!(proxied.iter().all(Option::is_some));
    }

    #[test]
    fn the_last_places_are_for_addresses_with_few_connections() {
        let (shares, places) = (Arc::new(Shares::new(100)), Places::new(20));
        let settings = settings();
        let mut held = Vec::new();
        let mut connect = |text: &str| {
            let share = shares.of(text.parse().unwrap(), &settings).unwrap();
            let place = places.take(&share);
            let has_place = place.is_some();
            held.push((share, place));
            has_place
        };
        let hoarded = (0..30).filter(|_| connect("192.0.2.1")).count();
        assert_eq!(hoarded, 18);
        assert!(connect("192.0.2.2") && connect("10.0.0.1"));
        assert!(!connect("192.0.2.3"), "there are no more");
    }
}
