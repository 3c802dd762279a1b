//! Running everything after the names anew.

use aggregates::{
    campaign::{Campaign, Command, Event, Phase, Restart},
    ids::CampaignId,
};
use projections::campaigns::Overview;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::after,
    views::{CampaignRestartPhaseEnum, PhaseStatusResponse},
};
use crate::{
    commands::{
        Done, pin,
        start::{self, Begun, Wanted},
    },
    http::{Answer, Caller, Error, IfMatch, Path, State, vocabulary},
};

/// What runs anew.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignRestartResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// In a sentence.
    message: String,
    /// The phases that run anew: the first has begun, each of the others follows the one before it. None where validation
    /// was running already.
    phases_restarted: Vec<CampaignRestartPhaseEnum>,
    /// The phases that do not: discovery, because names do not change, and step by step those that never ran.
    #[schema(value_type = Vec<vocabulary::CampaignPhaseEnum>)]
    skipped_phases: Vec<&'static str>,
    /// The phases that will not start when it is their turn unless something is put right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restart_errors: Vec<RestartError>,
    /// Where the phases stand that run anew.
    phase_statuses: Vec<PhaseStatusResponse>,
}

/// Why a phase will not start when it is its turn.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RestartError {
    /// Which phase.
    phase: CampaignRestartPhaseEnum,
    /// Why.
    message: String,
}

/// Runs every phase after the names anew; earlier results stay in the history. Refused while another phase has a run
/// under way. A validation that is running stays as it is: the answer is that nothing was restarted.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/restart", tag = "campaigns",
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignRestartResponse), (status = 404), (status = 409))
)]
pub(super) async fn restart(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<CampaignRestartResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let app = &state.app;
    let begun = app.begin_run(id, &caller.metadata, expected, wanted);
    let Begun { done, .. } = begun.await?;
    let overview = after(&state, &done).await?;
    let phases = restarted(&done);
    let errors = obstacles(&state, id, &phases).await?;
    let body = CampaignRestartResponse::of(&overview, &phases, errors);
    Ok(Answer::ok(body).version(done.version).after(&done))
}

fn wanted(campaign: &Campaign) -> Result<Wanted, start::Error> {
    campaign.restarts()?;
    Ok(Wanted {
        phase: Phase::Validation,
        config: None,
        before: Vec::new(),
        command: |run_id, pinned| Command::Restart(Restart { run_id, pinned }),
    })
}

/// Lists the phases that a restart began anew: none where it found validation running.
fn restarted(done: &Done<Event>) -> Vec<Phase> {
    let recorded = done.events.iter().find_map(|event| match event {
        Event::Restarted { phases } => Some(phases.clone()),
        _ => None,
    });
    recorded.unwrap_or_default()
}

/// Finds what will keep phases from starting when it is their turn.
async fn obstacles(
    state: &State,
    id: CampaignId,
    phases: &[Phase],
) -> Result<Vec<RestartError>, Error> {
    let database = &state.app.database;
    let (campaign, _) = database.log().load::<Campaign>(&id.to_string()).await?;
    let mut errors = Vec::new();
    for &phase in phases {
        match pin::pin(database, &campaign, phase, &state.app.defaults).await {
            Ok(_) => {}
            Err(error @ (pin::Error::Log(_) | pin::Error::Busy(_))) => return Err(error.into()),
            Err(refused) => errors.extend(CampaignRestartPhaseEnum::of(phase).map(|phase| {
                let message = refused.to_string();
                RestartError { phase, message }
            })),
        }
    }
    Ok(errors)
}

impl CampaignRestartResponse {
    fn of(overview: &Overview, phases: &[Phase], restart_errors: Vec<RestartError>) -> Self {
        let names: Vec<&str> = phases.iter().map(|phase| phase.name()).collect();
        let all = overview.campaign.phases.iter().map(|row| row.phase);
        let skipped = all.filter(|phase| !phases.contains(phase));
        Self {
            campaign_id: overview.campaign.campaign_id.0,
            message: match names.as_slice() {
                [] => "nothing was restarted: validation is running already".to_owned(),
                names => format!("running anew: {}", names.join(", ")),
            },
            phases_restarted: phases
                .iter()
                .filter_map(|phase| CampaignRestartPhaseEnum::of(*phase))
                .collect(),
            skipped_phases: skipped.map(Phase::name).collect(),
            restart_errors,
            phase_statuses: phases
                .iter()
                .map(|phase| PhaseStatusResponse::of(overview, *phase))
                .collect(),
        }
    }
}
