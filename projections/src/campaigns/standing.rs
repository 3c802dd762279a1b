//! A campaign with the counters of its domains and how far each of both had come, from one moment.
//!
//! The two read models move separately. Whoever shows them beside the log, as streams to clients do, must know of which
//! moment of the log each of them speaks.

use aggregates::ids::CampaignId;
use event_store::Position;
use sqlx::{PgConnection, PgPool};

use super::{Overview, by_id};
use crate::{domains::counts_of, snapshot};

/// A campaign with the counters of its domains and how far each of both had come.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Both.
    pub overview: Overview,
    /// The position up to which the campaign is known.
    pub campaign_at: Position,
    /// The position up to which its domains are counted.
    pub counts_at: Position,
}

const READ_POSITION: &str =
    "SELECT coalesce((SELECT position FROM projection_checkpoints WHERE name = $1), 0)";

async fn position_of(
    connection: &mut PgConnection,
    projection: &str,
) -> Result<Position, sqlx::Error> {
    let position = sqlx::query_scalar(READ_POSITION)
        .bind(projection)
        .fetch_one(connection)
        .await?;
    Ok(Position::from_i64(position))
}

/// Reads a campaign, its counters and how far both had come in one snapshot.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn standing(
    pool: &PgPool,
    campaign_id: CampaignId,
) -> Result<Option<Standing>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let Some(campaign) = by_id(&mut *snapshot, campaign_id).await? else {
        return Ok(None);
    };
    let counts = counts_of(&mut *snapshot, campaign_id).await?;
    let campaign_at = position_of(&mut snapshot, "campaigns").await?;
    let counts_at = position_of(&mut snapshot, "domains").await?;
    snapshot.commit().await?;
    Ok(Some(Standing {
        overview: Overview { campaign, counts },
        campaign_at,
        counts_at,
    }))
}
