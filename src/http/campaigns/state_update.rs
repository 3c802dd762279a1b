//! The state of a campaign, written: commands in disguise.

use std::fmt;

use aggregates::{
    campaign::{
        ChangeDetails, ChangeMode, Command, Event, Mode, PausePhase, Reconfigure, ResumePhase,
        Several, Status, Stop,
    },
    ids::CampaignId,
};
use projections::campaigns::Campaign;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::{after, current},
    update::phases_of,
    views::CampaignState,
};
use crate::{
    commands::{Done, start::Wanted},
    http::{
        Answer, Caller, Error, IfMatch, Json, Path, State, error::ControlConflict,
        refusals::Refusal as _, vocabulary,
    },
};

/// The state that a campaign should have; absent fields stay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CampaignStateUpdate {
    /// How it should stand: `running` starts or resumes it, `paused` pauses it, `cancelled` stops it.
    #[schema(value_type = Option<vocabulary::CampaignStateEnum>)]
    current_state: Option<Wish>,
    /// How it should go from phase to phase.
    #[schema(value_type = Option<vocabulary::CampaignModeEnum>)]
    mode: Option<Mode>,
    /// The new configuration object; the phases that it speaks of are configured anew.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    configuration: Option<Map<String, Value>>,
    /// The version that was seen; at another one nothing changes, and the answer is 409.
    version: Option<i64>,
}

/// How a campaign can be asked to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    Draft,
    Running,
    Paused,
    Completed,
    Failed,
    Cancelled,
    Archived,
}

impl Wish {
    const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Archived => "archived",
        }
    }
}

/// What a wish comes to.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a request; boxing would only blur it"
)]
enum Way {
    /// The campaign stands so already.
    There,
    /// The phase that is due starts.
    Start,
    /// A command leads there.
    By(Command),
}

/// Changes how a campaign stands, its mode or its configuration: all of it, or nothing where the rules refuse a part.
#[utoipa::path(
    put, path = "/campaigns/{campaignId}/state", tag = "campaigns", request_body = CampaignStateUpdate,
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignState), (status = 404), (status = 409))
)]
pub(super) async fn update(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    Json(request): Json<CampaignStateUpdate>,
) -> Result<Answer<CampaignState>, Error> {
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => decide(&state, &caller, id.into(), request, expected).await?,
    };
    let campaign = after(&state, &done).await?.campaign;
    Ok(Answer::ok((&campaign).into())
        .version(done.version)
        .after(&done))
}

/// Stops a campaign: the run under way, and whatever would have followed by itself.
#[utoipa::path(
    delete, path = "/campaigns/{campaignId}/state", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 404), (status = 409))
)]
pub(super) async fn stop(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<()>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let done = access::execute(&state, &caller, id, Command::Stop(Stop {}), expected).await?;
    Ok(Answer::no_content().after(&done))
}

async fn decide(
    state: &State,
    caller: &Caller,
    id: CampaignId,
    request: CampaignStateUpdate,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let campaign = current(state, caller, id).await?;
    at_version(&campaign, request.version)?;
    let seen = request.version.and_then(|seen| u64::try_from(seen).ok());
    let expected = expected.or(seen);
    let mut commands = Vec::new();
    let new = request.configuration.map(Value::Object);
    if let Some(configuration) = new.filter(|new| *new != campaign.configuration) {
        let phases = phases_of(state, &campaign, &configuration).await?;
        commands.push(Command::Reconfigure(Reconfigure {
            details: ChangeDetails {
                configuration: Some(configuration),
                ..ChangeDetails::default()
            },
            phases,
            only_pending: false,
        }));
    }
    let reconfigures = !commands.is_empty();
    if let Some(mode) = request.mode {
        commands.push(Command::ChangeMode(ChangeMode { mode }));
    }
    match request.current_state.map(|wish| way(&campaign, wish)) {
        None => {}
        Some(way) => match way? {
            Way::There => {}
            Way::By(command) => commands.push(command),
            Way::Start if reconfigures => {
                return Err(Error::unprocessable(
                    "configuration",
                    "a run starts with what was configured before: change the configuration first, then the state",
                ));
            }
            Way::Start => {
                let wanted = |campaign: &aggregates::campaign::Campaign| {
                    let phase = campaign
                        .due_phase()
                        .ok_or(crate::commands::start::Error::NothingDue)?;
                    Ok(Wanted {
                        before: commands.clone(),
                        ..Wanted::start(campaign, phase)?
                    })
                };
                let begun = state.app.begin_run(id, &caller.metadata, expected, wanted);
                return Ok(begun.await?.done);
            }
        },
    }
    let command = Command::Several(Several { commands });
    let done = access::execute(state, caller, id, command, expected).await;
    done.map_err(|error| match error {
        // It moved after it was read, and the version is the body's.
        Error::PreconditionFailed { expected, actual } if request.version.is_some() => {
            version_mismatch(actual, expected)
        }
        error => error,
    })
}

fn version_mismatch(actual: impl fmt::Display, seen: impl fmt::Display) -> Error {
    Error::Conflict {
        code: "VERSION_MISMATCH",
        message: format!("the campaign is at version {actual}, version names {seen}"),
    }
}

/// Refuses a change of another version than the campaign's.
fn at_version(campaign: &Campaign, seen: Option<i64>) -> Result<(), Error> {
    let actual = campaign.version;
    match seen {
        Some(seen) if seen != actual => Err(version_mismatch(actual, seen)),
        _ => Ok(()),
    }
}

/// Finds the way from where a campaign stands to where it should.
fn way(campaign: &Campaign, wish: Wish) -> Result<Way, Error> {
    let status = campaign.status();
    if status.name() == wish.name() {
        return Ok(Way::There);
    }
    let phase = || {
        let active = campaign.aggregate().active_phase();
        active.ok_or_else(|| aggregates::campaign::Error::NothingUnderWay.into_http())
    };
    let expected = None;
    match (status, wish) {
        (Status::Draft | Status::Failed | Status::Cancelled, Wish::Running) => Ok(Way::Start),
        (Status::Paused, Wish::Running) => Ok(Way::By(Command::ResumePhase(ResumePhase {
            phase: phase()?,
            expected,
        }))),
        (Status::Running, Wish::Paused) => Ok(Way::By(Command::PausePhase(PausePhase {
            phase: phase()?,
            expected,
        }))),
        (Status::Running | Status::Paused, Wish::Cancelled) => Ok(Way::By(Command::Stop(Stop {}))),
        _ => Err(Error::Control(Box::new(ControlConflict::new(
            "INVALID_PHASE_TRANSITION",
            status.name(),
            wish.name(),
            format!(
                "no command makes a campaign {} that is {}",
                wish.name(),
                status.name()
            ),
        )))),
    }
}
