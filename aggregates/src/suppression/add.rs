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
    pub(super) fn decide(self, entry: &Entry) -> Result<Event, Error> {
        if entry.listed.is_some() {
            return Err(Error::Exists);
        }
        check_texts(&self.reason, self.note.as_deref())?;
        Ok(Event::AddedToSuppressionList {
            target: self.target,
            reason: self.reason.trim().to_owned(),
            note: self.note.filter(|note| !note.trim().is_empty()),
            added_by: self.added_by,
        })
    }
}

/// Checks what is said of an entry beside whom it names.
///
/// # Errors
/// [`Error::Invalid`], naming `reason` or `note`.
pub fn check_texts(reason: &str, note: Option<&str>) -> Result<(), Error> {
    let characters = reason.trim().chars().count();
    if !(1..=MAX_REASON).contains(&characters) {
        let message = format!("must have 1 to {MAX_REASON} characters");
        return Err(Error::invalid("reason", message));
    }
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE) {
        let message = format!("must have at most {MAX_NOTE} characters");
        return Err(Error::invalid("note", message));
    }
    Ok(())
}
