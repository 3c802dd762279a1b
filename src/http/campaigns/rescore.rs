//! Scoring a campaign anew, or asking what that would change.

use aggregates::{
    campaign::{Campaign, Command, Error as Refused, Phase, PhaseConfig, Pinned, Rescore},
    ids::{CampaignId, ScoringProfileId},
    scoring::Weights,
    scoring_profile::ScoringProfile,
};
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use projections::domains;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::access;
use crate::{
    commands::{
        pin,
        start::{self, Wanted},
    },
    http::{Answer, Caller, Error, IfMatch, OptionalJson, Path, Query, State, owned::Mine},
    work::{WhatIf, what_if},
};

/// What to score with.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RescoreCampaignRequest {
    /// One of the profiles of the campaign's owner, for this run alone; the campaign's own where absent.
    profile_id: Option<Uuid>,
}

/// How to score.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RescoreQuery {
    /// Only answers what would change; nothing is recorded.
    #[serde(default)]
    dry_run: bool,
}

/// What a rescoring would change.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RescorePreview {
    /// The campaign.
    campaign_id: Uuid,
    /// The profile that was asked about; the default weights where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_id: Option<Uuid>,
    /// Domains that have a score.
    scored: u64,
    /// Domains whose score would be another.
    scores_changed: u64,
    /// Leads as they are.
    leads_before: u64,
    /// Leads as they would be.
    leads_after: u64,
    /// Domains that would become leads.
    leads_gained: u64,
    /// Leads that would be none any more.
    leads_lost: u64,
    /// How many leads would change: gained and lost.
    leads_changed: u64,
}

/// Scores a campaign anew as a new run of its analysis, with the profile that is given or its own; the decision about
/// leads follows where it was made before. Earlier scores stay in the history. With `dryRun` only answers how many leads
/// would change.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/rescore", tag = "campaigns", request_body = RescoreCampaignRequest,
    params(("campaignId" = Uuid, Path), RescoreQuery,
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 200, body = RescorePreview), (status = 404), (status = 409))
)]
pub(super) async fn rescore(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(RescoreQuery { dry_run }): Query<RescoreQuery>,
    IfMatch(expected): IfMatch,
    OptionalJson(request): OptionalJson<RescoreCampaignRequest>,
) -> Result<Response, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let scored = domains::counts_of(state.app.database.pool(), id)
        .await?
        .scored;
    let profile = profile_of(&state, &caller, request).await?;
    if dry_run {
        let preview = preview(&state, id, profile, scored).await?;
        return Ok(Answer::ok(preview).into_response());
    }
    let wanted = |campaign: &Campaign| wanted(campaign, profile, scored);
    let app = &state.app;
    let begun = app.begin_run(id, &caller.metadata, expected, wanted);
    let done = begun.await?.done;
    let answer = Answer::no_content().version(done.version);
    Ok(answer.after(&done).into_response())
}

/// Reads which profile is to be used, and finds it among the caller's. Clients that name none send no body, or `{}`.
async fn profile_of(
    state: &State,
    caller: &Caller,
    request: Option<RescoreCampaignRequest>,
) -> Result<Option<ScoringProfileId>, Error> {
    let request = request.unwrap_or_default();
    if let Some(id) = request.profile_id {
        Mine::<ScoringProfile>::find(&state.app, caller, id).await?;
    }
    Ok(request.profile_id.map(ScoringProfileId))
}

fn wanted(
    campaign: &Campaign,
    profile: Option<ScoringProfileId>,
    scored: u64,
) -> Result<Wanted, start::Error> {
    let phase = Phase::Analysis;
    campaign.can_rescore()?;
    if scored == 0 {
        let refused = Refused::RerunRefused {
            phase,
            current: campaign.phase(phase).state(),
            message: "nothing is scored yet",
        };
        return Err(refused.into());
    }
    Ok(Wanted {
        phase,
        before: Vec::new(),
        config: profile.map(|profile| PhaseConfig::Analysis {
            scoring_profile: Some(profile),
        }),
        command: |run_id, pinned| Command::Rescore(Rescore { run_id, pinned }),
    })
}

/// Computes what a rescoring would change, from the same pinned weights and thresholds that its runs would have.
async fn preview(
    state: &State,
    id: CampaignId,
    profile: Option<ScoringProfileId>,
    scored: u64,
) -> Result<RescorePreview, Error> {
    let (database, defaults) = (&state.app.database, &state.app.defaults);
    let (campaign, _) = database.log().load::<Campaign>(&id.to_string()).await?;
    let analysis = match wanted(&campaign, profile, scored)?.config {
        Some(config) => pin::pin_config(database, &campaign, config, defaults).await?,
        None => pin::pin(database, &campaign, Phase::Analysis, defaults).await?,
    };
    let enrichment = pin::pin(database, &campaign, Phase::Enrichment, defaults).await?;
    let (
        Pinned::Analysis {
            scoring_profile,
            weights,
        },
        Pinned::Enrichment { thresholds },
    ) = (analysis, enrichment)
    else {
        return Err(Error::unprocessable("profileId", "is of another phase"));
    };
    let weights = Weights::parse(&weights).map_err(Error::internal)?;
    let what_if = what_if(database.pool(), id, &weights, &thresholds, Utc::now()).await?;
    Ok(RescorePreview::of(id, scoring_profile, what_if))
}

impl RescorePreview {
    fn of(id: CampaignId, profile: Option<ScoringProfileId>, what_if: WhatIf) -> Self {
        Self {
            campaign_id: id.0,
            profile_id: profile.map(|profile| profile.0),
            scored: what_if.scored,
            scores_changed: what_if.scores_changed,
            leads_before: what_if.leads,
            leads_after: (what_if.leads + what_if.gained).saturating_sub(what_if.lost),
            leads_gained: what_if.gained,
            leads_lost: what_if.lost,
            leads_changed: what_if.gained + what_if.lost,
        }
    }
}
