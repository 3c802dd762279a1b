//! Deletes a persona.

use super::{Error, Event, Persona};

/// Deletes a persona; runs that pinned it go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delete;

impl Delete {
    pub(super) fn decide(self, persona: &Persona) -> Result<Vec<Event>, Error> {
        let owner = persona.owner().ok_or(Error::NotFound)?;
        Ok(vec![Event::Deleted { owner }])
    }
}
