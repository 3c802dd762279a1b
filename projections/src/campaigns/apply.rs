//! One campaign event → rows.

use aggregates::{
    campaign::{Event, Phase, PhaseConfig, RunKind},
    ids::{CampaignId, FileId, RunId},
};
use event_store::Recorded;
use serde::Serialize;
use sqlx::PgConnection;

use crate::runtime::ApplyError;

const CREATE: &str = "INSERT INTO campaigns (campaign_id, owner, name, description, mode, configuration, \
    max_domains, version, created_at, updated_at, campaign_type, notes, tags) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12)";
const CHANGE: &str = "UPDATE campaigns SET name = coalesce($2, name), description = coalesce($3, description), \
    configuration = coalesce($4, configuration), notes = coalesce($5, notes), tags = coalesce($6, tags) \
    WHERE campaign_id = $1";
const SET_MODE: &str = "UPDATE campaigns SET mode = $2 WHERE campaign_id = $1";
/// A phase that never failed has an error only where it could not start by itself.
const FORGET_REFUSALS: &str = "UPDATE campaign_phases SET error = NULL, updated_at = $3 WHERE campaign_id = $1 \
    AND phase = ANY($2) AND state IN ('not_started', 'configured') AND error IS NOT NULL";
const SET_NAMES: &str = "UPDATE campaigns SET names = $2 WHERE campaign_id = $1";
const SET_THROUGH: &str = "UPDATE campaigns SET through = $2 WHERE campaign_id = $1";
const END_THROUGH: &str =
    "UPDATE campaigns SET through = NULL WHERE campaign_id = $1 AND through = $2";
const SET_STOPPED: &str = "UPDATE campaigns SET stopped = $2 WHERE campaign_id = $1";
const TOUCH: &str = "UPDATE campaigns SET version = $2, updated_at = $3 WHERE campaign_id = $1";
/// A list is recorded in chunks, whose counts add up.
const UPLOADED: &str = "INSERT INTO campaign_uploads AS u (campaign_id, file_id, filename, sha256, names, uploaded_at, \
    uploaded_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (campaign_id, file_id) \
    DO UPDATE SET names = u.names + EXCLUDED.names";
const REMOVE: [&str; 3] = [
    "DELETE FROM campaign_uploads WHERE campaign_id = $1",
    "DELETE FROM campaign_phases WHERE campaign_id = $1",
    "DELETE FROM campaigns WHERE campaign_id = $1",
];
const CONFIGURE: &str = "INSERT INTO campaign_phases AS p (campaign_id, phase, state, config, created_at, updated_at) \
    VALUES ($1, $2, 'configured', $3, $4, $4) ON CONFLICT (campaign_id, phase) DO UPDATE SET \
    config = EXCLUDED.config, updated_at = EXCLUDED.updated_at, \
    error = CASE p.state WHEN 'failed' THEN p.error END, \
    state = CASE p.state WHEN 'not_started' THEN 'configured' ELSE p.state END";
const START: &str = "INSERT INTO campaign_phases AS p (campaign_id, phase, state, run_id, run_number, pinned, \
    started_at, created_at, updated_at, run_kind) VALUES ($1, $2, 'running', $3, $4, $5, $6, $6, $6, $7) \
    ON CONFLICT (campaign_id, phase) DO UPDATE SET state = 'running', run_id = EXCLUDED.run_id, \
    run_number = EXCLUDED.run_number, run_kind = EXCLUDED.run_kind, pinned = EXCLUDED.pinned, started_at = EXCLUDED.started_at, \
    paused_at = NULL, completed_at = NULL, failed_at = NULL, error = NULL, failure_cause = NULL, tallies = NULL, \
    updated_at = EXCLUDED.updated_at";
/// Later phases that are over wait again: what they said rests on results that the new run replaces.
const WAIT_AGAIN: &str = "UPDATE campaign_phases SET state = CASE WHEN config IS NULL THEN 'not_started' \
    ELSE 'configured' END, started_at = NULL, paused_at = NULL, completed_at = NULL, failed_at = NULL, error = NULL, \
    failure_cause = NULL, tallies = NULL, updated_at = $3 WHERE campaign_id = $1 AND phase = ANY($2) AND state IN ('completed', 'failed')";
const PAUSE: &str = "UPDATE campaign_phases SET state = 'paused', paused_at = $3, updated_at = $3 \
    WHERE campaign_id = $1 AND phase = $2";
const RESUME: &str = "UPDATE campaign_phases SET state = 'running', paused_at = NULL, updated_at = $3 \
    WHERE campaign_id = $1 AND phase = $2";
const COMPLETE: &str = "UPDATE campaign_phases SET state = 'completed', completed_at = $3, paused_at = NULL, \
    tallies = $4, updated_at = $3 WHERE campaign_id = $1 AND phase = $2";
/// The phase waits as before, with the reason shown.
const REFUSE: &str = "INSERT INTO campaign_phases AS p (campaign_id, phase, state, error, created_at, updated_at) \
    VALUES ($1, $2, 'not_started', $4, $3, $3) ON CONFLICT (campaign_id, phase) DO UPDATE SET \
    error = EXCLUDED.error, updated_at = EXCLUDED.updated_at";
const FAIL: &str = "UPDATE campaign_phases SET state = 'failed', failed_at = $3, paused_at = NULL, error = $4, \
    failure_cause = $5, updated_at = $3 WHERE campaign_id = $1 AND phase = $2";

fn json(event: &Recorded, value: &impl Serialize) -> Result<serde_json::Value, ApplyError> {
    serde_json::to_value(value).map_err(|error| ApplyError::poison(event, error))
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    event: &Recorded,
    happened: Event,
) -> Result<(), ApplyError> {
    let at = event.recorded_at;
    let id = campaign_id.0;
    let version = number(event.sequence);
    match happened {
        Event::Created {
            owner,
            campaign_type,
            name,
            description,
            notes,
            tags,
            mode,
            configuration,
            max_domains,
        } => {
            sqlx::query(CREATE)
                .bind(id)
                .bind(owner.0)
                .bind(name)
                .bind(description)
                .bind(mode.name())
                .bind(configuration)
                .bind(max_domains.map(number))
                .bind(version)
                .bind(at)
                .bind(campaign_type.name())
                .bind(notes)
                .bind(tags)
                .execute(connection)
                .await?;
            return Ok(());
        }
        Event::DetailsChanged {
            name,
            description,
            configuration,
            notes,
            tags,
        } => {
            sqlx::query(CHANGE)
                .bind(id)
                .bind(name)
                .bind(description)
                .bind(configuration)
                .bind(notes)
                .bind(tags)
                .execute(&mut *connection)
                .await?;
        }
        Event::ModeChanged { mode } => {
            let statement = sqlx::query(SET_MODE).bind(id).bind(mode.name());
            statement.execute(&mut *connection).await?;
            set_through(connection, campaign_id, None).await?;
            forget_refusals(connection, campaign_id, Phase::Discovery, event).await?;
        }
        Event::PhaseConfigured { config } => {
            configure(connection, campaign_id, &config, event).await?;
        }
        Event::ScoringProfileAssigned { scoring_profile } => {
            let config = PhaseConfig::Analysis {
                scoring_profile: Some(scoring_profile),
            };
            configure(connection, campaign_id, &config, event).await?;
        }
        Event::DomainsImported {
            file_id,
            sha256,
            filename,
            first_ordinal,
            names,
            ..
        } => {
            let count = names.len() as u64;
            uploaded(
                connection,
                campaign_id,
                (file_id, filename, sha256, count),
                event,
            )
            .await?;
            set_names(connection, campaign_id, first_ordinal.saturating_add(count)).await?;
        }
        Event::DomainsTaken {
            first_ordinal,
            names,
            ..
        } => {
            let to = first_ordinal.saturating_add(names.len() as u64);
            set_names(connection, campaign_id, to).await?;
        }
        Event::DomainsGenerated {
            first_ordinal,
            names,
            ..
        } => {
            set_names(connection, campaign_id, first_ordinal.saturating_add(names)).await?;
        }
        Event::PhaseStarted {
            phase,
            run_id,
            run_number,
            pinned,
            kind,
            through,
            ..
        } => {
            let run = (phase, run_id, run_number, kind);
            let pinned = json(event, &pinned)?;
            start(connection, campaign_id, run, pinned, event).await?;
            set_through(connection, campaign_id, through).await?;
        }
        Event::PhasePaused { phase, .. } => {
            let statement = sqlx::query(PAUSE).bind(id).bind(phase.name()).bind(at);
            statement.execute(&mut *connection).await?;
        }
        Event::PhaseResumed { phase, .. } => {
            let statement = sqlx::query(RESUME).bind(id).bind(phase.name()).bind(at);
            statement.execute(&mut *connection).await?;
        }
        Event::PhaseCompleted { phase, tallies, .. } => {
            let tallies = json(event, &tallies)?;
            let statement = sqlx::query(COMPLETE)
                .bind(id)
                .bind(phase.name())
                .bind(at)
                .bind(tallies);
            statement.execute(&mut *connection).await?;
            let statement = sqlx::query(END_THROUGH).bind(id).bind(phase.name());
            statement.execute(&mut *connection).await?;
        }
        Event::PhaseFailed {
            phase,
            cause,
            message,
            ..
        } => {
            let statement = sqlx::query(FAIL)
                .bind(id)
                .bind(phase.name())
                .bind(at)
                .bind(message)
                .bind(cause.name());
            statement.execute(&mut *connection).await?;
        }
        Event::PhaseStartRefused { phase, message } => {
            let statement = sqlx::query(REFUSE)
                .bind(id)
                .bind(phase.name())
                .bind(at)
                .bind(message);
            statement.execute(&mut *connection).await?;
        }
        // The status is computed from the phases; what a copy has and how a restart begins come in events of their own.
        Event::Completed {}
        | Event::Duplicated { .. }
        | Event::Rescored { .. }
        | Event::Restarted { .. }
        | Event::CountersReconciled { .. } => {}
        Event::Stopped {} => {
            let statement = sqlx::query(SET_STOPPED).bind(id).bind(true);
            statement.execute(&mut *connection).await?;
        }
        Event::Deleted {} => {
            for statement in REMOVE {
                sqlx::query(statement)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
            }
            return Ok(());
        }
    }
    let touch = sqlx::query(TOUCH).bind(id).bind(version).bind(at);
    touch.execute(connection).await?;
    Ok(())
}

async fn configure(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    config: &PhaseConfig,
    event: &Recorded,
) -> Result<(), ApplyError> {
    sqlx::query(CONFIGURE)
        .bind(campaign_id.0)
        .bind(config.phase().name())
        .bind(json(event, config)?)
        .bind(event.recorded_at)
        .execute(connection)
        .await?;
    Ok(())
}

async fn uploaded(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    (file_id, filename, sha256, names): (FileId, Option<String>, String, u64),
    event: &Recorded,
) -> Result<(), ApplyError> {
    let metadata = event
        .metadata()
        .map_err(|error| ApplyError::poison(event, error))?;
    sqlx::query(UPLOADED)
        .bind(campaign_id.0)
        .bind(file_id.0)
        .bind(filename)
        .bind(sha256)
        .bind(number(names))
        .bind(event.recorded_at)
        .bind(metadata.actor.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_names(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    names: u64,
) -> Result<(), ApplyError> {
    let statement = sqlx::query(SET_NAMES)
        .bind(campaign_id.0)
        .bind(number(names));
    statement.execute(connection).await?;
    Ok(())
}

async fn set_through(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    through: Option<Phase>,
) -> Result<(), ApplyError> {
    let statement = sqlx::query(SET_THROUGH)
        .bind(campaign_id.0)
        .bind(through.map(Phase::name));
    statement.execute(connection).await?;
    Ok(())
}

async fn start(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    (phase, run_id, run_number, kind): (Phase, RunId, u32, RunKind),
    pinned: serde_json::Value,
    event: &Recorded,
) -> Result<(), ApplyError> {
    sqlx::query(START)
        .bind(campaign_id.0)
        .bind(phase.name())
        .bind(run_id.0)
        .bind(i32::try_from(run_number).unwrap_or(i32::MAX))
        .bind(pinned)
        .bind(event.recorded_at)
        .bind(kind.name())
        .execute(&mut *connection)
        .await?;
    sqlx::query(WAIT_AGAIN)
        .bind(campaign_id.0)
        .bind(names_of(|later| later > phase))
        .bind(event.recorded_at)
        .execute(&mut *connection)
        .await?;
    forget_refusals(connection, campaign_id, phase, event).await?;
    sqlx::query(SET_STOPPED)
        .bind(campaign_id.0)
        .bind(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets why phases from `first` on could not start by themselves.
async fn forget_refusals(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    first: Phase,
    event: &Recorded,
) -> Result<(), ApplyError> {
    sqlx::query(FORGET_REFUSALS)
        .bind(campaign_id.0)
        .bind(names_of(|phase| phase >= first))
        .bind(event.recorded_at)
        .execute(connection)
        .await?;
    Ok(())
}

fn names_of(wanted: impl Fn(Phase) -> bool) -> Vec<&'static str> {
    Phase::ALL
        .into_iter()
        .filter(|phase| wanted(*phase))
        .map(Phase::name)
        .collect()
}
