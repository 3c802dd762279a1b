//! Reading HTTP/1.1 requests (RFC 9112), as far as a site of the sandbox needs to know them.

use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::seen::Seen;

/// Longest request head in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Most bytes of a request's body that are read and thrown away.
const MAX_BODY: u64 = 8 * 1024 * 1024;

/// How long a connection may stay open without a request.
const IDLE: Duration = Duration::from_secs(15);

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) seen: Seen,
    /// The `Host` header's name, lower case, without its port.
    pub(crate) host: String,
    /// The target's path, without its query.
    pub(crate) path: String,
    pub(crate) keep_alive: bool,
}

impl Request {
    /// Says whether the answer must have no body.
    pub(crate) fn is_head(&self) -> bool {
        self.seen.method == "HEAD"
    }
}

/// Reads the next request of a connection; none when the client is done with it.
///
/// `buffer` holds what was read beyond the previous request and is kept between calls.
///
/// # Errors
/// When the connection fails or the request is none.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    secure: bool,
) -> std::io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if buffer.len() > MAX_HEAD {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "request head is too long",
            ));
        }
        let Ok(read) = tokio::time::timeout(IDLE, stream.read_buf(buffer)).await else {
            return Ok(None);
        };
        if read? == 0 {
            return Ok(None);
        }
    };
    let rest = buffer.split_off(end + 4);
    let head = String::from_utf8_lossy(buffer).into_owned();
    *buffer = rest;
    let request = parse(&head, secure)
        .ok_or_else(|| Error::new(ErrorKind::InvalidData, "not an HTTP request"))?;
    let length = request
        .seen
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0_u64);
    discard(stream, buffer, length).await?;
    Ok(Some(request))
}

fn parse(head: &str, secure: bool) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let seen = Seen {
        at: Instant::now(),
        method: method.to_owned(),
        target: target.to_owned(),
        version: version.to_owned(),
        secure,
        headers,
    };
    let host = bare_host(seen.header("host").unwrap_or_default());
    let path = target.split(['?', '#']).next().unwrap_or("/").to_owned();
    let keep_alive = version == "HTTP/1.1"
        && !seen
            .header("connection")
            .is_some_and(|v| v.eq_ignore_ascii_case("close"));
    Some(Request {
        seen,
        host,
        path,
        keep_alive,
    })
}

/// Takes the port off an authority and writes it in lower case.
pub(crate) fn bare_host(authority: &str) -> String {
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    host.trim_end_matches('.').to_ascii_lowercase()
}

async fn discard(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    length: u64,
) -> std::io::Result<()> {
    if length > MAX_BODY {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "request body is too long",
        ));
    }
    let buffered = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(buffer.len());
    buffer.drain(..buffered);
    let left = length.saturating_sub(u64::try_from(buffered).unwrap_or(length));
    tokio::io::copy(&mut stream.take(left), &mut tokio::io::sink()).await?;
    Ok(())
}
