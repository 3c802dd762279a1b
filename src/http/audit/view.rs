//! What an entry shows, and the page that it stands on.

use aggregates::{Actor, ids::UserId};
use chrono::{DateTime, SecondsFormat, Utc};
use projections::{Whose, audit::Entry};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::download::Line;
use crate::http::vocabulary;

/// One thing that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct HistoryEntry {
    /// Its place in the log.
    pub(in crate::http) position: i64,
    /// Its place in the history of the thing that it happened to.
    pub(in crate::http) sequence: i64,
    /// When it was recorded.
    pub(in crate::http) timestamp: DateTime<Utc>,
    /// What happened, as the event is called.
    pub(in crate::http) action: String,
    /// The kind of thing that it happened to.
    #[schema(value_type = vocabulary::ResourceType)]
    pub(in crate::http) resource_type: String,
    /// Which.
    pub(in crate::http) resource_id: String,
    /// Who: `user:<id>`, `worker:<name>`, `operator` or `anonymous`.
    pub(in crate::http) actor: String,
    /// The user, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) user_id: Option<Uuid>,
    /// The name that he goes by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) user_name: Option<String>,
    /// The API key that the command came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) api_key_id: Option<Uuid>,
    /// What the event says; of long lists of names, how many.
    #[schema(value_type = Object)]
    pub(in crate::http) details: Value,
    /// The fields that it changed, named as in `details`, as they were: as the events before it had made them. One that was not
    /// there is not named. All that there was, where it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(in crate::http) before: Option<Value>,
    /// The same fields as they are since; one that was taken away is not named. Where phases of a campaign stand, how many names
    /// it has, members of a pool and keys of a user are fields such as `phases.validation.state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(in crate::http) after: Option<Value>,
    /// The request, or the run.
    pub(in crate::http) correlation_id: String,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) causation_id: Option<String>,
    /// SHA-256 of user, operation and idempotency key, hex, where a key was sent: commands with the same one are one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) idempotency: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) ip: Option<String>,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) user_agent: Option<String>,
}

/// Returns the user that an actor is.
pub(in crate::http) fn user_of(actor: &str) -> Option<Uuid> {
    match actor.parse() {
        Ok(Actor::User(user)) => Some(user.0),
        _ => None,
    }
}

impl HistoryEntry {
    /// Shows an entry to somebody. From where, with what and by which key another user gave his command is shown to those
    /// alone who see everybody's.
    pub(in crate::http) fn shown_to(viewer: Whose, entry: Entry) -> Self {
        let user_id = user_of(&entry.actor);
        if user_id.is_none_or(|user| viewer.includes(UserId(user))) {
            return Self::whole(entry);
        }
        Self::whole(Entry {
            api_key: None,
            idempotency: None,
            ip: None,
            user_agent: None,
            ..entry
        })
    }

    fn whole(entry: Entry) -> Self {
        Self {
            position: entry.position,
            sequence: entry.sequence,
            timestamp: entry.recorded_at,
            action: entry.action,
            resource_type: entry.resource_type,
            resource_id: entry.resource_id,
            user_id: user_of(&entry.actor),
            user_name: entry.actor_name,
            actor: entry.actor,
            api_key_id: entry.api_key,
            details: entry.details,
            before: entry.before,
            after: entry.after,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            idempotency: entry.idempotency,
            ip: entry.ip,
            user_agent: entry.user_agent,
        }
    }
}

/// A moment as a cell of a table shows it.
pub(in crate::http) fn cell_of_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Line for HistoryEntry {
    const HEADINGS: &'static [&'static str] = &[
        "position",
        "timestamp",
        "actor",
        "userName",
        "apiKeyId",
        "action",
        "resourceType",
        "resourceId",
        "sequence",
        "ip",
        "userAgent",
        "correlationId",
        "causationId",
        "idempotency",
        "details",
        "before",
        "after",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
        vec![
            self.position.to_string(),
            cell_of_time(self.timestamp),
            self.actor.clone(),
            text(&self.user_name),
            self.api_key_id
                .map(|key| key.to_string())
                .unwrap_or_default(),
            self.action.clone(),
            self.resource_type.clone(),
            self.resource_id.clone(),
            self.sequence.to_string(),
            text(&self.ip),
            text(&self.user_agent),
            self.correlation_id.clone(),
            text(&self.causation_id),
            text(&self.idempotency),
            self.details.to_string(),
            json(&self.before),
            json(&self.after),
        ]
    }
}

/// Where a page of entries stands among the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct EntriesPageInfo {
    /// The cursor of the first entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) start_cursor: Option<String>,
    /// The cursor of the last entry; the next page is `after` it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) end_cursor: Option<String>,
    /// Whether there is a next page.
    pub(in crate::http) has_next_page: bool,
    /// Entries a page at most.
    pub(in crate::http) first: i64,
}

impl EntriesPageInfo {
    /// Tells where a page stands.
    pub(in crate::http) fn of<T>(
        page: &[T],
        first: i64,
        has_next_page: bool,
        cursor: impl Fn(&T) -> i64,
    ) -> Self {
        let shown = |entry: &T| cursor(entry).to_string();
        Self {
            start_cursor: page.first().map(shown),
            end_cursor: page.last().map(shown),
            has_next_page,
            first,
        }
    }
}

/// Cuts a page of which one more entry was read to its size and tells where it stands.
pub(in crate::http) fn cut<T>(
    read: &mut Vec<T>,
    first: i64,
    cursor: impl Fn(&T) -> i64,
) -> EntriesPageInfo {
    let size = usize::try_from(first).unwrap_or(usize::MAX);
    let has_next_page = read.len() > size;
    read.truncate(size);
    EntriesPageInfo::of(read, first, has_next_page, cursor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(actor: &str) -> Entry {
        let some = || Some("x".to_owned());
        Entry {
            position: 1,
            recorded_at: DateTime::UNIX_EPOCH,
            actor: actor.to_owned(),
            actor_name: some(),
            action: "Disabled".to_owned(),
            resource_type: "persona".to_owned(),
            resource_id: "1".to_owned(),
            sequence: 1,
            details: json!({}),
            before: None,
            after: None,
            correlation_id: "1".to_owned(),
            causation_id: some(),
            idempotency: some(),
            api_key: Some(Uuid::nil()),
            ip: some(),
            user_agent: some(),
        }
    }

    #[test]
    fn from_where_another_user_did_it_is_shown_to_those_alone_who_see_everybodys() {
        let (ann, root) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (by_ann, by_root) = (format!("user:{ann}"), format!("user:{root}"));
        for (viewer, actor, is_whole) in [
            (Whose::Of(ann), by_ann.as_str(), true),
            (Whose::Of(ann), by_root.as_str(), false),
            (Whose::Of(ann), "worker:one", true),
            (Whose::Of(ann), "anonymous", true),
            (Whose::Everybodys, by_root.as_str(), true),
        ] {
            let shown = HistoryEntry::shown_to(viewer, entry(actor));
            let told = [
                shown.ip.is_some(),
                shown.user_agent.is_some(),
                shown.api_key_id.is_some(),
                shown.idempotency.is_some(),
            ];
            assert_eq!(told, [is_whole; 4], "{viewer:?} {actor}");
            assert_eq!(shown.actor, actor);
            assert!(shown.user_name.is_some() && shown.causation_id.is_some());
        }
    }
}
