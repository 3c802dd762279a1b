//! Asking a proxy for a way to an address.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::{Protocol, Proxy, http_connect, socks4, socks5};
use crate::http::fault::{Blame, Fault, Reason};

/// Asks the proxy at the other end of a connection for a tunnel to an address; afterwards the connection is one to there.
///
/// # Errors
///
/// Says whether the proxy failed, or the target as the proxy tells, or that it cannot be known.
pub(in crate::http) async fn tunnel<S>(
    stream: &mut S,
    proxy: &Proxy,
    target: SocketAddr,
    deadline: Instant,
) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut talk = Talk {
        stream,
        deadline,
        asked: false,
    };
    let credentials = proxy.credentials.as_ref();
    match proxy.protocol {
        Protocol::Http | Protocol::Https => {
            http_connect::connect(&mut talk, target, credentials).await
        }
        Protocol::Socks4 => socks4::connect(&mut talk, target, credentials).await,
        Protocol::Socks5 => socks5::connect(&mut talk, target, credentials).await,
    }
}

/// A conversation with a proxy, which has to end in time.
pub(super) struct Talk<'s, S> {
    stream: &'s mut S,
    deadline: Instant,
    /// Whether the proxy was told the target, so that it may be the target that is waited for.
    asked: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    /// Sends something that names no target.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let sent = timeout_at(self.deadline, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        let sent = sent.await;
        self.settle(sent)
    }

    /// Sends the request for the target.
    pub(super) async fn ask(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.send(bytes).await?;
        self.asked = true;
        Ok(())
    }

    /// Reads exactly as much as fits.
    pub(super) async fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        let read = timeout_at(self.deadline, self.stream.read_exact(buffer)).await;
        self.settle(read).map(|_| ())
    }

    /// Reads what there is; never nothing.
    pub(super) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        let read = timeout_at(self.deadline, self.stream.read_buf(buffer)).await;
        match self.settle(read)? {
            0 => Err(closed("it closed the connection before it answered")),
            _ => Ok(()),
        }
    }

    fn settle<T, E>(&self, done: Result<std::io::Result<T>, E>) -> Result<T, Fault> {
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(closed("it closed the connection before it answered"))
            }
            Ok(Err(error)) => Err(closed(&error.to_string())),
            // A proxy that waits for a site that says nothing looks like one that is dead itself.
            Err(_) if self.asked => Err(Fault::new(
                Reason::Timeout,
                "tunnel_timeout",
                "time ran out while the proxy connected to the site",
            )
            .blamed(Blame::Unknown)),
            Err(_) => Err(Fault::proxy(
                "proxy_timeout",
                "the proxy accepted the connection and said nothing",
            )),
        }
    }
}

fn closed(why: &str) -> Fault {
    Fault::proxy("proxy_closed", why)
}

/// The proxy does not speak its protocol.
pub(super) fn malformed(what: impl ToString) -> Fault {
    Fault::proxy("proxy_malformed", what)
}

/// Code of a proxy that does not like what it was told.
const CREDENTIALS: &str = "proxy_credentials";
/// Code of a proxy that wants to know who we are.
const AUTH_REQUIRED: &str = "proxy_auth_required";

/// The proxy turned us away: it wants to know who we are, or does not like what it was told.
pub(super) fn unauthorized(told: bool) -> Fault {
    match told {
        true => Fault::proxy(CREDENTIALS, "the proxy refused the credentials"),
        false => Fault::proxy(AUTH_REQUIRED, "the proxy asks for credentials"),
    }
}

/// Tells whether the proxy turned us away for who we are, or are not.
pub(in crate::http) fn is_unauthorized(fault: &Fault) -> bool {
    matches!(&*fault.code, CREDENTIALS | AUTH_REQUIRED)
}

/// The proxy does not let anybody through to this target.
pub(super) fn forbidden(text: impl ToString) -> Fault {
    Fault::proxy(super::FORBIDDEN, text)
}
