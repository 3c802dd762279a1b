//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), CONNECT only.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ProxyFault, Refusal, Session, ignore, tunnel};

/// Longest text in a SOCKS4 request.
const MAX_TEXT: usize = 255;

const CONNECT: u8 = 1;

/// Reply codes of SOCKS5.
mod reply {
    pub(super) const GRANTED: u8 = 0;
    pub(super) const FAILURE: u8 = 1;
    pub(super) const NOT_ALLOWED: u8 = 2;
    pub(super) const HOST_UNREACHABLE: u8 = 4;
    pub(super) const REFUSED: u8 = 5;
    pub(super) const COMMAND: u8 = 7;
    pub(super) const ADDRESS: u8 = 8;
}

fn code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Unknown => reply::HOST_UNREACHABLE,
        Refusal::Outside | Refusal::Banned => reply::NOT_ALLOWED,
        Refusal::Unreachable => reply::REFUSED,
    }
}

async fn answer5(client: &mut TcpStream, code: u8) -> Result<(), Error> {
    client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await
}

async fn text5(client: &mut TcpStream) -> Result<String, Error> {
    let length = client.read_u8().await?;
    let mut bytes = vec![0; usize::from(length)];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) async fn version5(mut client: TcpStream, session: &Session<'_>) -> Result<(), Error> {
    client.read_u8().await?;
    let count = client.read_u8().await?;
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods).await?;
    let method = if session.script.credentials.is_some() {
        2
    } else {
        0
    };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xFF]).await?;
        return client.shutdown().await;
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = &session.script.credentials {
        client.read_u8().await?;
        let given = (text5(&mut client).await?, text5(&mut client).await?);
        let right = given == (user.clone(), password.clone());
        client.write_all(&[1, u8::from(!right)]).await?;
        if !right {
            return client.shutdown().await;
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let [_, command, _, kind] = head;
    let host = match kind {
        1 => Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => text5(&mut client).await?.to_ascii_lowercase(),
        4 => Ipv6Addr::from(client.read_u128().await?).to_string(),
        _ => return answer5(&mut client, reply::ADDRESS).await,
    };
    let port = client.read_u16().await?;
    let refused = match session.script.fault {
        Some(ProxyFault::Hangs) => return ignore(client).await,
        Some(ProxyFault::Lies) => return lie(client, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await,
        Some(ProxyFault::Unavailable | ProxyFault::Status(_)) => Some(reply::FAILURE),
        Some(ProxyFault::Forbidden) => Some(reply::NOT_ALLOWED),
        Some(ProxyFault::Reply(code)) => Some(code),
        _ if command != CONNECT => Some(reply::COMMAND),
        _ => None,
    };
    if let Some(code) = refused {
        return answer5(&mut client, code).await;
    }
    match session.connect(&host, port).await {
        Ok(target) => {
            answer5(&mut client, reply::GRANTED).await?;
            tunnel(client, target, &session.script).await
        }
        Err(refusal) => answer5(&mut client, code(refusal)).await,
    }
}

async fn answer4(client: &mut TcpStream, granted: bool) -> Result<(), Error> {
    client
        .write_all(&[0, if granted { 90 } else { 91 }, 0, 0, 0, 0, 0, 0])
        .await
}

/// Grants what it does not have, and goes when it is used.
async fn lie(mut client: TcpStream, granted: &[u8]) -> Result<(), Error> {
    client.write_all(granted).await?;
    client.read_u8().await?;
    client.shutdown().await
}

/// Reads text up to its zero byte.
async fn text4(client: &mut TcpStream) -> Result<String, Error> {
    let mut text = Vec::new();
    loop {
        match client.read_u8().await? {
            0 => return Ok(String::from_utf8_lossy(&text).into_owned()),
            _ if text.len() == MAX_TEXT => {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "SOCKS4 text is too long",
                ));
            }
            byte => text.push(byte),
        }
    }
}

pub(super) async fn version4(mut client: TcpStream, session: &Session<'_>) -> Result<(), Error> {
    client.read_u8().await?;
    let command = client.read_u8().await?;
    let port = client.read_u16().await?;
    let address = Ipv4Addr::from(client.read_u32().await?);
    text4(&mut client).await?;
    // SOCKS4a: an address 0.0.0.x announces a name behind the user.
    let named = matches!(address.octets(), [0, 0, 0, last] if last != 0);
    let host = if named {
        text4(&mut client).await?.to_ascii_lowercase()
    } else {
        address.to_string()
    };
    match session.script.fault {
        Some(ProxyFault::Hangs) => return ignore(client).await,
        Some(ProxyFault::Lies) => return lie(client, &[0, 90, 0, 0, 0, 0, 0, 0]).await,
        Some(ProxyFault::Reply(code)) => {
            return client.write_all(&[0, code, 0, 0, 0, 0, 0, 0]).await;
        }
        None | Some(ProxyFault::Cut(_)) => {}
        Some(_) => return answer4(&mut client, false).await,
    }
    // SOCKS4 knows no passwords, so a proxy that asks for one lets nobody in this way.
    if session.script.credentials.is_some() || command != CONNECT {
        return answer4(&mut client, false).await;
    }
    match session.connect(&host, port).await {
        Ok(target) => {
            answer4(&mut client, true).await?;
            tunnel(client, target, &session.script).await
        }
        Err(_) => answer4(&mut client, false).await,
    }
}
