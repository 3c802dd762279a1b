//! How much of rules one answer holds.

use serde_json::value::RawValue;
use sqlx::types::Json;

/// The most that the rules of one answer take, bytes of their JSON; several times what one set has.
pub const MOST_BYTES: usize = 16 << 20;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The rules of the page are more than [`MOST_BYTES`].
    #[error("the rules are more than {} MiB together: ask for fewer at once", MOST_BYTES >> 20)]
    TooLarge,
    /// The database does not answer, or a row does not decode.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What is left of [`MOST_BYTES`] while rows arrive.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST_BYTES)
    }
}

impl Room {
    /// Reads a text in JSON, where there is room for it.
    pub(super) fn decode<T: serde::de::DeserializeOwned>(
        &mut self,
        Json(text): &Json<Box<RawValue>>,
    ) -> Result<T, ListError> {
        let length = text.get().len();
        self.0 = self.0.checked_sub(length).ok_or(ListError::TooLarge)?;
        let read = serde_json::from_str(text.get());
        Ok(read.map_err(|error| sqlx::Error::Decode(Box::new(error)))?)
    }
}
