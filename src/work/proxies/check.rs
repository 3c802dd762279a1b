//! One check of one proxy.

use std::time::Duration;

use aggregates::{
    Metadata,
    ids::ProxyId,
    proxy::{self, Health, Protocol, Proxy, RecordCheck},
};
use event_store::{ExecuteError, Position};
use validation::http;

use crate::{
    app::App,
    commands::Done,
    credentials::{self, Login},
};

/// How long a check takes at most where no pool says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What the engine calls a page whose name leads nowhere.
const NO_HOST: &str = "host_unresolved";

const EPOCH: &str = "SELECT epoch FROM proxy_checks WHERE proxy_id = $1";
const COUNT: &str = "UPDATE proxy_checks SET success_count = success_count + $3::int, \
    failure_count = failure_count + 1 - $3::int, last_status = $4, last_error = $5, latency_ms = $6, \
    last_checked_at = now(), last_tested_at = CASE WHEN $7 THEN now() ELSE last_tested_at END, \
    claimed_until = '-infinity' WHERE proxy_id = $1 AND epoch = $2";

/// Who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Somebody who tests the proxy.
    Test,
    /// A health check, whoever asked for it.
    HealthCheck,
}

/// What a check came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Whether a page came through.
    pub success: bool,
    /// How the proxy fares by it; unknown where the failure may be the page's as well.
    pub health: Health,
    /// The status of the last answer, the page's or the proxy's.
    pub status_code: Option<u16>,
    /// How long it took.
    pub elapsed: Duration,
    /// Why there is no page: a code and the same in words.
    pub error: Option<String>,
    /// The log's position after the check.
    pub cursor: Position,
    /// How many events the read models are behind, where they do not show the check yet.
    pub lag: Option<u64>,
}

/// Why there was no check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operator names no page.
    #[error("the operator names no page that checks could fetch (DOMAINFLOW_PROXY_CHECK_URL)")]
    NoPage,
    /// There is no such proxy, or not any more.
    #[error("there is no such proxy")]
    NotFound,
    /// The credentials cannot be had.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The engine cannot be built.
    #[error("the check cannot be made here: {0}")]
    Engine(String),
    /// The database failed.
    #[error("cannot count a check")]
    Database(#[from] sqlx::Error),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// The health was not recorded.
    #[error(transparent)]
    Refused(#[from] ExecuteError<proxy::Error>),
}

impl App {
    /// Fetches the operator's page through a proxy and records how that went. Whose the proxy is was asked before.
    ///
    /// # Errors
    /// Why there was no check; a proxy that fails is none.
    pub async fn check_proxy(
        &self,
        id: ProxyId,
        asked: Asked,
        timeout: Duration,
        metadata: &Metadata,
    ) -> Result<Checked, Error> {
        let network = &self.defaults.network;
        let page = network.proxy_check_url.clone().ok_or(Error::NoPage)?;
        // Bounds the network's work alone; the semaphore is never closed.
        let permit = self.fetchers.permits().acquire().await.ok();
        let pool = self.database.pool();
        // Before the setup is read: after a change in between, the check is of the new setup and not counted for it.
        let epoch: Option<i32> = sqlx::query_scalar(EPOCH)
            .bind(id.0)
            .fetch_optional(pool)
            .await?;
        let epoch = epoch.ok_or(Error::NotFound)?;
        let (proxy, _) = self.database.log().load::<Proxy>(&id.to_string()).await?;
        let login = credentials::login_of(pool, &network.keys, id).await?;
        let setup = proxy.setup();
        // Place and credentials are of one moment, or the password of one place would go to another.
        let (after, _) = self.database.log().load::<Proxy>(&id.to_string()).await?;
        if after.setup() != setup {
            return Err(Error::Engine("the proxy was changed just now".to_owned()));
        }
        let target = engine_proxy(id, &proxy, login).ok_or(Error::NotFound)?;
        let fetcher = self.fetchers.of(timeout, &self.defaults).await;
        let probe = fetcher.map_err(Error::Engine)?.probe(&target, page).await;
        drop(permit);
        self.record(id, (epoch, setup), asked, &probe, metadata)
            .await
    }

    async fn record(
        &self,
        id: ProxyId,
        (epoch, setup): (i32, u64),
        asked: Asked,
        probe: &http::Probe,
        metadata: &Metadata,
    ) -> Result<Checked, Error> {
        let fault = probe.fault.as_ref();
        let (success, health) = (fault.is_none(), health(probe));
        let error = fault.map(|fault| format!("{}: {}", fault.code, fault.text));
        let milliseconds = u32::try_from(probe.elapsed.as_millis()).unwrap_or(u32::MAX);
        sqlx::query(COUNT)
            .bind(id.0)
            .bind(epoch)
            .bind(success)
            .bind(health.name())
            .bind(&error)
            .bind(i32::try_from(milliseconds).unwrap_or(i32::MAX))
            .bind(asked == Asked::Test)
            .execute(self.database.pool())
            .await?;
        let done = match health {
            Health::Unknown => None,
            health => {
                let command = proxy::Command::RecordCheck(RecordCheck {
                    setup,
                    healthy: health == Health::Healthy,
                    reason: fault.map(|fault| fault.code.clone().into_owned()),
                    detail: fault.map(|fault| fault.text.clone()),
                    latency_ms: Some(milliseconds),
                });
                let stream = id.to_string();
                let done = self
                    .execute::<Proxy>(&stream, command, metadata, None)
                    .await;
                Some(done.map_err(gone)?)
            }
        };
        let cursor = done.as_ref().map_or(Position::START, |done| done.cursor);
        Ok(Checked {
            success,
            health,
            status_code: probe.status_code,
            elapsed: probe.elapsed,
            error,
            cursor,
            lag: done.and_then(|done: Done<proxy::Event>| done.lag),
        })
    }
}

/// Tells a proxy that was deleted meanwhile from other refusals.
fn gone(error: ExecuteError<proxy::Error>) -> Error {
    match error {
        ExecuteError::Rejected(proxy::Error::NotFound) => Error::NotFound,
        other => Error::Refused(other),
    }
}

/// Judges a proxy by a check. The page is one that works, by the operator's word: an error of a gateway, silence and a
/// connection that breaks are the proxy's. What is the page's all the same says nothing of the proxy.
fn health(probe: &http::Probe) -> Health {
    let Some(fault) = &probe.fault else {
        return Health::Healthy;
    };
    let broken = matches!(
        fault.reason,
        http::Reason::Timeout | http::Reason::ConnectionReset | http::Reason::Upstream5xx
    );
    match fault.blame == http::Blame::Target && (!broken || fault.code == NO_HOST) {
        true => Health::Unknown,
        false => Health::Unhealthy,
    }
}

/// Translates a proxy into the engine's; nothing where there is none.
fn engine_proxy(id: ProxyId, proxy: &Proxy, login: Option<Login>) -> Option<http::Proxy> {
    let endpoint = proxy.endpoint()?;
    Some(http::Proxy {
        id: http::ProxyId(id.0),
        protocol: protocol(proxy.protocol()),
        host: endpoint.host().to_owned(),
        port: endpoint.port(),
        credentials: login.map(told),
    })
}

/// Translates a protocol into the engine's.
pub(crate) const fn protocol(protocol: Protocol) -> http::Protocol {
    match protocol {
        Protocol::Http => http::Protocol::Http,
        Protocol::Https => http::Protocol::Https,
        Protocol::Socks5 => http::Protocol::Socks5,
        Protocol::Socks4 => http::Protocol::Socks4,
    }
}

/// Translates credentials into the engine's.
pub(super) fn told(login: Login) -> http::Credentials {
    http::Credentials {
        username: login.username,
        password: login.password.as_str().to_owned(),
    }
}
