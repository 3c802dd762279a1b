//! A campaign as the log has it, whatever the read models show of it.
//!
//! What a command has committed is answered, also where the read models lag, or do not have the campaign any more
//! because a repeat comes after its deletion: what they show is led on with the events that they have not taken in.
//! Counters of domains are theirs alone; no command of a user changes one.

use aggregates::{
    campaign::{self, Event},
    ids::CampaignId,
};
use cqrs_es::Aggregate as _;
use projections::{
    campaigns::{self, Campaign, Overview},
    domains::Counts,
};

use super::access::MISSING;
use crate::{
    commands::Done,
    http::{Caller, Error, State},
};

/// Events that are read at once.
const PAGE: u32 = 1_000;

/// Reads a campaign at least as a command left it.
///
/// # Errors
/// When the log or the read models cannot be read.
pub(super) async fn after(state: &State, done: &Done<Event>) -> Result<Overview, Error> {
    // A repeat under an idempotency key answers the campaign that the first request made.
    let id = done.aggregate_id.parse().map_err(Error::internal)?;
    led_on(state, id, Some(done.version)).await?.ok_or(MISSING)
}

/// Reads a campaign that the caller reaches as it stands in the log, for checks before a command.
///
/// # Errors
/// [`Error::NotFound`] where there is none, or it is somebody else's.
pub(super) async fn current(
    state: &State,
    caller: &Caller,
    id: CampaignId,
) -> Result<Campaign, Error> {
    led_on(state, id, None)
        .await?
        .map(|overview| overview.campaign)
        .filter(|campaign| caller.reaches(campaign.owner))
        .ok_or(MISSING)
}

/// Reads a campaign as it stands in the log, up to a version where one is given; nothing where there is none.
///
/// # Errors
/// When the log or the read models cannot be read.
pub(in crate::http) async fn led_on(
    state: &State,
    id: CampaignId,
    up_to: Option<u64>,
) -> Result<Option<Overview>, Error> {
    let shown = campaigns::overview(state.app.database.pool(), id).await?;
    let (mut campaign, counts) = match shown {
        Some(Overview { campaign, counts }) => (Some(campaign), counts),
        None => (None, Counts::default()),
    };
    let mut version = campaign.as_ref().map_or(0, |campaign| campaign.version);
    let type_ = campaign::Campaign::TYPE;
    let stream = state.app.database.log().stream(type_, &id.to_string());
    let stream = match up_to {
        Some(last) => stream.up_to_version(last),
        None => stream,
    };
    loop {
        let after = u64::try_from(version).unwrap_or(0);
        if up_to.is_some_and(|last| last <= after) {
            break;
        }
        let page = stream.page(after, PAGE).await.map_err(Error::internal)?;
        let Some(last) = page.last() else { break };
        version = i64::try_from(last.event.sequence).unwrap_or(i64::MAX);
        for stored in page {
            let (sequence, at) = (stored.event.sequence, stored.event.recorded_at);
            let event = stored.event.decode().map_err(Error::internal)?;
            // What is deleted is not there; a command's answer is of what was there before.
            if up_to.is_none() && matches!(event, Event::Deleted {}) {
                return Ok(None);
            }
            match &mut campaign {
                Some(campaign) => campaign
                    .follow(event, sequence, at)
                    .map_err(Error::internal)?,
                None => campaign = Campaign::begun(id, event, at),
            }
        }
    }
    Ok(campaign.map(|campaign| Overview { campaign, counts }))
}
