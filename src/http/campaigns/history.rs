//! What happened to a campaign: its entries of the audit trail.

use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use projections::{
    Whose,
    audit::{self, Filter, Order, Page},
};
use uuid::Uuid;

use super::{access, views::HistoryResponse};
use crate::http::{
    Answer, Caller, Error, Path, Query, State,
    audit::{
        download::{refuse_page, wanted},
        filters::{Place, Texts, entries_query, order, place},
        list::{exported, shown},
        view::EntriesPageInfo,
    },
};

entries_query! {
    /// Which entries of a history, and which page of them.
    pub(in crate::http) struct HistoryQuery, "asc" {
        /// The same as `first`.
        #[param(minimum = 1, maximum = 1000)]
        limit: Option<i64>,
    }
}

impl HistoryQuery {
    fn filter(&self, id: Uuid) -> Result<Filter, Error> {
        let stream = id.to_string();
        let texts = Texts {
            actor: self.actor.as_deref(),
            action: self.action.as_deref(),
            resource_type: Some("campaign"),
            resource_id: Some(&stream),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            correlation_id: self.correlation_id.as_deref(),
            causation_id: self.causation_id.as_deref(),
        };
        texts.filter()
    }
}

/// Reads which page of a history is wanted, by either name of its length.
///
/// # Errors
/// 400 naming the parameter.
pub(super) fn place_of(
    (first, limit): (Option<i64>, Option<i64>),
    after: Option<&str>,
) -> Result<Place, Error> {
    if first.is_some() && limit.is_some() && first != limit {
        return Err(Error::bad("first", "differs from limit: give one of them"));
    }
    match limit {
        Some(limit) if first.is_none() && !(1..=1_000).contains(&limit) => {
            Err(Error::bad("limit", "must be from 1 to 1000"))
        }
        _ => place(first.or(limit), after),
    }
}

/// Answers what happened to a campaign, who did it and when, from where and why, and what it changed. A download is of one
/// moment of the log, the one at which it began.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/history", tag = "campaigns",
    params(("campaignId" = Uuid, Path), HistoryQuery),
    responses((status = 200, content((HistoryResponse = "application/json"), (String = "text/csv"),
        (String = "application/x-ndjson"))), (status = 404))
)]
pub(super) async fn history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Query(asked): Query<HistoryQuery>,
) -> Result<Response, Error> {
    access::owned(&state, &caller, id).await?;
    history_of(&state, caller.whose(), id, asked, &headers).await
}

/// Answers a page of a campaign's history as somebody is shown it, or a download of it.
pub(in crate::http) async fn history_of(
    state: &State,
    viewer: Whose,
    id: Uuid,
    asked: HistoryQuery,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let filter = asked.filter(id)?;
    let order = order(asked.dir.as_deref(), Order::OldestFirst)?;
    let place = place_of((asked.first, asked.limit), asked.after.as_deref())?;
    let (pool, whose) = (state.app.database.pool(), Whose::Everybodys);
    if let Some(format) = wanted(asked.format.as_deref(), headers)? {
        refuse_page(&[
            ("first", asked.first.is_some()),
            ("limit", asked.limit.is_some()),
            ("after", asked.after.is_some()),
        ])?;
        let name = format!("campaign-{id}-history");
        return exported(pool, (whose, viewer), filter, order, (format, &name)).await;
    }
    let page = Page {
        after: place.after,
        until: i64::MAX,
        limit: place.first,
        order,
    };
    let (entries, has_next) = audit::page(pool, whose, &filter, &page).await?;
    let page_info = EntriesPageInfo::of(&entries, place.first, has_next, |entry| entry.position);
    let body = HistoryResponse {
        campaign_id: id,
        next_after: entries
            .last()
            .filter(|_| page_info.has_next_page)
            .map(|entry| entry.position),
        items: shown(entries, viewer),
        page_info,
    };
    Ok(Answer::ok(body).into_response())
}
