//! Deletes a pool.

use super::{Error, Event, ProxyPool};

/// Deletes a pool, not its proxies. Runs that pinned it go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete;

impl Delete {
    pub(super) fn decide(self, pool: &ProxyPool) -> Result<Vec<Event>, Error> {
        let owner = pool.owner().ok_or(Error::NotFound)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
