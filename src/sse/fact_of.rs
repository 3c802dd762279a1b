//! One event → what streams tell of it.

use std::collections::HashMap;

use aggregates::{
    campaign::{FailureCause, Phase, RunKind, Tallies},
    domain::{DnsReason, HttpReason, Outcome},
    ids::{RunId, ScoringProfileId},
    lead,
};
use event_store::Recorded;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use crate::http::campaigns::views::on_the_wire;

use super::{
    fact::{Finding, Told, Weight, What},
    outbox,
};

/// The types of events that streams read.
pub(super) const TYPES: [&str; 5] = ["campaign", "domain", "keyword_set", "proxy", "user"];

#[derive(Deserialize)]
struct OfRun {
    phase: Phase,
    #[serde(default)]
    run_id: Option<RunId>,
    #[serde(default)]
    auto: bool,
    /// The run's number within its phase, of a start.
    #[serde(default)]
    run_number: Option<u32>,
    #[serde(default)]
    kind: RunKind,
    #[serde(default)]
    tallies: Option<Tallies>,
    #[serde(default)]
    cause: Option<FailureCause>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct StartRefused {
    phase: Phase,
    message: String,
}

#[derive(Deserialize)]
struct Rescored {
    run_id: RunId,
}

#[derive(Deserialize)]
struct CountersReconciled {
    drift_count: u64,
    corrections: u64,
}

#[derive(Deserialize)]
struct ModeChanged {
    mode: Value,
}

#[derive(Deserialize)]
struct DnsChecked {
    outcome: Outcome,
    #[serde(default)]
    reason: Option<DnsReason>,
}

#[derive(Deserialize)]
struct HttpChecked {
    outcome: Outcome,
    #[serde(default)]
    reason: Option<HttpReason>,
}

#[derive(Deserialize)]
struct Score {
    score: f64,
}

#[derive(Deserialize)]
struct Scored {
    run_id: RunId,
    #[serde(default)]
    scoring_profile: Option<ScoringProfileId>,
    score: Score,
    richness: Score,
}

#[derive(Deserialize)]
struct LeadDecided {
    status: lead::Status,
}

#[derive(Deserialize)]
struct KeywordSet {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct HealthChanged {
    healthy: bool,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    latency_ms: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyMessage<'a> {
    proxy_id: &'a str,
    sequence: u64,
    is_healthy: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhaseMessage<'a> {
    campaign_id: &'a str,
    phase: Phase,
    sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_number: Option<u32>,
    /// Of a start: which domains the run is about; all of them where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_kind: Option<RunKind>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Tallies>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<FailureCause>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScoredMessage<'a> {
    campaign_id: &'a str,
    domain: &'a str,
    domain_score: f64,
    richness: f64,
    run_id: RunId,
    #[serde(skip_serializing_if = "Option::is_none")]
    scoring_profile_id: Option<ScoringProfileId>,
}

/// Reads the part of a payload that streams need; the rest (pinned rules, pages) is passed over, not built.
pub(super) fn inside<T: DeserializeOwned>(event: &Recorded) -> Result<T, serde_json::Error> {
    let payload: HashMap<&str, &RawValue> = serde_json::from_str(&event.payload)?;
    let inner = payload
        .get(event.event_type.as_str())
        .map_or("null", |raw| raw.get());
    serde_json::from_str(inner)
}

/// Returns what streams tell of a campaign's event; nothing where they are silent about it.
pub(super) fn of_campaign(event: &Recorded) -> Result<Option<What>, serde_json::Error> {
    let sequence = event.sequence;
    let campaign_id = event.aggregate_id.as_str();
    let of_phase = |happened: &str, words: &str| -> Result<Option<What>, serde_json::Error> {
        let run: OfRun = inside(event)?;
        let kind = if run.auto {
            "phase_auto_started"
        } else {
            happened
        };
        let words = match run.kind {
            RunKind::Full => words,
            RunKind::Retry | RunKind::RetryUnanswered => "started for the domains that failed",
            RunKind::Rest => "started for the domains that a retry left without a result",
            RunKind::Rescore => "started with other weights",
        };
        let message = PhaseMessage {
            campaign_id,
            phase: run.phase,
            sequence,
            run_id: run.run_id,
            run_number: run.run_number,
            run_kind: Some(run.kind).filter(|kind| *kind != RunKind::Full),
            message: run
                .message
                .clone()
                .unwrap_or_else(|| format!("{} {words}", run.phase)),
            results: run.tallies,
            error: run.message,
            cause: run.cause,
        };
        let announcement = match (run.phase, happened) {
            (Phase::Analysis, "phase_completed") => Some("analysis_completed"),
            (Phase::Analysis, "phase_failed") => Some("analysis_failed"),
            _ => None,
        };
        Ok(Some(What::Told(Told {
            announcement: announcement
                .map(|kind| outbox::body(kind, event.recorded_at, &message).into()),
            body: outbox::body(kind, event.recorded_at, &message).into(),
            weight: Weight::Lifecycle,
        })))
    };
    match event.event_type.as_str() {
        "PhaseStarted" => of_phase("phase_started", "started"),
        "PhasePaused" => of_phase("phase_paused", "paused"),
        "PhaseResumed" => of_phase("phase_resumed", "resumed"),
        "PhaseCompleted" => of_phase("phase_completed", "completed"),
        "PhaseFailed" => of_phase("phase_failed", "failed"),
        "PhaseStartRefused" => {
            let StartRefused { phase, message } = inside(event)?;
            let payload = json!({
                "campaignId": campaign_id, "sequence": sequence, "phase": phase, "message": message,
            });
            Ok(Some(told("error", event, Weight::Lifecycle, payload)))
        }
        "Completed" => {
            let payload = json!({
                "campaignId": campaign_id, "sequence": sequence, "message": "every phase is completed",
            });
            Ok(Some(told(
                "campaign_completed",
                event,
                Weight::Lifecycle,
                payload,
            )))
        }
        "Rescored" => {
            let Rescored { run_id } = inside(event)?;
            let payload = json!({
                "campaignId": campaign_id, "sequence": sequence, "runId": run_id, "phase": Phase::Analysis,
                "message": "every score is that of the new weights",
            });
            Ok(Some(told(
                "rescore_completed",
                event,
                Weight::Rare,
                payload,
            )))
        }
        "CountersReconciled" => {
            let CountersReconciled {
                drift_count,
                corrections,
            } = inside(event)?;
            let payload = json!({
                "campaignId": campaign_id, "sequence": sequence, "driftCount": drift_count,
                "corrections": corrections, "ts": event.recorded_at,
            });
            Ok(Some(told(
                "counters_reconciled",
                event,
                Weight::Rare,
                payload,
            )))
        }
        "ModeChanged" => {
            let ModeChanged { mode } = inside(event)?;
            let payload = json!({"campaignId": campaign_id, "sequence": sequence, "mode": mode});
            Ok(Some(told("mode_changed", event, Weight::Rare, payload)))
        }
        "DomainsGenerated" | "DomainsImported" | "DomainsTaken" => Ok(Some(What::Grew)),
        "Deleted" => Ok(Some(What::Ended)),
        _ => Ok(None),
    }
}

/// Returns what streams tell of a domain's event.
pub(super) fn of_domain(
    event: &Recorded,
    campaign_id: &str,
    name: &str,
) -> Result<Option<What>, serde_json::Error> {
    let finding = match event.event_type.as_str() {
        "DnsChecked" => {
            let DnsChecked { outcome, reason } = inside(event)?;
            Finding::Dns(outcome, reason)
        }
        "HttpChecked" => {
            let HttpChecked { outcome, reason } = inside(event)?;
            Finding::Http(outcome, reason)
        }
        "LeadDecided" => Finding::Lead(inside::<LeadDecided>(event)?.status),
        "Scored" => {
            let scored: Scored = inside(event)?;
            let payload = ScoredMessage {
                campaign_id,
                domain: name,
                domain_score: on_the_wire(scored.score.score),
                richness: scored.richness.score,
                run_id: scored.run_id,
                scoring_profile_id: scored.scoring_profile,
            };
            return Ok(Some(told("domain_scored", event, Weight::Bulk, payload)));
        }
        _ => return Ok(None),
    };
    let name = name.into();
    Ok(Some(What::Found { name, finding }))
}

/// Returns what streams tell of a keyword set's event.
pub(super) fn of_keyword_set(event: &Recorded) -> Result<Option<What>, serde_json::Error> {
    let kind = match event.event_type.as_str() {
        "Created" => "keyword_set_created",
        "Changed" | "RulesReplaced" | "Enabled" | "Disabled" => "keyword_set_updated",
        "Deleted" => "keyword_set_deleted",
        _ => return Ok(None),
    };
    let KeywordSet { name } = inside(event)?;
    let mut payload = json!({"keywordSetId": event.aggregate_id, "sequence": event.sequence});
    if let (Some(name), Some(object)) = (name, payload.as_object_mut()) {
        object.insert("name".to_owned(), Value::String(name));
    }
    Ok(Some(told(kind, event, Weight::Rare, payload)))
}

/// Returns what streams tell of a proxy's event: that it became healthy or unhealthy.
pub(super) fn of_proxy(event: &Recorded) -> Result<Option<What>, serde_json::Error> {
    if event.event_type != "HealthChanged" {
        return Ok(None);
    }
    let HealthChanged {
        healthy,
        reason,
        detail,
        latency_ms,
    } = inside(event)?;
    let payload = ProxyMessage {
        proxy_id: &event.aggregate_id,
        sequence: event.sequence,
        is_healthy: healthy,
        status: if healthy { "healthy" } else { "unhealthy" },
        reason,
        message: detail,
        latency_ms,
    };
    Ok(Some(told(
        "proxy_health_changed",
        event,
        Weight::Rare,
        payload,
    )))
}

/// Tells that an event cannot be read: its stream must not pass over it in silence.
pub(super) fn unreadable(event: &Recorded) -> What {
    let payload = json!({
        "aggregateType": event.aggregate_type,
        "aggregateId": event.aggregate_id,
        "sequence": event.sequence,
        "message": "an event of this stream cannot be read",
    });
    told("error", event, Weight::Rare, payload)
}

fn told(kind: &str, event: &Recorded, weight: Weight, payload: impl Serialize) -> What {
    What::Told(Told {
        announcement: None,
        body: outbox::body(kind, event.recorded_at, payload).into(),
        weight,
    })
}
