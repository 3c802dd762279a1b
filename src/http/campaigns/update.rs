//! Changing a campaign's details and configuration.

use aggregates::{
    campaign::{ChangeDetails, Command, Event, PhaseConfig, Reconfigure},
    ids::CampaignId,
};
use projections::campaigns;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    after::{after, current},
    create::check_references,
    settings,
    views::CampaignResponse,
};
use crate::{
    commands::Done,
    http::{Answer, Caller, Error, IfMatch, Json, Path, State, owned::check_description},
};

/// What changes; absent fields stay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateCampaignRequest {
    /// The new name, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// The new description, at most 10,000 characters.
    pub description: Option<String>,
    /// The new configuration; the phases that it speaks of are configured anew.
    #[schema(value_type = Option<settings::CampaignConfiguration>)]
    pub configuration: Option<Value>,
}

/// Changes a campaign's name, description or configuration, all of it or nothing.
#[utoipa::path(
    put, path = "/campaigns/{campaignId}", tag = "campaigns", request_body = UpdateCampaignRequest,
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignResponse), (status = 404), (status = 412))
)]
pub(super) async fn update(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    Json(request): Json<UpdateCampaignRequest>,
) -> Result<Answer<CampaignResponse>, Error> {
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => decide(&state, &caller, id.into(), request, expected).await?,
    };
    let overview = after(&state, &done).await?;
    let body = CampaignResponse::of(&overview.campaign, &overview.counts);
    Ok(Answer::ok(body).version(done.version).after(&done))
}

async fn decide(
    state: &State,
    caller: &Caller,
    id: CampaignId,
    request: UpdateCampaignRequest,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let campaign = current(state, caller, id).await?;
    check_description(request.description.as_deref())?;
    let configuration = request
        .configuration
        .filter(|new| *new != campaign.configuration);
    let phases = match &configuration {
        Some(configuration) => phases_of(state, &campaign, configuration).await?,
        None => Vec::new(),
    };
    let command = Command::Reconfigure(Reconfigure {
        details: ChangeDetails {
            name: request.name,
            description: request.description,
            configuration,
            ..ChangeDetails::default()
        },
        phases,
        only_pending: false,
    });
    access::execute(state, caller, id, command, expected).await
}

/// Reads what a new configuration object says about phases; what was settled at creation cannot be changed by it.
pub(super) async fn phases_of(
    state: &State,
    campaign: &campaigns::Campaign,
    configuration: &Value,
) -> Result<Vec<PhaseConfig>, Error> {
    access::may_configure(campaign, "configuration")?;
    let planned = settings::plan(&state.app.database, campaign.owner, configuration).await?;
    let limit = campaign
        .max_domains
        .and_then(|most| u64::try_from(most).ok());
    if planned.max_domains.is_some() && planned.max_domains != limit {
        return Err(Error::unprocessable(
            "configuration.maxDomains",
            "is settled when the campaign is created",
        ));
    }
    if planned.names.is_some() && planned.names != settings::listed_names(&campaign.configuration) {
        return Err(Error::unprocessable(
            "configuration.patternConfig.targetDomains",
            "differs from the names that the campaign was created with: names are added by uploading a list",
        ));
    }
    check_references(state, &campaign.aggregate(), &planned.phases).await?;
    let phases = planned.phases.into_iter();
    let phases = phases.map(|new| match campaign.phase(new.phase()).config {
        Some(kept) => with_what_cannot_be_said(new, kept),
        None => new,
    });
    Ok(phases.collect())
}

/// Keeps of a phase's settings what a configuration object has no words for: whoever writes back an object that he read
/// must not take a pool of proxies away by it, or keywords.
fn with_what_cannot_be_said(new: PhaseConfig, kept: Value) -> PhaseConfig {
    let kept = serde_json::from_value::<PhaseConfig>(kept).ok();
    match (new, kept) {
        (
            PhaseConfig::Validation {
                dns_persona,
                record_types,
            },
            Some(PhaseConfig::Validation {
                record_types: kept, ..
            }),
        ) if record_types.is_empty() => PhaseConfig::Validation {
            dns_persona,
            record_types: kept,
        },
        (
            PhaseConfig::Extraction {
                http_persona,
                dns_persona,
                keyword_sets,
                ..
            },
            Some(PhaseConfig::Extraction {
                proxy_pool,
                keywords,
                ..
            }),
        ) => PhaseConfig::Extraction {
            http_persona,
            dns_persona,
            proxy_pool,
            keyword_sets,
            keywords,
        },
        (
            PhaseConfig::Analysis {
                scoring_profile: None,
            },
            Some(kept @ PhaseConfig::Analysis { .. }),
        ) => kept,
        (new, _) => new,
    }
}
