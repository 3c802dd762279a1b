//! Query parameters whose refusal names the parameter.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::{body::blame, error::Error, nul};

/// The parameters of a query.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads a query string.
///
/// # Errors
/// [`Error::BadRequest`] naming the parameter.
pub fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name.contains('\0') || value.contains('\0') {
            return Err(Error::bad(name.replace('\0', "\\u0000"), nul::REFUSAL));
        }
    }
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs)
        .map_err(|error| blame(&error.path().to_string(), &error.inner().to_string()))
}

/// Where a page of a list begins and how long it is, ready for SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The most rows.
    pub limit: i64,
    /// The rows passed over.
    pub offset: i64,
}

/// Checks `limit` (1 to `most`, `default` where none is given) and `offset`.
///
/// # Errors
/// [`Error::BadRequest`] naming the parameter.
pub fn page(
    limit: Option<i64>,
    offset: Option<i64>,
    most: i64,
    default: i64,
) -> Result<Page, Error> {
    let limit = limit.unwrap_or(default);
    if !(1..=most).contains(&limit) {
        return Err(Error::bad("limit", format!("must be from 1 to {most}")));
    }
    let offset = offset.unwrap_or(0);
    if offset < 0 {
        return Err(Error::bad("offset", "must be at least 0"));
    }
    Ok(Page { limit, offset })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Wanted {
        limit: Option<i64>,
        #[serde(rename = "isEnabled")]
        enabled: Option<bool>,
    }

    #[test]
    fn a_parameter_that_does_not_read_or_is_unknown_is_named() {
        let read: Wanted = parse("limit=5&isEnabled=true").unwrap();
        assert_eq!((read.limit, read.enabled), (Some(5), Some(true)));
        let refused = [
            ("limit=five", "limit"),
            ("isEnabled=yes", "isEnabled"),
            ("limit=5&other=x", "other"),
        ];
        for (query, name) in refused {
            match parse::<Wanted>(query).unwrap_err() {
                Error::BadRequest(details) => assert_eq!(details[0].field, name),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_page_outside_its_range_is_refused_and_never_clamped() {
        assert!(page(Some(0), None, 500, 50).is_err());
        assert!(page(Some(501), None, 500, 50).is_err());
        assert!(page(None, Some(-1), 500, 50).is_err());
        assert_eq!(
            page(None, None, 500, 50).unwrap(),
            Page {
                limit: 50,
                offset: 0
            }
        );
    }
}
