//! The audit trail.

use axum::{
    extract,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use projections::{
    Whose,
    audit::{self, Entry, Filter, Order, Page},
};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use super::{
    download::{ENTRIES, download, refuse_page, wanted},
    filters::{Texts, entries_query, order, place},
    view::{EntriesPageInfo, HistoryEntry},
};
use crate::http::{Answer, Caller, Error, Query, State, campaigns::export::Format, vocabulary};

entries_query! {
    /// Which entries, and which page of them.
    pub(super) struct AuditQuery, "desc" {
        /// The kind of thing that it happened to.
        #[param(value_type = Option<vocabulary::ResourceType>, inline)]
        resource_type: Option<String>,
        /// Which thing.
        resource_id: Option<String>,
    }
}

impl AuditQuery {
    fn filter(&self) -> Result<Filter, Error> {
        let texts = Texts {
            actor: self.actor.as_deref(),
            action: self.action.as_deref(),
            resource_type: self.resource_type.as_deref(),
            resource_id: self.resource_id.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            correlation_id: self.correlation_id.as_deref(),
            causation_id: self.causation_id.as_deref(),
        };
        texts.filter()
    }
}

/// A page of the audit trail.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditResponse {
    /// The entries.
    items: Vec<HistoryEntry>,
    /// Where they stand among the others.
    page_info: EntriesPageInfo,
}

/// Answers who did what, when, from where and why, and what it changed: every action of users and of the system but for what
/// was found out about single domains, which their own histories tell. Administrators and auditors see everything; others see
/// what they did and what happened to their things, but not from where, with what and by which key another user did it. All filters join with AND. A download is of one moment of the log, the one
/// at which it began.
#[utoipa::path(
    get, path = "/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, content((AuditResponse = "application/json"), (String = "text/csv"),
        (String = "application/x-ndjson"))))
)]
pub(super) async fn entries(
    extract::State(state): extract::State<State>,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<AuditQuery>,
) -> Result<Response, Error> {
    let filter = asked.filter()?;
    let order = order(asked.dir.as_deref(), Order::NewestFirst)?;
    let place = place(asked.first, asked.after.as_deref())?;
    let pool = state.app.database.pool();
    if let Some(format) = wanted(asked.format.as_deref(), &headers)? {
        refuse_page(&[
            ("first", asked.first.is_some()),
            ("after", asked.after.is_some()),
        ])?;
        let whose = (caller.whose(), caller.whose());
        return exported(pool, whose, filter, order, (format, "audit")).await;
    }
    let page = Page {
        after: place.after,
        until: i64::MAX,
        limit: place.first,
        order,
    };
    let (entries, has_next) = audit::page(pool, caller.whose(), &filter, &page).await?;
    let page_info = EntriesPageInfo::of(&entries, place.first, has_next, |entry| entry.position);
    let items = shown(entries, caller.whose());
    Ok(Answer::ok(AuditResponse { items, page_info }).into_response())
}

/// Shows entries to somebody.
pub(in crate::http) fn shown(entries: Vec<Entry>, viewer: Whose) -> Vec<HistoryEntry> {
    let entries = entries.into_iter();
    entries
        .map(|entry| HistoryEntry::shown_to(viewer, entry))
        .collect()
}

/// Answers a download of all entries that pass a filter, whose they are and as whoever asks is shown them, by the name of a
/// file, of the moment at which it begins.
///
/// # Errors
/// When the database does not answer for the first page, so that this is an error and not a torn file.
pub(in crate::http) async fn exported(
    pool: &PgPool,
    (whose, viewer): (Whose, Whose),
    filter: Filter,
    order: Order,
    (format, name): (Format, &str),
) -> Result<Response, Error> {
    let until = audit::end(pool).await?;
    let page = move |after: Option<i64>| Page {
        after,
        until,
        limit: ENTRIES,
        order,
    };
    let (first, _) = audit::page(pool, whose, &filter, &page(None)).await?;
    let pool = pool.clone();
    let next = move |last: &HistoryEntry| {
        let (pool, filter, page) = (pool.clone(), filter.clone(), page(Some(last.position)));
        async move {
            let read = audit::page(&pool, whose, &filter, &page).await;
            let (entries, _) = read.map_err(std::io::Error::other)?;
            Ok(shown(entries, viewer))
        }
        .boxed()
    };
    Ok(download(format, name, shown(first, viewer), next))
}
