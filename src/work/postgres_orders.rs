//! Work orders in PostgreSQL: `FOR UPDATE SKIP LOCKED` into a lease.

use std::{collections::BTreeMap, time::Duration};

use aggregates::{
    campaign::{Phase, Tallies},
    ids::{CampaignId, RunId},
};
use event_store::{Database, Transaction};
use futures::{FutureExt, future::BoxFuture};
use uuid::Uuid;

use super::{Finished, Order, OrderError, Orders};

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

const PLAN: &str = "INSERT INTO run_plans (run_id, campaign_id, phase, items) VALUES ($1, $2, $3, $4) \
    ON CONFLICT DO NOTHING";
const WRITE_ORDERS: &str = "INSERT INTO work_orders (run_id, first_ordinal, last_ordinal) \
    SELECT $1, o.first, o.last FROM unnest($2::bigint[], $3::bigint[]) AS o(first, last)";
const IS_PLANNED: &str = "SELECT EXISTS (SELECT FROM run_plans WHERE run_id = $1)";

/// The share lock on the gate makes a pause that was answered one that this claim sees, and one that comes now wait
/// for the few statements until the lease is written.
const CHOOSE_RUN: &str = "SELECT p.run_id, p.campaign_id, p.phase FROM run_plans p JOIN run_gates g USING (run_id) \
    WHERE g.state = 'running' AND EXISTS (SELECT FROM work_orders o WHERE o.run_id = p.run_id AND (o.state = 'pending' \
    OR (o.state = 'leased' AND o.leased_until < clock_timestamp()))) \
    ORDER BY p.last_claimed_at LIMIT 1 FOR SHARE OF g";
const LEASE: &str = "UPDATE work_orders o SET state = 'leased', epoch = o.epoch + 1, worker = $2, \
    leased_until = clock_timestamp() + $3 * interval '1 millisecond', attempts = o.attempts + 1 \
    WHERE (o.run_id, o.first_ordinal) = (SELECT run_id, first_ordinal FROM work_orders WHERE run_id = $1 \
        AND (state = 'pending' OR (state = 'leased' AND leased_until < clock_timestamp())) \
        ORDER BY first_ordinal LIMIT 1 FOR UPDATE SKIP LOCKED) \
    RETURNING o.first_ordinal, o.last_ordinal, o.epoch";
const SERVED: &str = "UPDATE run_plans SET last_claimed_at = clock_timestamp() WHERE run_id = $1";
const RENEW: &str = "UPDATE work_orders SET leased_until = clock_timestamp() + $4 * interval '1 millisecond' \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3 AND state = 'leased'";
const RELEASE: &str = "UPDATE work_orders SET state = 'pending', worker = NULL, leased_until = NULL \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3 AND state = 'leased'";
const FENCE_GATE: &str = "SELECT state FROM run_gates WHERE run_id = $1 FOR SHARE";
const FENCE_ORDER: &str = "SELECT epoch = $3 AND state = 'leased' FROM work_orders \
    WHERE run_id = $1 AND first_ordinal = $2 FOR UPDATE";
const FINISH: &str = "UPDATE work_orders SET state = 'done', leased_until = NULL, tallies = $4 \
    WHERE run_id = $1 AND first_ordinal = $2 AND epoch = $3";
const FINISHED: &str = "SELECT p.campaign_id, p.phase, p.run_id, (SELECT json_object_agg(t.key, t.n) FROM \
    (SELECT e.key, sum(e.value::bigint) AS n FROM work_orders o, jsonb_each_text(o.tallies) e \
     WHERE o.run_id = p.run_id GROUP BY e.key) t) \
    FROM run_plans p JOIN run_gates g USING (run_id) WHERE g.state IN ('running', 'paused') \
    AND NOT EXISTS (SELECT FROM work_orders o WHERE o.run_id = p.run_id AND o.state <> 'done')";
const OPEN: &str = "SELECT o.state, count(*) FROM work_orders o JOIN run_gates g USING (run_id) \
    WHERE o.state <> 'done' AND (g.state IN ('running', 'paused') OR o.state = 'leased') GROUP BY o.state";
const TIDY: &str = "DELETE FROM work_orders o USING run_gates g WHERE o.run_id = g.run_id \
    AND g.state IN ('completed', 'failed')";

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

    async fn lease_one(&self, worker: &str, lease: Duration) -> Result<Option<Order>, OrderError> {
        let mut transaction = self.database.pool().begin().await?;
        let chosen: Option<(Uuid, Uuid, String)> = sqlx::query_as(CHOOSE_RUN)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((run, campaign, phase)) = chosen else {
            return Ok(None);
        };
        let leased: Option<(i64, i64, i32)> = sqlx::query_as(LEASE)
            .bind(run)
            .bind(worker)
            .bind(milliseconds(lease))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((first, last, epoch)) = leased else {
            return Ok(None);
        };
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
    ) -> BoxFuture<'a, Result<Option<Order>, OrderError>> {
        self.lease_one(worker, lease).boxed()
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

    fn release<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<(), OrderError>> {
        async move {
            sqlx::query(RELEASE)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
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
            let gate: Option<String> = sqlx::query_scalar(FENCE_GATE)
                .bind(order.run_id.0)
                .fetch_optional(transaction.connection())
                .await?;
            if !gate.is_some_and(|state| state == "running" || state == "paused") {
                return Ok(Finished::RunOver);
            }
            let held: Option<bool> = sqlx::query_scalar(FENCE_ORDER)
                .bind(order.run_id.0)
                .bind(order.first)
                .bind(order.epoch)
                .fetch_optional(transaction.connection())
                .await?;
            Ok(if held == Some(true) {
                Finished::Done
            } else {
                Finished::LeaseLost
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
            Ok(sqlx::query(TIDY)
                .execute(self.database.pool())
                .await?
                .rows_affected())
        }
        .boxed()
    }
}
