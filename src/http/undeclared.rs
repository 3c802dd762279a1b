//! Refuses what an operation does not take: a query parameter that its description does not name, and a body where it
//! has none. A client that sends such a thing expects something of it, and would be answered as if it had been heeded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn},
};

use super::{body::MostOfBody, error::Error};

/// What each operation takes, by method and path.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared(Arc<HashMap<(Method, String), Takes>>);

#[derive(Debug)]
struct Takes {
    query: BTreeSet<String>,
    body: bool,
}

impl Declared {
    /// Reads what operations take from their description.
    pub(super) fn of(document: &OpenApi) -> Self {
        let mut declared = HashMap::new();
        for (path, item) in &document.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    declared.insert((method, path.clone()), Takes::of(operation));
                }
            }
        }
        Self(Arc::new(declared))
    }
}

impl Takes {
    fn of(operation: &Operation) -> Self {
        let mut query = BTreeSet::new();
        for parameter in operation.parameters.iter().flatten() {
            if let RefOr::T(parameter) = parameter
                && parameter.parameter_in == ParameterIn::Query
            {
                query.insert(parameter.name.clone());
            }
        }
        Self {
            query,
            body: operation.request_body.is_some(),
        }
    }
}

/// Lets a request through that brings no more than its operation takes.
///
/// # Errors
/// [`Error::BadRequest`] naming the parameter, or `body`.
pub(super) async fn refuse_undeclared(
    State(declared): State<Declared>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        ref other => other.clone(),
    };
    let key = (method, path.as_str().to_owned());
    let Some(takes) = declared.0.get(&key) else {
        return Ok(next.run(request).await);
    };
    let query = request.uri().query().unwrap_or_default();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !takes.query.contains(name.as_ref()) {
            return Err(Error::bad(name, unknown(&takes.query)));
        }
    }
    let request = match takes.body {
        true => request,
        false => without_body(request).await?,
    };
    Ok(next.run(request).await)
}

fn unknown(known: &BTreeSet<String>) -> String {
    match known.is_empty() {
        true => "this operation takes no parameters".to_owned(),
        false => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            format!("is not known; there are {}", known.join(", "))
        }
    }
}

/// Lets a request through that brings no body, or one that says nothing: many clients send `{}` with every command.
async fn without_body(request: Request) -> Result<Request, Error> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let limit = MostOfBody::of(&parts.extensions);
    let too_large = Error::TooLarge {
        field: "body",
        limit,
    };
    let bytes = to_bytes(body, limit).await.map_err(|_| too_large)?;
    let without_blanks = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    let said: Vec<u8> = without_blanks.copied().take(5).collect();
    match said.as_slice() {
        b"" | b"{}" | b"null" => Ok(Request::from_parts(parts, Body::empty())),
        _ => Err(Error::bad("body", "this operation takes none")),
    }
}
