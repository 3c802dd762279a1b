//! Time travel: a campaign as it was at a version, a moment or a cursor.

use aggregates::{
    campaign::{Campaign, Status},
    ids::CampaignId,
};
use chrono::{DateTime, Utc};
use event_store::{Database, Position};

use crate::Error;

/// Events that are read at once while a cursor is looked for.
const PAGE: u32 = 1_000;

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After the event with this sequence; a later one than the last is the last.
    Version(u64),
    /// At this moment.
    Moment(DateTime<Utc>),
    /// When the log ended at this position.
    Cursor(Position),
}

/// A campaign as it was.
#[derive(Clone, Debug)]
pub struct CampaignThen {
    /// How many events its stream had.
    pub version: u64,
    /// How it stood as a whole.
    pub status: Status,
    /// Its state, as the rules see it.
    pub state: Campaign,
}

/// Folds a campaign's stream up to then; nothing where the campaign did not exist yet.
///
/// # Errors
/// When the stream cannot be read.
pub async fn campaign_at(
    database: &Database,
    campaign_id: CampaignId,
    at: At,
) -> Result<Option<CampaignThen>, Error> {
    let (log, stream) = (database.log(), campaign_id.to_string());
    let (state, version) = match at {
        At::Version(version) => log.load_at_version::<Campaign>(&stream, version).await?,
        At::Moment(moment) => log.load_at_time::<Campaign>(&stream, moment).await?,
        At::Cursor(cursor) => {
            let version = version_at(database, &stream, cursor).await?;
            log.load_at_version::<Campaign>(&stream, version).await?
        }
    };
    Ok((version > 0).then(|| CampaignThen {
        version,
        status: state.status(),
        state,
    }))
}

/// Returns the sequence of the stream's last event up to a position; positions rise along a stream.
async fn version_at(database: &Database, stream: &str, cursor: Position) -> Result<u64, Error> {
    let stream = database.log().stream("campaign", stream);
    let mut version = 0;
    loop {
        let page = stream.page(version, PAGE).await?;
        if page.is_empty() {
            return Ok(version);
        }
        for event in page {
            if event.position.is_none_or(|position| position > cursor) {
                return Ok(version);
            }
            version = event.event.sequence;
        }
    }
}
