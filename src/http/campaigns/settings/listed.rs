//! Names that a request lists in its configuration instead of uploading them.

use std::collections::HashSet;

use aggregates::names::DomainName;
use serde_json::Value;

use crate::http::Error;

/// The most names that a request may list; longer lists are uploaded.
pub(in crate::http) const MOST_LISTED: usize = 10_000;

/// Reads names that a request lists, each once; at most `most` of them.
///
/// # Errors
/// 422 naming the element that is no domain name, or the list where it has none or too many.
pub(in crate::http) fn distinct_names(
    listed: &[String],
    most: usize,
    field: &str,
) -> Result<Vec<String>, Error> {
    let mut kept: Vec<String> = Vec::with_capacity(listed.len().min(most));
    let mut seen = HashSet::new();
    for (at, text) in listed.iter().enumerate() {
        let name = DomainName::parse(text)
            .map_err(|reason| Error::unprocessable(format!("{field}[{at}]"), reason))?
            .to_string();
        if seen.insert(name.clone()) {
            kept.push(name);
        }
        if kept.len() > most {
            let message = format!("has more than {most} names");
            return Err(Error::unprocessable(field, message));
        }
    }
    if kept.is_empty() {
        return Err(Error::unprocessable(field, "has no name"));
    }
    Ok(kept)
}

/// Returns the names that a kept configuration object of a campaign lists, each once, as they were taken in; nothing
/// where it lists none.
pub(in crate::http) fn listed_names(configuration: &Value) -> Option<Vec<String>> {
    let listed = configuration.pointer("/patternConfig/targetDomains")?;
    let listed = listed.as_array()?.iter();
    let listed: Vec<String> = listed
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    distinct_names(&listed, MOST_LISTED, "targetDomains").ok()
}
