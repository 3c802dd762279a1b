//! Deletes a persona.

use super::{Error, Event, Persona};

/// Deletes a persona; runs that pinned it go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete {
    /// The version that the caller saw.
    pub expected_version: Option<u64>,
}

impl Delete {
    pub(super) fn decide(self, persona: &Persona) -> Result<Vec<Event>, Error> {
        persona.must_be_at(self.expected_version)?;
        let owner = persona.owner().ok_or(Error::NotFound)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
