//! Tunnels of HTTP proxies: CONNECT (RFC 9110 §9.3.6) with basic credentials (RFC 7617).

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Credentials;
use super::evidence;
use super::handshake::{Talk, malformed};
use crate::http::fault::Fault;

/// Longest head of an answer.
const MAX_HEAD: usize = 16 << 10;
/// Most headers of an answer.
const MAX_HEADERS: usize = 64;

/// Writes the value of `Proxy-Authorization`.
pub(in crate::http) fn authorization(credentials: &Credentials) -> String {
    let pair = format!("{}:{}", credentials.username, credentials.password);
    format!("Basic {}", STANDARD.encode(pair))
}

pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
    target: SocketAddr,
    credentials: Option<&Credentials>,
) -> Result<(), Fault> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(credentials) = credentials {
        request.push_str("Proxy-Authorization: ");
        request.push_str(&authorization(credentials));
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    talk.ask(request.as_bytes()).await?;
    let (status, headers) = head(talk).await?;
    match status {
        200..=299 => Ok(()),
        _ => Err(evidence::of_tunnel(status, &headers, credentials.is_some())),
    }
}

/// Reads the head of the answer. Nothing may follow a success: in every protocol that is spoken inside, the client begins.
async fn head<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
) -> Result<(u16, HeaderMap), Fault> {
    let mut buffer = Vec::with_capacity(512);
    loop {
        talk.read(&mut buffer).await?;
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&buffer) {
            Ok(httparse::Status::Complete(length)) => {
                let status = response.code.unwrap_or_default();
                if (200..=299).contains(&status) && length != buffer.len() {
                    return Err(malformed("bytes follow the answer to CONNECT"));
                }
                return Ok((status, kept(response.headers)));
            }
            Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => {}
            Ok(httparse::Status::Partial) => return Err(malformed("the head is too long")),
            Err(error) => return Err(malformed(error)),
        }
    }
}

fn kept(headers: &[httparse::Header<'_>]) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for header in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(header.name),
            HeaderValue::from_bytes(header.value),
        ) {
            kept.append(name, value);
        }
    }
    kept
}
