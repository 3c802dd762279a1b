//! What events have made of a thing, field by field, and what the next one changes of it.
//!
//! A field is what an event sets: most events say the new values of fields by their names, and fields that they do not
//! name stay. The others are read here: where a phase of a campaign stands, how many names it has, who is a member of a
//! pool. No rules are decided here; those are the aggregates'.

use aggregates::ids::UserId;
use serde_json::{Map, Value, json};

/// What the events up to now have made of a thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Thing {
    /// Whose it is, where it is somebody's.
    pub(super) owner: Option<UserId>,
    /// Its fields.
    pub(super) state: Map<String, Value>,
}

/// The fields that an event changed, as they were and as they are since; one that was or is not there is not named.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Change {
    pub(super) before: Map<String, Value>,
    pub(super) after: Map<String, Value>,
}

impl Thing {
    /// Takes an event in and answers what it changed.
    pub(super) fn apply(&mut self, resource_type: &str, action: &str, details: &Value) -> Change {
        if let Some(owner) = details.get("owner").and_then(Value::as_str) {
            self.owner = owner.parse().ok().or(self.owner);
        }
        if matches!(action, "Deleted" | "RemovedFromSuppressionList") {
            return Change {
                before: std::mem::take(&mut self.state),
                after: Map::new(),
            };
        }
        let mut change = Change::default();
        for (field, value) in self.set_by(resource_type, action, details) {
            let value = Some(value).filter(|value| !value.is_null());
            let is_as_it_was = match (self.state.get(&field), &value) {
                (Some(former), Some(value)) => is_same(former, value),
                (former, value) => former.is_none() && value.is_none(),
            };
            if is_as_it_was {
                continue;
            }
            if let Some(former) = self.state.remove(&field) {
                change.before.insert(field.clone(), former);
            }
            if let Some(value) = value {
                change.after.insert(field.clone(), value.clone());
                self.state.insert(field, value);
            }
        }
        change
    }

    /// Returns the fields that an event sets, null where it takes one away.
    fn set_by(&self, resource_type: &str, action: &str, details: &Value) -> Vec<(String, Value)> {
        let field = |name: &str, value: Value| vec![(name.to_owned(), value)];
        match (resource_type, action) {
            (_, "Enabled") => field("enabled", true.into()),
            (_, "Disabled") => field("enabled", false.into()),
            ("campaign", _) => self.set_of_campaign(action, details),
            ("user", _) => self.set_of_user(action, details),
            ("proxy", "CredentialsChanged") => field("credentials", said(details, "present")),
            ("proxy", "HealthChanged") => field("healthy", said(details, "healthy")),
            ("proxy_pool", "ProxyAdded" | "ProxyRemoved") => {
                let member = format!("members.{}", text(details, "proxy_id"));
                field(&member, said(details, "weight"))
            }
            ("pattern", "RangeReserved") => {
                let end = number(details, "start").saturating_add(number(details, "count"));
                field("next", end.into())
            }
            // What was passed on had been reserved.
            ("pattern", _) => Vec::new(),
            _ => all_of(details),
        }
    }

    fn set_of_campaign(&self, action: &str, details: &Value) -> Vec<(String, Value)> {
        let phase = text(details, "phase");
        let of_phase = |field: &str| format!("phases.{phase}.{field}");
        let state = |state: &str| vec![(of_phase("state"), state.into())];
        match action {
            "PhaseConfigured" => {
                let config = said(details, "config");
                let phase = text(&config, "phase").to_owned();
                vec![(format!("phases.{phase}.config"), config)]
            }
            "PhaseStarted" => vec![
                (of_phase("state"), "running".into()),
                (of_phase("run_id"), said(details, "run_id")),
                (of_phase("run_number"), said(details, "run_number")),
                ("stopped".to_owned(), Value::Null),
            ],
            "PhasePaused" => state("paused"),
            "PhaseResumed" => state("running"),
            "PhaseCompleted" => state("completed"),
            "PhaseFailed" => state("failed"),
            "DomainsImported" | "DomainsTaken" | "DomainsGenerated" => {
                let known = self.state.get("names").and_then(Value::as_u64);
                let names = known.unwrap_or(0).saturating_add(number(details, "names"));
                vec![("names".to_owned(), names.into())]
            }
            "Stopped" => vec![("stopped".to_owned(), true.into())],
            // These announce something, or say why something else follows.
            "PhaseStartRefused" | "Completed" | "Duplicated" | "Rescored" | "Restarted" => {
                Vec::new()
            }
            _ => all_of(details),
        }
    }

    fn set_of_user(&self, action: &str, details: &Value) -> Vec<(String, Value)> {
        let active = |active: bool| vec![("active".to_owned(), active.into())];
        match action {
            "Registered" => [all_of(details), active(true)].concat(),
            "Deactivated" => active(false),
            "Reactivated" => active(true),
            "LockedOut" => vec![("locked_until".to_owned(), said(details, "until"))],
            "LoggedIn" => vec![("locked_until".to_owned(), Value::Null)],
            "ApiKeyIssued" => {
                let mut key = details.clone();
                let id = key.as_object_mut().and_then(|key| key.remove("key_id"));
                let id = id.as_ref().and_then(Value::as_str).unwrap_or_default();
                vec![(format!("api_keys.{id}"), key)]
            }
            "ApiKeyRevoked" => {
                let id = text(details, "key_id");
                vec![(format!("api_keys.{id}"), Value::Null)]
            }
            "LoginFailed" | "LoggedOut" | "PasswordChanged" => Vec::new(),
            _ => all_of(details),
        }
    }
}

/// Tells whether two values are one. The database writes numbers in its own way: 1e16 comes back as an integer.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let in_b = |(field, a)| b.get(field).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(in_b)
        }
        _ => one == other,
    }
}

fn all_of(details: &Value) -> Vec<(String, Value)> {
    let fields = details.as_object().into_iter().flatten();
    fields
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

fn said(details: &Value, field: &str) -> Value {
    details.get(field).cloned().unwrap_or(json!(null))
}

fn text<'a>(details: &'a Value, field: &str) -> &'a str {
    details
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn number(details: &Value, field: &str) -> u64 {
    details.get(field).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "0192f0a0-0000-7000-8000-000000000002";

    /// Applies events, each with its action, and returns what each changed: before and after.
    fn changes(resource_type: &str, events: &[(&str, Value)]) -> (Thing, Vec<(Value, Value)>) {
        let mut thing = Thing::default();
        let changes = events
            .iter()
            .map(|(action, details)| {
                let change = thing.apply(resource_type, action, details);
                (Value::from(change.before), Value::from(change.after))
            })
            .collect();
        (thing, changes)
    }

    #[test]
    fn a_change_tells_the_fields_that_are_others_now_and_a_deletion_tells_all() {
        let (thing, changes) = changes(
            "persona",
            &[
                (
                    "Created",
                    json!({"owner": OWNER, "name": "a", "enabled": true}),
                ),
                (
                    "Changed",
                    json!({"owner": OWNER, "name": "b", "config": {"x": 1}}),
                ),
                ("Changed", json!({"owner": OWNER, "name": "b"})),
                ("Disabled", json!({"owner": OWNER})),
                ("Deleted", json!({"owner": OWNER})),
            ],
        );
        let none = json!({});
        assert_eq!(changes[0].0, none);
        assert_eq!(
            changes[1],
            (
                json!({"name": "a"}),
                json!({"name": "b", "config": {"x": 1}})
            )
        );
        assert_eq!(changes[2], (none.clone(), none.clone()));
        assert_eq!(
            changes[3],
            (json!({"enabled": true}), json!({"enabled": false}))
        );
        let all = json!({"owner": OWNER, "name": "b", "enabled": false, "config": {"x": 1}});
        assert_eq!(changes[4], (all, none));
        assert_eq!(thing.owner, OWNER.parse().ok());
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let kept = |value: Value| {
            let mut thing = Thing::default();
            thing.state.insert("weights".to_owned(), value);
            thing
        };
        let as_integer = || json!({"x": [10_000_000_000_000_000_u64]});
        let again = json!({"weights": {"x": [1e16]}});
        let change = kept(as_integer()).apply("scoring_profile", "Changed", &again);
        assert_eq!(change, Change::default());
        for other in [
            json!({"x": [2e16]}),
            json!({"x": [1e16, 1]}),
            json!({"y": [1e16]}),
            json!({"x": [10_000_000_000_000_001_u64]}),
        ] {
            let details = json!({"weights": other});
            let change = kept(as_integer()).apply("scoring_profile", "Changed", &details);
            assert_eq!(Value::from(change.after), details);
        }
    }

    #[test]
    fn the_phases_and_names_of_a_campaign_are_fields() {
        let run =
            json!({"phase": "discovery", "run_id": "r1", "run_number": 1, "pinned": {"big": 1}});
        let (_, changes) = changes(
            "campaign",
            &[
                (
                    "PhaseConfigured",
                    json!({"config": {"phase": "discovery", "source": 1}}),
                ),
                ("PhaseStarted", run),
                ("DomainsGenerated", json!({"names": 10, "start": 0})),
                ("DomainsImported", json!({"names": 5})),
                ("PhasePaused", json!({"phase": "discovery", "run_id": "r1"})),
                ("Stopped", json!({})),
                (
                    "PhaseFailed",
                    json!({"phase": "discovery", "cause": "stopped"}),
                ),
                (
                    "PhaseStarted",
                    json!({"phase": "discovery", "run_id": "r2", "run_number": 2}),
                ),
                ("Completed", json!({})),
            ],
        );
        let after: Vec<&Value> = changes.iter().map(|(_, after)| after).collect();
        assert_eq!(
            *after[0],
            json!({"phases.discovery.config": {"phase": "discovery", "source": 1}})
        );
        assert_eq!(after[1]["phases.discovery.state"], "running");
        assert!(after[1].get("pinned").is_none());
        assert_eq!(changes[3], (json!({"names": 10}), json!({"names": 15})));
        assert_eq!(
            changes[4],
            (
                json!({"phases.discovery.state": "running"}),
                json!({"phases.discovery.state": "paused"})
            )
        );
        assert_eq!(*after[5], json!({"stopped": true}));
        assert_eq!(changes[7].0["phases.discovery.run_id"], "r1");
        assert_eq!(changes[7].0["stopped"], true);
        assert_eq!(changes[8], (json!({}), json!({})));
    }

    #[test]
    fn members_keys_and_ranges_are_fields_of_their_own() {
        let (_, changes) = changes(
            "proxy_pool",
            &[
                ("ProxyAdded", json!({"proxy_id": "p", "weight": 2})),
                ("ProxyRemoved", json!({"proxy_id": "p"})),
            ],
        );
        assert_eq!(changes[0], (json!({}), json!({"members.p": 2})));
        assert_eq!(changes[1], (json!({"members.p": 2}), json!({})));
        let mut user = Thing::default();
        let issued = json!({"key_id": "k", "name": "ci"});
        let change = user.apply("user", "ApiKeyIssued", &issued);
        assert_eq!(
            Value::from(change.after),
            json!({"api_keys.k": {"name": "ci"}})
        );
        let change = user.apply("user", "ApiKeyRevoked", &json!({"key_id": "k"}));
        assert_eq!(
            Value::from(change.before),
            json!({"api_keys.k": {"name": "ci"}})
        );
        let mut pattern = Thing::default();
        let change = pattern.apply("pattern", "RangeReserved", &json!({"start": 5, "count": 7}));
        assert_eq!(Value::from(change.after), json!({"next": 12}));
    }
}
