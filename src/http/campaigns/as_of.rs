//! Campaigns as they were: at a moment, or when the log ended at a cursor.

use aggregates::ids::CampaignId;
use event_store::Position;
use projections::{
    campaigns::Overview,
    domains::{Filter, Listing, Page},
    then::{self, Then},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::access::{self, MISSING};
use crate::http::{Caller, Error, State, audit::filters::moment};

/// The parameter, as refusals name it.
const NAME: &str = "asOf";
/// When to come back where others are being computed.
const AGAIN_SECONDS: u64 = 5;

/// As of when.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct AsOfQuery {
    /// The answer as it was: at this moment (RFC 3339), or when the log ended at this position, as `X-Event-Cursor` tells it. It
    /// is computed from the log, which takes a second for some ten thousand domains; a campaign that had more than 100,000
    /// names or 1,000,000 events by then is refused (422), and so is (429) what is asked for while two others are computed. A
    /// campaign that is deleted by now shows as it was, and one that was not there yet, or not any more, is 404.
    #[param(value_type = Option<String>)]
    pub(super) as_of: Option<String>,
}

/// Reads a campaign that the caller reaches, with its counters: as it is or, where a time is named, as it was.
pub(super) async fn overview(
    state: &State,
    caller: &Caller,
    id: Uuid,
    as_of: Option<&str>,
) -> Result<Overview, Error> {
    let Some(as_of) = as_of else {
        return access::overview(state, caller, id).await;
    };
    let mut then = made(state, caller, id, as_of).await?;
    let overview = then.overview().await?;
    then.end().await?;
    overview.ok_or(MISSING)
}

/// Reads a page of the domains that a campaign, which the caller reaches, had then.
pub(super) async fn listing(
    state: &State,
    caller: &Caller,
    (id, as_of): (Uuid, &str),
    filter: &Filter,
    page: &Page,
) -> Result<Listing, Error> {
    let mut then = made(state, caller, id, as_of).await?;
    let was_there = then.overview().await?.is_some();
    let listing = then.listing(filter, page).await?;
    then.end().await?;
    was_there.then_some(listing).ok_or(MISSING)
}

async fn made(state: &State, caller: &Caller, id: Uuid, as_of: &str) -> Result<Then, Error> {
    let (archive, campaign_id) = (&state.archive, CampaignId(id));
    let until = position(state, as_of).await?;
    let owner = archive.owner_of(campaign_id).await?;
    if !owner.is_some_and(|owner| caller.reaches(owner)) {
        return Err(MISSING);
    }
    archive
        .campaign(campaign_id, until)
        .await
        .map_err(|error| match error {
            then::Error::TooLarge => Error::unprocessable(NAME, error),
            then::Error::Busy => Error::TooManyRequests {
                message: error.to_string(),
                retry_after_seconds: AGAIN_SECONDS,
            },
            error => Error::internal(error),
        })
}

/// Reads where the log ended then. A time that is to come is refused: what will be is not known.
async fn position(state: &State, as_of: &str) -> Result<Position, Error> {
    let database = &state.app.database;
    let is_number = !as_of.is_empty() && as_of.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        let head = database.feed().head().await?;
        let position = as_of.parse().ok().filter(|position| *position <= head);
        let refusal = || Error::bad(NAME, format!("the log ends at position {head}"));
        return position.ok_or_else(refusal);
    }
    let moment = moment(NAME, as_of).map_err(|_| {
        let forms = "must be a time as RFC 3339 has it (a + is %2B) or a position of the log";
        Error::bad(NAME, forms)
    })?;
    let end = database.past().end_at(moment).await?;
    end.ok_or_else(|| Error::bad(NAME, "lies in the future"))
}
