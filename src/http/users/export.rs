//! Everything that is kept of one user, as a download: read page by page, written as it is read.

use std::io;

use aggregates::ids::UserId;
use async_stream::try_stream;
use axum::{
    body::Body,
    extract,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use chrono::DateTime;
use futures::Stream;
use projections::holdings::{self, Kind};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::must_exist;
use crate::http::{
    Caller, Error, ErrorEnvelope, Path, State,
    auth::{ApiKeyView, SessionView, UserPublicResponse},
};

/// Rows that are read at once at most; fewer where they are long.
const ROWS: i64 = 200;
/// More sessions, or keys, than a user has.
const ALL: i64 = 1_000;

/// Everything that is kept of a user.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what is written piece by piece")]
pub(super) struct UserExport {
    /// The user.
    user: UserPublicResponse,
    /// His live sessions.
    sessions: Vec<SessionView>,
    /// His API keys.
    api_keys: Vec<ApiKeyView>,
    /// His campaigns, as they are kept.
    #[schema(value_type = Vec<Object>)]
    campaigns: Vec<Value>,
    /// His proxy pools, as they are kept.
    #[schema(value_type = Vec<Object>)]
    proxy_pools: Vec<Value>,
    /// His proxies, as they are kept.
    #[schema(value_type = Vec<Object>)]
    proxies: Vec<Value>,
    /// His personas, as they are kept.
    #[schema(value_type = Vec<Object>)]
    personas: Vec<Value>,
    /// His keyword sets, as they are kept.
    #[schema(value_type = Vec<Object>)]
    keyword_sets: Vec<Value>,
    /// His scoring profiles, as they are kept.
    #[schema(value_type = Vec<Object>)]
    scoring_profiles: Vec<Value>,
    /// What he did and what was done to his account, as the audit trail keeps it.
    #[schema(value_type = Vec<Object>)]
    actions: Vec<Value>,
}

/// Gives everything that is kept of oneself.
///
/// One JSON object: `user`, `sessions` and `apiKeys` as elsewhere; `campaigns`, `proxyPools`, `proxies`, `personas`, `keywordSets`
/// and `scoringProfiles`, each an array of rows with all their columns; and `actions`, every entry of the audit trail of what
/// one did and of what was done to one's account, without from where, with what and by which key another user did it. What campaigns found is in their own exports. It is streamed; a download
/// that ends before the last brace is not whole.
#[utoipa::path(get, path = "/me/export", tag = "users",
    responses((status = 200, body = UserExport)))]
pub(super) async fn own(
    extract::State(state): extract::State<State>,
    caller: Caller,
) -> Result<Response, Error> {
    give(state, caller.user_id).await
}

/// Gives everything that is kept of a user; as `GET /me/export` does.
#[utoipa::path(get, path = "/users/{userId}/export", tag = "users", params(("userId" = Uuid, Path)),
    responses((status = 200, body = UserExport),
        (status = 403, description = "only administrators and auditors", body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)))]
pub(super) async fn of_user(
    extract::State(state): extract::State<State>,
    _: Caller,
    Path(id): Path<UserId>,
) -> Result<Response, Error> {
    must_exist(&state, id).await?;
    give(state, id).await
}

async fn give(state: State, user_id: UserId) -> Result<Response, Error> {
    let user = UserPublicResponse::load(&state.app, user_id).await?;
    let (auth, app) = (&state.auth, &state.app);
    let (sessions, _) = auth.sessions_of(app, user_id, (ALL, 0)).await?;
    let (keys, _) = auth.keys_of(app, user_id, (ALL, 0)).await?;
    let sessions: Vec<_> = sessions.into_iter().map(SessionView::from).collect();
    let keys: Vec<_> = keys.into_iter().map(ApiKeyView::from).collect();
    let mut first = b"{".to_vec();
    field(&mut first, "user", &user).map_err(Error::internal)?;
    first.push(b',');
    field(&mut first, "sessions", &sessions).map_err(Error::internal)?;
    first.push(b',');
    field(&mut first, "apiKeys", &keys).map_err(Error::internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"user.json\"",
        ),
    ];
    let pieces = pieces(state, user_id, first.into());
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn pieces(
    state: State,
    user_id: UserId,
    first: Bytes,
) -> impl Stream<Item = Result<Bytes, io::Error>> {
    try_stream! {
        yield first;
        let pool = state.app.database.pool();
        for kind in Kind::ALL {
            yield opening(kind.name());
            let (mut after, mut is_first) = ((DateTime::UNIX_EPOCH, Uuid::nil()), true);
            loop {
                let rows = holdings::of_user(pool, kind, user_id, after, ROWS).await;
                let rows = rows.map_err(io::Error::other)?;
                let Some(last) = rows.last() else {
                    break;
                };
                after = (last.created_at, last.id);
                yield items(rows.iter().map(|held| &held.row), &mut is_first)?;
            }
            yield Bytes::from_static(b"]");
        }
        yield opening("actions");
        let (mut after, mut is_first) = (0, true);
        loop {
            let rows = holdings::actions_of(pool, user_id, after, ROWS).await;
            let rows = rows.map_err(io::Error::other)?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.position;
            yield items(rows.iter().map(|action| &action.row), &mut is_first)?;
        }
        yield Bytes::from_static(b"]}");
    }
}

fn opening(name: &str) -> Bytes {
    format!(",\"{name}\":[").into()
}

fn field(text: &mut Vec<u8>, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
    text.extend_from_slice(format!("\"{name}\":").as_bytes());
    serde_json::to_writer(text, value)
}

fn items<T: Serialize>(
    items: impl Iterator<Item = T>,
    is_first: &mut bool,
) -> Result<Bytes, io::Error> {
    let mut text = Vec::new();
    for item in items {
        if !std::mem::take(is_first) {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &item)?;
    }
    Ok(text.into())
}
