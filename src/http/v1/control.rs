//! Starting, pausing, resuming and cancelling a typed campaign as a whole.

use std::time::Duration;

use aggregates::{
    campaign::{self, Campaign, Command, PausePhase, Phase, ResumePhase, Stop},
    ids::CampaignId,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{access, view::TypedCampaign};
use crate::http::{
    Answer, Caller, Error, IfMatch, Path, State, campaigns::execute, refusals::Refusal as _,
    vocabulary,
};

/// How long a pause waits for the phase that is about to begin, and between two looks.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// Starts the phase that is due; those after it follow by themselves. A campaign that is under way stays as it is.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/start", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 409))
)]
pub(super) async fn start(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<TypedCampaign>, Error> {
    let id = find(&state, &caller, &campaign_type, id).await?;
    let started = state
        .app
        .start_phase(id, None, &caller.metadata, expected)
        .await;
    let (_, done) = started?;
    access::answer(&state, &done, false).await
}

/// Pauses the campaign: no new work is handed out, what is under way finishes and counts.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/pause", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 409))
)]
pub(super) async fn pause(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<TypedCampaign>, Error> {
    let id = find(&state, &caller, &campaign_type, id).await?;
    let command = |phase| {
        Command::PausePhase(PausePhase {
            phase,
            expected: None,
        })
    };
    control(&state, &caller, id, expected, command).await
}

/// Resumes the campaign.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/resume", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 409))
)]
pub(super) async fn resume(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<TypedCampaign>, Error> {
    let id = find(&state, &caller, &campaign_type, id).await?;
    let command = |phase| {
        Command::ResumePhase(ResumePhase {
            phase,
            expected: None,
        })
    };
    control(&state, &caller, id, expected, command).await
}

/// Cancels the campaign: the run under way ends, what was recorded stays, results that come late are refused.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/cancel", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 409))
)]
pub(super) async fn cancel(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<TypedCampaign>, Error> {
    let id = find(&state, &caller, &campaign_type, id).await?;
    let done = execute(&state, &caller, id, Command::Stop(Stop {}), expected).await?;
    access::answer(&state, &done, false).await
}

async fn find(
    state: &State,
    caller: &Caller,
    campaign_type: &str,
    id: Uuid,
) -> Result<CampaignId, Error> {
    let campaign_type = access::campaign_type(campaign_type)?;
    let campaign = access::current(state, caller, (campaign_type, id)).await?;
    Ok(campaign.campaign_id)
}

/// Gives a command about the phase that is under way.
async fn control(
    state: &State,
    caller: &Caller,
    id: CampaignId,
    expected: Option<u64>,
    command: impl Fn(Phase) -> Command,
) -> Result<Answer<TypedCampaign>, Error> {
    let repeated = state.app.repeated::<Campaign>(&caller.metadata).await?;
    let done = match repeated {
        Some(done) => done,
        None => loop {
            let phase = phase_under_way(state, id).await?;
            match execute(state, caller, id, command(phase), expected).await {
                // The phase completed in between, and the next one has begun or will.
                Err(Error::Control(_)) if moved_on(state, id, phase).await? => {}
                done => break done?,
            }
        },
    };
    access::answer(state, &done, false).await
}

/// Finds the phase that is under way; between two phases the one that is about to begin.
async fn phase_under_way(state: &State, id: CampaignId) -> Result<Phase, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (campaign, _) = load(state, id).await?;
        if let Some(phase) = campaign.active_phase() {
            return Ok(phase);
        }
        // What cannot begin by itself will not begin while somebody waits for it.
        let about_to_begin = campaign
            .auto_start_due()
            .is_some_and(|due| campaign.phase(due).refusal().is_none());
        if !about_to_begin || Instant::now() >= deadline {
            return Err(campaign::Error::NothingUnderWay.into_http());
        }
        sleep(LOOK).await;
    }
}

async fn moved_on(state: &State, id: CampaignId, phase: Phase) -> Result<bool, Error> {
    let (campaign, _) = load(state, id).await?;
    let other = campaign
        .active_phase()
        .is_some_and(|active| active != phase);
    Ok(other || campaign.auto_start_due().is_some())
}

async fn load(state: &State, id: CampaignId) -> Result<(Campaign, u64), Error> {
    let log = state.app.database.log();
    Ok(log.load::<Campaign>(&id.to_string()).await?)
}
