//! What entries tell of users who were erased.

use aggregates::personal::ERASED;
use event_store::Recorded;
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
    }
    Ok(())
}
