//! Connections to sites: TCP to addresses that were checked, or a tunnel through a proxy to one of them, then TLS.
//!
//! There is one path for both, and it knows in each step whose step it is: what fails on the way to the proxy or in its
//! answer is told apart from what the site did. The environment's proxies are never used, because nothing here asks the
//! environment.

mod dial;
mod signatures;
mod stream;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use self::dial::{Undialled, dial};
use self::stream::Link;
pub(super) use self::stream::Stream;
pub(super) use self::tls::Facts;
use super::config::{Config, Error};
use super::fault::{Blame, Fault, Reason};
use super::proxy::{self, Protocol, Proxy};
use super::steps::{Step, Steps};
use crate::suppression::{Held, Suppression};

/// Makes connections with one configuration.
pub(super) struct Connector {
    site_tls: Arc<ClientConfig>,
    proxy_tls: Arc<ClientConfig>,
    suppression: Suppression,
    timeout: Duration,
}

/// Whom to connect to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destination<'d> {
    /// The name that SNI carries and the certificate must have.
    pub(super) host: &'d str,
    pub(super) port: u16,
    /// Where it is; all of them were checked.
    pub(super) addresses: &'d [IpAddr],
    pub(super) secure: bool,
}

/// A proxy and where it is; its addresses were checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'r> {
    pub(super) proxy: &'r Proxy,
    pub(super) addresses: &'r [SocketAddr],
    /// Hands plain http requests over whole, instead of asking for a tunnel.
    pub(super) forward: bool,
}

/// A connection that is ready for requests.
pub(super) struct Connected {
    pub(super) stream: Stream,
    /// Whom it leads to; nothing where the proxy finds the site by itself.
    pub(super) address: Option<SocketAddr>,
    pub(super) tls: Facts,
    /// Whether HTTP/2 was agreed on.
    pub(super) http2: bool,
}

impl Connector {
    /// Makes a connector; this loads the trusted roots.
    ///
    /// # Errors
    ///
    /// Says which setting the TLS library refuses.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let (site, proxy) = tls::configs(config)?;
        Ok(Self {
            site_tls: Arc::new(site),
            proxy_tls: Arc::new(proxy),
            suppression: config.suppression.clone(),
            timeout: config.connect_timeout,
        })
    }

    /// Connects, through the proxy where there is one.
    ///
    /// # Errors
    ///
    /// The step that failed, and whose step it was.
    pub(super) async fn connect(
        &self,
        to: Destination<'_>,
        through: Option<Route<'_>>,
        deadline: Instant,
        steps: &Steps,
    ) -> Result<Connected, Fault> {
        let deadline = deadline.min(Instant::now() + self.timeout);
        let (link, address) = match through {
            None => {
                let (stream, address) = self.direct(to, deadline).await?;
                (Link::Tcp(stream), Some(address))
            }
            Some(route) if route.forward && !to.secure => {
                (self.reach(route, deadline).await?, None)
            }
            Some(route) => {
                let (link, address) = self.tunnel(to, route, deadline).await?;
                (link, Some(address))
            }
        };
        steps.tell(|| Step::Connected { address });
        if !to.secure {
            return Ok(Connected {
                stream: Stream::Plain(link),
                address,
                tls: Facts::default(),
                http2: false,
            });
        }
        let secured = self.secure(to.host, link, deadline).await;
        let (stream, tls, http2) = secured.map_err(|fault| match through {
            Some(_) => in_tunnel(fault),
            None => fault,
        })?;
        steps.tell(|| Step::Secured {
            version: tls.version,
            expires: tls.expires,
            http2,
        });
        Ok(Connected {
            stream,
            address,
            tls,
            http2,
        })
    }

    async fn secure(
        &self,
        host: &str,
        link: Link,
        deadline: Instant,
    ) -> Result<(Stream, Facts, bool), Fault> {
        let shaken = timeout_at(deadline, tls::handshake(&self.site_tls, host, link)).await;
        let stream = shaken.map_err(|_| late("while TLS was agreed on"))??;
        let connection = stream.get_ref().1;
        let (facts, http2) = (
            tls::facts(connection),
            connection.alpn_protocol() == Some(b"h2"),
        );
        Ok((Stream::Secure(Box::new(stream)), facts, http2))
    }

    /// Connects to the site itself.
    async fn direct(
        &self,
        to: Destination<'_>,
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), Fault> {
        let addresses: Vec<SocketAddr> = to
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, to.port))
            .collect();
        let dialled = dial(&addresses, &self.suppression, deadline).await;
        dialled.map_err(|undialled| match undialled {
            Undialled::Held(address, held) => held_at(to.host, address, held),
            Undialled::Failed(error) => Fault::connect(&error),
        })
    }

    /// Asks the proxy for a tunnel to each address in turn, as long as it is the address that is at fault.
    async fn tunnel(
        &self,
        to: Destination<'_>,
        route: Route<'_>,
        deadline: Instant,
    ) -> Result<(Link, SocketAddr), Fault> {
        let mut last = Fault::error("no_address", format!("{} has no address", to.host));
        for address in to.addresses {
            let address = SocketAddr::new(*address, to.port);
            let mut link = self.reach(route, deadline).await?;
            if let Some(held) = self.suppression.address(address.ip()) {
                last = held_at(to.host, address, held);
                continue;
            }
            match proxy::tunnel(&mut link, route.proxy, address, deadline).await {
                Ok(()) => return Ok((link, address)),
                Err(fault) => last = fault,
            }
            let other_may_do = last.blame == Blame::Target
                || matches!(&*last.code, "socks4_ipv4_only" | "socks_address_type");
            if !other_may_do || Instant::now() >= deadline {
                break;
            }
        }
        Err(last)
    }

    /// Connects to the proxy itself.
    async fn reach(&self, route: Route<'_>, deadline: Instant) -> Result<Link, Fault> {
        let dialled = dial(route.addresses, &self.suppression, deadline).await;
        let (stream, _) = dialled.map_err(|undialled| match undialled {
            Undialled::Held(address, held) => proxy::suppressed(route.proxy, address.ip(), held),
            Undialled::Failed(error) => of_proxy(&Fault::connect(&error)),
        })?;
        if route.proxy.protocol != Protocol::Https {
            return Ok(Link::Tcp(stream));
        }
        let shaking = tls::handshake(&self.proxy_tls, &route.proxy.host, stream);
        match timeout_at(deadline, shaking).await {
            Ok(Ok(stream)) => Ok(Link::Tls(Box::new(stream))),
            Ok(Err(fault)) => Err(of_proxy(&fault)),
            Err(_) => Err(Fault::proxy(
                "proxy_timeout",
                "the proxy accepted the connection and agreed on no TLS",
            )),
        }
    }
}

/// The site's address came onto the suppression list on the way there.
fn held_at(host: &str, address: SocketAddr, held: Held) -> Fault {
    Fault::held(format_args!("{host} at {}", address.ip()), held)
}

fn late(step: &str) -> Fault {
    let text = format!("time ran out {step}");
    Fault::new(Reason::Timeout, "connect_timeout", text)
}

/// Makes a failure on the way to the proxy the proxy's: `connection_refused` becomes `proxy_refused`, and so on.
fn of_proxy(fault: &Fault) -> Fault {
    let code = match (&*fault.code, fault.reason) {
        ("connection_refused", _) => "proxy_refused",
        ("unreachable", _) => "proxy_unreachable",
        (_, Reason::Timeout) => "proxy_connect_timeout",
        (_, Reason::TlsError | Reason::SslExpired) => "proxy_tls",
        (_, Reason::ConnectionReset) => "proxy_closed",
        _ => "proxy_connect_failed",
    };
    Fault::proxy(code, format!("{}: {}", fault.code, fault.text))
}

/// Takes the blame off the site where a proxy in between may as well be the one who did it: it broke the connection, or
/// showed a certificate of its own. What only the site can say stays the site's.
pub(super) fn in_tunnel(fault: Fault) -> Fault {
    let either = matches!(fault.reason, Reason::ConnectionReset | Reason::Timeout)
        || matches!(
            &*fault.code,
            "handshake_closed"
                | "handshake_failed"
                | "certificate_untrusted"
                | "certificate_wrong_name"
                | "malformed_response"
                | "headers_too_large"
                | "request_failed"
        );
    match either && fault.blame == Blame::Target {
        true => fault.blamed(Blame::Unknown),
        false => fault,
    }
}
