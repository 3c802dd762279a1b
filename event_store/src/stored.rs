//! An event as the log keeps it.

use std::{collections::HashMap, ops::Deref};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{Error, Position};

/// An event as the log keeps it, upcast to its newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The kind of aggregate.
    pub aggregate_type: String,
    /// Which aggregate.
    pub aggregate_id: String,
    /// Its place in the aggregate's stream, counted from 1.
    pub sequence: u64,
    /// What happened.
    pub event_type: String,
    /// The version of the payload's shape.
    pub event_version: String,
    /// The payload as JSON text.
    pub payload: String,
    /// The metadata as JSON text, an object of strings.
    pub metadata: String,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
}

impl StoredEvent {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`Error::Decode`] with the event's stream and sequence.
    pub fn decode<E: DeserializeOwned>(&self) -> Result<E, Error> {
        serde_json::from_str(&self.payload).map_err(|source| self.undecodable(source))
    }

    /// Reads the metadata.
    ///
    /// # Errors
    /// [`Error::Decode`] with the event's stream and sequence.
    pub fn metadata(&self) -> Result<aggregates::Metadata, Error> {
        let map: HashMap<String, String> =
            serde_json::from_str(&self.metadata).map_err(|source| self.undecodable(source))?;
        Ok(aggregates::Metadata::from_map(map))
    }

    pub(crate) fn undecodable(&self, source: serde_json::Error) -> Error {
        Error::Decode {
            aggregate_type: self.aggregate_type.clone(),
            aggregate_id: self.aggregate_id.clone(),
            sequence: self.sequence,
            source,
        }
    }
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// The event.
    pub event: StoredEvent,
}

impl Deref for Recorded {
    type Target = StoredEvent;

    fn deref(&self) -> &StoredEvent {
        &self.event
    }
}
