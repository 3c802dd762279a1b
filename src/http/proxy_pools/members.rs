//! Which proxies a pool has.

use aggregates::{
    ids::{ProxyId, ProxyPoolId},
    proxy::Proxy,
    proxy_pool::{AddProxy, Command, ProxyPool, RemoveProxy},
};
use axum::extract;
use projections::proxy_pools;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::MembershipView;
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
    owned::{self, Mine},
};

/// A proxy to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AddProxyRequest {
    /// The proxy, one of the pool's owner.
    proxy_id: Uuid,
    /// Its chances under `weighted` against those of the others, 1 to 1,000; 1 where this is not said.
    #[schema(value_type = Option<i64>)]
    weight: Option<u32>,
}

/// Adds a proxy to a pool, or gives one that it has another weight.
#[utoipa::path(post, path = "/proxy-pools/{poolId}/proxies", tag = "proxy-pools", request_body = AddProxyRequest,
    params(("poolId" = Uuid, Path)),
    responses((status = 201, body = MembershipView), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ProxyPoolId>,
    Json(request): Json<AddProxyRequest>,
) -> Result<Answer<MembershipView>, Error> {
    let app = &state.app;
    let pool = Mine::<ProxyPool>::find(app, &caller, id).await?;
    let proxy_id = ProxyId(request.proxy_id);
    let (proxy, _) = app
        .database
        .log()
        .load::<Proxy>(&proxy_id.to_string())
        .await?;
    let repeated = app.repeated::<ProxyPool>(&caller.metadata).await?;
    if repeated.is_none() && proxy.owner() != pool.get().owner() {
        return Err(Error::unprocessable("proxyId", "there is no such proxy"));
    }
    let command = Command::AddProxy(AddProxy {
        proxy_id,
        weight: request.weight.unwrap_or(1),
    });
    let stream = id.to_string();
    let done = app
        .execute::<ProxyPool>(&stream, command, &caller.metadata, None)
        .await?;
    let snapshot = app.after::<ProxyPool>(&done).await?;
    // It was there before where nothing was recorded, or another weight was.
    let known = proxy_pools::member(app.database.pool(), id, proxy_id).await?;
    let membership = MembershipView {
        pool_id: id.0,
        proxy_id: proxy_id.0,
        weight: snapshot.aggregate.weight_of(proxy_id).unwrap_or_default(),
        is_active: proxy.is_enabled(),
        added_at: known.map_or(snapshot.updated_at, |member| member.added_at),
    };
    Ok(Answer::created(membership)
        .version(done.version)
        .after(&done))
}

/// Takes a proxy out of a pool.
#[utoipa::path(delete, path = "/proxy-pools/{poolId}/proxies/{proxyId}", tag = "proxy-pools",
    params(("poolId" = Uuid, Path), ("proxyId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 400, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path((id, proxy_id)): Path<(ProxyPoolId, ProxyId)>,
) -> Result<Answer<()>, Error> {
    let pool = Mine::<ProxyPool>::find(&state.app, &caller, id).await?;
    let command = Command::RemoveProxy(RemoveProxy { proxy_id });
    owned::delete(&state.app, &caller, &pool, command, version).await
}
