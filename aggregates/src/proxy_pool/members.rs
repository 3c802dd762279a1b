//! Which proxies a pool has.

use serde::{Deserialize, Serialize};

use super::{Error, Event, ProxyPool, settings::within};
use crate::ids::ProxyId;

/// The most proxies of a pool.
pub const MAX_MEMBERS: usize = 1_000;
/// The largest weight.
pub const MAX_WEIGHT: u32 = 1_000;

/// A proxy of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The proxy.
    pub proxy_id: ProxyId,
    /// Its chances under `weighted`, against those of the others.
    pub weight: u32,
}

/// Adds a proxy, or gives one that the pool has another weight. Whose the proxy is was asked before.
#[derive(Clone, Copy, Debug)]
pub struct AddProxy {
    /// The proxy.
    pub proxy_id: ProxyId,
    /// Its weight, 1 to 1,000.
    pub weight: u32,
}

impl AddProxy {
    pub(super) fn decide(self, pool: &ProxyPool) -> Result<Vec<Event>, Error> {
        let owner = pool.owner().ok_or(Error::NotFound)?;
        within("weight", self.weight, 1, MAX_WEIGHT)?;
        match pool.weight_of(self.proxy_id) {
            Some(weight) if weight == self.weight => return Ok(Vec::new()),
            None if pool.members.len() >= MAX_MEMBERS => return Err(Error::Full),
            _ => {}
        }
        Ok(vec![Event::ProxyAdded {
            owner,
            proxy_id: self.proxy_id,
            weight: self.weight,
        }])
    }
}

/// Takes a proxy out of the pool.
#[derive(Clone, Copy, Debug)]
pub struct RemoveProxy {
    /// The proxy.
    pub proxy_id: ProxyId,
}

impl RemoveProxy {
    pub(super) fn decide(self, pool: &ProxyPool) -> Result<Vec<Event>, Error> {
        let owner = pool.owner().ok_or(Error::NotFound)?;
        if pool.weight_of(self.proxy_id).is_none() {
            return Err(Error::NoSuchMember);
        }
        Ok(vec![Event::ProxyRemoved {
            owner,
            proxy_id: self.proxy_id,
        }])
    }
}
