//! One typed campaign: answering, changing and deleting it.

use aggregates::campaign::{ChangeDetails, Command, Delete, Event, Reconfigure};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    access,
    create::{Details, TypedCampaignRequest, in_own_words},
    settings,
    view::TypedCampaign,
};
use crate::{
    commands::Done,
    http::{
        Answer, Caller, Error, IfMatch, Json, Path, State,
        campaigns::{check_pinned, execute},
        refusals::concurrent_change,
        vocabulary,
    },
};

/// Answers a campaign.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path)),
    responses((status = 200, body = TypedCampaign), (status = 404))
)]
pub(super) async fn get(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
) -> Result<Answer<TypedCampaign>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let typed = access::shown(&state, &caller, (campaign_type, id)).await?;
    let version = typed.overview.campaign.version;
    Ok(Answer::ok(TypedCampaign::of(&typed)).row_version(version))
}

/// Changes a campaign's name, description, notes or tags, and its settings while it is pending; what is not named
/// stays. All of it or nothing.
#[utoipa::path(
    put, path = "/campaigns/{type}/{campaignId}", tag = "typed campaigns", request_body = TypedCampaignRequest,
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 412))
)]
pub(super) async fn update(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Answer<TypedCampaign>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let campaign = access::current(&state, &caller, (campaign_type, id)).await?;
    let done = decide(&state, &caller, &campaign, body, expected).await?;
    access::answer(&state, &done, false).await
}

async fn decide(
    state: &State,
    caller: &Caller,
    campaign: &projections::campaigns::Campaign,
    mut body: Map<String, Value>,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let details = Details::taken_out_of(&mut body)?;
    if body.contains_key("domains") {
        return Err(Error::unprocessable(
            "domains",
            "names are added by uploading a list",
        ));
    }
    let (configuration, phases) = match body.is_empty() {
        true => (None, Vec::new()),
        false => {
            let settings = merged(&campaign.configuration, body);
            let planned = settings::plan(campaign.campaign_type, settings)?;
            let phases = planned.phases;
            let owner = campaign.owner;
            let checked = check_pinned(state, owner, campaign.campaign_type, &phases).await;
            checked.map_err(in_own_words)?;
            (Some(Value::Object(planned.kept)), phases)
        }
    };
    // What was merged is right for the version that it was merged with.
    let seen = u64::try_from(campaign.version).ok();
    let version = expected.or_else(|| seen.filter(|_| configuration.is_some()));
    let command = Command::Reconfigure(Reconfigure {
        details: ChangeDetails {
            name: details.campaign_name,
            description: details.description,
            configuration,
            notes: details.notes,
            tags: details.tags,
        },
        phases,
        only_pending: true,
    });
    let changed = execute(state, caller, campaign.campaign_id, command, version).await;
    changed.map_err(|error| match error {
        // The caller named no version that he saw.
        Error::PreconditionFailed { .. } if expected.is_none() => concurrent_change(),
        error => in_own_words(error),
    })
}

/// Puts new settings over those that are kept. Of two that exclude each other the new one stays.
fn merged(kept: &Value, new: Map<String, Value>) -> Map<String, Value> {
    let mut settings = kept.as_object().cloned().unwrap_or_default();
    if new.contains_key("inputCampaignIds") && !new.contains_key("sourceMode") {
        settings.remove("sourceMode");
    }
    if new.contains_key("sourceMode") && !new.contains_key("inputCampaignIds") {
        settings.remove("inputCampaignIds");
    }
    settings.extend(new);
    settings.retain(|_, value| !value.is_null());
    settings
}

/// Deletes a campaign; a run under way ends first. What happened stays in the log.
#[utoipa::path(
    delete, path = "/campaigns/{type}/{campaignId}", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 404), (status = 412))
)]
pub(super) async fn delete(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<()>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let campaign = access::current(&state, &caller, (campaign_type, id)).await?;
    let command = Command::Delete(Delete {});
    let done = execute(&state, &caller, campaign.campaign_id, command, expected).await?;
    Ok(Answer::no_content().after(&done))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_leaves_what_it_does_not_name_and_takes_away_what_it_names_null() {
        let kept =
            json!({"dnsPersonaId": "default", "sourceMode": "upload", "recordTypes": ["MX"]});
        let Value::Object(new) = json!({"inputCampaignIds": ["x"], "recordTypes": null}) else {
            unreachable!()
        };
        let merged = Value::Object(merged(&kept, new));
        assert_eq!(
            merged,
            json!({"dnsPersonaId": "default", "inputCampaignIds": ["x"]})
        );
    }
}
