//! Puts an entry on the list.

use super::{Entry, Error, Event, Target};
use crate::ids::UserId;

/// The longest reason, characters.
pub const MAX_REASON: usize = 500;
/// The longest note, characters.
pub const MAX_NOTE: usize = 2_000;

/// Puts an entry on the list; for the stream that [`Target::id`] names.
#[derive(Clone, Debug)]
pub struct Add {
    /// Who is to be left alone.
    pub target: Target,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// What else is to be known, at most 2,000 characters.
    pub note: Option<String>,
    /// Who adds it.
    pub added_by: UserId,
}

impl Add {
    /// Decides for an entry as it stands.
    ///
    /// # Errors
    /// When it is on the list, or a text is too long or missing.
    pub fn decide(self, entry: &Entry) -> Result<Event, Error> {
        if entry.listed.is_some() {
            return Err(Error::Exists);
        }
        let reason = self.reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON {
            let message = format!("must have 1 to {MAX_REASON} characters");
            return Err(Error::invalid("reason", message));
        }
        let note = self.note.filter(|note| !note.trim().is_empty());
        if note
            .as_ref()
            .is_some_and(|note| note.chars().count() > MAX_NOTE)
        {
            let message = format!("must have at most {MAX_NOTE} characters");
            return Err(Error::invalid("note", message));
        }
        Ok(Event::AddedToSuppressionList {
            target: self.target,
            reason: reason.to_owned(),
            note,
            added_by: self.added_by,
        })
    }
}
