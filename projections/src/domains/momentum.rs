//! What the last run changed: each domain's score against the one of the run before.

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgPool};

use super::{Counts, counts_of};
use crate::snapshot_of_campaign;

/// Buckets of the histogram, equally wide from -1 to +1.
pub const BUCKETS: usize = 20;

/// A domain whose score moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Mover {
    /// Its name.
    pub name: String,
    /// The score now less the score before, -1 to +1.
    pub delta: f64,
}

/// How scores moved between the last two runs, over the domains that both scored; all from one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Momentum {
    /// The domains that gained most, the most first.
    pub up: Vec<Mover>,
    /// The domains that lost most, the most first.
    pub down: Vec<Mover>,
    /// How many domains moved how far: [`BUCKETS`] buckets, each with its lower bound, the last with both.
    pub histogram: Vec<i64>,
    /// The mean movement; absent where no domain was scored twice.
    pub mean: Option<f64>,
}

impl Momentum {
    /// Returns how many domains both runs scored.
    #[must_use]
    pub fn compared(&self) -> i64 {
        self.histogram.iter().sum()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    up_names: Vec<String>,
    up: Vec<f64>,
    down_names: Vec<String>,
    down: Vec<f64>,
    histogram: Vec<i64>,
    mean: Option<f64>,
}

/// Scores have three decimals: as decimal numbers their differences fall into the right bucket, which as binary
/// fractions they would miss at the bounds.
const SELECT: &str = "WITH moved AS MATERIALIZED (SELECT name, ordinal, \
        round((score - former_score)::numeric, 3) AS delta FROM read.domains \
        WHERE campaign_id = $1 AND richness_score IS NOT NULL AND former_score IS NOT NULL), \
    up AS (SELECT * FROM moved WHERE delta > 0 ORDER BY delta DESC, ordinal LIMIT $2), \
    down AS (SELECT * FROM moved WHERE delta < 0 ORDER BY delta, ordinal LIMIT $2), \
    buckets AS (SELECT least(width_bucket(delta, -1, 1, $3), $3) AS bucket, count(*) AS n FROM moved GROUP BY 1) \
    SELECT ARRAY(SELECT name FROM up ORDER BY delta DESC, ordinal) AS up_names, \
        ARRAY(SELECT delta::float8 FROM up ORDER BY delta DESC, ordinal) AS up, \
        ARRAY(SELECT name FROM down ORDER BY delta, ordinal) AS down_names, \
        ARRAY(SELECT delta::float8 FROM down ORDER BY delta, ordinal) AS down, \
        ARRAY(SELECT coalesce(n, 0) FROM generate_series(1, $3) bucket LEFT JOIN buckets USING (bucket) \
            ORDER BY bucket) AS histogram, \
        (SELECT avg(delta)::float8 FROM moved) AS mean";

/// Compares the scores of a campaign's last two runs, with at most `movers` domains shown each way.
///
/// # Errors
/// When the database does not answer.
pub async fn momentum_of(
    pool: &PgPool,
    campaign_id: CampaignId,
    movers: i64,
) -> Result<Momentum, sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let momentum = moved(&mut snapshot, campaign_id, movers).await?;
    snapshot.commit().await?;
    Ok(momentum)
}

/// Reads a campaign's counters and the momentum of its scores, without movers, at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn counts_and_momentum_of(
    pool: &PgPool,
    campaign_id: CampaignId,
) -> Result<(Counts, Momentum), sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let counts = counts_of(&mut *snapshot, campaign_id).await?;
    let momentum = moved(&mut snapshot, campaign_id, 0).await?;
    snapshot.commit().await?;
    Ok((counts, momentum))
}

async fn moved(
    snapshot: &mut PgConnection,
    campaign_id: CampaignId,
    movers: i64,
) -> Result<Momentum, sqlx::Error> {
    let row: Row = sqlx::query_as(SELECT)
        .bind(campaign_id.0)
        .bind(movers)
        .bind(i32::try_from(BUCKETS).unwrap_or(i32::MAX))
        .fetch_one(snapshot)
        .await?;
    Ok(Momentum {
        up: paired(row.up_names, row.up),
        down: paired(row.down_names, row.down),
        histogram: row.histogram,
        mean: row.mean,
    })
}

fn paired(names: Vec<String>, deltas: Vec<f64>) -> Vec<Mover> {
    let pairs = names.into_iter().zip(deltas);
    pairs.map(|(name, delta)| Mover { name, delta }).collect()
}
