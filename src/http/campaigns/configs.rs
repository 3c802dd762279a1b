//! The configurations of a campaign's phases.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{access, views::wire_config};
use crate::http::{Answer, Caller, Error, Path, State};

/// The configurations of a campaign's phases, in the words that configure them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignConfigsResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// Which phases are configured.
    configs_present: BTreeMap<&'static str, bool>,
    /// The configurations of those that are.
    #[schema(value_type = HashMap<String, Object>)]
    configs: BTreeMap<&'static str, Value>,
}

/// Answers the configurations of a campaign's phases.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/configs", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignConfigsResponse), (status = 404))
)]
pub(super) async fn configs(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignConfigsResponse>, Error> {
    let campaign = access::campaign(&state, &caller, id).await?;
    let rows = campaign.phases.iter();
    let configs: BTreeMap<_, _> = rows
        .filter_map(|row| Some((row.phase.name(), wire_config(row.config.as_ref()?)?)))
        .collect();
    let present = campaign.phases.iter().map(|row| row.phase.name());
    let body = CampaignConfigsResponse {
        campaign_id: id,
        configs_present: present
            .map(|name| (name, configs.contains_key(name)))
            .collect(),
        configs,
    };
    Ok(Answer::ok(body).row_version(campaign.version))
}
