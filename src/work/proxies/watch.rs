//! What runs find out about their proxies, recorded as what a check finds is.
//!
//! A pool judges its proxies by the pages that come through them and tells what is news: the first page, a rest, a
//! recovery. None of it is counted as a check, but it is the last word on the proxy's health until there is another one.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use aggregates::{
    Actor, Metadata,
    campaign::Proxies,
    ids::{ProxyId, RunId},
    proxy::{self, Health, Proxy, RecordCheck},
};
use event_store::{Database, ExecuteError, describe};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use validation::http::{self, HealthChange};

use super::Refused;

const EPOCHS: &str = "SELECT proxy_id, epoch FROM proxy_checks WHERE proxy_id = ANY($1)";
const NOTE: &str = "UPDATE proxy_checks SET last_status = $3, last_error = $4, last_checked_at = now() \
    WHERE proxy_id = $1 AND epoch = $2";

/// The proxies of a run as they were set up when it took them: what is found out later says nothing of another setup.
pub(crate) struct Watched {
    members: HashMap<ProxyId, Setup>,
}

/// What a finding is about: the proxy's version in the log, and the count of its setups beside it.
#[derive(Clone, Copy)]
struct Setup {
    version: u64,
    epoch: i32,
}

/// Records the findings of one run.
pub(crate) struct Watch {
    database: Database,
    metadata: Metadata,
    watched: Watched,
    pool: Weak<http::Pool>,
    news: Receiver<HealthChange>,
}

/// Why a finding was not recorded.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot note what was found of a proxy")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Refused(#[from] ExecuteError<proxy::Error>),
}

impl Watched {
    /// Takes note of the proxies that are as the run pinned them. Asked before their credentials are read: whatever changes
    /// from here on makes another setup.
    ///
    /// # Errors
    /// When the database or the log does not answer.
    pub(super) async fn of(database: &Database, pinned: &Proxies) -> Result<Self, Refused> {
        let ids = pinned.members.iter().map(|member| member.proxy_id.0);
        let epochs: Vec<(Uuid, i32)> = sqlx::query_as(EPOCHS)
            .bind(ids.collect::<Vec<_>>())
            .fetch_all(database.pool())
            .await?;
        let epochs: HashMap<Uuid, i32> = epochs.into_iter().collect();
        let mut members = HashMap::with_capacity(pinned.members.len());
        for member in &pinned.members {
            let id = member.proxy_id;
            let (proxy, _) = database.log().load::<Proxy>(&id.to_string()).await?;
            let same =
                proxy.protocol() == member.protocol && proxy.endpoint() == Some(&member.endpoint);
            if let Some(epoch) = epochs.get(&id.0).filter(|_| same) {
                let version = proxy.setup();
                members.insert(
                    id,
                    Setup {
                        version,
                        epoch: *epoch,
                    },
                );
            }
        }
        Ok(Self { members })
    }

    /// Begins to listen to the pool that was made of them.
    pub(crate) fn listen(
        self,
        database: &Database,
        run_id: RunId,
        pool: &Arc<http::Pool>,
    ) -> Watch {
        let actor = Actor::Worker(format!("proxies-of-runs-{}", std::process::id()));
        Watch {
            database: database.clone(),
            metadata: Metadata::new(actor, run_id.to_string()),
            watched: self,
            pool: Arc::downgrade(pool),
            news: pool.watch(),
        }
    }
}

impl Watch {
    /// Records what is found out until nobody uses the pool any more. After the token is cancelled what was told by then
    /// is still recorded.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            let news = tokio::select! {
                news = self.news.recv() => news,
                () = cancel.cancelled() => break,
            };
            match news {
                Ok(change) => self.record(&change).await,
                Err(RecvError::Lagged(_)) => self.catch_up().await,
                Err(RecvError::Closed) => return,
            }
        }
        loop {
            match self.news.try_recv() {
                Ok(change) => self.record(&change).await,
                Err(TryRecvError::Lagged(_)) => self.catch_up().await,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Records what is known of every proxy, in place of news that were too many to be kept. Of those that are only taken
    /// for healthy nothing is known.
    async fn catch_up(&mut self) {
        // Before it is asked what is known: what comes to be known afterwards is told again.
        self.news = self.news.resubscribe();
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        for known in pool.health() {
            if known.successes > 0 || !known.healthy {
                self.record(&HealthChange {
                    proxy: known.proxy,
                    healthy: known.healthy,
                    fault: None,
                })
                .await;
            }
        }
    }

    async fn record(&self, change: &HealthChange) {
        let id = ProxyId(change.proxy.0);
        match self.recorded(id, change).await {
            // A proxy that was deleted meanwhile has no health.
            Ok(()) | Err(Error::Refused(ExecuteError::Rejected(proxy::Error::NotFound))) => {}
            Err(error) => {
                tracing::warn!(proxy.id = %id, error = %describe(&error), "what a run found of a proxy was not recorded");
            }
        }
    }

    async fn recorded(&self, id: ProxyId, change: &HealthChange) -> Result<(), Error> {
        let Some(setup) = self.watched.members.get(&id) else {
            return Ok(());
        };
        let fault = change.fault.as_ref();
        let health = match change.healthy {
            true => Health::Healthy,
            false => Health::Unhealthy,
        };
        sqlx::query(NOTE)
            .bind(id.0)
            .bind(setup.epoch)
            .bind(health.name())
            .bind(fault.map(|fault| format!("{}: {}", fault.code, fault.text)))
            .execute(self.database.pool())
            .await?;
        let command = proxy::Command::RecordCheck(RecordCheck {
            setup: setup.version,
            healthy: change.healthy,
            reason: fault.map(|fault| fault.code.clone().into_owned()),
            detail: fault.map(|fault| fault.text.clone()),
            latency_ms: None,
        });
        let log = self.database.log();
        log.execute::<Proxy>(&id.to_string(), command, &self.metadata, None)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aggregates::{
        campaign::PinnedProxy,
        ids::{ProxyPoolId, UserId},
        proxy::{Change, Command, Create, Endpoint, Event},
        proxy_pool::Strategy,
    };
    use validation::http::{Member, Pool, PoolConfig, Probe};

    use super::*;
    use crate::work::{proxies::protocol, testing::database};

    /// More than a listener may be behind.
    const TOO_MANY: u32 = 1_500;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    async fn give(database: &Database, id: ProxyId, command: Command) {
        let metadata = Metadata::new(Actor::Operator, "test");
        let log = database.log();
        log.execute::<Proxy>(&id.to_string(), command, &metadata, None)
            .await
            .unwrap();
    }

    /// Makes a proxy, and the pool of a run that has pinned it.
    async fn one_proxy(database: &Database) -> (Proxies, Arc<Pool>) {
        let (proxy_id, at) = (ProxyId(Uuid::now_v7()), endpoint("proxy.example:3128"));
        let create = Command::Create(Create {
            owner: UserId(Uuid::now_v7()),
            name: "p".to_owned(),
            description: None,
            protocol: aggregates::proxy::Protocol::Http,
            endpoint: at.clone(),
            country_code: None,
            notes: None,
            enabled: true,
            with_credentials: false,
        });
        give(database, proxy_id, create).await;
        sqlx::query("INSERT INTO proxy_checks (proxy_id) VALUES ($1)")
            .bind(proxy_id.0)
            .execute(database.pool())
            .await
            .unwrap();
        let pinned = PinnedProxy {
            proxy_id,
            protocol: aggregates::proxy::Protocol::Http,
            endpoint: at,
            weight: 1,
        };
        let config = PoolConfig {
            failures: 1,
            ..PoolConfig::default()
        };
        let member = Member {
            weight: 1,
            proxy: http::Proxy {
                id: http::ProxyId(proxy_id.0),
                protocol: protocol(pinned.protocol),
                host: pinned.endpoint.host().to_owned(),
                port: pinned.endpoint.port(),
                credentials: None,
            },
        };
        let pool = Arc::new(Pool::new(config, vec![member]).unwrap());
        let proxies = Proxies {
            pool_id: ProxyPoolId(Uuid::now_v7()),
            strategy: Strategy::RoundRobin,
            max_retries: 0,
            timeout_seconds: 1,
            members: vec![pinned],
        };
        (proxies, pool)
    }

    /// Lets the pool find out that its proxy works, or that it does not.
    fn found(pool: &Pool, works: bool) {
        let broken = http::Fault {
            reason: http::Reason::ProxyError,
            code: "proxy_refused".into(),
            text: "nobody listens".to_owned(),
            blame: http::Blame::Proxy,
            expired_at: None,
        };
        let probe = Probe {
            status_code: None,
            elapsed: Duration::ZERO,
            fault: (!works).then_some(broken),
        };
        pool.record(pool.health()[0].proxy, &probe);
    }

    /// Records what was told by now.
    async fn record(watch: Watch) {
        let over = CancellationToken::new();
        over.cancel();
        watch.run(over).await;
    }

    async fn health(database: &Database, pinned: &Proxies) -> (Vec<bool>, Option<String>) {
        let id = pinned.members[0].proxy_id;
        let told: Vec<String> = sqlx::query_scalar(
            "SELECT payload::text FROM events WHERE aggregate_id = $1 AND event_type = 'HealthChanged' \
             ORDER BY sequence",
        )
        .bind(id.to_string())
        .fetch_all(database.pool())
        .await
        .unwrap();
        let healthy = told.iter().map(|text| {
            let event: Event = serde_json::from_str(text).unwrap();
            matches!(event, Event::HealthChanged { healthy: true, .. })
        });
        let noted = sqlx::query_scalar("SELECT last_error FROM proxy_checks WHERE proxy_id = $1")
            .bind(id.0)
            .fetch_one(database.pool())
            .await
            .unwrap();
        (healthy.collect(), noted)
    }

    #[tokio::test]
    async fn what_a_run_finds_out_is_recorded_once_and_noted_with_its_reason() {
        let (_test, database) = database().await;
        let (pinned, pool) = one_proxy(&database).await;
        let run_id = RunId(Uuid::now_v7());
        let watched = Watched::of(&database, &pinned).await.unwrap();
        let watch = watched.listen(&database, run_id, &pool);
        for works in [true, true, false, false] {
            found(&pool, works);
        }
        record(watch).await;
        let noted = Some("proxy_refused: nobody listens".to_owned());
        assert_eq!(health(&database, &pinned).await, (vec![true, false], noted));
        // Another run that finds the same has no news; one that finds otherwise has.
        let watched = Watched::of(&database, &pinned).await.unwrap();
        let watch = watched.listen(&database, run_id, &pool);
        found(&pool, true);
        record(watch).await;
        assert_eq!(
            health(&database, &pinned).await,
            (vec![true, false, true], None)
        );
    }

    #[tokio::test]
    async fn of_more_news_than_are_kept_the_last_word_is_recorded() {
        let (_test, database) = database().await;
        let (pinned, pool) = one_proxy(&database).await;
        let watched = Watched::of(&database, &pinned).await.unwrap();
        let watch = watched.listen(&database, RunId(Uuid::now_v7()), &pool);
        for nth in 0..TOO_MANY {
            found(&pool, nth % 2 == 0);
        }
        record(watch).await;
        assert_eq!(health(&database, &pinned).await.0, [false]);
    }

    #[tokio::test]
    async fn what_a_run_finds_of_a_proxy_as_it_was_says_nothing_of_what_it_is_now() {
        let (_test, database) = database().await;
        let (pinned, pool) = one_proxy(&database).await;
        let watched = Watched::of(&database, &pinned).await.unwrap();
        let watch = watched.listen(&database, RunId(Uuid::now_v7()), &pool);
        let change = Change {
            endpoint: Some(endpoint("elsewhere.example:3128")),
            ..Change::default()
        };
        let id = pinned.members[0].proxy_id;
        give(&database, id, Command::Change(change)).await;
        // As whoever saves a change does.
        sqlx::query("UPDATE proxy_checks SET epoch = epoch + 1 WHERE proxy_id = $1")
            .bind(id.0)
            .execute(database.pool())
            .await
            .unwrap();
        found(&pool, false);
        record(watch).await;
        assert!(health(&database, &pinned).await.0.is_empty());
        // Nor does what is found afterwards by a run that goes to the old place.
        let watched = Watched::of(&database, &pinned).await.unwrap();
        let watch = watched.listen(&database, RunId(Uuid::now_v7()), &pool);
        found(&pool, true);
        record(watch).await;
        assert_eq!(health(&database, &pinned).await, (vec![], None));
    }
}
