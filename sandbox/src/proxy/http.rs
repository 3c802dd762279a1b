//! HTTP proxying: CONNECT tunnels and requests in absolute form (RFC 9110, 9.3.6; RFC 9112, 3.2.2).

use std::io::Error;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ProxyFault, Refusal, Session, ignore, tunnel};
use crate::web::fault::Wire;
use crate::web::reply;
use crate::web::request::{self, Request};

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

pub(super) async fn serve(mut client: impl Wire, session: &Session<'_>) -> Result<(), Error> {
    let mut buffer = Vec::with_capacity(2048);
    let Some(request) = request::read(&mut client, &mut buffer, false).await? else {
        return Ok(());
    };
    if let Some(status) = refusal(&request, session) {
        return refuse(&mut client, status, None).await;
    }
    match session.script.fault {
        Some(ProxyFault::Hangs) => return ignore(client).await,
        Some(ProxyFault::Lies) => {
            client.write_all(ESTABLISHED).await?;
            client.flush().await?;
            client.read_u8().await?;
            return client.shutdown().await;
        }
        _ => {}
    }
    let (authority, path) = match request.seen.target.strip_prefix("http://") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None if request.seen.method == "CONNECT" => (request.seen.target.as_str(), ""),
        None => return refuse(&mut client, 400, None).await,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(80)),
        None => (authority, 80),
    };
    let mut target = match session.connect(&host.to_ascii_lowercase(), port).await {
        Ok(target) => target,
        Err(refusal) => {
            let (status, why) = answer_to(refusal);
            let why = Some(why).filter(|_| session.script.explains);
            return refuse(&mut client, status, why).await;
        }
    };
    if request.seen.method == "CONNECT" {
        client.write_all(ESTABLISHED).await?;
        client.flush().await?;
    } else {
        target
            .write_all(forwarded(&request, path).as_bytes())
            .await?;
    }
    target.write_all(&buffer).await?;
    tunnel(client, target, &session.script).await
}

/// Writes the request as the site wants it: the path alone, without what was meant for the proxy. One request a
/// connection, so that a second one to another host is never sent down the same pipe.
fn forwarded(request: &Request, path: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    let mut head = format!("{} {path} HTTP/1.1\r\n", request.seen.method);
    for (name, value) in &request.seen.headers {
        if !name.starts_with("proxy-") && !matches!(name.as_str(), "connection" | "content-length")
        {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("via: 1.1 sandbox\r\nconnection: close\r\n\r\n");
    head
}

/// Tells the status for a target that was not reached, and the word of RFC 9209 for why.
fn answer_to(refusal: Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::Banned => (403, "http_request_denied"),
        Refusal::Outside => (403, "destination_ip_prohibited"),
        Refusal::Unknown => (502, "dns_error"),
        Refusal::Unreachable => (502, "connection_refused"),
    }
}

fn refusal(request: &Request, session: &Session<'_>) -> Option<u16> {
    match session.script.fault {
        Some(ProxyFault::Unavailable | ProxyFault::Reply(_)) => return Some(502),
        Some(ProxyFault::Forbidden) => return Some(403),
        Some(ProxyFault::Status(status)) => return Some(status),
        _ => {}
    }
    let (user, password) = session.script.credentials.as_ref()?;
    let wanted = STANDARD.encode(format!("{user}:{password}"));
    let given = request
        .seen
        .header("proxy-authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    (given != Some(wanted.as_str())).then_some(407)
}

async fn refuse(client: &mut impl Wire, status: u16, why: Option<&str>) -> Result<(), Error> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reply::reason(status));
    if status == 407 {
        head.push_str("proxy-authenticate: Basic realm=\"sandbox\"\r\n");
    }
    if let Some(why) = why {
        head.push_str(&format!("proxy-status: sandbox; error={why}\r\n"));
    }
    head.push_str("content-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}
