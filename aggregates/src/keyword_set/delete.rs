//! Deletes a keyword set.

use super::{Error, Event, KeywordSet};

/// Deletes a keyword set; runs that pinned its rules go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete;

impl Delete {
    pub(super) fn decide(self, set: &KeywordSet) -> Result<Vec<Event>, Error> {
        let owner = set.owner().ok_or(Error::NotFound)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
