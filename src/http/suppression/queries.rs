//! Listing and showing entries.

use aggregates::{
    ids::SuppressionId,
    suppression::{Kind, Target},
};
use axum::extract;
use projections::suppression::{self, Filter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{MISSING, SuppressionEntry, SuppressionKind};
use crate::http::{Answer, Caller, Error, ErrorEnvelope, Path, Query, State, query};

/// Which entries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    first: Option<i64>,
    /// The `endCursor` of the page before.
    after: Option<String>,
    /// What they name.
    kind: Option<SuppressionKind>,
    /// A part of their value, reason or note, in any case.
    q: Option<String>,
}

/// A page of the suppression list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuppressionListResponse {
    /// The entries, by value and kind.
    items: Vec<SuppressionEntry>,
    /// How many entries the filter lets through.
    total: i64,
    /// Whether there is another page.
    has_next_page: bool,
    /// Where the next page goes on, with `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_cursor: Option<String>,
}

/// Lists the entries of the suppression list, by value and kind.
#[utoipa::path(get, path = "/suppression", tag = "suppression", params(Wanted),
    responses((status = 200, body = SuppressionListResponse), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    _: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<SuppressionListResponse>, Error> {
    let page = query::page(wanted.first, None, 500, 50).map_err(|_| {
        // The parameter has another name here.
        Error::bad("first", "must be from 1 to 500")
    })?;
    let filter = Filter {
        kind: wanted.kind.map(|kind| Kind::from(kind).name()),
        part: wanted.q.filter(|part| !part.is_empty()),
        after: wanted.after.as_deref().map(place).transpose()?,
    };
    // One more tells whether there is a next page.
    let (mut rows, total) =
        suppression::list(state.app.database.pool(), &filter, page.limit + 1).await?;
    let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_next_page = rows.len() > most;
    rows.truncate(most);
    let end_cursor = rows.last().map(|row| format!("{}:{}", row.kind, row.value));
    let items: Result<Vec<_>, Error> = rows.into_iter().map(TryInto::try_into).collect();
    let body = SuppressionListResponse {
        items: items?,
        total,
        has_next_page,
        end_cursor,
    };
    Ok(Answer::ok(body).total(total))
}

/// Reads a cursor: the value and the kind of the entry before.
fn place(cursor: &str) -> Result<(String, String), Error> {
    let read = cursor.split_once(':').and_then(|(kind, value)| {
        let kind: Kind = kind.parse().ok()?;
        let target = Target::parse(kind, value).ok()?;
        Some((target.value().to_owned(), kind.name().to_owned()))
    });
    read.ok_or_else(|| Error::bad("after", "is no cursor of this list"))
}

/// Shows an entry.
#[utoipa::path(get, path = "/suppression/{id}", tag = "suppression", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = SuppressionEntry), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    _: Caller,
    Path(id): Path<SuppressionId>,
) -> Result<Answer<SuppressionEntry>, Error> {
    let row = suppression::by_id(state.app.database.pool(), id)
        .await?
        .ok_or(MISSING)?;
    let version = row.version;
    Ok(Answer::ok(row.try_into()?).row_version(version))
}
