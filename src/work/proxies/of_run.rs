//! The pool of a run: what it pinned, with the credentials of the moment.

use std::{sync::Arc, time::Duration};

use aggregates::{campaign::Proxies, ids::ProxyId, proxy_pool::Strategy};
use sqlx::PgPool;
use validation::http;

use super::check::{protocol, told};
use crate::credentials::{Keys, Unopened, logins_of};

/// Why a run has no pool.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The credentials cannot be had now.
    #[error("cannot read the credentials of proxies")]
    Database(#[from] sqlx::Error),
    /// A password does not open on this node; on another it may.
    #[error("proxy {0}: {1}")]
    Unopened(ProxyId, Unopened),
    /// The engine takes no such pool.
    #[error(transparent)]
    Pool(#[from] http::PoolError),
}

/// Makes the pool of a run. A proxy whose credentials are gone is asked without them, so that what it says to that is the
/// reason of the failures.
///
/// # Errors
/// See [`Refused`].
pub(crate) async fn pool(
    database: &PgPool,
    keys: &Keys,
    pinned: &Proxies,
) -> Result<Arc<http::Pool>, Refused> {
    let ids: Vec<ProxyId> = pinned
        .members
        .iter()
        .map(|member| member.proxy_id)
        .collect();
    let mut logins = logins_of(database, keys, &ids).await?;
    let mut members = Vec::with_capacity(pinned.members.len());
    for member in &pinned.members {
        let login = logins.remove(&member.proxy_id).transpose();
        let login = login.map_err(|why| Refused::Unopened(member.proxy_id, why))?;
        members.push(http::Member {
            weight: member.weight,
            proxy: http::Proxy {
                id: http::ProxyId(member.proxy_id.0),
                protocol: protocol(member.protocol),
                host: member.endpoint.host().to_owned(),
                port: member.endpoint.port(),
                credentials: login.map(told),
            },
        });
    }
    let config = http::PoolConfig {
        strategy: match pinned.strategy {
            Strategy::RoundRobin => http::Strategy::RoundRobin,
            Strategy::Random => http::Strategy::Random,
            Strategy::Weighted => http::Strategy::Weighted,
            Strategy::Failover => http::Strategy::Failover,
        },
        max_retries: pinned.max_retries,
        timeout: Duration::from_secs(pinned.timeout_seconds.into()),
        ..http::PoolConfig::default()
    };
    Ok(Arc::new(http::Pool::new(config, members)?))
}
