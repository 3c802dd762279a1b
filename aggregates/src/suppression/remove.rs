//! Takes an entry off the list.

use super::{Entry, Error, Event};
use crate::ids::UserId;

/// Takes an entry off the list.
#[derive(Clone, Copy, Debug)]
pub struct Remove {
    /// Who removes it.
    pub removed_by: UserId,
}

impl Remove {
    pub(super) fn decide(self, entry: &Entry) -> Result<Event, Error> {
        let listed = entry.listed.as_ref().ok_or(Error::NotFound)?;
        Ok(Event::RemovedFromSuppressionList {
            target: listed.target.clone(),
            removed_by: self.removed_by,
        })
    }
}
