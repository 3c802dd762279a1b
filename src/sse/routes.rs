//! The three endpoints.

use std::sync::Arc;

use aggregates::ids::CampaignId;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use futures::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{answer, connection::Connection, cursor::Cursor, scope::Scope};
use crate::http::{Caller, Error, Json, Path, Query, State, headers::EVENT_CURSOR};

/// What a client that comes back received last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What a stream's messages are.
const MESSAGES: &str = include_str!("messages.md");

/// What a client wants of a stream.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The id after which the stream goes on; `Last-Event-ID` goes before it.
    after: Option<String>,
    /// `all`: every domain is told, nothing is coalesced.
    domains: Option<String>,
}

/// How many listen, and how much they were told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StatsResponse {
    /// Streams that are open in this process.
    active_connections: usize,
    /// Messages that it has sent.
    total_events_sent: u64,
    /// How long the server runs, such as `1h2m3s`.
    uptime: String,
}

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(everything))
        .routes(routes!(campaign))
        .routes(routes!(stats))
}

/// Streams everything that the caller may see.
///
/// Types of messages: `keep_alive` first and then every 12 seconds; of a campaign's life `phase_started`,
/// `phase_auto_started`, `phase_paused`, `phase_resumed`, `phase_completed`, `phase_failed`, `analysis_completed`,
/// `analysis_failed`, `rescore_progress`, `rescore_completed`, `campaign_completed`, `mode_changed`,
/// `counters_reconciled` and `campaign_progress`; of its domains `domain_status_delta` and `domain_scored`; of the caller's keyword sets `keyword_set_created`, `keyword_set_updated`
/// and `keyword_set_deleted`, of the caller's proxies `proxy_health_changed`; and `error` in place of an event that cannot be
/// read, and of a phase that could not start by itself.
#[utoipa::path(get, path = "/sse/events", tag = "sse", params(Wanted),
    responses((status = 200, content_type = "text/event-stream", body = String, description = MESSAGES),
        (status = 429)))]
async fn everything(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    open(&state, &caller, None, &wanted, &headers).await
}

/// Streams what happens to one campaign.
#[utoipa::path(get, path = "/sse/campaigns/{campaignId}/events", tag = "sse",
    params(("campaignId" = uuid::Uuid, Path), Wanted),
    responses((status = 200, content_type = "text/event-stream", body = String, description = MESSAGES),
        (status = 404), (status = 429)))]
async fn campaign(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(campaign_id): Path<CampaignId>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = projections::campaigns::by_id(state.app.database.pool(), campaign_id).await?;
    found
        .filter(|campaign| caller.reaches(campaign.owner))
        .ok_or(crate::http::campaigns::MISSING)?;
    open(&state, &caller, Some(campaign_id), &wanted, &headers).await
}

/// Counts the streams of this process.
#[utoipa::path(get, path = "/sse/events/stats", tag = "sse", responses((status = 200, body = StatsResponse)))]
async fn stats(
    axum::extract::State(state): axum::extract::State<State>,
    _: Caller,
) -> Json<StatsResponse> {
    let listeners = &state.streams.shared().listeners;
    Json(StatsResponse {
        active_connections: listeners.count(),
        total_events_sent: listeners.sent(),
        uptime: crate::http::health::uptime(state.started),
    })
}

/// Opens a stream that goes on where the client says, or begins now.
async fn open(
    state: &State,
    caller: &Caller,
    campaign: Option<CampaignId>,
    wanted: &Wanted,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let every_domain = match wanted.domains.as_deref() {
        None => false,
        Some("all") => true,
        Some(_) => return Err(Error::bad("domains", "must be all, or absent")),
    };
    let shared = state.streams.shared();
    let listener = answer::admit(shared, caller.user_id)?;
    let head = shared.feed.head().await?;
    let start = resume(wanted, headers)?.map_or(Ok(Cursor::at(head)), |(field, cursor)| {
        if cursor.position > head {
            return Err(Error::bad(field, "is beyond the end of the log"));
        }
        Ok(cursor)
    })?;
    let scope = Scope {
        whose: caller.whose(),
        campaign,
    };
    let bell = Arc::clone(&listener.bell);
    let connection = Connection::new(shared.clone(), listener, scope, start, every_domain);
    let pieces = stream::unfold(connection, |mut connection| async move {
        let piece = connection.next().await?;
        Some((piece, connection))
    });
    let mut response = answer::of_pieces(state, caller, bell, pieces);
    let begun = HeaderValue::from(start.position.get());
    response.headers_mut().insert(EVENT_CURSOR, begun);
    Ok(response)
}

/// Reads what the client received last, with where it says so. A browser that comes back by itself repeats the address
/// that it began with, so its header is the newer of both.
fn resume(wanted: &Wanted, headers: &HeaderMap) -> Result<Option<(&'static str, Cursor)>, Error> {
    let header = headers
        .get(LAST_EVENT_ID)
        .map(|value| ("Last-Event-ID", value.to_str().unwrap_or_default()));
    let parameter = wanted.after.as_deref().map(|after| ("after", after));
    header
        .or(parameter)
        .map(|(field, text)| {
            let cursor = text.parse().map_err(|error| Error::bad(field, error))?;
            Ok((field, cursor))
        })
        .transpose()
}
