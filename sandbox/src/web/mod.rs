//! The web of the sandbox: every site of the world on one port for HTTP and one for HTTPS, told apart by `Host` and SNI.
//!
//! [`crate::Sandbox`] starts it. HTTP/1.1 is spoken by hand, because half of the sites have to break it and because a
//! page then costs tens of microseconds; HTTP/2 is axum's, reached only by hosts that offer it. Nothing here decides
//! anything: a site does what the world's script says.

pub(crate) mod bombs;
mod certificates;
pub(crate) mod encrypted_dns;
pub(crate) mod fault;
mod http2;
pub(crate) mod many_headers;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod seen;

use std::io::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::world::{Found, Host, Site, Tls, World, canonical};
use crate::{accept, dns};
use certificates::Certificates;
use fault::Wire;
use reply::{Plan, Ports, Reply};
use seen::Requests;

/// Connections that each port serves at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;

/// How long a client may take over its part of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The fatal alert `handshake_failure` (RFC 8446, section 6), as a host without HTTPS would send it.
const REFUSAL: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 40];

/// The running web.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) ports: Ports,
    pub(crate) ca_pem: String,
    pub(crate) dot_addr: SocketAddr,
    shared: Arc<Shared>,
}

/// What every connection needs.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Arc<RwLock<World>>,
    ports: Ports,
    pub(crate) requests: Requests,
    certificates: Certificates,
    http2: http2::Door,
    dns: Arc<dns::Shared>,
}

impl Web {
    /// Binds three free loopback ports (HTTP, HTTPS, DNS over TLS) and serves on them until the token is cancelled.
    ///
    /// # Errors
    /// When no port can be had or no certificate can be made.
    pub(crate) async fn start(
        world: Arc<RwLock<World>>,
        dns: Arc<dns::Shared>,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, crate::Error> {
        let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(crate::Error::Web)?;
        let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(crate::Error::Web)?;
        let dot = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(crate::Error::Web)?;
        let dot_addr = dot.local_addr().map_err(crate::Error::Web)?;
        let ports = Ports {
            http: plain.local_addr().map_err(crate::Error::Web)?.port(),
            https: tls.local_addr().map_err(crate::Error::Web)?.port(),
        };
        let certificates = Certificates::new(Arc::clone(&world))?;
        let ca_pem = certificates.ca_pem.clone();
        let (door, room) = http2::open();
        let shared = Arc::new(Shared {
            world,
            ports,
            requests: Requests::default(),
            certificates,
            http2: door,
            dns,
        });
        tasks.spawn(encrypted_dns::over_tls(
            dot,
            Arc::clone(&shared),
            token.clone(),
            tasks.clone(),
        ));
        tasks.spawn(http2::serve(room, Arc::clone(&shared), token.clone()));
        for (listener, secure) in [(plain, false), (tls, true)] {
            let shared = Arc::clone(&shared);
            let serve = move |stream, token: CancellationToken| {
                let shared = Arc::clone(&shared);
                async move {
                    tokio::select! {
                        () = token.cancelled() => {}
                        served = connection(stream, &shared, secure) => if let Err(error) = served {
                            tracing::trace!(%error, secure, "web connection ended");
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
        }
        Ok(Self {
            ports,
            ca_pem,
            dot_addr,
            shared,
        })
    }

    /// Returns what proxies show over TLS: a certificate for their address.
    pub(crate) fn tls(&self) -> Arc<rustls::ServerConfig> {
        self.shared.certificates.config(Tls::Good, false)
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.shared.requests
    }
}

impl Shared {
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Host>> {
        match self
            .world
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .find(name)
        {
            Found::Host(host) => Some(host),
            Found::Empty | Found::Missing => None,
        }
    }

    /// Plans the answer to a request; a host that is not in the world is misdirected (RFC 9110, 15.5.20).
    pub(crate) fn plan(&self, name: &str, path: &str, secure: bool) -> Plan {
        self.find(name).map_or_else(
            || Plan::Reply(Reply::error(421)),
            |host| reply::plan(&host, name, path, secure, self.ports),
        )
    }
}

async fn connection(stream: TcpStream, shared: &Shared, secure: bool) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    if !secure {
        return http1(stream, shared, false).await;
    }
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let mut start = tokio::time::timeout(HANDSHAKE, acceptor).await??;
    let name = start
        .client_hello()
        .server_name()
        .map(|name| canonical(name).into_owned());
    // Who names nobody means the address, where there is only DNS over HTTPS.
    let nameless = name.is_none();
    let host = name.and_then(|name| shared.find(&name));
    let floods = host
        .as_ref()
        .is_some_and(|host| host.site == Site::ManyHeaders);
    let (tls, http2) = host.map_or((Tls::Good, nameless), |host| (host.tls, host.http2));
    match tls {
        Tls::Absent => {
            start.io.write_all(&REFUSAL).await?;
            return start.io.shutdown().await;
        }
        Tls::Silent => {
            let mut ignored = [0; 256];
            while start.io.read(&mut ignored).await? > 0 {}
            return Ok(());
        }
        _ => {}
    }
    let config = shared.certificates.config(tls, http2);
    let stream = tokio::time::timeout(HANDSHAKE, start.into_stream(config)).await??;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return match floods {
            true => many_headers::over_http2(stream).await,
            false => shared.http2.enter(stream).await,
        };
    }
    http1(stream, shared, true).await
}

/// Answers the requests of a connection one after the other.
async fn http1(mut stream: impl Wire, shared: &Shared, secure: bool) -> Result<(), Error> {
    let mut buffer = Vec::with_capacity(2048);
    while let Some(request) = request::read(&mut stream, &mut buffer, secure).await? {
        let under_way = shared
            .requests
            .begin(&request.host, || request.seen.clone());
        match shared.plan(&request.host, &request.path, secure) {
            Plan::Reply(reply) => {
                if !reply.delay.is_zero() {
                    tokio::time::sleep(reply.delay).await;
                }
                // Before the answer: who has all of it may ask again before anything else happens here.
                drop(under_way);
                stream
                    .write_all(&encode(&reply, request.is_head(), request.keep_alive))
                    .await?;
                stream.flush().await?;
            }
            Plan::Fault(site) => {
                let played = fault::play(&mut stream, &site).await;
                // A reset must not be softened by a polite goodbye.
                return match site {
                    Site::Reset(_) => played,
                    _ => stream.shutdown().await.and(played),
                };
            }
        }
        if !request.keep_alive {
            break;
        }
    }
    stream.shutdown().await
}

fn encode(reply: &Reply, head_only: bool, keep_alive: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(reply.body.len() + 512);
    out.extend(
        format!(
            "HTTP/1.1 {} {}\r\n",
            reply.status,
            reply::reason(reply.status)
        )
        .bytes(),
    );
    for (name, value) in &reply.headers {
        out.extend(name.bytes());
        out.extend(b": ");
        out.extend(value.bytes());
        out.extend(b"\r\n");
    }
    if !keep_alive {
        out.extend(b"connection: close\r\n");
    }
    out.extend(format!("content-length: {}\r\n\r\n", reply.body.len()).bytes());
    if !head_only {
        out.extend(&reply.body);
    }
    out
}
