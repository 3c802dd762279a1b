//! What entries tell of users who were erased.

use aggregates::personal::ERASED;
use event_store::Recorded;
use serde_json::{Map, Value};
use sqlx::PgConnection;

use crate::runtime::ApplyError;

/// What his stream tells of him, and of whoever tried to come in as him.
const OF_HIS_STREAM: &str = "UPDATE audit_entries SET \
    ip = CASE WHEN ip IS NOT NULL AND (actor = 'user:' || $1 OR actor NOT LIKE 'user:%') THEN $2 ELSE ip END, \
    user_agent = CASE WHEN user_agent IS NOT NULL AND (actor = 'user:' || $1 OR actor NOT LIKE 'user:%') THEN $2 \
        ELSE user_agent END, \
    details = details || coalesce((SELECT jsonb_object_agg(field, $2) \
        FROM unnest(ARRAY['email', 'username', 'name']) field WHERE details ? field), '{}') \
    WHERE resource_type = 'user' AND resource_id = $1";
/// From where he gave commands.
const OF_HIS_COMMANDS: &str = "UPDATE audit_entries SET \
    ip = CASE WHEN ip IS NOT NULL THEN $2 END, user_agent = CASE WHEN user_agent IS NOT NULL THEN $2 END \
    WHERE actor = 'user:' || $1";

const CHANGES: &str = "SELECT position, before, after FROM audit_entries \
    WHERE resource_type = 'user' AND resource_id = $1 AND (before IS NOT NULL OR after IS NOT NULL)";
const REWRITE: &str = "UPDATE audit_entries SET before = wanted.before, after = wanted.after \
    FROM unnest($1::bigint[], $2::jsonb[], $3::jsonb[]) AS wanted (position, before, after) \
    WHERE audit_entries.position = wanted.position";
const STATE: &str =
    "SELECT state FROM audit_states WHERE resource_type = 'user' AND resource_id = $1";
const REWRITE_STATE: &str =
    "UPDATE audit_states SET state = $2 WHERE resource_type = 'user' AND resource_id = $1";

/// What tells of a user among the fields that his events set.
const PERSONAL: [&str; 2] = ["email", "username"];

/// Writes `erased` over what entries tell of the users that these events erase, as a rebuild reads it.
pub(super) async fn forget(
    connection: &mut PgConnection,
    events: &[Recorded],
) -> Result<(), ApplyError> {
    let erased = events
        .iter()
        .filter(|event| event.aggregate_type == "user" && event.event_type == "Erased");
    for event in erased {
        for statement in [OF_HIS_STREAM, OF_HIS_COMMANDS] {
            sqlx::query(statement)
                .bind(&event.aggregate_id)
                .bind(ERASED)
                .execute(&mut *connection)
                .await?;
        }
        forget_changes(connection, &event.aggregate_id).await?;
        forget_state(connection, &event.aggregate_id).await?;
    }
    Ok(())
}

async fn forget_changes(connection: &mut PgConnection, user: &str) -> Result<(), ApplyError> {
    type Fields = Option<sqlx::types::Json<Map<String, Value>>>;
    let changes: Vec<(i64, Fields, Fields)> = sqlx::query_as(CHANGES)
        .bind(user)
        .fetch_all(&mut *connection)
        .await?;
    let (mut positions, mut befores, mut afters) = (vec![], vec![], vec![]);
    for (position, before, after) in changes {
        let fields = |of: Fields| of.map(|of| of.0).unwrap_or_default();
        let (before, after) = without_person(fields(before), fields(after));
        let kept = |of: Map<String, Value>| (!of.is_empty()).then_some(Value::Object(of));
        positions.push(position);
        befores.push(kept(before));
        afters.push(kept(after));
    }
    sqlx::query(REWRITE)
        .bind(positions)
        .bind(befores)
        .bind(afters)
        .execute(connection)
        .await?;
    Ok(())
}

async fn forget_state(connection: &mut PgConnection, user: &str) -> Result<(), ApplyError> {
    let state: Option<sqlx::types::Json<Map<String, Value>>> = sqlx::query_scalar(STATE)
        .bind(user)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(mut state) = state {
        erase_in(&mut state.0);
        sqlx::query(REWRITE_STATE)
            .bind(user)
            .bind(state)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What a change tells once its user was erased: what was erased before and after it is the same, and so no change.
fn without_person(
    mut before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    for field in PERSONAL {
        if before.contains_key(field) && after.contains_key(field) {
            before.remove(field);
            after.remove(field);
        }
    }
    erase_in(&mut before);
    erase_in(&mut after);
    (before, after)
}

/// Writes `erased` over what fields tell of a user, the names that he gave his API keys among them.
fn erase_in(fields: &mut Map<String, Value>) {
    for (field, value) in fields {
        if PERSONAL.contains(&field.as_str()) {
            *value = ERASED.into();
        } else if field.starts_with("api_keys.")
            && let Some(name) = value.get_mut("name")
        {
            *name = ERASED.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_of_somebody_who_was_erased_is_what_a_rebuild_reads() {
        let map = |value: Value| match value {
            Value::Object(map) => map,
            other => panic!("no object: {other}"),
        };
        let of = |before, after| without_person(map(before), map(after));
        let (before, after) = of(
            json!({}),
            json!({"email": "a@b", "username": "a", "role": "user", "api_keys.k": {"name": "ci", "scope": "read"}}),
        );
        assert!(before.is_empty());
        let erased = json!({"email": ERASED, "username": ERASED, "role": "user",
            "api_keys.k": {"name": ERASED, "scope": "read"}});
        assert_eq!(Value::from(after), erased);
        let (before, after) = of(
            json!({"username": "a", "role": "user"}),
            json!({"username": "b", "role": "admin"}),
        );
        assert_eq!(Value::from(before), json!({"role": "user"}));
        assert_eq!(Value::from(after), json!({"role": "admin"}));
    }
}
