//! Reading campaigns.

use aggregates::{
    campaign::{
        self, CampaignType, FailureCause, Mode, Phase, PhaseState, Restored, RunKind, Status,
        Tallies,
    },
    ids::{CampaignId, RunId, UserId},
};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use crate::tables::Tables;

/// A campaign with its phases, all from one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// Its id.
    pub campaign_id: CampaignId,
    /// Whose it is.
    pub owner: UserId,
    /// Which phases it has.
    pub campaign_type: CampaignType,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its users want to remember of it.
    pub notes: Option<String>,
    /// Words that its users find it by.
    pub tags: Vec<String>,
    /// How it goes from phase to phase.
    pub mode: Mode,
    /// The configuration object as the client sent it.
    pub configuration: serde_json::Value,
    /// How many names it may have.
    pub max_domains: Option<i64>,
    /// How many names it has.
    pub names: i64,
    /// Stopped by command, and not started since.
    pub stopped: bool,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
    /// Its phases in the order of execution: those that its type has.
    pub phases: Vec<PhaseRow>,
}

/// One phase of a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseRow {
    /// Which.
    pub phase: Phase,
    /// Where it stands.
    pub state: PhaseState,
    /// The configuration for the next run.
    pub config: Option<serde_json::Value>,
    /// The last run.
    pub run_id: Option<RunId>,
    /// Its number, 0 before the first.
    pub run_number: i32,
    /// Which domains it works or worked on.
    pub run_kind: RunKind,
    /// What it works or worked with.
    pub pinned: Option<serde_json::Value>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it failed or was stopped.
    pub failed_at: Option<DateTime<Utc>>,
    /// Why; of a phase that waits, why it cannot start by itself.
    pub error: Option<String>,
    /// What kind of reason, of a run that failed or was stopped.
    pub failure_cause: Option<FailureCause>,
    /// What came of its items, once completed.
    pub tallies: Option<Tallies>,
    /// When it was first configured or started.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl PhaseRow {
    pub(super) fn untouched(phase: Phase) -> Self {
        Self {
            phase,
            state: PhaseState::NotStarted,
            config: None,
            run_id: None,
            run_number: 0,
            run_kind: RunKind::Full,
            pinned: None,
            started_at: None,
            paused_at: None,
            completed_at: None,
            failed_at: None,
            error: None,
            failure_cause: None,
            tallies: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl PhaseRow {
    /// Returns since when there is an error.
    #[must_use]
    pub fn error_at(&self) -> Option<DateTime<Utc>> {
        // A phase that waits did not change since its start was refused.
        self.error
            .as_ref()
            .and_then(|_| self.failed_at.or(self.updated_at))
    }
}

impl Campaign {
    /// Returns the reason that the newest trouble is known by: of a run that failed, or of a start that was refused.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.phases
            .iter()
            .filter(|row| row.error.is_some())
            .max_by_key(|row| row.error_at())
            .and_then(|row| row.error.as_deref())
    }

    /// Returns the phase that should have started by itself and could not, with the reason; nothing where none waits so.
    #[must_use]
    pub fn refused_start(&self) -> Option<(Phase, &str)> {
        let waits =
            |row: &&PhaseRow| matches!(row.state, PhaseState::NotStarted | PhaseState::Configured);
        let mut refused = self.phases.iter().filter(waits);
        refused.find_map(|row| Some((row.phase, row.error.as_deref()?)))
    }

    /// Computes how the campaign as a whole stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let states: Vec<PhaseState> = self.phases.iter().map(|phase| phase.state).collect();
        let ever_started = self.phases.iter().any(|phase| phase.run_number > 0);
        Status::of(&states, self.stopped, ever_started)
    }

    /// Returns one phase; one that the campaign does not have was never touched.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> PhaseRow {
        self.phases
            .iter()
            .find(|row| row.phase == phase)
            .cloned()
            .unwrap_or_else(|| PhaseRow::untouched(phase))
    }

    /// Puts the aggregate together as this row knows it, to ask the rules about it.
    #[must_use]
    pub fn aggregate(&self) -> campaign::Campaign {
        campaign::Campaign::restore(Restored {
            owner: self.owner,
            campaign_type: self.campaign_type,
            mode: self.mode,
            max_domains: self.max_domains.and_then(|most| u64::try_from(most).ok()),
            names: u64::try_from(self.names).unwrap_or(0),
            stopped: self.stopped,
            phases: Phase::ALL.map(|phase| {
                let row = self.phase(phase);
                let config = row
                    .config
                    .and_then(|config| serde_json::from_value(config).ok());
                (
                    row.state,
                    config,
                    row.run_id,
                    u32::try_from(row.run_number).unwrap_or(0),
                )
            }),
        })
    }

    /// Returns the phase that has a run under way, else the first that has not completed, else the last.
    #[must_use]
    pub fn current_phase(&self) -> Phase {
        let first = |wanted: &dyn Fn(&PhaseRow) -> bool| {
            self.phases
                .iter()
                .find(|row| wanted(row))
                .map(|row| row.phase)
        };
        first(&|row| row.state.is_active())
            .or_else(|| first(&|row| row.state != PhaseState::Completed))
            .unwrap_or_else(|| self.campaign_type.last_phase())
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct CampaignRecord {
    campaign_id: Uuid,
    owner: Uuid,
    campaign_type: String,
    name: String,
    description: Option<String>,
    notes: Option<String>,
    tags: Vec<String>,
    mode: String,
    configuration: serde_json::Value,
    max_domains: Option<i64>,
    names: i64,
    stopped: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    phases: Json<Box<RawValue>>,
}

#[derive(serde::Deserialize)]
struct PhaseRecord {
    phase: Phase,
    state: PhaseState,
    config: Option<serde_json::Value>,
    run_id: Option<RunId>,
    run_number: i32,
    run_kind: RunKind,
    pinned: Option<serde_json::Value>,
    started_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    failed_at: Option<DateTime<Utc>>,
    error: Option<String>,
    failure_cause: Option<FailureCause>,
    tallies: Option<Tallies>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

impl CampaignRecord {
    /// Measures what users say of the campaign and what its phases are configured with, bytes.
    pub(super) fn length(&self) -> usize {
        let texts = [&self.description, &self.notes].into_iter().flatten();
        let texts: usize = texts.map(String::len).sum();
        texts.saturating_add(self.phases.get().len())
    }

    pub(super) fn decode(self) -> Result<Campaign, sqlx::Error> {
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
        let records: Vec<PhaseRecord> =
            serde_json::from_str(self.phases.get()).map_err(|error| wrong(Box::new(error)))?;
        let campaign_type: CampaignType = self
            .campaign_type
            .parse()
            .map_err(|error| wrong(Box::new(error)))?;
        let mut phases: Vec<PhaseRow> = campaign_type
            .phases()
            .iter()
            .copied()
            .map(PhaseRow::untouched)
            .collect();
        for record in records {
            for row in phases.iter_mut().filter(|row| row.phase == record.phase) {
                *row = PhaseRow {
                    phase: record.phase,
                    state: record.state,
                    config: record.config.clone(),
                    run_id: record.run_id,
                    run_number: record.run_number,
                    run_kind: record.run_kind,
                    pinned: record.pinned.clone(),
                    started_at: record.started_at,
                    paused_at: record.paused_at,
                    completed_at: record.completed_at,
                    failed_at: record.failed_at,
                    error: record.error.clone(),
                    failure_cause: record.failure_cause,
                    tallies: record.tallies.clone(),
                    created_at: record.created_at,
                    updated_at: record.updated_at,
                };
            }
        }
        Ok(Campaign {
            campaign_id: CampaignId(self.campaign_id),
            owner: UserId(self.owner),
            campaign_type,
            name: self.name,
            description: self.description,
            notes: self.notes,
            tags: self.tags,
            mode: self.mode.parse().map_err(|error| wrong(Box::new(error)))?,
            configuration: self.configuration,
            max_domains: self.max_domains,
            names: self.names,
            stopped: self.stopped,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            phases,
        })
    }
}

/// A campaign row with its phases beside it, in one statement, so that both are from one moment.
const BY_ID: &str = "SELECT c.*, coalesce((SELECT json_agg(json_build_object('phase', p.phase, 'state', p.state, \
    'config', p.config, 'run_id', p.run_id, 'run_number', p.run_number, 'run_kind', p.run_kind, 'pinned', p.pinned, \
    'started_at', p.started_at, 'paused_at', p.paused_at, 'completed_at', p.completed_at, 'failed_at', p.failed_at, \
    'error', p.error, 'failure_cause', p.failure_cause, 'tallies', p.tallies, 'created_at', p.created_at, \
    'updated_at', p.updated_at)) FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id), '[]'::json) \
    AS phases FROM read.campaigns c WHERE c.campaign_id = $1";

/// Reads one campaign.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn by_id(
    executor: impl PgExecutor<'_>,
    campaign_id: CampaignId,
) -> Result<Option<Campaign>, sqlx::Error> {
    by_id_in(executor, Tables::Live, campaign_id).await
}

/// Reads one campaign from some tables.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub(crate) async fn by_id_in(
    executor: impl PgExecutor<'_>,
    tables: Tables,
    campaign_id: CampaignId,
) -> Result<Option<Campaign>, sqlx::Error> {
    let record: Option<CampaignRecord> = sqlx::query_as(&tables.of(BY_ID))
        .bind(campaign_id.0)
        .fetch_optional(executor)
        .await?;
    record.map(CampaignRecord::decode).transpose()
}

/// A run that is under way, paused or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The phase.
    pub phase: Phase,
    /// The run.
    pub run_id: RunId,
    /// Running or paused.
    pub state: PhaseState,
}

const ACTIVE: &str = "SELECT campaign_id, phase, run_id, state FROM read.campaign_phases \
    WHERE state IN ('running', 'paused') AND run_id IS NOT NULL ORDER BY started_at";

/// Lists every run that is under way.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn active_runs(pool: &PgPool) -> Result<Vec<UnderWay>, sqlx::Error> {
    let rows: Vec<(Uuid, String, Uuid, String)> = sqlx::query_as(ACTIVE).fetch_all(pool).await?;
    rows.into_iter()
        .map(|(campaign_id, phase, run_id, state)| {
            Ok(UnderWay {
                campaign_id: CampaignId(campaign_id),
                phase: phase
                    .parse()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                run_id: RunId(run_id),
                state: state
                    .parse()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            })
        })
        .collect()
}

const PINNED_OF_RUN: &str =
    "SELECT pinned FROM read.campaign_phases WHERE campaign_id = $1 AND run_id = $2";

/// Reads what a run works with; nothing when it is not the last run of its phase any more.
///
/// # Errors
/// When the database does not answer.
pub async fn pinned_of(
    pool: &PgPool,
    campaign_id: CampaignId,
    run_id: RunId,
) -> Result<Option<serde_json::Value>, sqlx::Error> {
    let pinned: Option<Option<serde_json::Value>> = sqlx::query_scalar(PINNED_OF_RUN)
        .bind(campaign_id.0)
        .bind(run_id.0)
        .fetch_optional(pool)
        .await?;
    Ok(pinned.flatten())
}

/// A campaign that stands between two phases of which the next one starts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The next phase could not start by itself, and shows why.
    pub refused: bool,
}

const DUE: &str = "SELECT c.campaign_id, EXISTS (SELECT FROM read.campaign_phases p \
    WHERE p.campaign_id = c.campaign_id AND p.error IS NOT NULL) FROM read.campaigns c \
    WHERE (c.mode = 'full_sequence' OR c.through IS NOT NULL) AND NOT c.stopped \
    AND EXISTS (SELECT FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id AND p.phase = 'discovery' \
                AND p.state = 'completed') \
    AND NOT EXISTS (SELECT FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id \
                    AND p.state IN ('running', 'paused', 'failed')) \
    AND (SELECT count(*) FROM read.campaign_phases p WHERE p.campaign_id = c.campaign_id \
         AND p.state = 'completed') \
        < CASE c.campaign_type WHEN 'generation' THEN 1 WHEN 'dns' THEN 2 WHEN 'http' THEN 3 ELSE 5 END";

/// Lists the campaigns that stand between two phases, in full sequence or within a rerun of several. The aggregate has the last word on whether
/// and which phase starts.
///
/// # Errors
/// When the database does not answer.
pub async fn due_for_auto_start(pool: &PgPool) -> Result<Vec<Due>, sqlx::Error> {
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(DUE).fetch_all(pool).await?;
    let due = rows.into_iter().map(|(campaign_id, refused)| Due {
        campaign_id: CampaignId(campaign_id),
        refused,
    });
    Ok(due.collect())
}
