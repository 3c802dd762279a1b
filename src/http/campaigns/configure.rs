//! Configuring a phase.

use aggregates::{
    campaign::{Command, ConfigurePhase, Event, Phase},
    ids::CampaignId,
};
use uuid::Uuid;

use super::{
    access,
    after::{after, current},
    settings::{self, PhaseConfigurationRequest},
    views::PhaseStatusResponse,
};
use crate::{
    commands::{Done, pin},
    http::{Answer, Caller, Error, IfMatch, Json, Path, State, vocabulary},
};

/// Configures a phase for its next run.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/phases/{phase}/configure", tag = "campaigns",
    description = include_str!("configure.md"), request_body = PhaseConfigurationRequest,
    params(("campaignId" = Uuid, Path), ("phase" = inline(vocabulary::PhaseInPath), Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = PhaseStatusResponse), (status = 404), (status = 409))
)]
pub(super) async fn configure(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    IfMatch(expected): IfMatch,
    Json(request): Json<PhaseConfigurationRequest>,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let phase = access::phase(&phase)?;
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => decide(&state, &caller, (id.into(), phase), request, expected).await?,
    };
    let body = PhaseStatusResponse::of(&after(&state, &done).await?, phase);
    Ok(Answer::ok(body).version(done.version).after(&done))
}

async fn decide(
    state: &State,
    caller: &Caller,
    (id, phase): (CampaignId, Phase),
    request: PhaseConfigurationRequest,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let campaign = current(state, caller, id).await?;
    let most = campaign
        .max_domains
        .and_then(|most| u64::try_from(most).ok());
    let config =
        settings::phase_config(&state.app.database, caller.user_id, most, phase, request).await?;
    pin::check(
        &state.app.database,
        &campaign.aggregate(),
        config.clone(),
        &state.app.defaults,
    )
    .await
    .map_err(refused)?;
    let command = Command::ConfigurePhase(ConfigurePhase { config });
    access::execute(state, caller, id, command, expected).await
}

/// Names a reference that cannot be used where the request has it.
fn refused(error: pin::Error) -> Error {
    match error {
        pin::Error::Reference { field, message } => {
            let field = match field {
                "dnsPersonaId" | "httpPersonaId" => format!("personaIds.{field}"),
                "scoringProfileId" | "keywords" => format!("configuration.{field}"),
                other => other.to_owned(),
            };
            Error::unprocessable(field, message)
        }
        other => other.into(),
    }
}
