//! JSON bodies whose refusal names the field.

use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{error::Error, nul, objects::Objects, plain_words::in_plain_words};

/// The largest JSON body, bytes.
pub const MAX_JSON: usize = 2 << 20;
/// The largest body of a request that needs no user, bytes: a mail address and a password are less.
pub(super) const MAX_OPEN: usize = 16 << 10;
/// The largest upload, bytes; for the routes that take files.
pub const MAX_UPLOAD: usize = 64 << 20;

/// The largest body of a request, bytes, where it may not have as much as JSON may; among its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct MostOfBody(pub(super) usize);

impl MostOfBody {
    /// Holds a request to it, whoever reads its body.
    pub(super) fn hold(self, request: &mut Request) {
        DefaultBodyLimit::max(self.0).apply(request);
        request.extensions_mut().insert(self);
    }

    /// Tells how large the body of a request may be, bytes.
    pub(super) fn of(extensions: &Extensions) -> usize {
        extensions.get::<Self>().map_or(MAX_JSON, |most| most.0)
    }
}

/// A JSON body, read or answered.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        let most = MostOfBody::of(request.extensions());
        let bytes = Bytes::from_request(request, state).await;
        parse(&bytes.map_err(|rejection| unread(&rejection, most))?).map(Self)
    }
}

/// A JSON body that may be left out: a request without a byte of one says nothing. Whatever it has is read as [`Json`] is.
#[derive(Clone, Copy, Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<T, S> FromRequest<S> for OptionalJson<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let is_json = is_json(request.headers());
        let most = MostOfBody::of(request.extensions());
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| unread(&rejection, most))?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(None)),
            (false, true) => parse(&bytes).map(Some).map(Self),
            (false, false) => Err(Error::UnsupportedMediaType("application/json")),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Says why a body was not read, of which so much is taken.
pub(super) fn unread(rejection: &BytesRejection, limit: usize) -> Error {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Error::TooLarge {
            field: "body",
            limit,
        }
    } else {
        Error::bad("body", "cannot be read to its end")
    }
}

/// Reads a plain text, UTF-8.
///
/// # Errors
/// 413, 415, or [`Error::BadRequest`] naming `body` for what is no such text.
pub(super) fn text(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<String, Error> {
    if essence(headers) != "text/plain" {
        return Err(Error::UnsupportedMediaType("text/plain"));
    }
    let body = body.map_err(|rejection| unread(&rejection, MAX_JSON))?;
    let text = String::from_utf8(body.into());
    let text = text.map_err(|_| Error::bad("body", "is no UTF-8"))?;
    match text.contains('\0') {
        true => Err(Error::bad("body", nul::REFUSAL)),
        false => Ok(text),
    }
}

fn essence(headers: &HeaderMap) -> String {
    let essence = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads JSON; a refusal names the place that does not fit.
///
/// # Errors
/// [`Error::BadRequest`] naming the field, or `body` where the text is no JSON.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if let Some(field) = nul::in_json(bytes) {
        return Err(Error::bad(field, nul::REFUSAL));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() || is_value_at_fault(bytes, &inner) {
            blame(&path, &inner.to_string())
        } else {
            Error::bad("body", format!("is no JSON: {inner}"))
        }
    })?;
    deserializer
        .end()
        .map_err(|error| Error::bad("body", format!("is no JSON: {error}")))?;
    Ok(value)
}

/// Says whether a text that a deserializer calls no JSON is some: a number beyond all numbers, half a surrogate pair,
/// a number in place of one of several texts. One value is then to blame, where it stands, and not the text.
fn is_value_at_fault(bytes: &[u8], error: &serde_json::Error) -> bool {
    error.is_syntax()
        && !error.to_string().starts_with("recursion limit")
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Reads a part of a body that was taken in as it came; a refusal names the place below `field`.
///
/// # Errors
/// [`Error::BadRequest`].
pub fn from_value<T: DeserializeOwned>(field: &str, value: serde_json::Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(Objects(value)).map_err(|error| {
        let path = match error.path().to_string().as_str() {
            "." | "?" => field.to_owned(),
            inner if inner.starts_with('[') => format!("{field}{inner}"),
            inner => format!("{field}.{inner}"),
        };
        blame(&path, &error.into_inner().to_string())
    })
}

/// Names the field that a deserializer stumbled over: the path that it came to, and a field that it names itself.
pub(super) fn blame(path: &str, message: &str) -> Error {
    let parent = if path == "." || path == "?" { "" } else { path };
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match named {
        Some(name) if parent.is_empty() => name.to_owned(),
        // An unknown field is already the end of the path.
        Some(name) if parent == name || parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        Some(name) => format!("{parent}.{name}"),
        None if parent.is_empty() => "body".to_owned(),
        None => parent.to_owned(),
    };
    // The position in the text says less than the field.
    let message = message.split(" at line ").next().unwrap_or(message);
    Error::bad(field, in_plain_words(message))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Outer {
        #[expect(dead_code, reason = "only its reading matters")]
        inner_list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading matters")]
        count: u8,
    }

    fn field_of(text: &str) -> String {
        match parse::<Outer>(text.as_bytes()).unwrap_err() {
            Error::BadRequest(details) => details[0].field.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_does_not_fit_is_named_by_its_place() {
        assert_eq!(
            field_of(r#"{"innerList":[{"count":1},{"count":300}]}"#),
            "innerList[1].count"
        );
        assert_eq!(
            field_of(r#"{"innerList":[{"count":"1"}]}"#),
            "innerList[0].count"
        );
        assert_eq!(field_of(r#"{"innerList":[{}]}"#), "innerList[0].count");
        assert_eq!(
            field_of(r#"{"innerList":[{"count":1,"size":2}]}"#),
            "innerList[0].size"
        );
        assert_eq!(field_of(r#"{"innerList":[],"more":1}"#), "more");
        assert_eq!(field_of("{}"), "innerList");
        assert_eq!(field_of(r#"{"innerList":["#), "body");
        assert_eq!(field_of(r#"{"innerList":[]} x"#), "body");
        assert_eq!(field_of("[]"), "body");
        assert_eq!(field_of("[[]]"), "body");
        assert_eq!(field_of(r#"{"innerList":[[1]]}"#), "innerList[0]");
    }

    #[test]
    fn a_value_that_no_number_and_no_text_can_be_is_named_by_its_place() {
        assert_eq!(
            field_of(r#"{"innerList":[{"count":1e400}]}"#),
            "innerList[0].count"
        );
        let parsed = parse::<std::collections::BTreeMap<String, serde_json::Value>>;
        for (text, field) in [
            (r#"{"a":{"b":[1e400]}}"#, "a.b[0]"),
            (r#"{"a":"\ud800"}"#, "a"),
            (r#"{"a":"\ud800\u0041"}"#, "a"),
            (r#"{"a":1e400"#, "body"),
            (r#"{"a": }"#, "body"),
        ] {
            match parsed(text.as_bytes()).unwrap_err() {
                Error::BadRequest(details) => assert_eq!(details[0].field, field, "{text}"),
                other => panic!("{other:?}"),
            }
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(
            matches!(parse::<serde_json::Value>(deep.as_bytes()), Err(Error::BadRequest(details)) if details[0].field == "body")
        );
    }
}
