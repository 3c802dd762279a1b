//! Work orders in PostgreSQL: `FOR UPDATE SKIP LOCKED` into a lease.

use std::{collections::BTreeMap, time::Duration};

use aggregates::{
    campaign::{Phase, Tallies},
    ids::{CampaignId, RunId},
};
use event_store::{Database, Transaction};
use futures::{FutureExt, future::BoxFuture};
use uuid::Uuid;

use super::{Finished, Order, OrderError, Orders, Release};

/// Work orders in the tables `run_plans` and `work_orders`.
#[derive(Clone, Debug)]
pub struct PostgresOrders {
    database: Database,
}

impl PostgresOrders {
    /// Uses the orders of a database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

/// Nothing for a run that is over: whoever plans may read a model that does not know it yet. The gate is locked against
/// [`OVER`] until the orders are written too, or they would outlive it.
const PLAN: &str = "INSERT INTO run_plans (run_id, campaign_id, phase, items) SELECT $1, $2, $3, $4 FROM run_gates \
    WHERE run_id = $1 AND state IN ('running', 'paused') FOR KEY SHARE ON CONFLICT DO NOTHING";
const WRITE_ORDERS: &str = "INSERT INTO work_orders (run_id, first_ordinal, last_ordinal) \
    SELECT $1, o.first, o.last FROM unnest($2::bigint[], $3::bigint[]) AS o(first, last)";
const IS_PLANNED: &str = "SELECT EXISTS (SELECT FROM run_plans WHERE run_id = $1)";

/// The order that is due of the run that was served longest ago, of those that may be served; orders that others are
/// busy with are passed over.
const CHOOSE: &str = "SELECT r.run_id, r.campaign_id, r.phase, o.first_ordinal FROM \
    (SELECT p.run_id, p.campaign_id, p.phase FROM run_plans p JOIN run_gates g USING (run_id) \
     WHERE g.state = 'running' AND p.run_id <> ALL($1) ORDER BY p.last_claimed_at) r \
    CROSS JOIN LATERAL (SELECT w.first_ordinal FROM work_orders w WHERE w.run_id = r.run_id AND w.state <> 'done' \
     AND (w.state = 'pending' OR w.leased_until < clock_timestamp()) AND w.not_before <= clock_timestamp() \
     ORDER BY w.first_ordinal LIMIT 1 FOR UPDATE SKIP LOCKED) o LIMIT 1";
/// Makes a pause that was answered one that the statements after this see, and one that comes now wait for the few
/// statements until the lease is written. Always after the order's own lock, so that nobody waits in a circle.
const LOCK_GATE: &str = "SELECT lock_run_gate($1)";
const READ_GATE: &str = "SELECT state FROM run_gates WHERE run_id = $1";
const LEASE: &str = "UPDATE work_orders SET state = 'leased', epoch = epoch + 1, worker = $3, \
    leased_until = clock_timestamp() + $4 * interval '1 millisecond' \
    WHERE run_id = $1 AND first_ordinal = $2 RETURNING last_ordinal, epoch, failures";
const SERVED: &str = "UPDATE run_plans SET last_claimed_at = clock_timestamp() WHERE run_id = $1";
/// Nothing for a run that is over: whoever works on it is to stop.
const RENEW: &str = "UPDATE work_orders SET leased_until = clock_timestamp() + $4 * interval '1 millisecond' \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3 AND state = 'leased' \
    AND EXISTS (SELECT FROM run_gates WHERE run_id = $1 AND state IN ('running', 'paused'))";
const RELEASE: &str = "UPDATE work_orders SET state = 'pending', worker = NULL, leased_until = NULL, \
    failures = failures + $4, not_before = clock_timestamp() + $5 * interval '1 millisecond' \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3 AND state = 'leased'";
const FENCE_ORDER: &str = "SELECT epoch = $3 AND state = 'leased' FROM work_orders \
    WHERE run_id = $1 AND first_ordinal = $2 FOR UPDATE";
const FINISH: &str = "UPDATE work_orders SET state = 'done', leased_until = NULL, tallies = $4 \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3";
/// A paused run whose work is done stays paused until it is resumed.
const FINISHED: &str = "SELECT p.campaign_id, p.phase, p.run_id, (SELECT json_object_agg(t.key, t.n) FROM \
    (SELECT e.key, sum(e.value::bigint) AS n FROM work_orders o, jsonb_each_text(o.tallies) e \
     WHERE o.run_id = p.run_id GROUP BY e.key) t) \
    FROM run_plans p JOIN run_gates g USING (run_id) WHERE g.state = 'running' \
    AND NOT EXISTS (SELECT FROM work_orders o WHERE o.run_id = p.run_id AND o.state <> 'done')";
const OPEN: &str = "SELECT o.state, count(*) FROM work_orders o JOIN run_gates g USING (run_id) \
    WHERE o.state <> 'done' AND (g.state IN ('running', 'paused') OR o.state = 'leased') GROUP BY o.state";
/// Runs that are over and that nobody is planning at this moment; the rest of them another time.
const OVER: &str = "SELECT run_id FROM run_gates WHERE state IN ('completed', 'failed') LIMIT 1000 \
    FOR UPDATE SKIP LOCKED";
/// In the order of their references. Without its gate a run is over as with it: late results are refused. Its plan
/// stays, a row a run: what was due is what `replay check` holds the run's results against.
const FORGET: [&str; 2] = [
    "DELETE FROM work_orders WHERE run_id = ANY($1)",
    "DELETE FROM run_gates WHERE run_id = ANY($1)",
];

fn milliseconds(lease: Duration) -> f64 {
    lease.as_secs_f64() * 1_000.0
}

impl PostgresOrders {
    async fn write_plan(
        &self,
        (campaign_id, phase, run_id): (CampaignId, Phase, RunId),
        ranges: &[(i64, i64, i64)],
    ) -> Result<bool, OrderError> {
        let mut transaction = self.database.pool().begin().await?;
        let items: i64 = ranges.iter().map(|(_, _, items)| items).sum();
        let written = sqlx::query(PLAN)
            .bind(run_id.0)
            .bind(campaign_id.0)
            .bind(phase.name())
            .bind(items)
            .execute(&mut *transaction)
            .await?;
        if written.rows_affected() == 0 {
            return Ok(false);
        }
        let (firsts, lasts): (Vec<i64>, Vec<i64>) = ranges
            .iter()
            .map(|(first, last, _)| (*first, *last))
            .unzip();
        sqlx::query(WRITE_ORDERS)
            .bind(run_id.0)
            .bind(firsts)
            .bind(lasts)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn lease_one(
        &self,
        worker: &str,
        lease: Duration,
        sated: &[RunId],
    ) -> Result<Option<Order>, OrderError> {
        let sated: Vec<Uuid> = sated.iter().map(|run| run.0).collect();
        let mut transaction = self.database.pool().begin().await?;
        let chosen: Option<(Uuid, Uuid, String, i64)> = sqlx::query_as(CHOOSE)
            .bind(sated)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((run, campaign, phase, first)) = chosen else {
            return Ok(None);
        };
        sqlx::query(LOCK_GATE)
            .bind(run)
            .execute(&mut *transaction)
            .await?;
        let gate: Option<String> = sqlx::query_scalar(READ_GATE)
            .bind(run)
            .fetch_optional(&mut *transaction)
            .await?;
        if gate.as_deref() != Some("running") {
            return Ok(None);
        }
        let (last, epoch, failures): (i64, i32, i32) = sqlx::query_as(LEASE)
            .bind(run)
            .bind(first)
            .bind(worker)
            .bind(milliseconds(lease))
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(SERVED)
            .bind(run)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Order {
            run_id: RunId(run),
            campaign_id: CampaignId(campaign),
            phase: phase_of(&phase)?,
            first,
            last,
            epoch,
            failures,
        }))
    }
}

fn phase_of(name: &str) -> Result<Phase, OrderError> {
    name.parse()
        .map_err(|_| OrderError::UnknownPhase(name.to_owned()))
}

impl Orders for PostgresOrders {
    fn plan<'a>(
        &'a self,
        run: (CampaignId, Phase, RunId),
        ranges: &'a [(i64, i64, i64)],
    ) -> BoxFuture<'a, Result<bool, OrderError>> {
        self.write_plan(run, ranges).boxed()
    }

    fn is_planned(&self, run_id: RunId) -> BoxFuture<'_, Result<bool, OrderError>> {
        async move {
            let planned = sqlx::query_scalar(IS_PLANNED).bind(run_id.0);
            Ok(planned.fetch_one(self.database.pool()).await?)
        }
        .boxed()
    }

    fn claim<'a>(
        &'a self,
        worker: &'a str,
        lease: Duration,
        sated: &'a [RunId],
    ) -> BoxFuture<'a, Result<Option<Order>, OrderError>> {
        self.lease_one(worker, lease, sated).boxed()
    }

    fn renew<'a>(
        &'a self,
        order: &'a Order,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, OrderError>> {
        async move {
            let renewed = sqlx::query(RENEW)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
                .bind(milliseconds(lease))
                .execute(self.database.pool())
                .await?;
            Ok(renewed.rows_affected() == 1)
        }
        .boxed()
    }

    fn release<'a>(
        &'a self,
        order: &'a Order,
        because: Release,
    ) -> BoxFuture<'a, Result<(), OrderError>> {
        let (failures, rest) = match because {
            Release::Undone => (0, Duration::ZERO),
            Release::Failed { rest } => (1, rest),
        };
        async move {
            sqlx::query(RELEASE)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
                .bind(failures)
                .bind(milliseconds(rest))
                .execute(self.database.pool())
                .await?;
            Ok(())
        }
        .boxed()
    }

    fn fence<'a>(
        &'a self,
        transaction: &'a mut Transaction,
        order: &'a Order,
    ) -> BoxFuture<'a, Result<Finished, OrderError>> {
        async move {
            let held: Option<bool> = sqlx::query_scalar(FENCE_ORDER)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
                .fetch_optional(transaction.connection())
                .await?;
            sqlx::query(LOCK_GATE)
                .bind(order.run_id.0)
                .execute(transaction.connection())
                .await?;
            let gate: Option<String> = sqlx::query_scalar(READ_GATE)
                .bind(order.run_id.0)
                .fetch_optional(transaction.connection())
                .await?;
            Ok(match gate.as_deref() {
                Some("running" | "paused") if held == Some(true) => Finished::Done,
                Some("running" | "paused") => Finished::LeaseLost,
                _ => Finished::RunOver,
            })
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        transaction: &'a mut Transaction,
        order: &'a Order,
        tallies: &'a Tallies,
    ) -> BoxFuture<'a, Result<(), OrderError>> {
        async move {
            sqlx::query(FINISH)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
                .bind(sqlx::types::Json(tallies))
                .execute(transaction.connection())
                .await?;
            Ok(())
        }
        .boxed()
    }

    fn finished_runs(
        &self,
    ) -> BoxFuture<'_, Result<Vec<(CampaignId, Phase, RunId, Tallies)>, OrderError>> {
        async move {
            type Row = (Uuid, String, Uuid, Option<sqlx::types::Json<Tallies>>);
            let rows: Vec<Row> = sqlx::query_as(FINISHED)
                .fetch_all(self.database.pool())
                .await?;
            rows.into_iter()
                .map(|(campaign, phase, run, tallies)| {
                    let tallies = tallies.map(|json| json.0).unwrap_or_default();
                    Ok((CampaignId(campaign), phase_of(&phase)?, RunId(run), tallies))
                })
                .collect()
        }
        .boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<BTreeMap<String, i64>, OrderError>> {
        async move {
            let rows: Vec<(String, i64)> =
                sqlx::query_as(OPEN).fetch_all(self.database.pool()).await?;
            Ok(rows.into_iter().collect())
        }
        .boxed()
    }

    fn tidy(&self) -> BoxFuture<'_, Result<u64, OrderError>> {
        async move {
            let mut transaction = self.database.pool().begin().await?;
            let over: Vec<Uuid> = sqlx::query_scalar(OVER)
                .fetch_all(&mut *transaction)
                .await?;
            if over.is_empty() {
                return Ok(0);
            }
            for statement in FORGET {
                sqlx::query(statement)
                    .bind(&over)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            Ok(over.len() as u64)
        }
        .boxed()
    }
}
