//! Starting a phase: the one that is named, or the one that is due.

use aggregates::campaign::{Phase, PhaseState};
use uuid::Uuid;

use super::{access, control::answer, views::PhaseStatusResponse};
use crate::{
    commands::start,
    http::{Answer, Caller, Error, IfMatch, Path, State, error::ControlConflict, vocabulary},
};

/// Starts a run of a phase; a phase that is running stays as it is.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/{phase}/start", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen"), ("phase" = inline(vocabulary::PhaseInPath), Path)),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn start(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let phase = access::phase(&phase)?;
    run(&state, &caller, campaign_id.0, Some(phase), expected).await
}

/// Starts the phase that is due: the first that has not completed.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/start", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn start_next(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    run(&state, &caller, campaign_id.0, None, expected).await
}

async fn run(
    state: &State,
    caller: &Caller,
    id: Uuid,
    phase: Option<Phase>,
    expected: Option<u64>,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let started = state
        .app
        .start_phase(id.into(), phase, &caller.metadata, expected)
        .await;
    let (phase, done) = started?;
    answer(state, phase, &done).await
}

impl From<start::Error> for Error {
    fn from(error: start::Error) -> Self {
        let message = error.to_string();
        match error {
            start::Error::Refused(refused) => refused.into(),
            start::Error::Pin(refused) => refused.into(),
            start::Error::NothingDue => Self::Control(Box::new(ControlConflict::new(
                "NO_CONTROL_PHASE",
                PhaseState::Completed.name(),
                "start",
                message,
            ))),
        }
    }
}
