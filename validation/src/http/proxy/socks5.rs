//! SOCKS 5 (RFC 1928) with user name and password (RFC 1929).

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};

use super::Credentials;
use super::evidence::{refused, unreachable};
use super::handshake::{Talk, forbidden, malformed, unauthorized};
use crate::http::fault::{Blame, Fault};

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
/// Methods of authentication (RFC 1928 §3).
const NOBODY: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
/// Version of the conversation about the password (RFC 1929 §2).
const PASSWORD_VERSION: u8 = 1;

pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
    target: SocketAddr,
    credentials: Option<&Credentials>,
) -> Result<(), Fault> {
    greet(talk, credentials).await?;
    talk.ask(&request(target)).await?;
    let mut answer = [0; 4];
    talk.fill(&mut answer).await?;
    let [version, code, _, kind] = answer;
    if version != VERSION {
        return Err(malformed("the answer is none of SOCKS 5"));
    }
    if code != 0 {
        return Err(refusal(code));
    }
    // The address that the proxy is bound to, which nobody needs.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let mut length = [0];
            talk.fill(&mut length).await?;
            usize::from(length[0])
        }
        kind => return Err(malformed(format!("{kind} is no kind of address"))),
    };
    talk.fill(&mut vec![0; length + 2]).await
}

/// Agrees on a method, and says who we are where the proxy wants to know.
async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
    credentials: Option<&Credentials>,
) -> Result<(), Fault> {
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NOBODY, PASSWORD],
        None => &[VERSION, 1, NOBODY],
    };
    talk.send(methods).await?;
    let mut answer = [0; 2];
    talk.fill(&mut answer).await?;
    match (answer, credentials) {
        ([VERSION, NOBODY], _) => Ok(()),
        ([VERSION, PASSWORD], Some(credentials)) => identify(talk, credentials).await,
        ([VERSION, NONE_OF_THESE], _) => Err(unauthorized(credentials.is_some())),
        _ => Err(malformed("the greeting is none of SOCKS 5")),
    }
}

async fn identify<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
    credentials: &Credentials,
) -> Result<(), Fault> {
    let mut message = vec![PASSWORD_VERSION];
    for text in [&credentials.username, &credentials.password] {
        message.push(u8::try_from(text.len()).map_err(|_| unauthorized(true))?);
        message.extend(text.bytes());
    }
    talk.send(&message).await?;
    let mut answer = [0; 2];
    talk.fill(&mut answer).await?;
    match answer {
        [_, 0] => Ok(()),
        _ => Err(unauthorized(true)),
    }
}

fn request(target: SocketAddr) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match target.ip().to_canonical() {
        IpAddr::V4(address) => {
            request.push(1);
            request.extend(address.octets());
        }
        IpAddr::V6(address) => {
            request.push(4);
            request.extend(address.octets());
        }
    }
    request.extend(target.port().to_be_bytes());
    request
}

/// Judges a reply code (RFC 1928 §6).
fn refusal(code: u8) -> Fault {
    match code {
        1 => Fault::proxy("socks_failure", "general failure of the proxy"),
        2 => forbidden("not allowed by the proxy's rules"),
        3 => unreachable("the proxy says that the network is unreachable"),
        4 => unreachable("the proxy says that the host is unreachable"),
        5 => refused("the proxy says that the site refused the connection"),
        // Lost on the way, on whichever side of the proxy.
        6 => unreachable("the proxy says that the time to live expired").blamed(Blame::Unknown),
        7 => Fault::proxy("socks_command", "the proxy does not do CONNECT"),
        8 => Fault::proxy(
            "socks_address_type",
            "the proxy does not know this kind of address",
        ),
        code => malformed(format!("{code} is no reply of SOCKS 5")),
    }
}
