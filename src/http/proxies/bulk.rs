//! Changing and deleting several proxies with one request, in one transaction.

use std::collections::HashSet;

use aggregates::{
    ids::ProxyId,
    proxy::{self, Command, Delete, Proxy},
};
use axum::extract;
use event_store::{ExecuteError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::write::{UpdateProxyRequestAPI, forget};
use crate::{
    app::App,
    commands::{Done, Recorded},
    http::{Answer, Caller, Error, ErrorEnvelope, Json, State, refusals::Refusal},
};

/// The most proxies of one request.
pub(super) const MOST: usize = 500;

/// Which proxies are to be changed, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BulkUpdateProxiesRequest {
    /// The proxies, at most 500.
    proxy_ids: Vec<Uuid>,
    /// What is to be changed about each of them.
    updates: UpdateProxyRequestAPI,
}

/// Which proxies are to be deleted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BulkDeleteProxiesRequest {
    /// The proxies, at most 500.
    proxy_ids: Vec<Uuid>,
}

/// What became of each proxy.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkProxyOperationResponse {
    total_requested: usize,
    success_count: usize,
    error_count: usize,
    successful_proxies: Vec<Uuid>,
    failed_proxies: Vec<FailedProxy>,
    results: Vec<OperationResult>,
}

/// A proxy that was left as it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FailedProxy {
    proxy_id: Uuid,
    error: String,
}

/// What became of one proxy.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OperationResult {
    proxy_id: Uuid,
    operation: String,
    success: bool,
    /// The status that the same request about this proxy alone would be answered with.
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same in words.
    message: String,
}

impl BulkProxyOperationResponse {
    fn add(&mut self, id: ProxyId, operation: &str, outcome: Result<(), Error>) {
        let (status_code, error) = match outcome {
            Ok(()) => (200, None),
            Err(error) => (error.status().as_u16(), Some(error.to_string())),
        };
        self.total_requested += 1;
        match &error {
            None => {
                self.success_count += 1;
                self.successful_proxies.push(id.0);
            }
            Some(error) => {
                self.error_count += 1;
                self.failed_proxies.push(FailedProxy {
                    proxy_id: id.0,
                    error: error.clone(),
                });
            }
        }
        self.results.push(OperationResult {
            proxy_id: id.0,
            operation: operation.to_owned(),
            success: error.is_none(),
            status_code,
            message: error
                .clone()
                .unwrap_or_else(|| "it is as it was wanted".to_owned()),
            error,
        });
    }
}

/// Reads a list of proxies, each once.
///
/// # Errors
/// [`Error::Unprocessable`] naming the field where there are none, or too many.
pub(super) fn distinct(field: &str, ids: Vec<Uuid>) -> Result<Vec<ProxyId>, Error> {
    if ids.is_empty() || ids.len() > MOST {
        let message = format!("must name 1 to {MOST} proxies");
        return Err(Error::unprocessable(field, message));
    }
    let mut seen = HashSet::new();
    let ids = ids.into_iter().filter(|id| seen.insert(*id));
    Ok(ids.map(ProxyId).collect())
}

/// Changes several proxies alike. Those that cannot be changed are told with their reasons and left as they are; the others
/// are changed together.
#[utoipa::path(put, path = "/proxies/bulk/update", tag = "proxies", request_body = BulkUpdateProxiesRequest,
    responses((status = 200, body = BulkProxyOperationResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<BulkUpdateProxiesRequest>,
) -> Result<Answer<BulkProxyOperationResponse>, Error> {
    let app = &state.app;
    let ids = distinct("proxyIds", request.proxy_ids)?;
    let mut summary = BulkProxyOperationResponse::default();
    if let Some(done) = app.repeated::<Proxy>(&caller.metadata).await? {
        // The process died before it could answer.
        let changed = app.changed_before::<Proxy>(&caller.metadata).await?;
        for id in ids {
            let stream = id.to_string();
            let (proxy, _) = app.database.log().load::<Proxy>(&stream).await?;
            let outcome = match changed.contains(&stream) {
                true => Ok(()),
                false => whose(&proxy, &caller),
            };
            summary.add(id, "update", outcome);
        }
        return Ok(Answer::ok(summary).after(&done));
    }
    let mut transaction = app.database.begin().await?;
    let mut last = None;
    for id in ids {
        let outcome = change(app, &mut transaction, &caller, id, request.updates.clone()).await?;
        let outcome = outcome.map(|recorded| last = Some(recorded));
        summary.add(id, "update", outcome);
    }
    transaction.commit().await?;
    let answer = Answer::ok(summary);
    Ok(match last {
        Some(recorded) => answer.after(&app.settle::<Proxy>(recorded).await?),
        None => answer,
    })
}

type Change = Recorded<proxy::Event>;

/// Changes one of several proxies. What is refused of this one is inside, and leaves nothing behind.
async fn change(
    app: &App,
    transaction: &mut Transaction,
    caller: &Caller,
    id: ProxyId,
    updates: UpdateProxyRequestAPI,
) -> Result<Result<Change, Error>, Error> {
    let (proxy, _) = transaction.load::<Proxy>(&id.to_string()).await?;
    if let Err(missing) = whose(&proxy, caller) {
        return Ok(Err(missing));
    }
    // Credentials are written before the rules are asked.
    sqlx::query("SAVEPOINT one")
        .execute(transaction.connection())
        .await?;
    let refused = match updates.prepare(app, transaction, id).await {
        Err(ours) if ours.is_ours() => return Err(ours),
        Err(refused) => refused,
        Ok(command) => match record(transaction, caller, id, command).await {
            Ok(recorded) => return Ok(Ok(recorded)),
            Err(ExecuteError::Rejected(refused)) => refused.into_http(),
            Err(other) => return Err(other.into()),
        },
    };
    sqlx::query("ROLLBACK TO SAVEPOINT one")
        .execute(transaction.connection())
        .await?;
    Ok(Err(refused))
}

async fn record(
    transaction: &mut Transaction,
    caller: &Caller,
    id: ProxyId,
    command: Command,
) -> Result<Change, ExecuteError<proxy::Error>> {
    let aggregate_id = id.to_string();
    let committed = transaction
        .execute::<Proxy>(&aggregate_id, command, &caller.metadata)
        .await?;
    Ok(Recorded {
        aggregate_id,
        committed,
    })
}

fn whose(proxy: &Proxy, caller: &Caller) -> Result<(), Error> {
    match proxy.owner().is_some_and(|owner| caller.reaches(owner)) {
        true => Ok(()),
        false => Err(Error::no_such("proxy", "proxyIds")),
    }
}

/// Deletes several proxies, all of them or, where the caller does not reach one, none.
#[utoipa::path(delete, path = "/proxies/bulk/delete", tag = "proxies", request_body = BulkDeleteProxiesRequest,
    responses((status = 204), (status = 400, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<BulkDeleteProxiesRequest>,
) -> Result<Answer<()>, Error> {
    let app = &state.app;
    if let Some(done) = app.repeated::<Proxy>(&caller.metadata).await? {
        return Ok(Answer::no_content().after(&done));
    }
    let ids = distinct("proxyIds", request.proxy_ids)?;
    let done = remove(app, &caller, &ids).await?;
    Ok(Answer::no_content().after(&done))
}

async fn remove(app: &App, caller: &Caller, ids: &[ProxyId]) -> Result<Done<proxy::Event>, Error> {
    let mut transaction = app.database.begin().await?;
    let mut last = None;
    for (at, id) in ids.iter().enumerate() {
        let (proxy, _) = transaction.load::<Proxy>(&id.to_string()).await?;
        whose(&proxy, caller).map_err(|_| {
            Error::unprocessable(format!("proxyIds[{at}]"), "there is no such proxy")
        })?;
        forget(&mut transaction, caller, *id).await?;
        let recorded = record(&mut transaction, caller, *id, Command::Delete(Delete)).await;
        last = Some(match recorded {
            Ok(recorded) => recorded,
            Err(refused) => {
                transaction.rollback().await?;
                return match app.repeated::<Proxy>(&caller.metadata).await? {
                    Some(done) => Ok(done),
                    None => Err(refused.into()),
                };
            }
        });
    }
    transaction.commit().await?;
    let last = last.ok_or_else(|| Error::bad("proxyIds", "is empty"))?;
    Ok(app.settle::<Proxy>(last).await?)
}
