//! How far a campaign has come, phase by phase, with what happened on the way.

use std::time::Duration;

use aggregates::campaign::Phase;
use chrono::{DateTime, Utc};
use projections::{
    audit::Entry,
    campaigns::{Overall, Overview, Progress, Recent},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, State, vocabulary};

/// Entries of the timeline at most; the rest is in the history.
const TIMELINE: i64 = 100;

/// What of a campaign's history the timeline shows.
const SHOWN: [&str; 16] = [
    "Created",
    "Duplicated",
    "ModeChanged",
    "PhaseConfigured",
    "PhaseStarted",
    "Restarted",
    "Rescored",
    "ScoringProfileAssigned",
    "PhasePaused",
    "PhaseResumed",
    "PhaseCompleted",
    "PhaseFailed",
    "PhaseStartRefused",
    "Stopped",
    "DetailsChanged",
    "CountersReconciled",
];

/// How far a campaign has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignProgressResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// The campaign as a whole.
    overall: OverallProgress,
    /// Its phases.
    phases: PhasesProgress,
    /// What happened, the oldest first; the newest hundred entries.
    timeline: Vec<TimelineEvent>,
}

/// How far a campaign as a whole has come.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OverallProgress {
    /// `draft`, `running`, `paused`, `completed`, `failed` or `cancelled`.
    #[schema(value_type = vocabulary::CampaignStatus)]
    status: &'static str,
    /// The mean of the phases, 0 to 100.
    percent_complete: f64,
    /// Domains.
    total_domains: u64,
    /// Domains that were checked.
    processed_domains: u64,
    /// Checked domains that passed every check so far.
    successful_domains: u64,
    /// Checked domains that failed one.
    failed_domains: u64,
}

/// How far each phase has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PhasesProgress {
    /// Names.
    discovery: PhaseProgressSummary,
    /// DNS.
    validation: PhaseProgressSummary,
    /// HTTP and keywords.
    extraction: PhaseProgressSummary,
    /// Scores.
    analysis: PhaseProgressSummary,
    /// Leads.
    enrichment: PhaseProgressSummary,
}

/// How far one phase has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhaseProgressSummary {
    /// `not_started`, `configured`, `running`, `paused`, `completed` or `failed`.
    #[schema(value_type = vocabulary::PhaseStatus)]
    status: &'static str,
    /// 0 to 100.
    percent_complete: f64,
    /// Items that it is done with.
    items_processed: u64,
    /// Items that it works on.
    items_total: u64,
    /// When the last run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    /// When it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<DateTime<Utc>>,
    /// How long the run took that is over, such as `1m2.345s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TimelineEvent {
    /// When.
    timestamp: DateTime<Utc>,
    /// To which phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    /// What, such as `phase_started`.
    r#type: String,
    /// In words.
    description: String,
    /// What that means for the phase: `pending`, `running`, `completed` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::TimelineStatus>)]
    status: Option<&'static str>,
    /// How far the phase was then, 0 to 100, where that is certain: a first run begins at 0, and 100 is where every run
    /// completes. A run that is not the first keeps some of what was found, and how much is not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    /// Particulars.
    #[schema(value_type = HashMap<String, vocabulary::Primitive>)]
    metadata: Map<String, Value>,
}

impl PhaseProgressSummary {
    fn of(overview: &Overview, phase: Phase) -> Self {
        let row = overview.campaign.phase(phase);
        let progress = Progress::of(&overview.campaign, phase, &overview.counts);
        let took = row
            .started_at
            .zip(row.completed_at.or(row.failed_at))
            .and_then(|(from, to)| (to - from).to_std().ok());
        Self {
            status: row.state.name(),
            percent_complete: progress.percent,
            items_processed: progress.processed,
            items_total: progress.total,
            started_at: row.started_at,
            completed_at: row.completed_at,
            duration: took.map(spelled),
        }
    }
}

/// Spells a duration, to the millisecond.
fn spelled(took: Duration) -> String {
    let (minutes, millis) = (took.as_secs() / 60, took.subsec_millis());
    let seconds = took.as_secs() % 60;
    match minutes {
        0 => format!("{seconds}.{millis:03}s"),
        1..60 => format!("{minutes}m{seconds}.{millis:03}s"),
        _ => format!("{}h{}m{seconds}.{millis:03}s", minutes / 60, minutes % 60),
    }
}

impl From<Entry> for TimelineEvent {
    fn from(entry: Entry) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let phase = entry
            .details
            .get("phase")
            .and_then(text)
            .or_else(|| entry.details.pointer("/config/phase").and_then(text));
        let (status, what) = meaning(&entry.action);
        let what = match entry.details.get("kind").and_then(Value::as_str) {
            Some("retry_failed" | "retry") => "began a run for the domains that failed",
            Some("rest") => "began a run for the domains that a retry left without a result",
            Some("rescore") => "began a run with other weights",
            _ => what,
        };
        let description = match &phase {
            Some(phase) => format!("{phase} {what}"),
            None => what.to_owned(),
        };
        let mut metadata = Map::from_iter([
            ("actor".to_owned(), json!(entry.actor)),
            ("sequence".to_owned(), json!(entry.sequence)),
        ]);
        for (field, name) in [
            ("run_id", "runId"),
            ("run_number", "runNumber"),
            ("kind", "runKind"),
            ("message", "message"),
            ("mode", "mode"),
        ] {
            if let Some(value) = entry.details.get(field).filter(|value| !value.is_object()) {
                metadata.insert(name.to_owned(), value.clone());
            }
        }
        Self {
            timestamp: entry.recorded_at,
            phase,
            r#type: snake_case(&entry.action),
            description,
            status,
            progress: progress_then(&entry),
            metadata,
        }
    }
}

fn meaning(action: &str) -> (Option<&'static str>, &'static str) {
    match action {
        "Created" => (Some("pending"), "the campaign was created"),
        "ModeChanged" => (None, "the mode was changed"),
        "DetailsChanged" => (None, "the details were changed"),
        "PhaseConfigured" => (Some("pending"), "was configured"),
        "PhaseStarted" => (Some("running"), "began a run"),
        "Duplicated" => (Some("pending"), "the campaign was made like another one"),
        "Rescored" => (
            Some("completed"),
            "the campaign was scored with other weights",
        ),
        "ScoringProfileAssigned" => (Some("pending"), "a scoring profile was assigned"),
        "Restarted" => (
            Some("running"),
            "the campaign was restarted after its names",
        ),
        "PhasePaused" => (Some("pending"), "was paused"),
        "PhaseResumed" => (Some("running"), "was resumed"),
        "PhaseCompleted" => (Some("completed"), "completed"),
        "PhaseFailed" => (Some("failed"), "ended early"),
        "CountersReconciled" => (None, "counters of its domains were put right"),
        "PhaseStartRefused" => (Some("pending"), "could not start by itself"),
        _ => (Some("failed"), "the campaign was stopped"),
    }
}

/// Says how far a phase was at an entry about it.
fn progress_then(entry: &Entry) -> Option<f64> {
    let first = || entry.details.get("run_number").and_then(Value::as_u64) == Some(1);
    match entry.action.as_str() {
        "PhaseCompleted" => Some(100.0),
        "PhaseStarted" if first() => Some(0.0),
        _ => None,
    }
}

fn snake_case(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !spelled.is_empty() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_lowercase());
    }
    spelled
}

/// Answers how far a campaign has come and what happened on the way.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/progress", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignProgressResponse), (status = 404))
)]
pub(super) async fn progress(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignProgressResponse>, Error> {
    let Recent { overview, entries } =
        access::recent(&state, &caller, id, &SHOWN, TIMELINE).await?;
    let overall = Overall::of(&overview.campaign, &overview.counts);
    let of = |phase| PhaseProgressSummary::of(&overview, phase);
    let body = CampaignProgressResponse {
        campaign_id: id,
        overall: OverallProgress {
            status: overview.campaign.status().name(),
            percent_complete: overall.percent,
            total_domains: overall.total,
            processed_domains: overall.processed,
            successful_domains: overall.successful,
            failed_domains: overall.failed,
        },
        phases: PhasesProgress {
            discovery: of(Phase::Discovery),
            validation: of(Phase::Validation),
            extraction: of(Phase::Extraction),
            analysis: of(Phase::Analysis),
            enrichment: of(Phase::Enrichment),
        },
        timeline: entries.into_iter().rev().map(TimelineEvent::from).collect(),
    };
    Ok(Answer::ok(body).row_version(overview.campaign.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_durations_are_spelled_as_the_wire_spells_them() {
        assert_eq!(snake_case("PhaseStarted"), "phase_started");
        assert_eq!(spelled(Duration::from_millis(2_345)), "2.345s");
        assert_eq!(spelled(Duration::from_millis(62_005)), "1m2.005s");
        assert_eq!(spelled(Duration::from_secs(3_723)), "1h2m3.000s");
    }
}
