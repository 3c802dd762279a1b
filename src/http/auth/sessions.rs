//! One's own sessions.

use aggregates::ids::SessionId;
use axum::{
    extract,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::session::without_cookie;
use crate::{
    auth::{Credential, Ending, KeptSession},
    http::{Answer, Caller, Error, ErrorEnvelope, Path, Query, State, query},
};

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most rows, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    pub(super) offset: Option<i64>,
}

/// A live session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SessionView {
    /// The session's id, as the audit trail names it.
    id: Uuid,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// When it was last used, to a minute.
    last_used_at: DateTime<Utc>,
    /// When it ends unless it is used.
    expires_at: DateTime<Utc>,
    /// The address from which it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    /// The program with which it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// Whether it is the one of this request.
    current: bool,
}

impl From<KeptSession> for SessionView {
    fn from(kept: KeptSession) -> Self {
        Self {
            id: kept.session_id,
            created_at: kept.created_at,
            last_used_at: kept.last_used_at,
            expires_at: kept.expires_at,
            ip: kept.ip,
            user_agent: kept.user_agent,
            current: false,
        }
    }
}

impl SessionView {
    fn of(kept: KeptSession, credential: Credential) -> Self {
        Self {
            current: credential == Credential::Session(SessionId(kept.session_id)),
            ..kept.into()
        }
    }
}

/// Lists one's live sessions, the latest used first.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", params(Wanted),
    responses((status = 200, body = [SessionView]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<SessionView>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let (sessions, total) = state
        .auth
        .sessions_of(&state.app, caller.user_id, (page.limit, page.offset))
        .await?;
    let sessions = sessions
        .into_iter()
        .map(|kept| SessionView::of(kept, caller.credential));
    Ok(Answer::ok(sessions.collect()).total(total))
}

/// Ends one of one's sessions, and its streams.
#[utoipa::path(delete, path = "/auth/sessions/{sessionId}", tag = "auth", params(("sessionId" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn end(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> Result<Response, Error> {
    let current = caller.session()?;
    let done = state
        .auth
        .end_sessions(
            &state.app,
            caller.user_id,
            Ending::This(id),
            &caller.metadata,
        )
        .await?
        .ok_or(Error::no_such("session", "sessionId"))?;
    let answer = Answer::no_content().after(&done);
    Ok(match id == current {
        true => without_cookie(&state, answer),
        false => answer.into_response(),
    })
}

/// Ends all of one's sessions but this one, and their streams.
#[utoipa::path(delete, path = "/auth/sessions", tag = "auth", responses((status = 204)))]
pub(super) async fn end_others(
    extract::State(state): extract::State<State>,
    caller: Caller,
) -> Result<Answer<()>, Error> {
    let ending = Ending::AllBut(caller.session()?);
    let done = state
        .auth
        .end_sessions(&state.app, caller.user_id, ending, &caller.metadata)
        .await?;
    let answer = Answer::no_content();
    Ok(match done {
        Some(done) => answer.after(&done),
        None => answer,
    })
}
