//! The watchdog: finds what should be moving and is not, and says so.
//!
//! It reads what the coordinator and the workers leave behind, so that any process sees the standstills of all of them. It
//! mends nothing: what it finds is either an outage (no worker, no coordinator) or a fault of ours.

use std::{collections::HashSet, fmt, time::Duration};

use aggregates::{
    campaign::Phase,
    ids::{CampaignId, RunId},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::unread::{Unread, unread};

/// How long something may stand before it is told: far longer than a lease, or a look of the coordinator's.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long a run's work may be with workers that renew their leases, and finish nothing and take nothing more, in spans of
/// that patience: half an hour, where orders take seconds, and minutes where every site is slow.
const HELD: f64 = 20.0;

/// What stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A run was started and has no work orders.
    Unplanned,
    /// Work is waiting, and no worker takes it.
    Unclaimed,
    /// Workers have all work that is left, say that they live, and finish none of it.
    Held,
    /// All work of a run is done, and it is not completed.
    Uncompleted,
    /// The next phase should start by itself, and neither starts nor says why.
    Unstarted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unplanned => "a run was started, and its work is not planned",
            Self::Unclaimed => "work is waiting, and no worker takes it",
            Self::Held => "workers hold the work that is left, and finish none of it",
            Self::Uncompleted => "all work of a run is done, and it is not completed",
            Self::Unstarted => {
                "the next phase should start by itself, and neither starts nor says why"
            }
        })
    }
}

/// Something that should be moving and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standstill {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The run, where one is under way.
    pub run: Option<(Phase, RunId)>,
    /// What is missing.
    pub cause: Cause,
}

impl fmt::Display for Standstill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run {
            Some((phase, run_id)) => write!(
                f,
                "campaign {}, {phase}, run {run_id}: {}",
                self.campaign_id, self.cause
            ),
            None => write!(f, "campaign {}: {}", self.campaign_id, self.cause),
        }
    }
}

/// A run's orders move when one is claimed or given back to rest; a claimed one is its worker's until its lease ends. A
/// worker that hangs renews its lease like one that works, so that a lease counts for so long after the last claim only.
const RUNS: &str = "SELECT g.campaign_id, g.phase, g.run_id, \
    CASE WHEN p.run_id IS NULL THEN 'unplanned' WHEN o.open = 0 THEN 'uncompleted' \
        WHEN o.leased_until > now() THEN 'held' ELSE 'unclaimed' END \
    FROM run_gates g JOIN read.campaign_phases c ON c.run_id = g.run_id \
    LEFT JOIN run_plans p ON p.run_id = g.run_id \
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE state <> 'done') AS open, \
        max(leased_until) AS leased_until, max(not_before) AS not_before FROM work_orders w WHERE w.run_id = g.run_id) o \
    WHERE g.state = 'running' \
    AND greatest(c.started_at, c.updated_at, p.planned_at, p.last_claimed_at, o.not_before, \
        least(o.leased_until, p.last_claimed_at + make_interval(secs => $1::float8 * $2::float8))) \
        < now() - make_interval(secs => $1)";

const STARTS: &str = "SELECT campaign_id FROM read.campaigns WHERE campaign_id = ANY($1) \
    AND updated_at < now() - make_interval(secs => $2)";

/// Finds everything that has stood for longer than this.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn standstills(
    pool: &PgPool,
    patience: Duration,
) -> Result<Vec<Standstill>, sqlx::Error> {
    let rows: Vec<(Uuid, String, Uuid, String)> = sqlx::query_as(RUNS)
        .bind(patience.as_secs_f64())
        .bind(HELD)
        .fetch_all(pool)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (campaign, phase, run, cause) in rows {
        let phase = phase
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        found.push(Standstill {
            campaign_id: CampaignId(campaign),
            run: Some((phase, RunId(run))),
            cause: match cause.as_str() {
                "unplanned" => Cause::Unplanned,
                "uncompleted" => Cause::Uncompleted,
                "held" => Cause::Held,
                _ => Cause::Unclaimed,
            },
        });
    }
    // What could not start says why where it is shown.
    let due = projections::campaigns::due_for_auto_start(pool).await?;
    let due = due.iter().filter(|due| !due.refused);
    let due: Vec<Uuid> = due.map(|due| due.campaign_id.0).collect();
    let unstarted: Vec<Uuid> = sqlx::query_scalar(STARTS)
        .bind(due)
        .bind(patience.as_secs_f64())
        .fetch_all(pool)
        .await?;
    found.extend(unstarted.into_iter().map(|campaign| Standstill {
        campaign_id: CampaignId(campaign),
        run: None,
        cause: Cause::Unstarted,
    }));
    Ok(found)
}

/// Tells of standstills once, and when they are over.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    told: HashSet<Standstill>,
    unread: HashSet<Unread>,
}

impl Watchdog {
    /// Looks, and tells what has changed since the last look.
    pub(super) async fn look(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let found: HashSet<Standstill> = standstills(pool, PATIENCE).await?.into_iter().collect();
        for standstill in found.difference(&self.told) {
            tracing::error!(campaign.id = %standstill.campaign_id, "stands still: {standstill}");
        }
        for standstill in self.told.difference(&found) {
            tracing::info!(campaign.id = %standstill.campaign_id, "moves again: {standstill}");
        }
        self.told = found;
        let found: HashSet<Unread> = unread(pool, PATIENCE).await?.into_iter().collect();
        for one in found.difference(&self.unread) {
            tracing::error!(projection = one.projection, "stands still: {one}");
        }
        for one in self.unread.difference(&found) {
            tracing::info!(projection = one.projection, "moves again: {one}");
        }
        self.unread = found;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aggregates::campaign::{CampaignType, Event, Mode, PhaseConfig, Source, Tallies};
    use event_store::Database;
    use projections::{campaigns::Campaigns, runtime::Runtime};

    use super::*;
    use crate::work::{
        Orders as _, PostgresOrders,
        testing::{append, database, leased},
    };

    async fn causes(database: &Database) -> Vec<Cause> {
        let runtime = Runtime::new(database.clone(), vec![std::sync::Arc::new(Campaigns)]);
        while database.sequence().await.unwrap().is_none() {}
        runtime.catch_up().await.unwrap();
        let found = standstills(database.pool(), Duration::ZERO).await.unwrap();
        found.iter().map(|one| one.cause).collect()
    }

    #[tokio::test]
    async fn a_run_that_nobody_plans_takes_or_completes_is_found_and_one_that_moves_or_is_paused_is_not()
     {
        let (_test, database) = database().await;
        let order = leased(&database).await;
        // Its worker has it, which only who has no patience at all takes for a standstill.
        assert_eq!(causes(&database).await, [Cause::Held]);
        let patient = standstills(database.pool(), PATIENCE).await.unwrap();
        assert_eq!(patient, []);
        let set = async |statement: &str| {
            sqlx::query(statement)
                .execute(database.pool())
                .await
                .unwrap();
        };
        // Its worker says so still, and took nothing more since yesterday.
        set("UPDATE run_plans SET planned_at = now() - interval '1 day', last_claimed_at = now() - interval '1 day'").await;
        set("UPDATE read.campaign_phases SET started_at = now() - interval '1 day', updated_at = now() - interval '1 day'").await;
        let held = standstills(database.pool(), PATIENCE).await.unwrap();
        assert_eq!(
            held.iter().map(|one| one.cause).collect::<Vec<_>>(),
            [Cause::Held]
        );
        set("UPDATE run_plans SET last_claimed_at = now() - interval '5 minutes'").await;
        let patient = standstills(database.pool(), PATIENCE).await.unwrap();
        assert_eq!(patient, [], "a slow order is no standstill");
        set("UPDATE work_orders SET leased_until = now() - interval '1 minute'").await;
        assert_eq!(causes(&database).await, [Cause::Unclaimed]);
        set("UPDATE work_orders SET not_before = now() + interval '1 minute'").await;
        assert_eq!(causes(&database).await, [], "it rests");
        set("UPDATE work_orders SET not_before = '-infinity', state = 'done'").await;
        assert_eq!(causes(&database).await, [Cause::Uncompleted]);
        assert_eq!(
            standstills(database.pool(), PATIENCE).await.unwrap(),
            [],
            "it has not stood for long"
        );
        set("DELETE FROM work_orders").await;
        set("DELETE FROM run_plans").await;
        assert_eq!(causes(&database).await, [Cause::Unplanned]);
        let (phase, run_id) = (order.phase, order.run_id);
        let paused = Event::PhasePaused { phase, run_id };
        append(&database, order.campaign_id, 1, &[paused]).await;
        assert_eq!(causes(&database).await, []);
        let orders = PostgresOrders::new(database.clone());
        assert_eq!(orders.open().await.unwrap().len(), 0);
    }

    #[tokio::test]
    async fn a_phase_that_should_start_by_itself_and_does_not_is_found_unless_it_says_why() {
        let (_test, database) = database().await;
        let campaign_id = CampaignId(Uuid::now_v7());
        let config = PhaseConfig::Discovery {
            source: Source::Import,
        };
        let run_id = RunId(Uuid::now_v7());
        let phase = Phase::Discovery;
        let events = [
            Event::Created {
                owner: aggregates::ids::UserId(Uuid::now_v7()),
                campaign_type: CampaignType::Dns,
                name: "names".to_owned(),
                description: None,
                notes: None,
                tags: Vec::new(),
                mode: Mode::FullSequence,
                configuration: serde_json::json!({}),
                max_domains: None,
            },
            Event::PhaseConfigured { config },
            Event::PhaseCompleted {
                phase,
                run_id,
                tallies: Tallies::new(),
            },
        ];
        append(&database, campaign_id, 0, &events).await;
        assert_eq!(causes(&database).await, [Cause::Unstarted]);
        let refused = Event::PhaseStartRefused {
            phase: Phase::Validation,
            message: "there is no such persona".to_owned(),
        };
        append(&database, campaign_id, 3, &[refused]).await;
        assert_eq!(causes(&database).await, []);
    }
}
