//! Configuring a phase.

use aggregates::{
    campaign::{Command, ConfigurePhase, Event, Phase, PhaseConfig},
    ids::CampaignId,
};
use projections::campaigns::Campaign;
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
    let config = config_of(state, &campaign, phase, request).await?;
    let command = Command::ConfigurePhase(ConfigurePhase { config });
    access::execute(state, caller, id, command, expected).await
}

/// Reads the configuration of a campaign's phase, and checks that everything that it names may be used.
pub(super) async fn config_of(
    state: &State,
    campaign: &Campaign,
    phase: Phase,
    request: PhaseConfigurationRequest,
) -> Result<PhaseConfig, Error> {
    access::may_configure(campaign, "configuration")?;
    let database = &state.app.database;
    let most = campaign
        .max_domains
        .and_then(|most| u64::try_from(most).ok());
    let config = settings::phase_config(database, campaign.owner, most, phase, request).await?;
    let known = campaign.aggregate();
    pin::check(database, &known, config.clone(), &state.app.defaults)
        .await
        .map_err(refused)?;
    Ok(config)
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
