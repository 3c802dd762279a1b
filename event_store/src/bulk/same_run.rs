//! When a found event is the step that was to be recorded.

use serde_json::Value;

use super::{FoundEvent, NewEvent};

/// Says whether two events are the same step: the same type, and the same `run_id` in their payloads (at the top, or
/// inside the one member that names the event's kind). Events without a run are the same when their payloads are.
#[must_use]
pub fn same_run(new: &NewEvent, found: &FoundEvent) -> bool {
    if new.event_type != found.event_type {
        return false;
    }
    let (Ok(new), Ok(found)) = (
        serde_json::from_str::<Value>(&new.payload),
        serde_json::from_str::<Value>(&found.payload),
    ) else {
        return false;
    };
    match (run_of(&new), run_of(&found)) {
        (None, None) => new == found,
        (new_run, found_run) => new_run == found_run,
    }
}

fn run_of(payload: &Value) -> Option<&Value> {
    let members = payload.as_object()?;
    members.get("run_id").or_else(|| {
        let mut inner = members.values();
        inner.next().filter(|_| members.len() == 1)?.get("run_id")
    })
}
