//! Creating a campaign.

use aggregates::{
    campaign::{
        Campaign, CampaignType, Command, Create, CreateWithNames, Event, ImportDomains, Mode,
        PhaseConfig,
    },
    ids::{CampaignId, FileId, UserId},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{access, after::after, settings, views::CampaignResponse};
use crate::{
    auth::hex,
    commands::{Done, pin},
    http::{Answer, Caller, Error, Json, State, owned::check_description, vocabulary},
};

/// A campaign to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateCampaignRequest {
    /// Its name, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it is for, at most 10,000 characters.
    pub description: Option<String>,
    /// What is known about its phases already; the rest is configured phase by phase.
    #[schema(value_type = Option<settings::CampaignConfiguration>)]
    pub configuration: Option<Value>,
    /// Whether the next phase starts by itself; `step_by_step` where absent.
    #[schema(value_type = Option<vocabulary::CampaignModeEnum>)]
    pub mode: Option<Mode>,
}

/// Creates a campaign. A setting that cannot be honoured is refused, and nothing is created.
#[utoipa::path(
    post, path = "/campaigns", tag = "campaigns", request_body = CreateCampaignRequest,
    responses((status = 201, body = CampaignResponse))
)]
pub(super) async fn create(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Json(request): Json<CreateCampaignRequest>,
) -> Result<Answer<CampaignResponse>, Error> {
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => make(&state, &caller, request).await?,
    };
    let overview = after(&state, &done).await?;
    let body = CampaignResponse::of(&overview.campaign, &overview.counts);
    Ok(Answer::created(body).version(done.version).after(&done))
}

async fn make(
    state: &State,
    caller: &Caller,
    request: CreateCampaignRequest,
) -> Result<Done<Event>, Error> {
    check_description(request.description.as_deref())?;
    let configuration = request.configuration.unwrap_or_else(|| json!({}));
    let planned = settings::plan(&state.app.database, caller.user_id, &configuration).await?;
    check_references(
        state,
        &access::unborn(caller.user_id, CampaignType::Full),
        &planned.phases,
    )
    .await?;
    let create = Create {
        description: request.description,
        mode: request.mode.unwrap_or_default(),
        configuration,
        max_domains: planned.max_domains,
        phases: planned.phases,
        ..Create::new(caller.user_id, request.name)
    };
    let id = CampaignId(Uuid::now_v7());
    let command = match planned.names {
        Some(names) => Command::CreateWithNames(CreateWithNames {
            create,
            import: import(names),
        }),
        None => Command::Create(create),
    };
    access::execute(state, caller, id, command, None).await
}

/// Makes the command that takes listed names in.
pub(in crate::http) fn import(names: Vec<String>) -> ImportDomains {
    let mut digest = Sha256::new();
    for name in &names {
        digest.update(name.as_bytes());
        digest.update(b"\n");
    }
    ImportDomains {
        file_id: FileId(Uuid::now_v7()),
        sha256: hex(&digest.finalize()),
        filename: None,
        lines: Vec::new(),
        names,
    }
}

/// Checks that a campaign may use everything that configurations refer to; what may not be used is named as the
/// configuration object calls it.
pub(super) async fn check_references(
    state: &State,
    campaign: &Campaign,
    configs: &[PhaseConfig],
) -> Result<(), Error> {
    check_each(state, campaign, configs)
        .await
        .map_err(|error| match error {
            pin::Error::Reference { field, message } => {
                let field = match field {
                    "dnsPersonaId" | "httpPersonaId" => "personaIds",
                    other => other,
                };
                Error::unprocessable(format!("configuration.patternConfig.{field}"), message)
            }
            other => other.into(),
        })
}

/// Checks that a campaign of a user's that does not exist yet may use everything that configurations refer to.
///
/// # Errors
/// 422 naming what may not be used.
pub(in crate::http) async fn check_pinned(
    state: &State,
    owner: UserId,
    campaign_type: CampaignType,
    configs: &[PhaseConfig],
) -> Result<(), Error> {
    let campaign = access::unborn(owner, campaign_type);
    Ok(check_each(state, &campaign, configs).await?)
}

async fn check_each(
    state: &State,
    campaign: &Campaign,
    configs: &[PhaseConfig],
) -> Result<(), pin::Error> {
    for config in configs {
        pin::check(
            &state.app.database,
            campaign,
            config.clone(),
            &state.app.defaults,
        )
        .await?;
    }
    Ok(())
}
