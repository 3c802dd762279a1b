//! Deletes a proxy.

use super::{Error, Event, Proxy};

/// Deletes a proxy. Runs that pinned it keep its place, and are told no credentials of it any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete;

impl Delete {
    pub(super) fn decide(self, proxy: &Proxy) -> Result<Vec<Event>, Error> {
        let owner = proxy.owner().ok_or(Error::NotFound)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
