//! Proxies of the sandbox: HTTP and HTTPS (CONNECT and absolute form), SOCKS4, SOCKS4a and SOCKS5 on one port, with scripted
//! faults.
//!
//! [`crate::Sandbox`] starts one per [`ProxyScript`]. The first byte of a connection says which protocol it is. Targets
//! are names of the world, whatever their port (443 and the sandbox's HTTPS port lead to its sites over TLS, every other
//! to plain HTTP), or any loopback address with one of the sandbox's own ports; a proxy never connects anywhere else.

mod http;
mod socks;

mod script;

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accept;
use crate::web::fault::Wire;
use crate::web::reply::Ports;
use crate::world::{Dns, Found, World};
pub use script::{ProxyFault, ProxyScript};

/// Connections that one proxy serves at once.
const MAX_CONNECTIONS: usize = 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long a client may take over a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
    /// The port of one that is dead: nobody else gets it, and nobody listens.
    _dead: Option<TcpSocket>,
}

#[derive(Debug)]
struct Shared {
    world: Arc<RwLock<World>>,
    ports: Ports,
    tls: Arc<ServerConfig>,
    script: RwLock<Arc<ProxyScript>>,
    connections: AtomicU64,
    tunnels: AtomicU64,
}

impl Proxy {
    /// Binds a free loopback port and serves on it until the token is cancelled.
    ///
    /// # Errors
    /// When no port can be had.
    pub(crate) fn start(
        world: Arc<RwLock<World>>,
        (ports, tls): (Ports, Arc<ServerConfig>),
        script: ProxyScript,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, crate::Error> {
        let dead = script.fault == Some(ProxyFault::Dead);
        let socket = TcpSocket::new_v4().map_err(crate::Error::Proxy)?;
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(anywhere).map_err(crate::Error::Proxy)?;
        let addr = socket.local_addr().map_err(crate::Error::Proxy)?;
        let shared = Arc::new(Shared {
            world,
            ports,
            tls,
            script: RwLock::new(Arc::new(script)),
            connections: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
        });
        if dead {
            return Ok(Self {
                addr,
                shared,
                _dead: Some(socket),
            });
        }
        let listener = socket.listen(BACKLOG).map_err(crate::Error::Proxy)?;
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
        Ok(Self {
            addr,
            shared,
            _dead: None,
        })
    }

    /// Changes its habits for the connections to come.
    pub(crate) fn set_script(&self, script: ProxyScript) {
        let mut current = self
            .shared
            .script
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(script);
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
    let session = Session {
        shared,
        script: Arc::clone(&shared.script.read().unwrap_or_else(PoisonError::into_inner)),
    };
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    match session.script.fault {
        Some(ProxyFault::Reset) => return stream.set_zero_linger(),
        Some(ProxyFault::Silent) => return ignore(stream).await,
        Some(ProxyFault::Garbage) => {
            stream
                .write_all(b"\x00\x01 this is no proxy \xff\r\n\r\n")
                .await?;
            return stream.shutdown().await;
        }
        _ => {}
    }
    match first {
        [5] => socks::version5(stream, &session).await,
        [4] => socks::version4(stream, &session).await,
        // The first byte of a TLS record that shakes hands (RFC 8446 §5.1).
        [22] => {
            let acceptor = TlsAcceptor::from(Arc::clone(&shared.tls));
            let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??;
            http::serve(stream, &session).await
        }
        _ => http::serve(stream, &session).await,
    }
}

/// Reads until the client has enough.
async fn ignore(mut client: impl Wire) -> Result<(), Error> {
    let mut ignored = [0; 1024];
    while client.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// One connection, with the habits that the proxy had when it began.
struct Session<'s> {
    shared: &'s Shared,
    script: Arc<ProxyScript>,
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
    /// The script says that this target turns the proxy away.
    Banned,
}

impl Session<'_> {
    /// Connects to a target of the world.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Refusal> {
        if !self.script.delay.is_zero() {
            tokio::time::sleep(self.script.delay).await;
        }
        if self.script.bans.iter().any(|banned| banned == host) {
            return Err(Refusal::Banned);
        }
        let address: Option<IpAddr> = host.parse().ok();
        let ports = self.shared.ports;
        let local = if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            if ![ports.http, ports.https].contains(&port) {
                return Err(Refusal::Unreachable);
            }
            port
        } else if address.is_some() {
            return Err(Refusal::Outside);
        } else {
            self.resolve(host)?;
            if port == 443 || port == ports.https {
                ports.https
            } else {
                ports.http
            }
        };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local))
            .await
            .map_err(|_| Refusal::Unreachable)?;
        self.shared.tunnels.fetch_add(1, Ordering::Relaxed);
        Ok(stream)
    }

    fn resolve(&self, host: &str) -> Result<(), Refusal> {
        match self
            .shared
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

/// Carries bytes both ways until both sides are done, or as far as the script goes.
async fn tunnel(
    mut client: impl Wire,
    mut target: TcpStream,
    script: &ProxyScript,
) -> Result<(), Error> {
    if let Some(ProxyFault::Cut(after)) = script.fault {
        return cut(client, target, after).await;
    }
    match tokio::io::copy_bidirectional(&mut client, &mut target).await {
        // Resets pass through as resets: a page's fault must look like the page's fault.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
            client.socket().set_zero_linger()
        }
        ended => ended.map(|_| ()),
    }
}

/// Carries so many bytes of the answer and resets the connection.
async fn cut(client: impl Wire, target: TcpStream, after: u64) -> Result<(), Error> {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (from_target, mut to_target) = target.into_split();
    let carry = async {
        let mut part = from_target.take(after);
        tokio::io::copy(&mut part, &mut to_client).await?;
        to_client.flush().await
    };
    tokio::select! {
        carried = carry => carried?,
        sent = async {
            tokio::io::copy(&mut from_client, &mut to_target).await?;
            std::future::pending::<Result<(), Error>>().await
        } => sent?,
    }
    from_client.unsplit(to_client).socket().set_zero_linger()
}
