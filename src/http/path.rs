//! Path parameters whose refusal names the parameter.

use axum::{
    extract::{FromRequestParts, RawPathParams, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{error::Error, nul};

/// The parameters of a path, by name in a struct or by order in a tuple.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        if let Ok(params) = &params
            && let Some((name, _)) = params.iter().find(|(_, value)| value.contains('\0'))
        {
            return Err(Error::bad(name, nul::REFUSAL));
        }
        let rejection = match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let names: Vec<String> = match &params {
            Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
            Err(_) => Vec::new(),
        };
        let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
            return Err(Error::bad("path", "cannot be read"));
        };
        let (field, message) = match failed.into_kind() {
            ErrorKind::ParseErrorAtKey {
                key, expected_type, ..
            } => (Some(key), format!("must be a {expected_type}")),
            ErrorKind::ParseErrorAtIndex {
                index,
                expected_type,
                ..
            } => (
                names.get(index).cloned(),
                format!("must be a {expected_type}"),
            ),
            ErrorKind::InvalidUtf8InPathParam { key } => (Some(key), "is no UTF-8".to_owned()),
            ErrorKind::DeserializeError { key, message, .. } => (Some(key), message),
            other => (None, other.to_string()),
        };
        let field = field.or_else(|| names.first().cloned());
        Err(Error::bad(
            field.unwrap_or_else(|| "path".to_owned()),
            message,
        ))
    }
}
