//! The leaf of an event: its bytes, version 1.
//!
//! A leaf is these fields, one after the other. Every number is eight bytes, the most significant first; every text is its
//! length in bytes as such a number, then its bytes in UTF-8. No field can run into another, so two events that differ in
//! anything have different leaves.
//!
//! | field | form |
//! |---|---|
//! | `domainflow/event/v1` | text |
//! | position in the log, counted from 1 | number |
//! | aggregate type | text |
//! | aggregate id | text |
//! | sequence in the stream, counted from 1 | number |
//! | event type | text |
//! | event version | text |
//! | payload, the JSON text byte for byte as it is stored | text |
//! | metadata, likewise | text |
//! | when it was recorded, microseconds since 1970-01-01T00:00:00Z | number, two's complement |
//!
//! The payload and the metadata are texts here and not JSON: the log keeps their bytes, and nothing that reads them alike
//! may be put in their place. How a later version of the program reads an old event changes no leaf.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Hash, hash::LEAF};

/// The version of this form.
const FORM: &str = "domainflow/event/v1";

/// What a leaf says of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Event {
    /// Its place in the log, counted from 1; its leaf's index in the tree is one less.
    pub position: u64,
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
    /// The payload as it is stored.
    pub payload: String,
    /// The metadata as it is stored.
    pub metadata: String,
    /// When it was recorded; microseconds count, what is finer does not.
    pub recorded_at: DateTime<Utc>,
}

impl Event {
    /// Returns what is hashed before the first field that tells events apart: the byte that says that this is a leaf, and
    /// the form. For whoever writes the rest of the leaf by himself.
    #[must_use]
    pub fn leaf_prefix() -> Vec<u8> {
        let mut prefix = vec![LEAF];
        push_text(&mut prefix, FORM);
        prefix
    }

    /// Writes the bytes of the leaf.
    #[must_use]
    pub fn leaf_bytes(&self) -> Vec<u8> {
        self.leaf_bytes_at(self.position)
    }

    /// Hashes the leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        Hash::of_leaf(&self.leaf_bytes())
    }

    /// Hashes the leaf that the event would have at another position: this is how it is told what a log has been changed
    /// by.
    #[must_use]
    pub fn leaf_hash_at(&self, position: u64) -> Hash {
        Hash::of_leaf(&self.leaf_bytes_at(position))
    }

    fn leaf_bytes_at(&self, position: u64) -> Vec<u8> {
        let mut leaf = Vec::with_capacity(256 + self.payload.len() + self.metadata.len());
        push_text(&mut leaf, FORM);
        push_number(&mut leaf, position);
        push_text(&mut leaf, &self.aggregate_type);
        push_text(&mut leaf, &self.aggregate_id);
        push_number(&mut leaf, self.sequence);
        push_text(&mut leaf, &self.event_type);
        push_text(&mut leaf, &self.event_version);
        push_text(&mut leaf, &self.payload);
        push_text(&mut leaf, &self.metadata);
        leaf.extend_from_slice(&self.recorded_at.timestamp_micros().to_be_bytes());
        leaf
    }
}

fn push_number(leaf: &mut Vec<u8>, number: u64) {
    leaf.extend_from_slice(&number.to_be_bytes());
}

fn push_text(leaf: &mut Vec<u8>, text: &str) {
    // No machine has texts of 2^64 bytes.
    push_number(leaf, u64::try_from(text.len()).unwrap_or(u64::MAX));
    leaf.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> Event {
        Event {
            position: 258,
            aggregate_type: "domain".to_owned(),
            aggregate_id: "c/é.test".to_owned(),
            sequence: 2,
            event_type: "Scored".to_owned(),
            event_version: "1".to_owned(),
            payload: r#"{"a": 1}"#.to_owned(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::from_timestamp_micros(-2).unwrap(),
        }
    }

    /// Leaves are for ever: a change of this text is a new version of the form, beside the old one.
    #[test]
    fn the_bytes_of_a_leaf_are_those_that_the_form_says() {
        let mut expected = Vec::new();
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x13domainflow/event/v1");
        expected.extend_from_slice(b"\0\0\0\0\0\0\x01\x02");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x06domain");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x09c/\xc3\xa9.test");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x02");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x06Scored");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x011");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x08{\"a\": 1}");
        expected.extend_from_slice(b"\0\0\0\0\0\0\0\x02{}");
        expected.extend_from_slice(b"\xff\xff\xff\xff\xff\xff\xff\xfe");
        assert_eq!(event().leaf_bytes(), expected);
        assert_eq!(event().leaf_hash(), Hash::of_leaf(&expected));
    }

    #[test]
    fn every_field_is_in_the_leaf_and_none_runs_into_the_next() {
        let change: [fn(&mut Event); 11] = [
            |event| event.position += 1,
            |event| event.aggregate_type.push('x'),
            |event| event.aggregate_id.push('x'),
            |event| event.sequence += 1,
            |event| event.event_type.push('x'),
            |event| event.event_version.push('x'),
            |event| event.payload.push(' '),
            |event| event.metadata.push(' '),
            |event| event.recorded_at += chrono::TimeDelta::microseconds(1),
            |event| {
                event
                    .aggregate_id
                    .insert_str(0, &event.aggregate_type.split_off(3))
            },
            |event| event.metadata.insert_str(0, &event.payload.split_off(3)),
        ];
        for change in change {
            let mut changed = event();
            change(&mut changed);
            assert_ne!(changed.leaf_hash(), event().leaf_hash(), "{changed:?}");
        }
        assert_eq!(event().leaf_hash_at(258), event().leaf_hash());
        assert_ne!(event().leaf_hash_at(259), event().leaf_hash());
    }

    proptest! {
        #[test]
        fn two_events_have_one_leaf_only_if_they_are_alike(texts in proptest::array::uniform6("[ab]{0,2}"), other in proptest::array::uniform6("[ab]{0,2}")) {
            let of = |[a, b, c, d, e, f]: [String; 6]| Event {
                position: 1,
                aggregate_type: a,
                aggregate_id: b,
                sequence: 1,
                event_type: c,
                event_version: d,
                payload: e,
                metadata: f,
                recorded_at: DateTime::UNIX_EPOCH,
            };
            let (one, two) = (of(texts), of(other));
            prop_assert_eq!(one == two, one.leaf_bytes() == two.leaf_bytes());
        }
    }
}
