//! SOCKS 4, as its authors described it: one request, one answer of eight bytes.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};

use super::Credentials;
use super::handshake::{Talk, malformed, unauthorized};
use crate::http::fault::{Blame, Fault};

const VERSION: u8 = 4;
const CONNECT: u8 = 1;
const GRANTED: u8 = 90;
const REJECTED: u8 = 91;
/// The proxy found no identd of ours, or one that names somebody else.
const UNIDENTIFIED: std::ops::RangeInclusive<u8> = 92..=93;

pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, S>,
    target: SocketAddr,
    credentials: Option<&Credentials>,
) -> Result<(), Fault> {
    let IpAddr::V4(address) = target.ip().to_canonical() else {
        return Err(
            Fault::proxy("socks4_ipv4_only", format!("{target} is no IPv4 address"))
                .blamed(Blame::Unknown),
        );
    };
    let mut request = vec![VERSION, CONNECT];
    request.extend(target.port().to_be_bytes());
    request.extend(address.octets());
    request.extend(credentials.map_or("", |given| &given.username).bytes());
    request.push(0);
    talk.ask(&request).await?;
    let mut answer = [0; 8];
    talk.fill(&mut answer).await?;
    let [version, code, ..] = answer;
    match code {
        _ if version != 0 => Err(malformed("the answer is none of SOCKS 4")),
        GRANTED => Ok(()),
        // The one code for "I will not" and for "I could not".
        REJECTED => Err(Fault::proxy(
            "socks4_rejected",
            "the proxy rejected the request or could not reach the site",
        )
        .blamed(Blame::Unknown)),
        code if UNIDENTIFIED.contains(&code) => Err(unauthorized(credentials.is_some())),
        code => Err(malformed(format!("{code} is no code of SOCKS 4"))),
    }
}
