//! Erases a user.

use super::{Error, Event, User};

/// Erases a user: what is known of him is forgotten, and he never comes in again. What his data is sealed under is removed
/// beside the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Erase;

impl Erase {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        if user.erased {
            return Ok(Vec::new());
        }
        user.must_exist()?;
        Ok(vec![Event::Erased {}])
    }
}
