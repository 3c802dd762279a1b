//! Pausing, resuming and stopping. The log alone decides, so the answer does not wait for any worker.

use aggregates::campaign::{
    Command, Event, PausePhase, Phase, PhaseState, ResumePhase, Stop, StopPhase,
};
use chrono::{DateTime, Utc};
use projections::campaigns::Overview;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{access, after::after, views::PhaseStatusResponse};
use crate::{
    commands::Done,
    http::{Answer, Caller, Error, IfMatch, Path, Query, State, vocabulary},
};

/// What the caller believes.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Expectation {
    /// The state that the phase must be in; in another one nothing happens and the answer is 409.
    #[param(value_type = Option<vocabulary::ExecutionStatusEnum>, inline)]
    expected_state: Option<String>,
}

/// What was stopped.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignStopResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// The phase whose run ended.
    #[schema(value_type = vocabulary::CampaignPhaseEnum)]
    stopped_phase: &'static str,
    /// Where it stands now.
    phase_status: PhaseStatusResponse,
    /// In a sentence.
    message: String,
    /// When.
    timestamp: DateTime<Utc>,
}

impl CampaignStopResponse {
    fn of(overview: &Overview, stopped: Phase) -> Self {
        Self {
            campaign_id: overview.campaign.campaign_id.0,
            stopped_phase: stopped.name(),
            phase_status: PhaseStatusResponse::of(overview, stopped),
            message: format!("{stopped} was stopped"),
            timestamp: overview.campaign.updated_at,
        }
    }
}

impl Expectation {
    fn state(&self) -> Result<Option<PhaseState>, Error> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|error| Error::bad("expected_state", error))
        };
        self.expected_state.as_ref().map(parse).transpose()
    }
}

/// Pauses the run of a phase: no new work is handed out, what is under way finishes and counts.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/{phase}/pause", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen"), ("phase" = inline(vocabulary::PhaseInPath), Path), Expectation),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn pause(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    Query(expectation): Query<Expectation>,
    IfMatch(version): IfMatch,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let phase = access::phase(&phase)?;
    let expected = expectation.state()?;
    let command = Command::PausePhase(PausePhase { phase, expected });
    let done = access::execute(&state, &caller, id, command, version).await?;
    answer(&state, phase, &done).await
}

/// Resumes the run of a phase.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/{phase}/resume", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen"), ("phase" = inline(vocabulary::PhaseInPath), Path), Expectation),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn resume(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    Query(expectation): Query<Expectation>,
    IfMatch(version): IfMatch,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let phase = access::phase(&phase)?;
    let expected = expectation.state()?;
    let command = Command::ResumePhase(ResumePhase { phase, expected });
    let done = access::execute(&state, &caller, id, command, version).await?;
    answer(&state, phase, &done).await
}

/// Stops the run of a phase: what was recorded stays, results that come late are refused.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/{phase}/stop", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen"), ("phase" = inline(vocabulary::PhaseInPath), Path)),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn stop(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    IfMatch(version): IfMatch,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let phase = access::phase(&phase)?;
    let command = Command::StopPhase(StopPhase { phase });
    let done = access::execute(&state, &caller, id, command, version).await?;
    answer(&state, phase, &done).await
}

/// Stops a campaign: the run under way, and whatever would have followed by itself.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/stop", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignStopResponse), (status = 404), (status = 409))
)]
pub(super) async fn stop_campaign(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(version): IfMatch,
) -> Result<Answer<CampaignStopResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let done = access::execute(&state, &caller, id, Command::Stop(Stop {}), version).await?;
    let overview = after(&state, &done).await?;
    let body = CampaignStopResponse::of(&overview, stopped_phase(&overview, &done));
    Ok(Answer::ok(body).version(done.version).after(&done))
}

/// Finds the phase whose run a stop ended; a stop that found the campaign stopped already ended it earlier.
fn stopped_phase(overview: &Overview, done: &Done<Event>) -> Phase {
    let failed_now = done.events.iter().find_map(|event| match event {
        Event::PhaseFailed { phase, .. } => Some(*phase),
        _ => None,
    });
    let failed_before = || {
        let mut rows = overview.campaign.phases.iter();
        rows.find(|row| row.state == PhaseState::Failed)
            .map(|row| row.phase)
    };
    failed_now
        .or_else(failed_before)
        .unwrap_or_else(|| overview.campaign.current_phase())
}

/// Answers a command on a phase with where the phase stands.
pub(super) async fn answer(
    state: &State,
    phase: Phase,
    done: &Done<Event>,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let body = PhaseStatusResponse::of(&after(state, done).await?, phase);
    Ok(Answer::ok(body).version(done.version).after(done))
}
