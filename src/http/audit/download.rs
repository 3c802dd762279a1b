//! Entries as a download of any size: read page by page, written as they are read.

use std::io;

use axum::{
    body::Body,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, future::BoxFuture};
use serde::Serialize;

use crate::http::{
    Error,
    campaigns::export::{Format, plain},
};

/// Entries that are held in memory at once; fewer where they say much.
pub(in crate::http) const ENTRIES: i64 = 50;

/// What is downloaded, line by line.
pub(in crate::http) trait Line: Serialize + Send + 'static {
    /// The headings of the columns.
    const HEADINGS: &'static [&'static str];

    /// Returns a cell for each heading.
    fn cells(&self) -> Vec<String>;
}

/// Tells what is asked for: a download, or a page where there is none. What the query says goes before what is accepted.
///
/// # Errors
/// 400 for a `format` that nothing is written in.
pub(in crate::http) fn wanted(
    format: Option<&str>,
    headers: &HeaderMap,
) -> Result<Option<Format>, Error> {
    match format {
        None => Ok(accepted(headers)),
        Some("json") => Ok(None),
        Some("csv") => Ok(Some(Format::Csv)),
        Some("ndjson") => Ok(Some(Format::Ndjson)),
        Some(_) => Err(Error::bad("format", "must be one of json, csv, ndjson")),
    }
}

/// Refuses what belongs to pages beside a download.
///
/// # Errors
/// 400 naming the parameter.
pub(in crate::http) fn refuse_page(parameters: &[(&str, bool)]) -> Result<(), Error> {
    match parameters.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Error::bad(
            *name,
            "is of pages: a download has all that passes the filters",
        )),
        None => Ok(()),
    }
}

/// Reads which of the types that entries are written in a client would rather have (RFC 9110, section 12.5.1); the first of
/// those that it likes as much, and a page where it names none.
fn accepted(headers: &HeaderMap) -> Option<Format> {
    let mut best: Option<(f32, Option<Format>)> = None;
    let lists = headers.get_all(header::ACCEPT).iter();
    for range in lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
    {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "text/csv" => Some(Format::Csv),
            "application/x-ndjson" => Some(Format::Ndjson),
            "application/json" | "application/*" | "*/*" => None,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        let quality = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, format));
        }
    }
    best.and_then(|(_, format)| format)
}

/// Answers a download that begins with the lines of the first page; `next` reads those after a line, [`ENTRIES`] of them or
/// fewer, and none where it was the last one.
pub(in crate::http) fn download<L: Line>(
    format: Format,
    name: &str,
    first: Vec<L>,
    next: impl Fn(&L) -> BoxFuture<'static, Result<Vec<L>, io::Error>> + Send + 'static,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{}\"", format.suffix()),
        ),
    ];
    (headers, Body::from_stream(written(format, first, next))).into_response()
}

fn written<L: Line>(
    format: Format,
    first: Vec<L>,
    next: impl Fn(&L) -> BoxFuture<'static, Result<Vec<L>, io::Error>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, io::Error>> {
    async_stream::try_stream! {
        let (mut lines, mut is_first) = (first, true);
        loop {
            let is_last = lines.is_empty();
            yield match format {
                Format::Csv => table(&lines, is_first)?,
                _ => format.write(&lines, is_first, is_last)?,
            };
            let Some(last) = lines.last() else {
                break;
            };
            lines = next(last).await?;
            is_first = false;
        }
    }
}

/// Writes lines as a table. Cells that a spreadsheet would take for formulas are kept from it.
fn table<L: Line>(lines: &[L], with_headings: bool) -> Result<Bytes, io::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_headings {
        writer.write_record(L::HEADINGS)?;
    }
    for line in lines {
        writer.write_record(line.cells().iter().map(|cell| plain(cell)))?;
    }
    let text = writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_would_rather_have_is_what_it_gets() {
        for (accept, format) in [
            ("text/csv", Some(Format::Csv)),
            ("application/x-ndjson", Some(Format::Ndjson)),
            ("application/json", None),
            ("*/*", None),
            ("image/png", None),
            ("text/html, text/csv;q=0.5", Some(Format::Csv)),
            ("application/json;q=0.4, Text/CSV; q=0.9", Some(Format::Csv)),
            ("application/json, text/csv", None),
            ("text/csv;q=0", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(accepted(&headers), format, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }

    #[test]
    fn the_query_goes_before_what_is_accepted_and_other_formats_are_refused() {
        let csv = HeaderMap::from_iter([(header::ACCEPT, "text/csv".parse().unwrap())]);
        assert_eq!(wanted(Some("json"), &csv).unwrap(), None);
        assert_eq!(wanted(Some("ndjson"), &csv).unwrap(), Some(Format::Ndjson));
        assert!(wanted(Some("xml"), &csv).is_err());
    }
}
