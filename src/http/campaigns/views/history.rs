//! Histories: what happened to a campaign or to one domain, event by event.

use aggregates::Actor;
use chrono::{DateTime, Utc};
use event_store::StreamEvent;
use projections::audit::Entry;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::on_the_wire;

/// A page of a campaign's history, the oldest entries first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryResponse {
    /// The campaign.
    pub campaign_id: Uuid,
    /// The entries.
    pub items: Vec<HistoryEntry>,
    /// The next page is `after` this; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<i64>,
}

/// One thing that happened to a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its place in the log.
    pub position: i64,
    /// Its place in the campaign's stream.
    pub sequence: i64,
    /// When it was recorded.
    pub timestamp: DateTime<Utc>,
    /// What happened, as the event is called.
    pub action: String,
    /// Who: `user:<id>`, `worker:<name>` or `operator`.
    pub actor: String,
    /// The user, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// What the event says.
    #[schema(value_type = Object)]
    pub details: Value,
    /// The request, or the run.
    pub correlation_id: String,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl From<Entry> for HistoryEntry {
    fn from(entry: Entry) -> Self {
        Self {
            position: entry.position,
            sequence: entry.sequence,
            timestamp: entry.recorded_at,
            action: entry.action,
            user_id: match entry.actor.parse() {
                Ok(Actor::User(user)) => Some(user.0),
                _ => None,
            },
            actor: entry.actor,
            details: entry.details,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            ip: entry.ip,
            user_agent: entry.user_agent,
        }
    }
}

/// A page of a domain's history, the oldest entries first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainHistoryResponse {
    /// The campaign.
    pub campaign_id: Uuid,
    /// The domain.
    pub domain: String,
    /// When it was generated or imported.
    pub created_at: DateTime<Utc>,
    /// The entries.
    pub items: Vec<DomainHistoryEntry>,
    /// The next page is `after` this; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// One thing that was found out about a domain.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainHistoryEntry {
    /// Its place in the domain's stream.
    pub sequence: u64,
    /// Its place in the log; absent for the moment between its commit and its sequencing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// When it was recorded.
    pub timestamp: DateTime<Utc>,
    /// What happened, as the event is called.
    pub action: String,
    /// Who found it out.
    pub actor: String,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Everything that was found, as the event says it but for scores, which are from 0 to 100 here as everywhere:
    /// `domainScore` of `Scored` and `leadScore` of `LeadDecided`. What a score is made of stays from 0 to 1.
    #[schema(value_type = Object)]
    pub details: Value,
}

impl DomainHistoryEntry {
    /// Makes the view of an event.
    ///
    /// # Errors
    /// When the event is no JSON.
    pub fn of(stored: &StreamEvent) -> Result<Self, event_store::Error> {
        let event = &stored.event;
        let mut payload: Value = event.decode()?;
        let mut details = payload
            .get_mut(&event.event_type)
            .map(Value::take)
            .unwrap_or(payload);
        show_score(&event.event_type, &mut details);
        Ok(Self {
            sequence: event.sequence,
            position: stored.position.map(event_store::Position::get),
            timestamp: event.recorded_at,
            action: event.event_type.clone(),
            actor: event.metadata()?.actor.to_string(),
            run_id: details
                .get("run_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            details,
        })
    }
}

/// Puts an event's score, which the log keeps as 0 to 1, under its name and in its scale on the wire.
fn show_score(event_type: &str, details: &mut Value) {
    let (from, name) = match event_type {
        "Scored" => (details.get_mut("score"), "domainScore"),
        "LeadDecided" => (Some(&mut *details), "leadScore"),
        _ => return,
    };
    let kept = from.and_then(Value::as_object_mut);
    let score = kept.and_then(|kept| kept.remove("score"));
    if let Some(score) = score.and_then(|score| score.as_f64())
        && let Some(shown) = details.as_object_mut()
    {
        shown.insert(name.to_owned(), on_the_wire(score).into());
    }
}
