//! Typed campaigns: how they stand in the words of their interface, with the files that they were given and what
//! happened to them last.

use std::{collections::HashMap, fmt, str::FromStr};

use aggregates::{
    campaign::{CampaignType, FailureCause, PhaseState},
    ids::{CampaignId, FileId},
};
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Campaign, Overview, query::CampaignRecord};
use crate::{
    Whose,
    audit::{self, Entry},
    domains::counts_of_many,
    snapshot,
};

/// Entries of the audit trail that are shown with a campaign, the newest.
const ENTRIES: i64 = 50;

/// How a typed campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypedStatus {
    /// Never started.
    Pending,
    /// A run is under way, or the next one begins.
    Active,
    /// A run is paused.
    Paused,
    /// Every phase completed.
    Completed,
    /// The last run was stopped.
    Failed,
    /// The campaign was stopped by command.
    Cancelled,
    /// The last run could not go on, or the next one could not start by itself.
    Error,
    /// A run for what failed before is under way.
    Retrying,
}

impl TypedStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Active,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Error,
        Self::Retrying,
    ];

    /// Returns the status' name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Error => "error",
            Self::Retrying => "retrying",
        }
    }
}

impl fmt::Display for TypedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no status.
#[derive(Debug, thiserror::Error)]
#[error("must be one of pending, active, paused, completed, failed, cancelled, error, retrying")]
pub struct UnknownTypedStatus;

impl FromStr for TypedStatus {
    type Err = UnknownTypedStatus;

    fn from_str(text: &str) -> Result<Self, UnknownTypedStatus> {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.name() == text)
            .ok_or(UnknownTypedStatus)
    }
}

impl Campaign {
    /// Computes how the campaign stands in the words of typed campaigns; `typed_status` in the database computes the
    /// same of a row.
    #[must_use]
    pub fn typed_status(&self) -> TypedStatus {
        let any = |wanted| self.phases.iter().any(|row| row.state == wanted);
        let again = self
            .phases
            .iter()
            .any(|row| row.state == PhaseState::Running && row.run_kind.is_partial());
        let broken = self.phases.iter().any(|row| {
            row.state == PhaseState::Failed && row.failure_cause == Some(FailureCause::Error)
        });
        let completed = |row: &super::PhaseRow| row.state == PhaseState::Completed;
        if any(PhaseState::Paused) {
            TypedStatus::Paused
        } else if again {
            TypedStatus::Retrying
        } else if any(PhaseState::Running) {
            TypedStatus::Active
        } else if self.stopped {
            TypedStatus::Cancelled
        } else if broken || self.refused_start().is_some() {
            TypedStatus::Error
        } else if any(PhaseState::Failed) {
            TypedStatus::Failed
        } else if self.phases.iter().all(completed) {
            TypedStatus::Completed
        } else if self.phases.iter().any(|row| row.run_number > 0) {
            TypedStatus::Active
        } else {
            TypedStatus::Pending
        }
    }
}

/// A list of names that a campaign was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The list.
    pub file_id: FileId,
    /// What whoever sent it calls it; absent for names in a request.
    pub filename: Option<String>,
    /// SHA-256 of the list, hex.
    pub sha256: String,
    /// Names of it that were new to the campaign.
    pub names: i64,
    /// When it was taken in.
    pub uploaded_at: DateTime<Utc>,
    /// Who gave it, as the audit trail names him.
    pub uploaded_by: String,
}

/// A campaign with everything that is shown of it at once.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The campaign and its counters.
    pub overview: Overview,
    /// The lists that it was given, the oldest first.
    pub uploads: Vec<Upload>,
    /// What happened to it last, the newest first.
    pub entries: Vec<Entry>,
}

/// What typed campaigns can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TypedSort {
    /// When they were created.
    #[default]
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// Their names, by code point.
    Name,
    /// Their status, by its name.
    Status,
}

impl TypedSort {
    /// Returns the sort's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
            Self::Name => "campaignName",
            Self::Status => "status",
        }
    }
}

/// Which typed campaigns of a user are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct TypedFilter {
    /// How they stand.
    pub status: Option<TypedStatus>,
    /// A tag that they have.
    pub tag: Option<String>,
    /// A piece of the name or the description, in any case.
    pub text: Option<String>,
    /// The first moment of creation.
    pub created_from: Option<DateTime<Utc>>,
    /// The moment before which they were created.
    pub created_to: Option<DateTime<Utc>>,
}

/// Which page of a list of typed campaigns is wanted.
#[derive(Clone, Debug, Default)]
pub struct TypedPage {
    /// What it sorts by; ties by id, in the same direction.
    pub sort: TypedSort,
    /// Largest first.
    pub descending: bool,
    /// Campaigns at most.
    pub limit: i64,
    /// Campaigns to leave out first.
    pub offset: i64,
    /// The last campaign of the page before: what it is sorted by, and its id.
    pub after: Option<(String, CampaignId)>,
}

/// A page of a user's campaigns of a type.
#[derive(Clone, Debug)]
pub struct TypedList {
    /// The campaigns of the page, each with what it is sorted by.
    pub campaigns: Vec<(String, Typed)>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// How many the filter lets through.
    pub total: i64,
}

/// The most that the campaigns of a page take, bytes of what users say of them; a single one may take more.
const PAGE_BYTES: usize = 8 << 20;

/// What is sorted by goes as text, so that one statement serves all sorts: a user has thousands of campaigns, not millions.
const LIST: &str = "WITH shown AS (\
    SELECT c.*, phases.list AS phases, typed_status(c.campaign_type, c.stopped, phases.list) AS standing \
    FROM read.campaigns c CROSS JOIN LATERAL (SELECT coalesce(json_agg(json_build_object('phase', p.phase, \
        'state', p.state, 'config', p.config, 'run_id', p.run_id, 'run_number', p.run_number, 'run_kind', p.run_kind, \
        'started_at', p.started_at, 'paused_at', p.paused_at, 'completed_at', p.completed_at, \
        'failed_at', p.failed_at, 'error', p.error, 'failure_cause', p.failure_cause, 'tallies', p.tallies, \
        'created_at', p.created_at, 'updated_at', p.updated_at)), '[]'::json) AS list \
        FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id) phases \
    WHERE ($1::uuid IS NULL OR c.owner = $1) AND c.campaign_type = $2 AND ($3::text IS NULL OR c.tags @> ARRAY[$3]) \
    AND ($4::text IS NULL OR strpos(lower(c.name), lower($4)) > 0 OR strpos(lower(c.description), lower($4)) > 0) \
    AND ($5::timestamptz IS NULL OR c.created_at >= $5) AND ($6::timestamptz IS NULL OR c.created_at < $6)), \
    keyed AS (SELECT *, count(*) OVER () AS total, CASE $8::text \
        WHEN 'createdAt' THEN to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') \
        WHEN 'updatedAt' THEN to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') \
        WHEN 'campaignName' THEN name ELSE standing END COLLATE \"C\" AS key \
    FROM shown WHERE $7::text IS NULL OR standing = $7) \
    SELECT * FROM keyed WHERE $10::text IS NULL \
        OR CASE WHEN $9::bool THEN (key, campaign_id) < ($10 COLLATE \"C\", $11::uuid) \
                ELSE (key, campaign_id) > ($10 COLLATE \"C\", $11) END \
    ORDER BY CASE WHEN $9 THEN key END DESC, CASE WHEN $9 THEN campaign_id END DESC, \
        CASE WHEN NOT $9 THEN key END, CASE WHEN NOT $9 THEN campaign_id END \
    LIMIT $12 OFFSET $13";

#[derive(sqlx::FromRow)]
struct ListedRecord {
    #[sqlx(flatten)]
    campaign: CampaignRecord,
    key: String,
    total: i64,
}

/// Reads a page of somebody's campaigns of a type, or of everybody's, with everything that is shown of them, all from one
/// moment. A page ends before its limit where its campaigns are long: a dictionary has ten thousand words.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn typed_of_owner(
    pool: &PgPool,
    whose: impl Into<Whose>,
    campaign_type: CampaignType,
    filter: &TypedFilter,
    page: &TypedPage,
) -> Result<TypedList, sqlx::Error> {
    let (whose, mut snapshot) = (whose.into(), snapshot(pool).await?);
    let mut records = sqlx::query_as::<_, ListedRecord>(LIST)
        .bind(whose.owner())
        .bind(campaign_type.name())
        .bind(&filter.tag)
        .bind(&filter.text)
        .bind(filter.created_from)
        .bind(filter.created_to)
        .bind(filter.status.map(TypedStatus::name))
        .bind(page.sort.name())
        .bind(page.descending)
        .bind(page.after.as_ref().map(|(key, _)| key))
        .bind(page.after.as_ref().map(|(_, id)| id.0))
        .bind(page.limit.saturating_add(1))
        .bind(page.offset)
        .fetch(&mut *snapshot);
    let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let (mut keys, mut campaigns) = (Vec::new(), Vec::new());
    let (mut total, mut bytes, mut has_more) = (None, 0_usize, false);
    while let Some(record) = records.try_next().await? {
        total = Some(record.total);
        bytes = bytes.saturating_add(record.campaign.length());
        has_more = campaigns.len() >= most || (bytes > PAGE_BYTES && !campaigns.is_empty());
        if has_more {
            break;
        }
        keys.push(record.key);
        campaigns.push(record.campaign.decode()?);
    }
    drop(records);
    let total = match total {
        Some(total) => total,
        // The page is past the last one, or empty at all.
        None => count(&mut snapshot, whose, campaign_type, filter).await?,
    };
    let campaigns = with_surroundings(&mut snapshot, campaigns).await?;
    snapshot.commit().await?;
    Ok(TypedList {
        campaigns: keys.into_iter().zip(campaigns).collect(),
        has_more,
        total,
    })
}

/// Counts what a filter lets through.
async fn count(
    snapshot: &mut PgConnection,
    whose: Whose,
    campaign_type: CampaignType,
    filter: &TypedFilter,
) -> Result<i64, sqlx::Error> {
    let first: Option<ListedRecord> = sqlx::query_as(LIST)
        .bind(whose.owner())
        .bind(campaign_type.name())
        .bind(&filter.tag)
        .bind(&filter.text)
        .bind(filter.created_from)
        .bind(filter.created_to)
        .bind(filter.status.map(TypedStatus::name))
        .bind(TypedSort::default().name())
        .bind(false)
        .bind(None::<String>)
        .bind(None::<Uuid>)
        .bind(1_i64)
        .bind(0_i64)
        .fetch_optional(snapshot)
        .await?;
    Ok(first.map_or(0, |record| record.total))
}

const UPLOADS: &str = "SELECT campaign_id, file_id, filename, sha256, names, uploaded_at, uploaded_by \
    FROM read.campaign_uploads WHERE campaign_id = ANY($1) ORDER BY uploaded_at, file_id";

type UploadRow = (
    Uuid,
    Uuid,
    Option<String>,
    String,
    i64,
    DateTime<Utc>,
    String,
);

/// Reads what is shown beside campaigns, in as many statements for many as for one.
async fn with_surroundings(
    snapshot: &mut PgConnection,
    campaigns: Vec<Campaign>,
) -> Result<Vec<Typed>, sqlx::Error> {
    let ids: Vec<CampaignId> = campaigns.iter().map(|one| one.campaign_id).collect();
    let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut counts = counts_of_many(&mut *snapshot, &ids).await?;
    let rows: Vec<UploadRow> = sqlx::query_as(UPLOADS)
        .bind(&raw)
        .fetch_all(&mut *snapshot)
        .await?;
    let mut uploads: HashMap<Uuid, Vec<Upload>> = HashMap::new();
    for (campaign, file_id, filename, sha256, names, uploaded_at, uploaded_by) in rows {
        uploads.entry(campaign).or_default().push(Upload {
            file_id: FileId(file_id),
            filename,
            sha256,
            names,
            uploaded_at,
            uploaded_by,
        });
    }
    let streams: Vec<String> = raw.iter().map(ToString::to_string).collect();
    let mut entries: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in audit::latest_of_resources(&mut *snapshot, "campaign", &streams, ENTRIES).await? {
        entries
            .entry(entry.resource_id.clone())
            .or_default()
            .push(entry);
    }
    let typed = campaigns.into_iter().map(|campaign| {
        let id = campaign.campaign_id;
        Typed {
            uploads: uploads.remove(&id.0).unwrap_or_default(),
            entries: entries.remove(&id.to_string()).unwrap_or_default(),
            overview: Overview {
                counts: counts.remove(&id).unwrap_or_default(),
                campaign,
            },
        }
    });
    Ok(typed.collect())
}

/// Reads what is shown beside a campaign that the caller has from somewhere else, as the log, all from one moment.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn typed_around(pool: &PgPool, campaign: Campaign) -> Result<Typed, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let mut around = with_surroundings(&mut snapshot, vec![campaign]).await?;
    snapshot.commit().await?;
    around.pop().ok_or(sqlx::Error::RowNotFound)
}
