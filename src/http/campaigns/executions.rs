//! Phases as executions.

use uuid::Uuid;

use super::{
    access,
    views::{CampaignStateWithExecutions, PhaseExecution},
};
use crate::http::{Answer, Caller, Error, Path, State, vocabulary};

/// Answers the state of a campaign with the executions of all phases.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/phase-executions", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignStateWithExecutions), (status = 404))
)]
pub(super) async fn executions(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignStateWithExecutions>, Error> {
    let overview = access::overview(&state, &caller, id).await?;
    Ok(Answer::ok((&overview).into()).row_version(overview.campaign.version))
}

/// Answers the last execution of a phase, or the phase before its first one.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/phase-executions/{phaseType}", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("phaseType" = inline(vocabulary::PhaseInPath), Path)),
    responses((status = 200, body = PhaseExecution), (status = 404))
)]
pub(super) async fn execution(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
) -> Result<Answer<PhaseExecution>, Error> {
    let overview = access::overview(&state, &caller, id).await?;
    let phase = phase
        .parse()
        .map_err(|error| Error::bad("phaseType", error))?;
    Ok(Answer::ok(PhaseExecution::of(&overview, phase)).row_version(overview.campaign.version))
}
