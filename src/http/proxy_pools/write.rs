//! Making, changing and deleting pools.

use aggregates::{
    ids::{ProxyPoolId, UserId},
    proxy_pool::{
        Change, Command, Create, Delete, Event, ProxyPool, Settings, SettingsChange, Strategy,
    },
};
use axum::extract;
use projections::proxy_pools;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::PoolView;
use crate::{
    app::App,
    commands::Done,
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{self, Mine, check_description},
    },
    work::Network,
};

/// A pool to be made, or what is to be changed about one; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProxyPoolRequest {
    /// Its name, 1 to 255 characters.
    name: String,
    description: Option<String>,
    /// Whether phases may use it; they may where this is not said.
    is_enabled: Option<bool>,
    /// Which proxy is taken next: `round_robin` (where this is not said), `random`, `weighted` or `failover`, which takes
    /// the first that works in the order in which they were added.
    pool_strategy: Option<String>,
    /// Whether its proxies are checked by themselves; not where this is not said. The operator names the page that is
    /// fetched.
    health_check_enabled: Option<bool>,
    /// How long after a check of a proxy the next one is due, 5 to 86,400; 300 where this is not said.
    #[schema(value_type = Option<i64>)]
    health_check_interval_seconds: Option<u32>,
    /// How many other proxies are tried for a page after one failed, 0 to 10; 2 where this is not said.
    #[schema(value_type = Option<i64>)]
    max_retries: Option<u32>,
    /// How long a page may take through one proxy, and a check by itself, 1 to 120; 10 where this is not said.
    #[schema(value_type = Option<i64>)]
    timeout_seconds: Option<u32>,
}

impl ProxyPoolRequest {
    fn settings(&self, network: &Network) -> Result<SettingsChange, Error> {
        check_description(self.description.as_deref())?;
        if self.health_check_enabled == Some(true) && network.proxy_check_url.is_none() {
            let message =
                "the operator names no page that checks could fetch (DOMAINFLOW_PROXY_CHECK_URL)";
            return Err(Error::unprocessable("healthCheckEnabled", message));
        }
        let strategy = self.pool_strategy.as_deref().map(str::parse::<Strategy>);
        Ok(SettingsChange {
            enabled: self.is_enabled,
            strategy: strategy
                .transpose()
                .map_err(|unknown| Error::unprocessable("poolStrategy", unknown))?,
            health_check_enabled: self.health_check_enabled,
            health_check_interval_seconds: self.health_check_interval_seconds,
            max_retries: self.max_retries,
            timeout_seconds: self.timeout_seconds,
        })
    }

    fn creation(self, owner: UserId, network: &Network) -> Result<Command, Error> {
        let settings = self.settings(network)?.on(&Settings::default());
        Ok(Command::Create(Create {
            owner,
            name: self.name,
            description: self.description,
            settings,
        }))
    }

    fn change(self, network: &Network) -> Result<Command, Error> {
        let settings = self.settings(network)?;
        Ok(Command::Change(Change {
            name: Some(self.name),
            description: self.description,
            settings,
        }))
    }
}

/// Makes a pool without proxies.
#[utoipa::path(post, path = "/proxy-pools", tag = "proxy-pools", request_body = ProxyPoolRequest,
    responses((status = 201, body = PoolView), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn create(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<ProxyPoolRequest>,
) -> Result<Answer<PoolView>, Error> {
    let app = &state.app;
    let command = request.creation(caller.user_id, &app.defaults.network)?;
    let id = Uuid::now_v7().to_string();
    let done = app.execute::<ProxyPool>(&id, command, &caller.metadata, None);
    answer(app, done.await?, Answer::created).await
}

/// Changes a pool. Runs under way keep what they started with.
#[utoipa::path(put, path = "/proxy-pools/{poolId}", tag = "proxy-pools", request_body = ProxyPoolRequest,
    params(("poolId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PoolView), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ProxyPoolId>,
    Json(request): Json<ProxyPoolRequest>,
) -> Result<Answer<PoolView>, Error> {
    let app = &state.app;
    Mine::<ProxyPool>::find(app, &caller, id).await?;
    let (stream, command) = (id.to_string(), request.change(&app.defaults.network)?);
    let done = app.execute::<ProxyPool>(&stream, command, &caller.metadata, version);
    answer(app, done.await?, Answer::ok).await
}

/// Deletes a pool, not its proxies. Runs that started with it go on.
#[utoipa::path(delete, path = "/proxy-pools/{poolId}", tag = "proxy-pools",
    params(("poolId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 400, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ProxyPoolId>,
) -> Result<Answer<()>, Error> {
    let pool = Mine::<ProxyPool>::find(&state.app, &caller, id).await?;
    let command = Command::Delete(Delete);
    owned::delete(&state.app, &caller, &pool, command, version).await
}

/// Shows a pool as a command left it.
async fn answer(
    app: &App,
    done: Done<Event>,
    status: impl FnOnce(PoolView) -> Answer<PoolView>,
) -> Result<Answer<PoolView>, Error> {
    let id: Uuid = done.aggregate_id.parse().map_err(Error::internal)?;
    let snapshot = app.after::<ProxyPool>(&done).await?;
    let members = proxy_pools::members_of(app.database.pool(), ProxyPoolId(id)).await?;
    Ok(status(PoolView::of(id, &snapshot, members))
        .version(done.version)
        .after(&done))
}
