//! Proxies of the sandbox: HTTP (CONNECT and absolute form), SOCKS4, SOCKS4a and SOCKS5 on one port, with scripted faults.
//!
//! [`crate::Sandbox`] starts one per [`ProxyScript`]. The first byte of a connection says which protocol it is. Targets
//! are names of the world, whatever their port (443 and the sandbox's HTTPS port lead to its sites over TLS, every other
//! to plain HTTP), or 127.0.0.1 with one of the sandbox's own ports; a proxy never connects anywhere else.

mod http;
mod socks;

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accept;
use crate::web::reply::Ports;
use crate::world::{Dns, Found, World};

/// Connections that one proxy serves at once.
const MAX_CONNECTIONS: usize = 1024;

/// A proxy's habits. The default lets everybody through.
#[derive(Debug, Clone, Default)]
pub struct ProxyScript {
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) fault: Option<ProxyFault>,
    pub(crate) delay: Duration,
}

/// What is wrong with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFault {
    /// It accepts the connection, reads, and says nothing.
    Silent,
    /// It resets the connection after the first bytes.
    Reset,
    /// It answers 502 to every HTTP request and "general failure" to SOCKS.
    Unavailable,
    /// It answers 403 to every HTTP request and "not allowed" to SOCKS.
    Forbidden,
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

    /// Waits before it opens each tunnel.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: Arc<RwLock<World>>,
    ports: Ports,
    script: ProxyScript,
    connections: AtomicU64,
    tunnels: AtomicU64,
}

impl Proxy {
    /// Binds a free loopback port and serves on it until the token is cancelled.
    ///
    /// # Errors
    /// When no port can be had.
    pub(crate) async fn start(
        world: Arc<RwLock<World>>,
        ports: Ports,
        script: ProxyScript,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, crate::Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(crate::Error::Proxy)?;
        let addr = listener.local_addr().map_err(crate::Error::Proxy)?;
        let shared = Arc::new(Shared {
            world,
            ports,
            script,
            connections: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
        });
        let served = Arc::clone(&shared);
        let serve = move |stream, token: CancellationToken| {
            let shared = Arc::clone(&served);
            async move {
                tokio::select! {
                    () = token.cancelled() => {}
                    served = connection(stream, &shared) => if let Err(error) = served {
                        tracing::trace!(%error, "proxy connection ended");
                    },
                }
            }
        };
        tasks.spawn(accept::each(
            listener,
            MAX_CONNECTIONS,
            token.clone(),
            tasks.clone(),
            serve,
        ));
        Ok(Self { addr, shared })
    }

    /// Returns the connections accepted.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Returns the targets reached.
    pub(crate) fn tunnels(&self) -> u64 {
        self.shared.tunnels.load(Ordering::Relaxed)
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) -> Result<(), Error> {
    shared.connections.fetch_add(1, Ordering::Relaxed);
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    match shared.script.fault {
        Some(ProxyFault::Reset) => return stream.set_zero_linger(),
        Some(ProxyFault::Silent) => {
            let mut ignored = [0; 1024];
            while stream.read(&mut ignored).await? > 0 {}
            return Ok(());
        }
        _ => {}
    }
    match first {
        [5] => socks::version5(stream, shared).await,
        [4] => socks::version4(stream, shared).await,
        _ => http::serve(stream, shared).await,
    }
}

/// Why a target was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The name does not resolve.
    Unknown,
    /// It is an address outside the sandbox.
    Outside,
    /// Nothing listens there.
    Unreachable,
}

impl Shared {
    /// Connects to a target of the world.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Refusal> {
        tokio::time::sleep(self.script.delay).await;
        let ours = [self.ports.http, self.ports.https];
        let local = if host == "127.0.0.1" || host == "localhost" {
            if !ours.contains(&port) {
                return Err(Refusal::Unreachable);
            }
            port
        } else if host.parse::<std::net::IpAddr>().is_ok() {
            return Err(Refusal::Outside);
        } else {
            self.resolve(host)?;
            if port == 443 || port == self.ports.https {
                self.ports.https
            } else {
                self.ports.http
            }
        };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local))
            .await
            .map_err(|_| Refusal::Unreachable)?;
        self.tunnels.fetch_add(1, Ordering::Relaxed);
        Ok(stream)
    }

    fn resolve(&self, host: &str) -> Result<(), Refusal> {
        match self
            .world
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .find(host)
        {
            Found::Host(host)
                if matches!(
                    host.dns,
                    Dns::Live | Dns::Truncated | Dns::Delayed(_) | Dns::Alias(_)
                ) =>
            {
                Ok(())
            }
            _ => Err(Refusal::Unknown),
        }
    }
}

/// Carries bytes both ways until both sides are done.
async fn tunnel(mut client: TcpStream, mut target: TcpStream) -> Result<(), Error> {
    match tokio::io::copy_bidirectional(&mut client, &mut target).await {
        // Resets pass through as resets: a page's fault must look like the page's fault.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => client.set_zero_linger(),
        ended => ended.map(|_| ()),
    }
}
