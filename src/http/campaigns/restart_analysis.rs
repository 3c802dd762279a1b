//! Running the analysis anew.

use aggregates::campaign::{Campaign, Command, Phase, RestartAnalysis};
use chrono::{DateTime, Utc};
use projections::campaigns::Overview;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::after,
    views::{IdleState, PhaseStatusResponse},
};
use crate::{
    commands::start::{self, Begun, Wanted},
    http::{Answer, Caller, Error, IfMatch, Path, State},
};

/// The analysis that runs anew.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnalysisRestartResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// In a sentence.
    message: &'static str,
    /// Where the analysis stood before; absent where it was running already.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_state: Option<IdleState>,
    /// Where it stands now.
    current_state: RestartedState,
    /// The same in full.
    phase_status: PhaseStatusResponse,
    /// The analysis was running already, and nothing was changed.
    idempotent: bool,
    /// When the campaign last changed.
    timestamp: DateTime<Utc>,
}

/// Where an analysis stands that was restarted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RestartedState {
    /// Its run is under way.
    Running,
    /// Its run will begin; this server begins it at once.
    #[expect(dead_code, reason = "a name that existing clients know")]
    Queued,
}

/// Runs the analysis anew on what validation and extraction found, and the decision about leads after it where it was
/// made before. A paused run of it ends for that; one that is running stays as it is.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/analysis/restart", tag = "campaigns",
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = AnalysisRestartResponse), (status = 404), (status = 409))
)]
pub(super) async fn restart_analysis(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<AnalysisRestartResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let begun = state
        .app
        .begin_run(id, &caller.metadata, expected, wanted)
        .await?;
    let overview = after(&state, &begun.done).await?;
    let body = AnalysisRestartResponse::of(&overview, &begun);
    Ok(Answer::ok(body)
        .version(begun.done.version)
        .after(&begun.done))
}

fn wanted(campaign: &Campaign) -> Result<Wanted, start::Error> {
    campaign.can_restart_analysis()?;
    Ok(Wanted {
        phase: Phase::Analysis,
        config: None,
        before: Vec::new(),
        command: |run_id, pinned| Command::RestartAnalysis(RestartAnalysis { run_id, pinned }),
    })
}

impl AnalysisRestartResponse {
    fn of(overview: &Overview, begun: &Begun) -> Self {
        let idempotent = begun.done.events.is_empty();
        Self {
            campaign_id: overview.campaign.campaign_id.0,
            message: match idempotent {
                true => "the analysis is running already",
                false => "the analysis runs anew",
            },
            previous_state: IdleState::of(begun.before).filter(|_| !idempotent),
            current_state: RestartedState::Running,
            phase_status: PhaseStatusResponse::of(overview, Phase::Analysis),
            idempotent,
            timestamp: overview.campaign.updated_at,
        }
    }
}
