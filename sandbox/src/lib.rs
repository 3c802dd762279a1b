//! A small internet on loopback, with scripted faults.
//!
//! The demo, the tests and the benchmarks run campaigns against it: a DNS authority (UDP, TCP, TLS, HTTPS) with any number of resolvers, a web
//! of sites over HTTP and HTTPS, and proxies, all answering from one [`World`]. Everything listens on free ports of
//! 127.0.0.1 and nowhere else, every fault is the script's and comes back the same in every run, and everything ends with
//! [`Sandbox::shutdown`] or when the [`Sandbox`] is dropped.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sandbox::Error> {
//! use sandbox::{Dns, Host, Sandbox, World};
//!
//! let world = World::scripted()
//!     .host("shop.test", Host::page(&["espresso"]))
//!     .host("broken.test", Host::named(Dns::ServFail));
//! let sandbox = Sandbox::start(world).await?;
//! assert!(sandbox.dns_addr().ip().is_loopback());
//! sandbox.shutdown().await;
//! # Ok(()) }
//! ```

mod accept;
mod dns;
pub mod nsd;
mod program;
mod proxy;
pub mod unbound;
mod web;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use dns::{Always, Forgery, KEPT_ARRIVALS, ResolverScript};
pub use proxy::{ProxyFault, ProxyScript};
pub use web::bombs::{BOMB_SIZE, BROTLI_BOMB_SIZE};
pub use web::encrypted_dns::HOST as DNS_HOST;
pub use web::many_headers::MANY_HEADERS;
pub use web::seen::{KEPT_REQUESTS, Seen};
pub use world::{
    Dns, DnsVerdict, Expected, Fate, Host, HttpVerdict, KEYWORDS, Kind, LONGEST_LABEL, PageScript,
    Record, Shares, Site, Target, Tls, Verdict, World,
};

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A resolver found no port on loopback.
    #[error("no loopback port for a DNS server")]
    Dns(#[source] std::io::Error),
    /// The web found no port on loopback.
    #[error("no loopback port for a web server")]
    Web(#[source] std::io::Error),
    /// A proxy found no port on loopback.
    #[error("no loopback port for a proxy")]
    Proxy(#[source] std::io::Error),
    /// A certificate could not be made.
    #[error("could not make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused its configuration.
    #[error("could not configure TLS")]
    Tls(#[from] rustls::Error),
}

/// A running internet. Dropping it stops every server; [`Sandbox::shutdown`] also waits until they have stopped.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<RwLock<World>>,
    queries: Arc<dns::Queries>,
    authority: dns::Resolver,
    resolvers: Vec<dns::Resolver>,
    web: web::Web,
    proxies: Vec<proxy::Proxy>,
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Starts every server of this world on the current Tokio runtime.
    ///
    /// # Errors
    /// When a loopback port cannot be had or the authority's certificate cannot be made; nothing runs then.
    pub async fn start(mut world: World) -> Result<Self, Error> {
        let token = CancellationToken::new();
        // Until the sandbox exists, an early return must stop what has been started.
        let guard = token.clone().drop_guard();
        let tasks = TaskTracker::new();
        if !world.is_explicit(DNS_HOST) {
            world.set_host(DNS_HOST, Host::page(&[]).http2());
        }
        let (resolver_scripts, proxy_scripts) = (world.resolvers.clone(), world.proxies.clone());
        let world = Arc::new(RwLock::new(world));
        let queries = Arc::new(dns::Queries::default());
        let resolver = async |script, place| {
            dns::Resolver::start(
                Arc::clone(&world),
                Arc::clone(&queries),
                script,
                place,
                &token,
                &tasks,
            )
            .await
        };
        let authority = resolver(ResolverScript::healthy(), None).await?;
        let mut resolvers = Vec::with_capacity(resolver_scripts.len());
        for (place, script) in (1..).zip(resolver_scripts) {
            resolvers.push(resolver(script, Some(place)).await?);
        }
        let web = web::Web::start(
            Arc::clone(&world),
            Arc::clone(&authority.shared),
            &token,
            &tasks,
        )
        .await?;
        let mut proxies = Vec::with_capacity(proxy_scripts.len());
        for script in proxy_scripts {
            proxies.push(proxy::Proxy::start(
                Arc::clone(&world),
                (web.ports, web.tls()),
                script,
                &token,
                &tasks,
            )?);
        }
        guard.disarm();
        Ok(Self {
            world,
            queries,
            authority,
            resolvers,
            web,
            proxies,
            token,
            tasks,
        })
    }

    /// Stops every server and returns when nothing listens any more.
    pub async fn shutdown(self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Returns the address of the authority, which answers everything at once and correctly, over UDP and TCP.
    #[must_use]
    pub fn dns_addr(&self) -> SocketAddr {
        self.authority.addr
    }

    /// Returns the address of the authority over TLS (RFC 7858); its certificate is good for [`DNS_HOST`] and for
    /// 127.0.0.1 where the client names nobody.
    #[must_use]
    pub fn dot_addr(&self) -> SocketAddr {
        self.web.dot_addr
    }

    /// Returns the URL of the authority over HTTPS (RFC 8484, HTTP/2 only), by address; [`DNS_HOST`] on the same port
    /// and path is the same server.
    #[must_use]
    pub fn doh_url(&self) -> String {
        format!("https://127.0.0.1:{}/dns-query", self.web.ports.https)
    }

    /// Returns the addresses of the scripted resolvers, in the order in which the world names them.
    #[must_use]
    pub fn resolvers(&self) -> Vec<SocketAddr> {
        self.resolvers
            .iter()
            .map(|resolver| resolver.addr)
            .collect()
    }

    /// Returns how many questions the authority got over UDP.
    #[must_use]
    pub fn authority_packets(&self) -> u64 {
        self.authority.packets()
    }

    /// Returns how many questions the authority got over TCP, TLS and HTTPS.
    #[must_use]
    pub fn authority_tcp_queries(&self) -> u64 {
        self.authority.tcp_queries()
    }

    /// Returns how many questions a scripted resolver got over UDP, lost ones included; 0 for one that does not exist.
    #[must_use]
    pub fn dns_packets(&self, resolver: usize) -> u64 {
        self.resolvers
            .get(resolver)
            .map_or(0, dns::Resolver::packets)
    }

    /// Returns how many questions a scripted resolver got over TCP; 0 for one that does not exist.
    #[must_use]
    pub fn dns_tcp_queries(&self, resolver: usize) -> u64 {
        self.resolvers
            .get(resolver)
            .map_or(0, dns::Resolver::tcp_queries)
    }

    /// Returns the highest number of questions that a scripted resolver with a delay had yet to answer at the same moment;
    /// 0 for one that does not exist.
    #[must_use]
    pub fn dns_peak(&self, resolver: usize) -> u64 {
        self.resolvers.get(resolver).map_or(0, dns::Resolver::peak)
    }

    /// Returns when questions came to a scripted resolver that is [timed](ResolverScript::timed), in their order: by the
    /// kernel's clock where it tells (Linux), so that a process that is late to read them is not taken for a late sender.
    #[must_use]
    pub fn dns_arrivals(&self, resolver: usize) -> Vec<Instant> {
        self.resolvers
            .get(resolver)
            .map(dns::Resolver::arrivals)
            .unwrap_or_default()
    }

    /// Returns how often a host that was added by name was asked for, of all types and at all resolvers. Names that only
    /// a wildcard or the generated rule knows are not counted.
    #[must_use]
    pub fn dns_queries(&self, name: &str) -> u64 {
        self.queries.of(&world::canonical(name))
    }

    /// Lists the names that were scripted by themselves and asked for over DNS, in the order in which each first was.
    #[must_use]
    pub fn dns_order(&self) -> Vec<String> {
        self.queries.in_order()
    }

    /// Changes a resolver's habits while it runs: it dies, or comes back. Does nothing for one that does not exist.
    pub fn set_resolver(&self, resolver: usize, script: ResolverScript) {
        if let Some(resolver) = self.resolvers.get(resolver) {
            resolver.set_script(script);
        }
    }

    /// Adds or replaces a host while the sandbox runs.
    pub fn set_host(&self, name: &str, host: Host) {
        self.world
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .set_host(name, host);
    }

    /// Returns the port of every site's plain HTTP on 127.0.0.1.
    #[must_use]
    pub fn http_port(&self) -> u16 {
        self.web.ports.http
    }

    /// Returns the port of every site's HTTPS on 127.0.0.1.
    #[must_use]
    pub fn https_port(&self) -> u16 {
        self.web.ports.https
    }

    /// Returns the certificate of the authority that signed the good certificates, in PEM. It is a new one each time.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.web.ca_pem
    }

    /// Returns how many requests a host got, over all schemes and paths.
    #[must_use]
    pub fn http_requests(&self, host: &str) -> u64 {
        self.web.requests().of(&world::canonical(host))
    }

    /// Returns how many requests all hosts got together.
    #[must_use]
    pub fn http_total(&self) -> u64 {
        self.web.requests().total()
    }

    /// Returns how many requests to a host are under way: had come, and have no answer yet, from a client that is still there.
    #[must_use]
    pub fn http_open(&self, host: &str) -> u64 {
        self.web.requests().open(&world::canonical(host))
    }

    /// Returns the highest number of requests to a host that were under way at the same moment: had come, and had no answer
    /// yet.
    #[must_use]
    pub fn http_peak(&self, host: &str) -> u64 {
        self.web.requests().peak(&world::canonical(host))
    }

    /// Returns the last requests to a host, oldest first, at most [`KEPT_REQUESTS`].
    #[must_use]
    pub fn http_seen(&self, host: &str) -> Vec<Seen> {
        self.web.requests().last(&world::canonical(host))
    }

    /// Returns the addresses of the proxies, in the order in which the world names them. Each speaks HTTP, HTTPS
    /// (with a certificate for 127.0.0.1), SOCKS4, SOCKS4a and SOCKS5.
    #[must_use]
    pub fn proxies(&self) -> Vec<SocketAddr> {
        self.proxies.iter().map(|proxy| proxy.addr).collect()
    }

    /// Changes a proxy's habits while it runs, for the connections to come; one that is dead stays so. Does nothing for one that
    /// does not exist.
    pub fn set_proxy(&self, proxy: usize, script: ProxyScript) {
        if let Some(proxy) = self.proxies.get(proxy) {
            proxy.set_script(script);
        }
    }

    /// Returns how many connections a proxy accepted; 0 for one that does not exist.
    #[must_use]
    pub fn proxy_connections(&self, proxy: usize) -> u64 {
        self.proxies.get(proxy).map_or(0, proxy::Proxy::connections)
    }

    /// Returns how many targets a proxy reached; 0 for one that does not exist.
    #[must_use]
    pub fn proxy_tunnels(&self, proxy: usize) -> u64 {
        self.proxies.get(proxy).map_or(0, proxy::Proxy::tunnels)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.token.cancel();
    }
}
