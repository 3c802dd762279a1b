//! What happened to a campaign and to its domains, read from the log.

use aggregates::domain;
use projections::{audit, domains};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    access,
    views::{DomainHistoryEntry, DomainHistoryResponse, HistoryEntry, HistoryResponse},
};
use crate::http::{Answer, Caller, Error, Path, Query, State, query};

/// Entries a page at most.
const MOST: i64 = 1_000;
/// Entries a page where nothing is said.
const DEFAULT: i64 = 100;

/// Which page of a history.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HistoryQuery {
    /// Entries a page, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// Only entries after this one: the page before says which.
    #[param(minimum = 0)]
    after: Option<i64>,
}

impl HistoryQuery {
    fn page(self) -> Result<(i64, i64), Error> {
        let page = query::page(self.limit, None, MOST, DEFAULT)?;
        match self.after.unwrap_or(0) {
            after @ 0.. => Ok((page.limit, after)),
            _ => Err(Error::bad("after", "must be at least 0")),
        }
    }
}

/// Answers what happened to a campaign, who did it and when, the oldest entries first.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/history", tag = "campaigns",
    params(("campaignId" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = HistoryResponse), (status = 404))
)]
pub(super) async fn history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(wanted): Query<HistoryQuery>,
) -> Result<Answer<HistoryResponse>, Error> {
    access::owned(&state, &caller, id).await?;
    Ok(Answer::ok(history_of(&state, id, wanted).await?))
}

/// Reads a page of a campaign's history.
pub(in crate::http) async fn history_of(
    state: &State,
    id: Uuid,
    wanted: HistoryQuery,
) -> Result<HistoryResponse, Error> {
    let (limit, after) = wanted.page()?;
    let stream = id.to_string();
    let pool = state.app.database.pool();
    let mut entries = audit::of_resource(pool, "campaign", &stream, after, limit + 1).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > size;
    entries.truncate(size);
    Ok(HistoryResponse {
        campaign_id: id,
        next_after: entries
            .last()
            .filter(|_| has_more)
            .map(|entry| entry.position),
        items: entries.into_iter().map(HistoryEntry::from).collect(),
    })
}

/// Answers everything that was ever found out about a domain of a campaign, with all evidence, the oldest first.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/domains/{domain}/history", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("domain" = String, Path), HistoryQuery),
    responses((status = 200, body = DomainHistoryResponse), (status = 404))
)]
pub(super) async fn domain_history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, name)): Path<(Uuid, String)>,
    Query(wanted): Query<HistoryQuery>,
) -> Result<Answer<DomainHistoryResponse>, Error> {
    let (limit, after) = wanted.page()?;
    let campaign_id = access::owned(&state, &caller, id).await?;
    let name = access::domain(&name)?;
    let row = domains::by_name(state.app.database.pool(), campaign_id, name.as_str()).await?;
    let row = row.ok_or(access::NO_SUCH_DOMAIN)?;
    let stream = domain::stream_id(campaign_id, name.as_str());
    let log = state.app.database.log();
    let one_more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let page = log
        .stream("domain", &stream)
        .page(u64::try_from(after).unwrap_or(0), one_more)
        .await;
    let mut events = page.map_err(Error::internal)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = events.len() > size;
    events.truncate(size);
    let items = events
        .iter()
        .map(DomainHistoryEntry::of)
        .collect::<Result<Vec<_>, _>>();
    let body = DomainHistoryResponse {
        campaign_id: id,
        domain: row.name,
        created_at: row.created_at,
        next_after: events
            .last()
            .filter(|_| has_more)
            .map(|stored| stored.event.sequence),
        items: items.map_err(Error::internal)?,
    };
    Ok(Answer::ok(body))
}
