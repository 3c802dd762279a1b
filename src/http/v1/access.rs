//! The way to a typed campaign, for whoever reaches it, and only below its own type.

use aggregates::{campaign::CampaignType, ids::CampaignId};
use projections::campaigns::{self, Campaign, Typed};
use uuid::Uuid;

use super::view::TypedCampaign;
use crate::{
    commands::Done,
    http::{Answer, Caller, Error, State, campaigns::led_on},
};

/// What is answered where there is no such campaign of the type, or it is somebody else's.
pub(super) const MISSING: Error = Error::no_such("campaign", "campaignId");

/// Reads a type of a path.
pub(super) fn campaign_type(text: &str) -> Result<CampaignType, Error> {
    match text.parse() {
        Ok(CampaignType::Full) | Err(_) => Err(Error::no_such("type of campaign", "type")),
        Ok(campaign_type) => Ok(campaign_type),
    }
}

/// Finds a campaign of a type that the caller reaches, as it stands in the log. What a repeat is about was reached when its
/// first request came, and may be deleted by now; so it is found as that request left it.
pub(super) async fn current(
    state: &State,
    caller: &Caller,
    (campaign_type, id): (CampaignType, Uuid),
) -> Result<Campaign, Error> {
    let repeated = state
        .app
        .repeated::<aggregates::campaign::Campaign>(&caller.metadata)
        .await?;
    let up_to = repeated.map(|done| done.version);
    led_on(state, CampaignId(id), up_to)
        .await?
        .map(|overview| overview.campaign)
        .filter(|found| caller.reaches(found.owner) && found.campaign_type == campaign_type)
        .ok_or(MISSING)
}

/// Reads a campaign of a type that the caller reaches as the read models have it.
pub(super) async fn shown(
    state: &State,
    caller: &Caller,
    (campaign_type, id): (CampaignType, Uuid),
) -> Result<Typed, Error> {
    let pool = state.app.database.pool();
    let found = campaigns::by_id(pool, CampaignId(id)).await?;
    let campaign = found
        .filter(|found| caller.reaches(found.owner) && found.campaign_type == campaign_type)
        .ok_or(MISSING)?;
    Ok(campaigns::typed_around(pool, campaign).await?)
}

/// Answers a command with the campaign as the command left it.
pub(super) async fn answer<E: Send + Sync>(
    state: &State,
    done: &Done<E>,
    created: bool,
) -> Result<Answer<TypedCampaign>, Error> {
    let id: CampaignId = done.aggregate_id.parse().map_err(Error::internal)?;
    let campaign = led_on(state, id, Some(done.version))
        .await?
        .ok_or(MISSING)?
        .campaign;
    let typed = campaigns::typed_around(state.app.database.pool(), campaign).await?;
    let body = TypedCampaign::of(&typed);
    let answer = match created {
        true => Answer::created(body),
        false => Answer::ok(body),
    };
    Ok(answer.version(done.version).after(done))
}
