//! `X-Idempotency-Key`: a command that comes again is not a second command.
//!
//! Three things work together. The key's hash, of user, operation and key, travels with the command's metadata, and a
//! trigger stores it in the transaction of the events, so that no second command with it can commit. A repeat that
//! meets such a row gets what the first one recorded (`commands::execute`) and answers from it, also when the process
//! died before it could answer. And the first answer is kept and given again, byte for byte, by whichever node is asked.
//! Only what succeeded is kept: a refusal changed nothing, and its repeat may find the reason gone.
//!
//! What is kept of a request, to refuse a key that comes with another one, is a hash under the server's secret: bodies
//! are short, and who reads the log must not find them by trying. Requests with a user's password keep nothing at all.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, types::Json};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};

use super::{
    body::MAX_JSON,
    caller::Caller,
    campaigns::{self, MAX_FORM},
    error::Error,
    headers::{EVENT_CURSOR, IDEMPOTENCY_KEY},
    router::State,
    v1,
};
use crate::auth::{Secret, hex};

/// The longest key, characters.
pub(super) const MAX_KEY: usize = 64;
/// The largest answer that is kept, bytes; those of commands are a few kilobytes.
const MAX_ANSWER: usize = 8 << 20;
/// The routes that take files; no other request with a key may be larger than JSON is.
const UPLOAD: &str = "/campaigns/{campaignId}/upload";
const TYPED_UPLOAD: &str = "/campaigns/{type}/{campaignId}/upload";
/// The routes whose requests hold a password or whose answers hold a session's token: neither may be kept. And those that
/// try something out, which is no command, and may be answered at great length. A key says nothing there.
const NEVER_KEYED: [&str; 4] = ["/auth/", "/change-password", "/extract/", "/me"];
/// Uploads with a key that are in memory at the same time, each with up to twice its size while it is hashed.
const UPLOADS: usize = 4;
/// From this size on, bytes, a body is hashed on a thread that may block.
const LARGE_BODY: usize = 64 << 10;

static UPLOADING: Semaphore = Semaphore::const_new(UPLOADS);

const IS_KNOWN: &str = "SELECT EXISTS (SELECT FROM idempotency_keys WHERE key = $1)";
const FIND: &str = "SELECT request_hash, status, response FROM idempotency_keys WHERE key = $1";
/// The first answer stays, so that two requests at once are answered alike.
const KEEP: &str = "
INSERT INTO idempotency_keys AS k (key, request_hash, status, response) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET
    status = coalesce(k.status, EXCLUDED.status),
    response = CASE WHEN k.status IS NULL THEN EXCLUDED.response ELSE k.response END
RETURNING request_hash, status, response";
const SWEEP: &str = "DELETE FROM idempotency_keys WHERE created_at < now() - interval '30 days'";

/// An answer that was given.
#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    etag: Option<String>,
    cursor: Option<String>,
    body: Option<Box<RawValue>>,
}

type Row = (String, Option<i32>, Option<Json<Kept>>);

/// Answers the repeat of a command with what its first request was answered.
///
/// # Errors
/// [`Error::BadRequest`] for a key that is none, [`Error::Unprocessable`] for one that came with another request,
/// [`Error::NotFound`] for an upload to what is not the caller's, [`Error::TooManyRequests`] for one while others are in
/// memory.
pub(super) async fn once(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let secret = state.auth.secret();
    let Some(key) = key(&request)? else {
        return Ok(next.run(request).await);
    };
    let pool = state.app.database.pool();
    let upload = upload(&request);
    // A list is held as a whole while it is hashed, so whose the campaign is comes first. For a key that is known this
    // was asked when it came for the first time, and its repeat is answered whatever became of the campaign.
    if let Some(route) = upload
        && !is_known(pool, &key).await?
    {
        match route {
            Upload::Full => campaigns::may_upload(&state, &mut request).await?,
            Upload::Typed => v1::may_upload(&state, &mut request).await?,
        }
    }
    // Its turn ends with its answer, because its body is held until then.
    let _turn = upload.map(|_| turn()).transpose()?;
    let (request, request_hash) = with_hash(request, secret, upload.is_some()).await?;

    if let Some(answer) = find(pool, &key, &request_hash).await? {
        return answer;
    }
    let request = with_key(request, &key, &request_hash);
    let response = next.run(request).await;
    if response.status().is_success() {
        return keep(pool, &key, &request_hash, response).await;
    }
    if response.status() == StatusCode::CONFLICT
        && let Some(answer) = find(pool, &key, &request_hash).await?
    {
        return answer;
    }
    Ok(response)
}

/// Removes keys that nobody will repeat any more.
pub(super) async fn sweep(pool: &PgPool) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query(SWEEP).execute(pool).await?.rows_affected())
}

/// Hashes what makes a key the user's own and the operation's own; nothing where a request has none, or needs none.
fn key(request: &Request) -> Result<Option<String>, Error> {
    let Some(value) = request.headers().get(&IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    // A query is repeatable as it is.
    if request.method() == Method::GET || is_never_keyed(request.uri().path()) {
        return Ok(None);
    }
    let mut all = request.headers().get_all(&IDEMPOTENCY_KEY).iter();
    if all.any(|other| other != value) {
        let message = "is there more than once, and differently";
        return Err(Error::bad("X-Idempotency-Key", message));
    }
    let given = value
        .to_str()
        .ok()
        .filter(|text| (1..=MAX_KEY).contains(&text.chars().count()))
        .ok_or_else(|| Error::bad("X-Idempotency-Key", "must have 1 to 64 visible characters"))?;
    let user = request
        .extensions()
        .get::<Caller>()
        .map(|caller| caller.user_id.to_string())
        .ok_or(Error::Unauthorized("log in first"))?;
    Ok(Some(digest(&[
        user.as_bytes(),
        request.method().as_str().as_bytes(),
        request.uri().path().as_bytes(),
        given.as_bytes(),
    ])))
}

fn is_never_keyed(path: &str) -> bool {
    let tries_a_persona = path.starts_with("/personas/") && path.ends_with("/test");
    tries_a_persona || NEVER_KEYED.iter().any(|route| path.starts_with(route))
}

/// Lets one of a few uploads in.
fn turn() -> Result<SemaphorePermit<'static>, Error> {
    UPLOADING.try_acquire().map_err(|_| Error::TooManyRequests {
        message: "other lists are being read".to_owned(),
        retry_after_seconds: 5,
    })
}

/// A route that takes files.
#[derive(Clone, Copy, Debug)]
enum Upload {
    /// For campaigns with all phases.
    Full,
    /// For typed campaigns.
    Typed,
}

/// Tells whether a request is a file, and for which of the routes that take files.
fn upload(request: &Request) -> Option<Upload> {
    let kind = request.headers().get(header::CONTENT_TYPE)?;
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    if !kind.as_bytes().starts_with(b"multipart/") {
        return None;
    }
    match route {
        route if route.ends_with(TYPED_UPLOAD) => Some(Upload::Typed),
        route if route.ends_with(UPLOAD) => Some(Upload::Full),
        _ => None,
    }
}

/// Reads the body and hashes everything that tells one request from another.
async fn with_hash(
    request: Request,
    secret: &Secret,
    is_upload: bool,
) -> Result<(Request, String), Error> {
    let (parts, body) = request.into_parts();
    let limit = if is_upload { MAX_FORM } else { MAX_JSON };
    let too_large = Error::TooLarge {
        field: "body",
        limit,
    };
    let bytes = to_bytes(body, limit).await.map_err(|_| too_large)?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let if_match = parts.headers.get(header::IF_MATCH).cloned();
    let boundary = boundary(&parts.headers).filter(|_| is_upload);
    let body = bytes.clone();
    let secret = secret.clone();
    let hash = move || {
        let boundary = boundary.as_deref();
        hash(&secret, &query, if_match.as_ref(), boundary, &body)
    };
    let hash = match bytes.len() >= LARGE_BODY {
        true => spawn_blocking(hash).await.map_err(Error::internal)?,
        false => hash(),
    };
    Ok((Request::from_parts(parts, Body::from(bytes)), hash))
}

fn hash(
    secret: &Secret,
    query: &str,
    if_match: Option<&HeaderValue>,
    boundary: Option<&str>,
    body: &Bytes,
) -> String {
    // The boundary of an upload is drawn anew by a client that repeats it.
    let body = match boundary {
        Some(boundary) => without(body, boundary.as_bytes()).into(),
        None => body.clone(),
    };
    let if_match = if_match.map(HeaderValue::as_bytes).unwrap_or_default();
    secret.hash_of(&[query.as_bytes(), if_match, &body])
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let (_, boundary) = headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .split_once("boundary=")?;
    Some(boundary.trim().trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

/// Removes every occurrence of a word.
fn without(bytes: &[u8], word: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        match rest.strip_prefix(word) {
            Some(beyond) => rest = beyond,
            None => {
                kept.push(first);
                rest = after;
            }
        }
    }
    kept
}

/// Puts the key where the command's metadata takes it from.
fn with_key(mut request: Request, key: &str, request_hash: &str) -> Request {
    if let Some(caller) = request.extensions_mut().get_mut::<Caller>() {
        caller.metadata.idempotency = Some(key.to_owned());
        caller.metadata.request_hash = Some(request_hash.to_owned());
    }
    request
}

/// Tells whether the key came with a command before.
async fn is_known(pool: &PgPool, key: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(IS_KNOWN)
        .bind(key)
        .fetch_one(pool)
        .await?)
}

/// Finds the answer that was given to the key, or refuses a key that came with another request.
async fn find(
    pool: &PgPool,
    key: &str,
    request_hash: &str,
) -> Result<Option<Result<Response, Error>>, Error> {
    let row: Option<Row> = sqlx::query_as(FIND).bind(key).fetch_optional(pool).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.0 != request_hash {
        return Ok(Some(Err(used_otherwise())));
    }
    Ok(given_again(row).map(Ok))
}

fn used_otherwise() -> Error {
    Error::unprocessable("X-Idempotency-Key", "came with another request before")
}

/// Keeps an answer and gives the one that is kept: this one, or that of a request that was a little faster.
async fn keep(
    pool: &PgPool,
    key: &str,
    request_hash: &str,
    response: Response,
) -> Result<Response, Error> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, MAX_ANSWER).await.map_err(Error::internal)?;
    let text = |name: HeaderName| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let body = match bytes.is_empty() {
        true => None,
        false => Some(serde_json::from_slice(&bytes).map_err(Error::internal)?),
    };
    let kept = Kept {
        etag: text(header::ETAG),
        cursor: text(EVENT_CURSOR),
        body,
    };
    let row: Row = sqlx::query_as(KEEP)
        .bind(key)
        .bind(request_hash)
        .bind(i32::from(parts.status.as_u16()))
        .bind(Json(kept))
        .fetch_one(pool)
        .await?;
    if row.0 != request_hash {
        return Err(used_otherwise());
    }
    Ok(given_again(row).unwrap_or_else(|| Response::from_parts(parts, Body::from(bytes))))
}

fn given_again((_, status, kept): Row) -> Option<Response> {
    let status = StatusCode::from_u16(u16::try_from(status?).ok()?).ok()?;
    let Json(kept) = kept?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::ETAG, kept.etag.as_deref());
    set(EVENT_CURSOR, kept.cursor.as_deref());
    if let Some(body) = kept.body {
        set(header::CONTENT_TYPE, Some("application/json"));
        *response.body_mut() = Body::from(body.get().to_owned());
    }
    Some(response)
}

/// Hashes parts so that no two lists of parts have the same hash. Without the secret, so that a repeat is known as one
/// under another secret too; nothing in a key is worth finding out.
fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_moved_into_each_other() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }

    #[test]
    fn an_upload_with_another_boundary_is_the_same_upload() {
        assert_eq!(
            without(b"--x1\r\nbody\r\n--x1--", b"x1"),
            without(b"--y2\r\nbody\r\n--y2--", b"y2")
        );
        assert_ne!(
            without(b"--x1\r\nbody", b"x1"),
            without(b"--x1\r\nbodies", b"x1")
        );
    }
}
