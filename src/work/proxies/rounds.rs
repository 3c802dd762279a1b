//! Checks of the proxies of pools, by themselves.
//!
//! Any number of nodes make rounds: what is due is claimed in the database, so that each check is made by one of them, and
//! a claim ends by itself where its node does not.

use std::time::Duration;

use aggregates::{Actor, Metadata, ids::ProxyId};
use event_store::describe;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Asked, check::Error};
use crate::app::App;

/// How often is looked for what is due.
const LOOK: Duration = Duration::from_secs(1);
/// Checks that one node has claimed at most.
const CLAIMED: usize = 64;

/// What is due: proxies that are on, of pools that are on and check theirs, which were not checked for the shortest
/// interval of these. The longest of their times is given to the check. A claim outlives every check.
const CLAIM: &str = "
UPDATE proxy_checks c SET claimed_until = now() + interval '5 minutes'
FROM (
    SELECT c.proxy_id, wanted.timeout
    FROM proxy_checks c
    JOIN read.proxies p ON p.proxy_id = c.proxy_id AND p.enabled
    CROSS JOIN LATERAL (
        SELECT min(pool.health_check_interval_seconds) AS every, max(pool.timeout_seconds) AS timeout
        FROM read.proxy_pool_members m JOIN read.proxy_pools pool USING (pool_id)
        WHERE m.proxy_id = c.proxy_id AND pool.enabled AND pool.health_check_enabled
    ) wanted
    WHERE c.claimed_until < now() AND wanted.every IS NOT NULL
      AND (c.last_checked_at IS NULL OR c.last_checked_at + make_interval(secs => wanted.every) <= now())
    ORDER BY c.last_checked_at NULLS FIRST LIMIT $1
    FOR UPDATE OF c SKIP LOCKED
) due
WHERE c.proxy_id = due.proxy_id
RETURNING c.proxy_id, due.timeout";

/// Makes the checks that are due, for ever.
pub struct Rounds {
    app: App,
    actor: Actor,
}

impl Rounds {
    /// Prepares to make checks under the name of this process.
    #[must_use]
    pub fn new(app: App) -> Self {
        let name = format!("proxy-checks-{}", std::process::id());
        Self {
            app,
            actor: Actor::Worker(name),
        }
    }

    /// Makes the checks that are due until the token is cancelled; those under way end with it, and are due again.
    pub async fn run(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.go_on()).await;
    }

    async fn go_on(&self) {
        let mut under_way = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            while under_way.try_join_next().is_some() {}
            let room = CLAIMED.saturating_sub(under_way.len());
            if room == 0 {
                continue;
            }
            match claim(self.app.database.pool(), room).await {
                Ok(due) => {
                    for (id, timeout) in due {
                        under_way.spawn(check(self.app.clone(), self.actor.clone(), id, timeout));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %describe(&error), "cannot look for proxies that are to be checked");
                }
            }
        }
    }
}

async fn claim(pool: &PgPool, room: usize) -> Result<Vec<(ProxyId, Duration)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(CLAIM)
        .bind(i64::try_from(room).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let due = rows.into_iter().map(|(id, timeout)| {
        let seconds = u64::try_from(timeout).unwrap_or(1).max(1);
        (ProxyId(id), Duration::from_secs(seconds))
    });
    Ok(due.collect())
}

async fn check(app: App, actor: Actor, id: ProxyId, timeout: Duration) {
    let metadata = Metadata::new(actor, Uuid::now_v7().to_string());
    let checked = app.check_proxy(id, Asked::HealthCheck, timeout, &metadata);
    match checked.await {
        // It was deleted meanwhile.
        Ok(_) | Err(Error::NotFound) => {}
        Err(error) => {
            tracing::warn!(proxy.id = %id, error = %describe(&error), "a proxy was not checked");
        }
    }
}
