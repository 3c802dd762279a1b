//! One's own API keys.

use aggregates::{ids::ApiKeyId, user::Scope};
use axum::extract;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sessions::Wanted;
use crate::{
    auth::{KeptKey, WantedKey},
    http::{Answer, Caller, Error, ErrorEnvelope, Json, Path, Query, State, query},
};

/// What an API key may do of what its user may.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ApiKeyScope {
    /// Queries.
    Read,
    /// Queries and commands.
    Write,
}

impl From<ApiKeyScope> for Scope {
    fn from(scope: ApiKeyScope) -> Self {
        match scope {
            ApiKeyScope::Read => Self::Read,
            ApiKeyScope::Write => Self::Write,
        }
    }
}

/// What a new API key is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateApiKeyRequest {
    /// What it is called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do.
    scope: ApiKeyScope,
    /// When it ends, an hour ahead at least and 366 days at most; the latter where absent.
    expires_at: Option<DateTime<Utc>>,
}

/// An API key that was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedApiKeyResponse {
    /// The key's id, as the audit trail names it.
    id: Uuid,
    /// The key itself, for `Authorization: Bearer`. It is shown here and nowhere else.
    key: String,
    /// What it is called.
    name: String,
    /// What it may do.
    scope: ApiKeyScope,
    /// When it ends.
    expires_at: DateTime<Utc>,
}

/// An API key, without the key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ApiKeyView {
    /// The key's id, as the audit trail names it.
    id: Uuid,
    /// What it is called.
    name: String,
    /// What it may do.
    #[schema(value_type = ApiKeyScope)]
    scope: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends, or ended; a key of former times may have no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to a minute; never where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

impl From<KeptKey> for ApiKeyView {
    fn from(kept: KeptKey) -> Self {
        Self {
            id: kept.key_id,
            name: kept.name,
            scope: kept.scope,
            created_at: kept.created_at,
            expires_at: kept.expires_at,
            last_used_at: kept.last_used_at,
        }
    }
}

/// Lists one's API keys, in the order in which they were made.
///
/// Keys that were taken back are gone; one that ended is shown for thirty days more.
#[utoipa::path(get, path = "/auth/api-keys", tag = "auth", params(Wanted),
    responses((status = 200, body = [ApiKeyView]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<ApiKeyView>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let (keys, total) = state
        .auth
        .keys_of(&state.app, caller.user_id, (page.limit, page.offset))
        .await?;
    Ok(Answer::ok(keys.into_iter().map(Into::into).collect()).total(total))
}

/// Makes an API key, and shows it this once.
///
/// It may do what its user may, or of that only queries, and never manages sessions, keys or the password. A user has
/// fifty at most. A change of the password takes all of them back.
#[utoipa::path(post, path = "/auth/api-keys", tag = "auth", request_body = CreateApiKeyRequest,
    responses((status = 201, body = CreatedApiKeyResponse), (status = 400, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn make(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<CreateApiKeyRequest>,
) -> Result<Answer<CreatedApiKeyResponse>, Error> {
    let CreateApiKeyRequest {
        name,
        scope,
        expires_at,
    } = request;
    let name = name.trim().to_owned();
    let wanted = WantedKey {
        name: name.clone(),
        scope: scope.into(),
        expires_at,
    };
    let made = state
        .auth
        .make_key(
            &state.app,
            (caller.user_id, caller.session()?),
            wanted,
            &caller.metadata,
        )
        .await?;
    let shown = CreatedApiKeyResponse {
        id: made.key_id.0,
        key: made.key,
        name,
        scope,
        expires_at: made.expires_at,
    };
    Ok(Answer::created(shown).after(&made.done))
}

/// Takes an API key back; its streams end.
#[utoipa::path(delete, path = "/auth/api-keys/{keyId}", tag = "auth", params(("keyId" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn revoke(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<Answer<()>, Error> {
    let done = state
        .auth
        .revoke_key(&state.app, caller.user_id, id, &caller.metadata)
        .await?;
    Ok(Answer::no_content().after(&done))
}
