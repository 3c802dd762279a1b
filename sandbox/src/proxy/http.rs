//! HTTP proxying: CONNECT tunnels and requests in absolute form (RFC 9110, 9.3.6; RFC 9112, 3.2.2).

use std::io::Error;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{ProxyFault, Refusal, Shared, tunnel};
use crate::web::request::{self, Request};

pub(super) async fn serve(mut client: TcpStream, shared: &Shared) -> Result<(), Error> {
    let mut buffer = Vec::with_capacity(2048);
    let Some(request) = request::read(&mut client, &mut buffer, false).await? else {
        return Ok(());
    };
    if let Some(status) = refusal(&request, shared) {
        return refuse(&mut client, status).await;
    }
    let (authority, path) = match request.seen.target.strip_prefix("http://") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None if request.seen.method == "CONNECT" => (request.seen.target.as_str(), ""),
        None => return refuse(&mut client, "400 Bad Request").await,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(80)),
        None => (authority, 80),
    };
    let mut target = match shared.connect(&host.to_ascii_lowercase(), port).await {
        Ok(target) => target,
        Err(Refusal::Outside) => return refuse(&mut client, "403 Forbidden").await,
        Err(Refusal::Unknown | Refusal::Unreachable) => {
            return refuse(&mut client, "502 Bad Gateway").await;
        }
    };
    if request.seen.method == "CONNECT" {
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
    } else {
        target
            .write_all(forwarded(&request, path).as_bytes())
            .await?;
    }
    target.write_all(&buffer).await?;
    tunnel(client, target).await
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

fn refusal(request: &Request, shared: &Shared) -> Option<&'static str> {
    match shared.script.fault {
        Some(ProxyFault::Unavailable) => return Some("502 Bad Gateway"),
        Some(ProxyFault::Forbidden) => return Some("403 Forbidden"),
        _ => {}
    }
    let (user, password) = shared.script.credentials.as_ref()?;
    let wanted = STANDARD.encode(format!("{user}:{password}"));
    let given = request
        .seen
        .header("proxy-authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    (given != Some(wanted.as_str())).then_some("407 Proxy Authentication Required")
}

async fn refuse(client: &mut TcpStream, status: &str) -> Result<(), Error> {
    let challenge = if status.starts_with("407") {
        "proxy-authenticate: Basic realm=\"sandbox\"\r\n"
    } else {
        ""
    };
    let head =
        format!("HTTP/1.1 {status}\r\n{challenge}content-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}
