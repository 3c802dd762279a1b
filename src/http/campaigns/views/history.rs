//! Histories: what happened to a campaign or to one domain, event by event.

use aggregates::ids::RunId;
use chrono::{DateTime, Utc};
use event_store::StreamEvent;
use projections::{
    audit::{Birth, Entry, Start},
    domains::Listed,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::on_the_wire;
use crate::http::audit::{
    download::Line,
    view::{EntriesPageInfo, HistoryEntry, cell_of_time, user_of},
};

/// A page of a campaign's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct HistoryResponse {
    /// The campaign.
    pub(in crate::http) campaign_id: Uuid,
    /// The entries.
    pub(in crate::http) items: Vec<HistoryEntry>,
    /// Where they stand among the others.
    pub(in crate::http) page_info: EntriesPageInfo,
    /// The next page is `after` this, as `pageInfo` says too; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) next_after: Option<i64>,
}

/// A page of a domain's history, the oldest entries first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DomainHistoryResponse {
    /// The campaign.
    pub(in crate::http) campaign_id: Uuid,
    /// The domain.
    pub(in crate::http) domain: String,
    /// When it was generated or imported.
    pub(in crate::http) created_at: DateTime<Utc>,
    /// How it came to the campaign; absent for the moments that the audit trail may be behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) origin: Option<DomainOrigin>,
    /// The entries.
    pub(in crate::http) items: Vec<DomainHistoryEntry>,
    /// Where they stand among the others.
    pub(in crate::http) page_info: EntriesPageInfo,
    /// The next page is `after` this, as `pageInfo` says too; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) next_after: Option<u64>,
}

/// Somebody who did something, and where in the log that stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Deed {
    /// Who: `user:<id>`, `worker:<name>` or `operator`.
    actor: String,
    /// The user, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Uuid>,
    /// The name that he goes by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    /// The place of the event in the log.
    position: i64,
    /// When it was recorded.
    timestamp: DateTime<Utc>,
}

impl From<Entry> for Deed {
    fn from(entry: Entry) -> Self {
        Self {
            user_id: user_of(&entry.actor),
            actor: entry.actor,
            user_name: entry.actor_name,
            position: entry.position,
            timestamp: entry.recorded_at,
        }
    }
}

/// The run that found something out.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DomainRun {
    /// The run.
    #[schema(value_type = Uuid)]
    run_id: RunId,
    /// Its phase.
    phase: String,
    /// Its number within the phase, from 1.
    run_number: u64,
    /// Whether the end of the phase before started it.
    auto: bool,
    /// Who started it: whoever commanded it, or the coordinator.
    started: Deed,
    /// On whose command it ran: the start, of this phase or of the one that led to it, that a user or the operator gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    commanded: Option<Deed>,
}

impl DomainRun {
    /// Makes the view of a run.
    pub(in crate::http) fn of(run_id: RunId, start: Start) -> Self {
        let said = |field: &str| start.entry.details.get(field);
        Self {
            run_id,
            phase: said("phase")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            run_number: said("run_number").and_then(Value::as_u64).unwrap_or(0),
            auto: said("auto").and_then(Value::as_bool).unwrap_or(false),
            started: start.entry.into(),
            commanded: start.commanded.map(Deed::from),
        }
    }
}

/// How a domain came to its campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DomainOrigin {
    /// `DomainsGenerated`, `DomainsImported`, or `DomainsTaken` from another campaign.
    action: String,
    /// Who recorded it, when, and where in the log.
    recorded: Deed,
    /// Its place among the domains of the campaign, from 0.
    ordinal: i64,
    /// The offset of the pattern that it was generated from.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    /// The pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pattern: Option<Value>,
    /// The version of the generator, which makes the same name of the same offset forever.
    #[serde(skip_serializing_if = "Option::is_none")]
    generator_version: Option<u64>,
    /// The list that it was imported with.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<String>,
    /// What the list is called by whoever sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    /// SHA-256 of the list, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// The how manieth it is of the names that the campaign took from the list, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    number_in_list: Option<i64>,
    /// The line of the list that it stands on, from 1; absent where names came in no lines, or before lines were recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The campaign that it was taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_campaign_id: Option<String>,
    /// The run that made or took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<DomainRun>,
}

impl DomainOrigin {
    /// Makes the view of how a domain came.
    pub(in crate::http) fn of(
        birth: Birth,
        row: &Listed,
        line: Option<u64>,
        run: Option<DomainRun>,
    ) -> Self {
        let Birth {
            entry,
            before_in_list,
        } = birth;
        let said = |field: &str| entry.details.get(field);
        let text = |field: &str| said(field).and_then(Value::as_str).map(str::to_owned);
        let file_id = text("file_id");
        Self {
            action: entry.action.clone(),
            ordinal: row.ordinal,
            offset: row.pattern_offset,
            pattern: said("pattern").cloned(),
            generator_version: said("generator_version").and_then(Value::as_u64),
            number_in_list: file_id.as_ref().map(|_| before_in_list.saturating_add(1)),
            file_id,
            filename: text("filename"),
            sha256: text("sha256"),
            line,
            source_campaign_id: text("source"),
            run,
            recorded: entry.into(),
        }
    }
}

/// One thing that was found out about a domain.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DomainHistoryEntry {
    /// Its place in the domain's stream, from 1; 0 in a download for how the domain came.
    pub(in crate::http) sequence: u64,
    /// Its place in the log; absent for the moment between its commit and its sequencing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) position: Option<u64>,
    /// When it was recorded.
    pub(in crate::http) timestamp: DateTime<Utc>,
    /// What happened, as the event is called.
    pub(in crate::http) action: String,
    /// Who found it out.
    pub(in crate::http) actor: String,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub(in crate::http) run_id: Option<RunId>,
    /// How the run began, and on whose command; absent for the moments that the audit trail may be behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) run: Option<DomainRun>,
    /// Everything that was found, as the event says it but for scores, which are from 0 to 100 here as everywhere:
    /// `domainScore` of `Scored` and `leadScore` of `LeadDecided`. What a score is made of stays from 0 to 1.
    #[schema(value_type = Object)]
    pub(in crate::http) details: Value,
}

impl DomainHistoryEntry {
    /// Makes the view of an event, without its run.
    ///
    /// # Errors
    /// When the event is no JSON.
    pub(in crate::http) fn of(stored: &StreamEvent) -> Result<Self, event_store::Error> {
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
                .and_then(|run| run.as_str()?.parse().ok()),
            run: None,
            details,
        })
    }

    /// Tells how a domain came as the first line of a download.
    pub(in crate::http) fn of_origin(origin: &DomainOrigin) -> Self {
        Self {
            sequence: 0,
            position: u64::try_from(origin.recorded.position).ok(),
            timestamp: origin.recorded.timestamp,
            action: origin.action.clone(),
            actor: origin.recorded.actor.clone(),
            run_id: origin.run.as_ref().map(|run| run.run_id),
            run: origin.run.clone(),
            details: serde_json::to_value(origin).unwrap_or_else(|_| json!({})),
        }
    }
}

impl Line for DomainHistoryEntry {
    const HEADINGS: &'static [&'static str] = &[
        "sequence",
        "position",
        "timestamp",
        "action",
        "actor",
        "runId",
        "phase",
        "runNumber",
        "commandedBy",
        "details",
    ];

    fn cells(&self) -> Vec<String> {
        let run = self.run.as_ref();
        let commanded = run.and_then(|run| run.commanded.as_ref());
        vec![
            self.sequence.to_string(),
            self.position
                .map(|position| position.to_string())
                .unwrap_or_default(),
            cell_of_time(self.timestamp),
            self.action.clone(),
            self.actor.clone(),
            self.run_id.map(|run| run.to_string()).unwrap_or_default(),
            run.map(|run| run.phase.clone()).unwrap_or_default(),
            run.map(|run| run.run_number.to_string())
                .unwrap_or_default(),
            commanded.map(|deed| deed.actor.clone()).unwrap_or_default(),
            self.details.to_string(),
        ]
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
