//! Listing and showing pools.

use std::collections::HashMap;

use aggregates::{ids::ProxyPoolId, proxy_pool::ProxyPool};
use axum::extract;
use projections::proxy_pools::{self, Member};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::view::PoolView;
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Which pools are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 500 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Lists the pools that the caller reaches, with their proxies.
#[utoipa::path(get, path = "/proxy-pools", tag = "proxy-pools", params(Wanted),
    responses((status = 200, body = [PoolView]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<PoolView>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 500)?;
    let pool = state.app.database.pool();
    let (rows, members, total) =
        proxy_pools::list(pool, caller.whose(), page.limit, page.offset).await?;
    let mut by_pool: HashMap<Uuid, Vec<Member>> = HashMap::new();
    for member in members {
        by_pool.entry(member.pool_id).or_default().push(member);
    }
    let pools = rows.into_iter().map(|row| {
        let members = by_pool.remove(&row.pool_id).unwrap_or_default();
        PoolView::new(row, members)
    });
    Ok(Answer::ok(pools.collect()).total(total))
}

/// Shows a pool with its proxies.
#[utoipa::path(get, path = "/proxy-pools/{poolId}", tag = "proxy-pools", params(("poolId" = Uuid, Path)),
    responses((status = 200, body = PoolView), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ProxyPoolId>,
) -> Result<Answer<PoolView>, Error> {
    let pool = state.app.database.pool();
    let (row, members) = proxy_pools::by_id(pool, caller.whose(), id)
        .await?
        .ok_or(ProxyPool::MISSING)?;
    let version = row.version;
    Ok(Answer::ok(PoolView::new(row, members)).row_version(version))
}
