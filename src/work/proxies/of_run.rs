//! The pool of a run: what it pinned, with the credentials of the moment.

use std::{sync::Arc, time::Duration};

use aggregates::{
    campaign::{PinnedProxy, Proxies},
    ids::ProxyId,
    proxy::Proxy,
    proxy_pool::Strategy,
};
use event_store::Database;
use validation::http;

use super::{
    check::{protocol, told},
    watch::Watched,
};
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
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// The engine takes no such pool.
    #[error(transparent)]
    Pool(#[from] http::PoolError),
}

/// Makes the pool of a run, and says what is known of how its proxies are set up. A proxy whose credentials are gone is asked without them, so that what it says to that is the
/// reason of the failures; and so is the place that a proxy has left since, for its password is another's now.
///
/// # Errors
/// See [`Refused`].
pub(crate) async fn pool(
    database: &Database,
    keys: &Keys,
    pinned: &Proxies,
) -> Result<(Arc<http::Pool>, Watched), Refused> {
    let watched = Watched::of(database, pinned).await?;
    let ids: Vec<ProxyId> = pinned
        .members
        .iter()
        .map(|member| member.proxy_id)
        .collect();
    let mut logins = logins_of(database.pool(), keys, &ids).await?;
    let mut members = Vec::with_capacity(pinned.members.len());
    for member in &pinned.members {
        let login = logins.remove(&member.proxy_id).transpose();
        let mut login = login.map_err(|why| Refused::Unopened(member.proxy_id, why))?;
        if login.is_some() && !is_where_it_was(database, member).await? {
            login = None;
        }
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
    Ok((Arc::new(http::Pool::new(config, members)?), watched))
}

/// Tells whether a proxy is spoken to as it was when the run started. Asked after the credentials were read: a change in
/// between shows.
async fn is_where_it_was(
    database: &Database,
    pinned: &PinnedProxy,
) -> Result<bool, event_store::Error> {
    let id = pinned.proxy_id.to_string();
    let (proxy, _) = database.log().load::<Proxy>(&id).await?;
    Ok(proxy.protocol() == pinned.protocol && proxy.endpoint() == Some(&pinned.endpoint))
}
