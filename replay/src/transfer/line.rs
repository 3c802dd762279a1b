//! The lines of an exported log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use transparency::{Event, Hash};

/// The form of the text, and its version.
pub(super) const FORM: &str = "domainflow/log/v1";

/// A line: an object with one field, which says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    Log(Head),
    Commit(Commit),
    Event(Event),
    End(End),
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    /// The form of the text.
    pub(super) form: String,
    /// How many events follow.
    pub(super) events: u64,
}

/// A commit; its events follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Commit {
    /// The position of its first event.
    pub(super) base: u64,
    /// How many it has.
    pub(super) events: u64,
    /// When it was given its positions.
    pub(super) committed_at: DateTime<Utc>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    /// How many events there were.
    pub(super) events: u64,
    /// The root of the tree over them.
    pub(super) root: Hash,
}

impl Line {
    /// Names the line.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Commit(_) => "commit",
            Self::Event(_) => "event",
            Self::End(_) => "end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exports are kept for years: a change of these texts is another version of the form.
    #[test]
    fn the_lines_are_those_of_the_form() {
        let moment = DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap();
        let event = Event {
            position: 3,
            aggregate_type: "tally".to_owned(),
            aggregate_id: "a".to_owned(),
            sequence: 2,
            event_type: "Added".to_owned(),
            event_version: "1".to_owned(),
            payload: "{\"a\": \n1}".to_owned(),
            metadata: "{}".to_owned(),
            recorded_at: moment,
        };
        let commit = Commit {
            base: 3,
            events: 1,
            committed_at: moment,
        };
        for (line, text) in [
            (
                Line::Log(Head {
                    form: FORM.to_owned(),
                    events: 3,
                }),
                r#"{"log":{"form":"domainflow/log/v1","events":3}}"#,
            ),
            (
                Line::Commit(commit),
                r#"{"commit":{"base":3,"events":1,"committedAt":"2026-01-01T00:00:00.000001Z"}}"#,
            ),
            (
                Line::Event(event),
                r#"{"event":{"position":3,"aggregateType":"tally","aggregateId":"a","sequence":2,"eventType":"Added","eventVersion":"1","payload":"{\"a\": \n1}","metadata":"{}","recordedAt":"2026-01-01T00:00:00.000001Z"}}"#,
            ),
            (
                Line::End(End {
                    events: 3,
                    root: Hash::of_nothing(),
                }),
                r#"{"end":{"events":3,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
        }
        for unknown in [
            r#"{"log":{"form":"domainflow/log/v1","events":3,"more":1}}"#,
            r#"{"other":{}}"#,
            "3",
        ] {
            assert!(serde_json::from_str::<Line>(unknown).is_err(), "{unknown}");
        }
    }
}
