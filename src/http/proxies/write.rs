//! Making, changing and deleting proxies.

use aggregates::{
    ids::ProxyId,
    proxy::{Change, Command, Create, Credentials, Delete, Event, Proxy},
    proxy_pool::{self, ProxyPool, RemoveProxy},
};
use axum::extract;
use event_store::{ExecuteError, Transaction};
use projections::{proxies, proxy_pools};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    engine,
    login::{Fields, Told},
    view::{ProxyProtocol, ProxyView},
};
use crate::{
    app::App,
    commands::Done,
    credentials::{self, Keys},
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{Mine, check_description},
    },
};

const BEGIN_COUNTING: &str = "INSERT INTO proxy_checks (proxy_id) VALUES ($1)";
const STOP_COUNTING: &str = "DELETE FROM proxy_checks WHERE proxy_id = $1";
const COUNT_ANEW: &str = "UPDATE proxy_checks SET last_status = NULL, last_checked_at = NULL, last_error = NULL, \
    latency_ms = NULL, epoch = epoch + 1, \
    claimed_until = '-infinity' WHERE proxy_id = $1";

/// A proxy to be made known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateProxyRequestAPI {
    /// Its name, 1 to 255 characters.
    name: String,
    description: Option<String>,
    /// `host:port`, `[v6]:port` or `scheme://user:password@host:port`; name and password are kept as if they stood in their
    /// own fields.
    address: String,
    /// How it is spoken to; as the address says, or `http`, where this is not said.
    protocol: Option<ProxyProtocol>,
    /// The name that it is told.
    username: Option<String>,
    /// The password that it is told. It is kept sealed and never answered.
    password: Option<String>,
    /// The country that it stands in, two letters.
    country_code: Option<String>,
    /// Whether pools use it; they do where this is not said.
    is_enabled: Option<bool>,
    /// Whatever the owner wants to remember, at most 10,000 characters.
    notes: Option<String>,
}

/// What is to be changed; absent fields stay.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateProxyRequestAPI {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    description: Option<String>,
    /// Where it listens from now on, as when it was made. Without a name in it the credentials stay; a
    /// password has to be given again, because it is told to nobody but the proxy that it was given for.
    address: Option<String>,
    protocol: Option<ProxyProtocol>,
    /// The name that it is told; an empty one takes name and password away.
    username: Option<String>,
    /// The password that it is told; an empty one takes it away.
    password: Option<String>,
    country_code: Option<String>,
    is_enabled: Option<bool>,
    notes: Option<String>,
}

impl UpdateProxyRequestAPI {
    /// Writes the credentials of a proxy as the request wants them, and makes the command that says so.
    pub(super) async fn prepare(
        self,
        app: &App,
        transaction: &mut Transaction,
        proxy_id: ProxyId,
    ) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        let network = &app.defaults.network;
        let fields = Fields {
            address: self.address,
            protocol: self.protocol,
            username: self.username,
            password: self.password,
        };
        let setup = fields.read(network)?;
        // The protocol is the last event's: whoever changes it meanwhile changes the version that is decided on.
        let (proxy, _) = transaction.load::<Proxy>(&proxy_id.to_string()).await?;
        let protocol = setup.protocol.unwrap_or_else(|| proxy.protocol());
        let connection = transaction.connection();
        let kept = credentials::kept(connection, proxy_id).await?;
        let told = setup.told(protocol, kept.as_ref())?;
        if let Some(endpoint) = setup.endpoint.as_ref().or_else(|| proxy.endpoint()) {
            engine::check(protocol, endpoint, kept.as_ref(), &told)?;
        }
        let moved = setup.protocol.is_some_and(|new| new != proxy.protocol())
            || (setup.endpoint.is_some() && setup.endpoint.as_ref() != proxy.endpoint());
        if moved && matches!(told, Told::Kept) && kept.is_some_and(|kept| kept.has_password) {
            return Err(Error::unprocessable(
                "password",
                "must be given again, or taken away, where the proxy is another: it is told to the one that it was given for",
            ));
        }
        let credentials = keep(transaction, &network.keys, proxy_id, told).await?;
        if moved || credentials != Credentials::Kept {
            let connection = transaction.connection();
            sqlx::query(COUNT_ANEW)
                .bind(proxy_id.0)
                .execute(connection)
                .await?;
        }
        Ok(Command::Change(Change {
            name: self.name,
            description: self.description,
            protocol: setup.protocol,
            endpoint: setup.endpoint,
            country_code: self.country_code,
            notes: self.notes,
            enabled: self.is_enabled,
            credentials,
        }))
    }
}

/// Writes credentials and says what became of them.
async fn keep(
    transaction: &mut Transaction,
    keys: &Keys,
    proxy_id: ProxyId,
    told: Told,
) -> Result<Credentials, Error> {
    let connection = transaction.connection();
    match told {
        Told::Kept => Ok(Credentials::Kept),
        Told::These(username, password) => {
            credentials::put(connection, keys, proxy_id, &username, password.as_deref()).await?;
            Ok(Credentials::Replaced)
        }
        Told::Nothing => {
            credentials::remove(connection, proxy_id).await?;
            Ok(Credentials::Removed)
        }
    }
}

/// Takes a proxy out of its pools and removes what is kept of it beside the log, in the transaction of the event that it is
/// gone.
pub(super) async fn forget(
    transaction: &mut Transaction,
    caller: &Caller,
    proxy_id: ProxyId,
) -> Result<(), Error> {
    let metadata = caller.secondary_metadata();
    for pool_id in proxy_pools::with(transaction.connection(), proxy_id).await? {
        let command = proxy_pool::Command::RemoveProxy(RemoveProxy { proxy_id });
        let stream = pool_id.to_string();
        match transaction
            .execute::<ProxyPool>(&stream, command, &metadata)
            .await
        {
            // The pool was deleted, or the proxy taken out of it, just now.
            Ok(_)
            | Err(ExecuteError::Rejected(
                proxy_pool::Error::NotFound | proxy_pool::Error::NoSuchMember,
            )) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let connection = transaction.connection();
    credentials::remove(connection, proxy_id).await?;
    sqlx::query(STOP_COUNTING)
        .bind(proxy_id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes a proxy known. Name and password are kept apart from everything else, the password sealed.
#[utoipa::path(post, path = "/proxies", tag = "proxies", request_body = CreateProxyRequestAPI,
    responses((status = 201, body = ProxyView), (status = 400, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn create(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<CreateProxyRequestAPI>,
) -> Result<Answer<ProxyView>, Error> {
    let app = &state.app;
    if let Some(done) = app.repeated::<Proxy>(&caller.metadata).await? {
        return answer(app, done, Answer::created).await;
    }
    check_description(request.description.as_deref())?;
    let network = &app.defaults.network;
    let fields = Fields {
        address: Some(request.address),
        protocol: request.protocol,
        username: request.username,
        password: request.password,
    };
    let setup = fields.read(network)?;
    let protocol = setup.protocol.unwrap_or_default();
    let told = match setup.told(protocol, None)? {
        Told::Nothing => Told::Kept,
        told => told,
    };
    let endpoint = setup
        .endpoint
        .ok_or_else(|| Error::bad("address", "is missing"))?;
    engine::check(protocol, &endpoint, None, &told)?;
    let proxy_id = ProxyId(Uuid::now_v7());
    let mut transaction = app.database.begin().await?;
    sqlx::query(BEGIN_COUNTING)
        .bind(proxy_id.0)
        .execute(transaction.connection())
        .await?;
    let kept = keep(&mut transaction, &network.keys, proxy_id, told).await?;
    let command = Command::Create(Create {
        owner: caller.user_id,
        name: request.name,
        description: request.description,
        protocol,
        endpoint,
        country_code: request.country_code,
        notes: request.notes,
        enabled: request.is_enabled.unwrap_or(true),
        with_credentials: kept == Credentials::Replaced,
    });
    let id = proxy_id.to_string();
    let done = app.execute_in::<Proxy>(transaction, &id, command, &caller.metadata, None);
    answer(app, done.await?, Answer::created).await
}

/// Changes a proxy. After a change of place, protocol or credentials it counts as unchecked; runs under way keep what they
/// started with.
#[utoipa::path(put, path = "/proxies/{proxyId}", tag = "proxies", request_body = UpdateProxyRequestAPI,
    params(("proxyId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ProxyView), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ProxyId>,
    Json(request): Json<UpdateProxyRequestAPI>,
) -> Result<Answer<ProxyView>, Error> {
    let app = &state.app;
    Mine::<Proxy>::find(app, &caller, id).await?;
    if let Some(done) = app.repeated::<Proxy>(&caller.metadata).await? {
        return answer(app, done, Answer::ok).await;
    }
    let mut transaction = app.database.begin().await?;
    let command = request.prepare(app, &mut transaction, id).await?;
    let stream = id.to_string();
    let done = app.execute_in::<Proxy>(transaction, &stream, command, &caller.metadata, version);
    answer(app, done.await?, Answer::ok).await
}

/// Deletes a proxy, with what it is told, and takes it out of its pools. A worker that is at a run with it goes on with what
/// it has; one that takes the run up later goes without its credentials.
#[utoipa::path(delete, path = "/proxies/{proxyId}", tag = "proxies",
    params(("proxyId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ProxyId>,
) -> Result<Answer<()>, Error> {
    let app = &state.app;
    Mine::<Proxy>::find(app, &caller, id).await?;
    if let Some(done) = app.repeated::<Proxy>(&caller.metadata).await? {
        return Ok(Answer::no_content().after(&done));
    }
    let mut transaction = app.database.begin().await?;
    forget(&mut transaction, &caller, id).await?;
    let (stream, command) = (id.to_string(), Command::Delete(Delete));
    let done = app.execute_in::<Proxy>(transaction, &stream, command, &caller.metadata, version);
    Ok(Answer::no_content().after(&done.await?))
}

/// Shows a proxy as a command left it.
async fn answer(
    app: &App,
    done: Done<Event>,
    status: impl FnOnce(ProxyView) -> Answer<ProxyView>,
) -> Result<Answer<ProxyView>, Error> {
    let id: Uuid = done.aggregate_id.parse().map_err(Error::internal)?;
    let snapshot = app.after::<Proxy>(&done).await?;
    let kept = proxies::state_of(app.database.pool(), ProxyId(id)).await?;
    Ok(status(ProxyView::of(id, &snapshot, kept)?)
        .version(done.version)
        .after(&done))
}
