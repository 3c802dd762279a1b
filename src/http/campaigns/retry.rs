//! Retrying the domains that failed.

use aggregates::campaign::{Campaign, Command, Error as Refused, Phase, PhaseState, RetryFailed};
use projections::domains::{self, Counts};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::after,
    views::{CampaignRestartPhaseEnum, PhaseStatusResponse},
};
use crate::{
    commands::start::{self, Begun, Wanted},
    http::{Answer, Caller, Error, IfMatch, Path, State},
};

/// What is retried.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignRetryResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// The phase that the retry begins with; the phases after it follow for the domains that need them.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<CampaignRestartPhaseEnum>,
    /// Where the phase stands.
    phase_status: PhaseStatusResponse,
}

/// Retries the domains that failed, as a new run of the first phase in which some did: checks over DNS that gave no
/// address, names that did not exist among them, and checks over HTTP that gave no page. All other domains keep what was
/// found out about them.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/retry", tag = "campaigns",
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignRetryResponse), (status = 404), (status = 409))
)]
pub(super) async fn retry(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<CampaignRetryResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let counts = domains::counts_of(state.app.database.pool(), id).await?;
    let wanted = |campaign: &Campaign| retry_wanted(campaign, &counts);
    let app = &state.app;
    let begun = app.begin_run(id, &caller.metadata, expected, wanted);
    let Begun { phase, done, .. } = begun.await?;
    let body = CampaignRetryResponse {
        campaign_id: id.0,
        phase: CampaignRestartPhaseEnum::of(phase),
        phase_status: PhaseStatusResponse::of(&after(&state, &done).await?, phase),
    };
    Ok(Answer::ok(body).version(done.version).after(&done))
}

/// Finds the run that retries what failed in a campaign with these counters.
///
/// # Errors
/// Where nothing failed, or a run is under way.
pub(in crate::http) fn retry_wanted(
    campaign: &Campaign,
    counts: &Counts,
) -> Result<Wanted, start::Error> {
    let phase = first_with_failures(campaign, counts).ok_or_else(|| Refused::RerunRefused {
        phase: Phase::Validation,
        current: campaign.phase(Phase::Validation).state(),
        message: "no domain has failed",
    })?;
    campaign.can_retry(phase)?;
    Ok(Wanted {
        phase,
        config: None,
        before: Vec::new(),
        command: |run_id, pinned| Command::RetryFailed(RetryFailed { run_id, pinned }),
    })
}

/// Finds the phase that a retry begins with: the one under way, which has the last word on whether it can be, else the
/// first whose run ended early or in which domains failed.
fn first_with_failures(campaign: &Campaign, counts: &Counts) -> Option<Phase> {
    let over = |phase: &Phase| {
        matches!(
            campaign.phase(*phase).state(),
            PhaseState::Completed | PhaseState::Failed
        )
    };
    campaign.active_phase().or_else(|| {
        let mut phases = Phase::ALL.into_iter().take_while(over);
        phases.find(|phase| {
            campaign.phase(*phase).state() == PhaseState::Failed || failed(*phase, counts) > 0
        })
    })
}

/// Counts the domains that failed in a phase: those that lists show with the status `error` or `timeout`.
fn failed(phase: Phase, counts: &Counts) -> u64 {
    match phase {
        Phase::Validation => counts.dns("error") + counts.dns("timeout"),
        Phase::Extraction => counts.http("error") + counts.http("timeout"),
        Phase::Discovery | Phase::Analysis | Phase::Enrichment => 0,
    }
}
