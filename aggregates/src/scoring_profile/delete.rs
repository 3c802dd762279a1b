//! Deletes a scoring profile.

use super::{Error, Event, ScoringProfile};

/// Deletes a scoring profile; runs that pinned its weights go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete {
    /// The version that the caller saw.
    pub expected_version: Option<u64>,
}

impl Delete {
    pub(super) fn decide(self, profile: &ScoringProfile) -> Result<Vec<Event>, Error> {
        let owner = profile.must_be_at(self.expected_version)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
