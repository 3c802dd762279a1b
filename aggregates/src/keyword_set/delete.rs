//! Deletes a keyword set.

use super::{Error, Event, KeywordSet};

/// Deletes a keyword set; runs that pinned its rules go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete {
    /// The version that the caller saw.
    pub expected_version: Option<u64>,
}

impl Delete {
    pub(super) fn decide(self, set: &KeywordSet) -> Result<Vec<Event>, Error> {
        let owner = set.must_be_at(self.expected_version)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
