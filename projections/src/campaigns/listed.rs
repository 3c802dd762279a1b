//! Lists of campaigns, bounded in what a row holds.
//!
//! A client that knows of no pages gets a thousand campaigns at once, so no row may be long. What a phase is configured
//! with (a dictionary has ten thousand words) is read row by row and let go once it was counted, and of a long
//! configuration object the list shows what is short in it.

use aggregates::ids::CampaignId;
use futures::TryStreamExt as _;
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use super::{Campaign, Overall, query::CampaignRecord};
use crate::{Whose, domains::counts_of_many, snapshot};

/// A campaign as lists show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The campaign without its configuration object, its notes, what its phases are configured with and what its runs
    /// have pinned.
    pub campaign: Campaign,
    /// How far it has come.
    pub overall: Overall,
    /// The configuration object; of one above 16 KiB those members alone that have at most 1 KiB.
    pub configuration: Box<RawValue>,
}

/// A page of a user's campaigns.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The campaigns of the page, the newest first.
    pub campaigns: Vec<Listed>,
    /// How many the user has.
    pub total: i64,
}

const IDS: &str = "SELECT campaign_id FROM read.campaigns WHERE ($1::uuid IS NULL OR owner = $1) \
    ORDER BY created_at DESC, campaign_id LIMIT $2 OFFSET $3";
const AMONG: &str = "SELECT c.campaign_id, c.owner, c.campaign_type, c.name, c.description, NULL::text AS notes, c.tags, \
        c.mode, 'null'::jsonb AS configuration, c.max_domains, c.names, c.stopped, c.version, c.created_at, c.updated_at, \
        CASE WHEN octet_length(c.configuration::text) <= 16384 THEN c.configuration ELSE ( \
            SELECT coalesce(jsonb_object_agg(part.key, CASE jsonb_typeof(part.value) WHEN 'object' THEN ( \
                    SELECT coalesce(jsonb_object_agg(member.key, member.value), '{}') FROM jsonb_each(part.value) member \
                    WHERE octet_length(member.value::text) <= 1024) ELSE part.value END), '{}') \
            FROM jsonb_each(c.configuration) part \
            WHERE jsonb_typeof(part.value) = 'object' OR octet_length(part.value::text) <= 1024) END AS shown, \
        coalesce((SELECT json_agg(json_build_object('phase', p.phase, 'state', p.state, \
            'config', CASE p.phase WHEN 'discovery' THEN p.config END, 'run_id', p.run_id, 'run_number', p.run_number, \
            'run_kind', p.run_kind, 'started_at', p.started_at, 'paused_at', p.paused_at, \
            'completed_at', p.completed_at, 'failed_at', p.failed_at, 'error', p.error, \
            'failure_cause', p.failure_cause, 'tallies', p.tallies, 'created_at', p.created_at, \
            'updated_at', p.updated_at)) FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id), '[]'::json) \
            AS phases \
    FROM read.campaigns c WHERE c.campaign_id = ANY($1) \
        AND ($2::uuid IS NULL OR c.owner = $2) ORDER BY c.created_at DESC, c.campaign_id";
const COUNT: &str = "SELECT count(*) FROM read.campaigns WHERE ($1::uuid IS NULL OR owner = $1)";

#[derive(sqlx::FromRow)]
struct Record {
    #[sqlx(flatten)]
    campaign: CampaignRecord,
    shown: Json<Box<RawValue>>,
}

/// Reads a page of somebody's campaigns, or of everybody's, how far each has come and how many there are in one snapshot.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn of_owner(
    pool: &PgPool,
    whose: impl Into<Whose>,
    limit: i64,
    offset: i64,
) -> Result<Owned, sqlx::Error> {
    let (whose, mut snapshot) = (whose.into(), snapshot(pool).await?);
    let ids: Vec<Uuid> = sqlx::query_scalar(IDS)
        .bind(whose.owner())
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *snapshot)
        .await?;
    let of: Vec<CampaignId> = ids.iter().copied().map(CampaignId).collect();
    let mut counts = counts_of_many(&mut *snapshot, &of).await?;
    let listed = |campaign: Campaign, shown| {
        let counts = counts.remove(&campaign.campaign_id).unwrap_or_default();
        Listed {
            overall: Overall::of(&campaign, &counts),
            campaign: without_settings(campaign),
            configuration: shown,
        }
    };
    let campaigns = each(&mut *snapshot, whose, &ids, listed).await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(whose.owner())
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok(Owned { campaigns, total })
}

/// Reads those of some campaigns that may be shown, the newest first, each as [`Listed::campaign`] is.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn of_owner_among(
    executor: impl PgExecutor<'_>,
    whose: impl Into<Whose>,
    among: &[Uuid],
) -> Result<Vec<Campaign>, sqlx::Error> {
    each(executor, whose.into(), among, |campaign, _| {
        without_settings(campaign)
    })
    .await
}

/// Makes something of each campaign as its row arrives, so that no two are held with what their phases are configured with.
async fn each<T>(
    executor: impl PgExecutor<'_>,
    whose: Whose,
    among: &[Uuid],
    mut make: impl FnMut(Campaign, Box<RawValue>) -> T,
) -> Result<Vec<T>, sqlx::Error> {
    let mut records = sqlx::query_as(AMONG)
        .bind(among)
        .bind(whose.owner())
        .fetch(executor);
    let mut made = Vec::new();
    while let Some(Record { campaign, shown }) = records.try_next().await? {
        made.push(make(campaign.decode()?, shown.0));
    }
    Ok(made)
}

fn without_settings(mut campaign: Campaign) -> Campaign {
    for phase in &mut campaign.phases {
        phase.config = None;
    }
    campaign
}
