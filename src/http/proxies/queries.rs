//! Listing and showing proxies.

use aggregates::{
    ids::ProxyId,
    proxy::{Protocol, Proxy},
};
use axum::extract;
use projections::proxies::{self, Filter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{ProxyProtocol, ProxyView};
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Which proxies are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// How they are spoken to.
    protocol: Option<ProxyProtocol>,
    /// The country that they stand in.
    country_code: Option<String>,
    /// Whether pools use them.
    is_enabled: Option<bool>,
    /// Whether the last check of them brought a page; those that were never checked are not healthy.
    is_healthy: Option<bool>,
}

/// Lists the proxies that the caller reaches.
#[utoipa::path(get, path = "/proxies", tag = "proxies", params(Wanted),
    responses((status = 200, body = [ProxyView]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<ProxyView>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let filter = Filter {
        protocol: wanted
            .protocol
            .map(|protocol| Protocol::from(protocol).name().to_owned()),
        country_code: wanted.country_code.map(|code| code.to_ascii_uppercase()),
        enabled: wanted.is_enabled,
        healthy: wanted.is_healthy,
    };
    let pool = state.app.database.pool();
    let (rows, total) =
        proxies::list(pool, caller.whose(), &filter, page.limit, page.offset).await?;
    Ok(Answer::ok(rows.into_iter().map(Into::into).collect()).total(total))
}

/// Shows a proxy.
#[utoipa::path(get, path = "/proxies/{proxyId}", tag = "proxies", params(("proxyId" = uuid::Uuid, Path)),
    responses((status = 200, body = ProxyView), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ProxyId>,
) -> Result<Answer<ProxyView>, Error> {
    let found = proxies::by_id(state.app.database.pool(), caller.whose(), id).await?;
    let found = found.ok_or(Proxy::MISSING)?;
    let version = found.row.version;
    Ok(Answer::ok(found.into()).row_version(version))
}
