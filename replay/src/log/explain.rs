//! What was done to a log where it first differs from its tree.

use transparency::{Event, Hash};

use super::{Change, Place};

/// Says what was done at a position, given the events that stand there and after it, and the leaves that were recorded from
/// there on; `head` is the last position that was recorded. An event that is found at another place among the leaves was
/// moved there by what was removed or inserted before it.
pub(super) fn explain(
    position: u64,
    ahead: &[Event],
    recorded: &[Option<Hash>],
    head: u64,
) -> Change {
    let Some(first) = ahead.first() else {
        return Change::Missing {
            events: (head + 1).saturating_sub(position),
            lost: None,
            next: None,
        };
    };
    let event = Place::of(first);
    let came_from = place_of(first, position, recorded);
    let is_further_on = recorded.first().copied().flatten().is_some_and(|leaf| {
        let mut others = ahead.iter().skip(1);
        others.any(|other| other.leaf_hash_at(position) == leaf)
    });
    match (came_from, is_further_on) {
        (Some(recorded_at), true) => Change::Moved { event, recorded_at },
        (Some(recorded_at), false) => Change::Missing {
            events: recorded_at - position,
            lost: None,
            next: Some(event),
        },
        (None, true) => Change::Inserted { event },
        (None, false) => Change::Altered { event },
    }
}

/// Finds the position, after the first of these leaves, at which an event was recorded.
fn place_of(event: &Event, position: u64, recorded: &[Option<Hash>]) -> Option<u64> {
    let leaves = (position..).zip(recorded).skip(1);
    let mut places = leaves.filter(|(at, leaf)| **leaf == Some(event.leaf_hash_at(*at)));
    places.next().map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn event(position: u64, payload: &str) -> Event {
        Event {
            position,
            aggregate_type: "tally".to_owned(),
            aggregate_id: payload.to_owned(),
            sequence: position,
            event_type: "Added".to_owned(),
            event_version: "1".to_owned(),
            payload: payload.to_owned(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    /// What was recorded from position 5 on.
    fn recorded() -> Vec<Option<Hash>> {
        let events = (5..).zip(["a", "b", "c", "d"]);
        events
            .map(|(at, payload)| Some(event(at, payload).leaf_hash()))
            .collect()
    }

    /// Explains a log of these payloads, each with the sequence that it was recorded with.
    fn found(payloads: &[&str]) -> Change {
        let sequence = |payload: &str| {
            ["a", "b", "c", "d"]
                .iter()
                .position(|known| *known == payload)
        };
        let ahead: Vec<Event> = payloads
            .iter()
            .map(|payload| event(sequence(payload).map_or(99, |at| at as u64 + 5), payload))
            .collect();
        explain(5, &ahead, &recorded(), 8)
    }

    fn place(id: &str, sequence: u64) -> Place {
        Place::of(&event(sequence, id))
    }

    #[test]
    fn each_kind_of_tampering_is_told_apart() {
        let altered = Change::Altered {
            event: place("x", 99),
        };
        assert_eq!(found(&["x", "b", "c", "d"]), altered);
        let missing = |events, next: Option<Place>| Change::Missing {
            events,
            lost: None,
            next,
        };
        assert_eq!(found(&["b", "c", "d"]), missing(1, Some(place("b", 6))));
        assert_eq!(found(&["d"]), missing(3, Some(place("d", 8))));
        assert_eq!(found(&[]), missing(4, None));
        let inserted = Change::Inserted {
            event: place("x", 99),
        };
        assert_eq!(found(&["x", "a", "b", "c", "d"]), inserted);
        assert_eq!(found(&["x", "y", "a", "b"]), inserted);
        let moved = Change::Moved {
            event: place("b", 6),
            recorded_at: 6,
        };
        assert_eq!(found(&["b", "a", "c", "d"]), moved);
        // Of a leaf that is lost itself nothing more can be said.
        let lost = explain(5, &[event(5, "a")], &[None], 5);
        assert_eq!(
            lost,
            Change::Altered {
                event: place("a", 5)
            }
        );
    }
}
