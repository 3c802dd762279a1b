//! Pinning a pool of proxies.

use aggregates::{
    campaign::{Campaign, PinnedProxy, Proxies},
    ids::ProxyPoolId,
    proxy::Proxy,
    proxy_pool::ProxyPool,
};
use event_store::Database;

use super::{Error, wrong};

const FIELD: &str = "proxyPoolId";

/// Copies a pool with those of its proxies that are there and switched on. How they fare is found out on the way: the run
/// has a judgement of its own, and what did not work yesterday may work today.
pub(super) async fn pin(
    database: &Database,
    campaign: &Campaign,
    id: ProxyPoolId,
) -> Result<Proxies, Error> {
    let log = database.log();
    let (pool, _) = log.load::<ProxyPool>(&id.to_string()).await?;
    if pool.owner().is_none() || pool.owner() != campaign.owner() {
        return Err(wrong(FIELD, "there is no such proxy pool"));
    }
    let settings = pool.settings();
    if !settings.enabled {
        return Err(wrong(FIELD, "the proxy pool is disabled"));
    }
    let mut members = Vec::with_capacity(pool.members().len());
    for member in pool.members() {
        let (proxy, _) = log.load::<Proxy>(&member.proxy_id.to_string()).await?;
        let Some(endpoint) = proxy.endpoint().filter(|_| proxy.is_enabled()) else {
            continue;
        };
        members.push(PinnedProxy {
            proxy_id: member.proxy_id,
            protocol: proxy.protocol(),
            endpoint: endpoint.clone(),
            weight: member.weight,
        });
    }
    if members.is_empty() {
        return Err(wrong(FIELD, "the pool has no proxy that is switched on"));
    }
    Ok(Proxies {
        pool_id: id,
        strategy: settings.strategy,
        max_retries: settings.max_retries,
        timeout_seconds: settings.timeout_seconds,
        members,
    })
}
