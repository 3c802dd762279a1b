//! The execution of a phase, written: commands in disguise.

use aggregates::{
    campaign::{
        self, Action, Command, ConfigurePhase, Event, PausePhase, Phase, PhaseState, ResumePhase,
        Several, StopPhase,
    },
    ids::CampaignId,
};
use chrono::{DateTime, Utc};
use projections::campaigns::Overview;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::{after, led_on},
    configure::config_of,
    settings::PhaseConfigurationRequest,
    views::PhaseExecution,
};
use crate::{
    commands::{Done, start::Wanted},
    http::{Answer, Caller, Error, IfMatch, Json, Path, State, refusals::Refusal as _, vocabulary},
};

/// How the execution of a phase should be; absent fields stay. What is computed can be sent back as it was answered, and
/// not be changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PhaseExecutionUpdate {
    /// Where the phase should stand: `in_progress` starts or resumes it, `paused` pauses it, `failed` stops it.
    #[schema(value_type = Option<vocabulary::ExecutionStatusEnum>)]
    status: Option<String>,
    /// The settings of the next run, as `configure` takes them.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    configuration: Option<Map<String, Value>>,
    /// Computed: when the run began.
    started_at: Option<DateTime<Utc>>,
    /// Computed: when it completed.
    completed_at: Option<DateTime<Utc>>,
    /// Computed: since when it is paused.
    paused_at: Option<DateTime<Utc>>,
    /// Computed: when it failed or was stopped.
    failed_at: Option<DateTime<Utc>>,
    /// Computed: 0 to 100.
    progress_percentage: Option<f64>,
    /// Computed: items that it works on.
    total_items: Option<i64>,
    /// Computed: items that it is done with.
    processed_items: Option<i64>,
    /// Computed: items that came out well.
    successful_items: Option<i64>,
    /// Computed: items that did not.
    failed_items: Option<i64>,
    /// Computed: why the run ended early.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    error_details: Option<Map<String, Value>>,
    /// Computed: what came of its items.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    metrics: Option<Map<String, Value>>,
}

/// Changes where a phase stands or its settings: all of it, or nothing where the rules refuse a part.
#[utoipa::path(
    put, path = "/campaigns/{campaignId}/phase-executions/{phaseType}", tag = "campaigns",
    request_body = PhaseExecutionUpdate,
    params(("campaignId" = Uuid, Path), ("phaseType" = inline(vocabulary::PhaseInPath), Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = PhaseExecution), (status = 404), (status = 409))
)]
pub(super) async fn update(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    IfMatch(expected): IfMatch,
    Json(request): Json<PhaseExecutionUpdate>,
) -> Result<Answer<PhaseExecution>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let phase = phase_type(&phase)?;
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => decide(&state, &caller, (id, phase), request, expected).await?,
    };
    let body = PhaseExecution::of(&after(&state, &done).await?, phase);
    Ok(Answer::ok(body).version(done.version).after(&done))
}

/// Stops the run of a phase: what was recorded stays, results that come late are refused.
#[utoipa::path(
    delete, path = "/campaigns/{campaignId}/phase-executions/{phaseType}", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("phaseType" = inline(vocabulary::PhaseInPath), Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 404), (status = 409))
)]
pub(super) async fn stop(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<()>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let phase = phase_type(&phase)?;
    let command = Command::StopPhase(StopPhase { phase });
    let done = access::execute(&state, &caller, id, command, expected).await?;
    Ok(Answer::no_content().after(&done))
}

fn phase_type(text: &str) -> Result<Phase, Error> {
    text.parse().map_err(|error| Error::bad("phaseType", error))
}

async fn decide(
    state: &State,
    caller: &Caller,
    (id, phase): (CampaignId, Phase),
    request: PhaseExecutionUpdate,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let overview = led_on(state, id, None).await?.ok_or(access::MISSING)?;
    request.changes_nothing_computed(&PhaseExecution::of(&overview, phase))?;
    let wish = request.status.as_deref().map(str::parse::<PhaseState>);
    let wish = wish
        .transpose()
        .map_err(|error| Error::bad("status", error))?;
    let mut commands = Vec::new();
    if let Some(configuration) = request.configuration {
        let config = configured(state, &overview, phase, configuration).await?;
        commands.extend(config);
    }
    match wish.map_or(Ok(Way::There), |wish| way(&overview, phase, wish))? {
        Way::There => {}
        Way::By(command) => commands.push(command),
        Way::Start if !commands.is_empty() => {
            return Err(Error::unprocessable(
                "configuration",
                "a run starts with what was configured before: change the configuration first, then the status",
            ));
        }
        Way::Start => {
            let wanted = |campaign: &campaign::Campaign| Wanted::start(campaign, phase);
            let begun = state.app.begin_run(id, &caller.metadata, expected, wanted);
            return Ok(begun.await?.done);
        }
    }
    let command = Command::Several(Several { commands });
    access::execute(state, caller, id, command, expected).await
}

/// Makes the command for settings that are not those that the phase has.
async fn configured(
    state: &State,
    overview: &Overview,
    phase: Phase,
    configuration: Map<String, Value>,
) -> Result<Option<Command>, Error> {
    let shown = PhaseExecution::of(overview, phase).configuration;
    if shown.is_some_and(|shown| shown.as_object() == Some(&configuration)) {
        return Ok(None);
    }
    let request = PhaseConfigurationRequest {
        configuration,
        persona_ids: None,
        proxy_pool_id: None,
        keyword_set_ids: None,
    };
    let config = config_of(state, &overview.campaign, phase, request).await?;
    Ok(Some(Command::ConfigurePhase(ConfigurePhase { config })))
}

/// What a wish comes to.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a request; boxing would only blur it"
)]
enum Way {
    /// The phase stands so already.
    There,
    /// A run of it starts.
    Start,
    /// A command leads there.
    By(Command),
}

/// Finds the way from where a phase stands to where it should.
fn way(overview: &Overview, phase: Phase, wish: PhaseState) -> Result<Way, Error> {
    let current = overview.campaign.phase(phase).state;
    let expected = None;
    let (action, way) = match wish {
        wish if wish == current => return Ok(Way::There),
        PhaseState::Running if current == PhaseState::Paused => {
            return Ok(Way::By(Command::ResumePhase(ResumePhase {
                phase,
                expected,
            })));
        }
        PhaseState::Running => return Ok(Way::Start),
        PhaseState::Paused => (
            Action::Pause,
            Some(Command::PausePhase(PausePhase { phase, expected })),
        ),
        PhaseState::Failed => (Action::Stop, Some(Command::StopPhase(StopPhase { phase }))),
        PhaseState::Completed => (Action::Complete, None),
        PhaseState::NotStarted | PhaseState::Configured => (Action::Configure, None),
    };
    way.map(Way::By).ok_or_else(|| {
        let refused = campaign::Error::InvalidTransition {
            phase,
            current,
            action,
        };
        refused.into_http()
    })
}

impl PhaseExecutionUpdate {
    /// Refuses values of computed fields that are not those that they have.
    fn changes_nothing_computed(&self, shown: &PhaseExecution) -> Result<(), Error> {
        let items = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        same(
            "startedAt",
            self.started_at.as_ref(),
            shown.started_at.as_ref(),
        )?;
        same(
            "completedAt",
            self.completed_at.as_ref(),
            shown.completed_at.as_ref(),
        )?;
        same(
            "pausedAt",
            self.paused_at.as_ref(),
            shown.paused_at.as_ref(),
        )?;
        same(
            "failedAt",
            self.failed_at.as_ref(),
            shown.failed_at.as_ref(),
        )?;
        let percentage = Some(&shown.progress_percentage);
        same(
            "progressPercentage",
            self.progress_percentage.as_ref(),
            percentage,
        )?;
        let counts = [
            ("totalItems", self.total_items, shown.total_items),
            (
                "processedItems",
                self.processed_items,
                shown.processed_items,
            ),
            (
                "successfulItems",
                self.successful_items,
                shown.successful_items,
            ),
            ("failedItems", self.failed_items, shown.failed_items),
        ];
        for (field, given, shown) in counts {
            same(field, given.as_ref(), Some(&items(shown)))?;
        }
        let details = as_object(shown.error_details.as_ref());
        same(
            "errorDetails",
            self.error_details.as_ref(),
            details.as_ref(),
        )?;
        let metrics = as_object(shown.metrics.as_ref());
        same("metrics", self.metrics.as_ref(), metrics.as_ref())
    }
}

fn as_object(shown: Option<&impl Serialize>) -> Option<Map<String, Value>> {
    match serde_json::to_value(shown?) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

fn same<T: PartialEq>(field: &str, given: Option<&T>, shown: Option<&T>) -> Result<(), Error> {
    match given {
        Some(given) if Some(given) != shown => Err(Error::Conflict {
            code: "COMPUTED_FIELD",
            message: format!("{field} is computed, and is not what the request says"),
        }),
        _ => Ok(()),
    }
}
