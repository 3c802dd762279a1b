//! Checks of proxies on demand: every one of them really connects.

use std::time::{Duration, Instant};

use aggregates::{
    ids::ProxyId,
    proxy::{Health, Proxy},
};
use axum::extract;
use chrono::{DateTime, Utc};
use event_store::Position;
use futures::{StreamExt as _, stream};
use projections::proxies::{self, Filter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    bulk::{MOST, distinct},
    view::ProxyView,
};
use crate::{
    app::App,
    http::{
        Answer, Caller, Error, ErrorEnvelope, Json, Path, Query, State,
        owned::{Mine, Owned as _},
        query,
    },
    work::proxies::{Asked, Checked, Error as CheckError, TIMEOUT},
};

/// Checks of one request at once.
const AT_ONCE: usize = 32;
/// How long a request begins further checks; one that has begun ends within its own time.
const BEGIN_LIMIT: Duration = Duration::from_secs(60);
/// The setting that says what checks fetch.
const PAGE_SETTING: &str = "DOMAINFLOW_PROXY_CHECK_URL";

/// What a test came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyTestResponse {
    proxy_id: Uuid,
    /// Whether a page came through.
    success: bool,
    /// The status of the last answer, the page's or the proxy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// How long it took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<i64>,
    /// Why none came: a code and the same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a health check came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyHealthCheckResponse {
    proxy_id: Uuid,
    /// Whether a page came through.
    success: bool,
    /// `healthy`, `unhealthy`, or `unknown` where the failure may be the page's as well, or no check was made.
    status: String,
    /// How long it took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<i64>,
    /// What went wrong, where something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    timestamp: DateTime<Utc>,
}

/// Which proxies are to be tested.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BulkTestRequest {
    /// The proxies, at most 500.
    proxy_ids: Vec<Uuid>,
}

/// Which proxies are to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkHealthCheckRequest {
    /// The proxies, at most 500; where this is not said, the first 500 of those that are switched on.
    ids: Option<Vec<Uuid>>,
}

/// What several tests came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkProxyTestResponse {
    total_requested: usize,
    success_count: usize,
    error_count: usize,
    results: Vec<ProxyTestResponse>,
}

/// What several health checks came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkHealthCheckResponse {
    total_proxies: usize,
    healthy_proxies: usize,
    /// Those that are not healthy, or of which that is not known.
    failed_proxies: usize,
    results: Vec<ProxyHealthCheckResponse>,
}

/// How a proxy fares.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyStatusResponse {
    proxy_id: Uuid,
    /// How the last check came out: `healthy`, `unhealthy` or `unknown`.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_checked: Option<DateTime<Utc>>,
    /// How long the last check took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<i64>,
    is_healthy: bool,
    proxy_details: ProxyView,
}

/// What became of a check of one proxy; an error is of this one alone.
type Outcome = (ProxyId, Result<Checked, CheckError>);

fn milliseconds(checked: &Checked) -> i64 {
    i64::try_from(checked.elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Says why there was no check; what is no business of the caller's is logged instead.
fn told(id: ProxyId, error: &CheckError) -> String {
    match error {
        CheckError::NoPage | CheckError::NotFound | CheckError::Credentials(_) => error.to_string(),
        other => {
            tracing::warn!(proxy.id = %id, error = %event_store::describe(other), "a proxy was not checked");
            "the check could not be made".to_owned()
        }
    }
}

impl ProxyTestResponse {
    fn of((id, outcome): &Outcome) -> Self {
        let checked = outcome.as_ref();
        Self {
            proxy_id: id.0,
            success: checked.is_ok_and(|checked| checked.success),
            status_code: checked.ok().and_then(|checked| checked.status_code),
            response_time: checked.ok().map(milliseconds),
            error: match checked {
                Ok(checked) => checked.error.clone(),
                Err(error) => Some(told(*id, error)),
            },
        }
    }
}

impl ProxyHealthCheckResponse {
    fn of((id, outcome): &Outcome) -> Self {
        let checked = outcome.as_ref();
        let health = checked.map_or(Health::Unknown, |checked| checked.health);
        Self {
            proxy_id: id.0,
            success: checked.is_ok_and(|checked| checked.success),
            status: health.name().to_owned(),
            response_time: checked.ok().map(milliseconds),
            message: match checked {
                Ok(checked) => checked.error.clone(),
                Err(error) => Some(told(*id, error)),
            },
            timestamp: Utc::now(),
        }
    }
}

/// Checks one proxy, or says why that cannot be done.
async fn one(state: &State, caller: &Caller, id: ProxyId, asked: Asked) -> Result<Outcome, Error> {
    Mine::<Proxy>::find(&state.app, caller, id).await?;
    let metadata = caller.secondary_metadata();
    let checked = state.app.check_proxy(id, asked, TIMEOUT, &metadata).await;
    match checked {
        Err(error @ CheckError::NoPage) => Err(Error::unprocessable(PAGE_SETTING, error)),
        Err(error @ CheckError::Credentials(_)) => Err(Error::unprocessable("proxyId", error)),
        Err(CheckError::NotFound) => Err(Proxy::MISSING),
        Err(error) => Err(Error::internal(error)),
        checked => Ok((id, checked)),
    }
}

/// Checks several proxies at once, in bounded numbers and time; those that the caller does not reach are not there.
async fn several(
    app: &App,
    caller: &Caller,
    ids: Vec<ProxyId>,
    asked: Asked,
) -> Result<Vec<Outcome>, Error> {
    if app.defaults.network.proxy_check_url.is_none() {
        return Err(Error::unprocessable(PAGE_SETTING, CheckError::NoPage));
    }
    let (until, metadata) = (Instant::now() + BEGIN_LIMIT, caller.secondary_metadata());
    let check = |id: ProxyId| {
        let metadata = &metadata;
        async move {
            let checked = async {
                let (proxy, _) = app.database.log().load::<Proxy>(&id.to_string()).await?;
                if !proxy.owner().is_some_and(|owner| caller.reaches(owner)) {
                    return Err(CheckError::NotFound);
                }
                if Instant::now() >= until {
                    return Err(CheckError::Engine("there was no time left".to_owned()));
                }
                app.check_proxy(id, asked, TIMEOUT, metadata).await
            };
            (id, checked.await)
        }
    };
    Ok(stream::iter(ids)
        .map(check)
        .buffered(AT_ONCE)
        .collect()
        .await)
}

/// Returns the position after the latest of several checks, and the lag there.
fn latest(outcomes: &[Outcome]) -> Option<(Position, Option<u64>)> {
    let checked = outcomes
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().ok());
    checked
        .map(|checked| (checked.cursor, checked.lag))
        .max_by_key(|(cursor, _)| *cursor)
}

/// Answers with the position after the latest of the checks, so that a query can ask for what they changed.
fn after<T>(answer: Answer<T>, outcomes: &[Outcome]) -> Answer<T> {
    match latest(outcomes) {
        Some((cursor, lag)) if cursor > Position::START => answer.at(cursor, lag),
        _ => answer,
    }
}

/// Tests a proxy: fetches the operator's page through it.
#[utoipa::path(post, path = "/proxies/{proxyId}/test", tag = "proxies", params(("proxyId" = Uuid, Path)),
    responses((status = 200, body = ProxyTestResponse), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn test(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ProxyId>,
) -> Result<Answer<ProxyTestResponse>, Error> {
    let outcome = one(&state, &caller, id, Asked::Test).await?;
    let answer = Answer::ok(ProxyTestResponse::of(&outcome));
    Ok(after(answer, &[outcome]))
}

/// Checks the health of a proxy: fetches the operator's page through it.
#[utoipa::path(post, path = "/proxies/{proxyId}/health-check", tag = "proxies", params(("proxyId" = Uuid, Path)),
    responses((status = 200, body = ProxyHealthCheckResponse), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn health_check(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ProxyId>,
) -> Result<Answer<ProxyHealthCheckResponse>, Error> {
    let outcome = one(&state, &caller, id, Asked::HealthCheck).await?;
    let answer = Answer::ok(ProxyHealthCheckResponse::of(&outcome));
    Ok(after(answer, &[outcome]))
}

/// Tests several proxies at once.
#[utoipa::path(post, path = "/proxies/bulk/test", tag = "proxies", request_body = BulkTestRequest,
    responses((status = 200, body = BulkProxyTestResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn bulk_test(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<BulkTestRequest>,
) -> Result<Answer<BulkProxyTestResponse>, Error> {
    let ids = distinct("proxyIds", request.proxy_ids)?;
    let outcomes = several(&state.app, &caller, ids, Asked::Test).await?;
    let results: Vec<_> = outcomes.iter().map(ProxyTestResponse::of).collect();
    let success_count = results.iter().filter(|result| result.success).count();
    let answer = Answer::ok(BulkProxyTestResponse {
        total_requested: results.len(),
        success_count,
        error_count: results.len() - success_count,
        results,
    });
    Ok(after(answer, &outcomes))
}

/// Checks the health of several proxies at once, and answers when it is done: within a minute and a check's time.
#[utoipa::path(post, path = "/proxies/health-check", tag = "proxies", request_body = BulkHealthCheckRequest,
    responses((status = 202, body = BulkHealthCheckResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn bulk_health_check(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<BulkHealthCheckRequest>,
) -> Result<Answer<BulkHealthCheckResponse>, Error> {
    let ids = match request.ids {
        Some(ids) => distinct("ids", ids)?,
        None => switched_on(&state.app, &caller).await?,
    };
    let outcomes = several(&state.app, &caller, ids, Asked::HealthCheck).await?;
    let results: Vec<_> = outcomes.iter().map(ProxyHealthCheckResponse::of).collect();
    let healthy = |(_, outcome): &&Outcome| {
        let checked = outcome.as_ref();
        checked.is_ok_and(|checked| checked.health == Health::Healthy)
    };
    let healthy_proxies = outcomes.iter().filter(healthy).count();
    let answer = Answer::accepted(BulkHealthCheckResponse {
        total_proxies: results.len(),
        healthy_proxies,
        failed_proxies: results.len() - healthy_proxies,
        results,
    });
    Ok(after(answer, &outcomes))
}

/// Lists the caller's own proxies that are switched on: whoever names none means no other's.
async fn switched_on(app: &App, caller: &Caller) -> Result<Vec<ProxyId>, Error> {
    let filter = Filter {
        enabled: Some(true),
        ..Filter::default()
    };
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let pool = app.database.pool();
    let (found, _) = proxies::list(pool, caller.user_id, &filter, most, 0).await?;
    Ok(found
        .into_iter()
        .map(|found| ProxyId(found.row.proxy_id))
        .collect())
}

/// Which part of the list is wanted.
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

/// Says how the proxies that the caller reaches fare, as far as they were checked.
#[utoipa::path(get, path = "/proxies/status", tag = "proxies", params(Wanted),
    responses((status = 200, body = [ProxyStatusResponse]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn status(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<ProxyStatusResponse>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 500)?;
    let pool = state.app.database.pool();
    let filter = Filter::default();
    let (found, total) =
        proxies::list(pool, caller.whose(), &filter, page.limit, page.offset).await?;
    let statuses = found
        .into_iter()
        .map(ProxyView::from)
        .map(|proxy| ProxyStatusResponse {
            proxy_id: proxy.id,
            status: proxy
                .last_status
                .clone()
                .unwrap_or_else(|| Health::Unknown.name().to_owned()),
            last_checked: proxy.last_checked_at,
            response_time: proxy.latency_ms.map(i64::from),
            is_healthy: proxy.is_healthy,
            proxy_details: proxy,
        });
    Ok(Answer::ok(statuses.collect()).total(total))
}
