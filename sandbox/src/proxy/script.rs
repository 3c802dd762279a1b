//! What a script can say about one proxy.

use std::time::Duration;

/// A proxy's habits. The default lets everybody through.
#[derive(Debug, Clone, Default)]
pub struct ProxyScript {
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) fault: Option<ProxyFault>,
    pub(crate) delay: Duration,
    pub(crate) bans: Vec<String>,
    pub(crate) explains: bool,
}

/// What is wrong with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFault {
    /// Nobody listens. It stays so: a dead proxy cannot be given another script.
    Dead,
    /// It accepts the connection, reads, and says nothing.
    Silent,
    /// It resets the connection after the first bytes.
    Reset,
    /// It answers 502 to every HTTP request and "general failure" to SOCKS.
    Unavailable,
    /// It answers 403 to every HTTP request and "not allowed" to SOCKS.
    Forbidden,
    /// It answers this status to every HTTP request, and "general failure" to SOCKS.
    Status(u16),
    /// It answers this code to every SOCKS request, and 502 over HTTP.
    Reply(u8),
    /// It greets where the protocol has a greeting, reads the request, and never answers it.
    Hangs,
    /// It answers with bytes of no protocol.
    Garbage,
    /// It says that it has connected, has not, and ends the connection as soon as it is used.
    Lies,
    /// It carries so many bytes of the site's side and resets the connection.
    Cut(u64),
}

impl ProxyScript {
    /// Makes a proxy that works and asks nobody who they are.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Makes a proxy with this fault.
    #[must_use]
    pub fn faulty(fault: ProxyFault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    /// Asks for a user name and a password: 407 without them over HTTP, method 2 in SOCKS5, refusal in SOCKS4.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Turns away requests for these hosts and addresses: 403 over HTTP, "not allowed" in SOCKS.
    #[must_use]
    pub fn bans<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.bans.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Says in `Proxy-Status` (RFC 9209) why it could not reach a target.
    #[must_use]
    pub fn explains(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Waits before it opens each tunnel.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}
