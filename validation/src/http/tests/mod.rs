//! Fetching from real sockets that behave in every way a server can misbehave.

mod bounds;
mod busy;
mod guard;
mod outcomes;
mod politeness;
mod suppressed;
mod tls;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Waits;

/// An address of the loopback network, so that several servers can share a port.
pub(super) fn loopback(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// A server that does what a closure says to each connection, and remembers the heads of requests.
pub(super) struct Server {
    pub(super) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers every request with what `answer` makes of its head.
    pub(super) async fn answering(
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        Self::scripted(move |mut stream, heads| {
            let answer = Arc::clone(&answer);
            async move {
                let head = read_head(&mut stream).await;
                let bytes = answer(&head);
                heads.lock().unwrap().push(head);
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Gives every connection to a script.
    pub(super) async fn scripted<F, W>(script: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        Self::scripted_at("127.0.0.1:0", script).await
    }

    /// Gives every connection to an address to a script.
    pub(super) async fn scripted_at<F, W>(address: &str, script: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(script(stream, Arc::clone(&kept)));
            }
        });
        Self { port, heads, task }
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads the head of a request.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Writes until the other side has enough.
pub(super) async fn write_forever(stream: &mut (impl AsyncWrite + Unpin), piece: &[u8]) {
    while stream.write_all(piece).await.is_ok() {}
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/html\r\n", body.as_bytes())
}

pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub(super) fn redirect(to: &str) -> Vec<u8> {
    answer("302 Found", &format!("Location: {to}\r\n"), b"")
}

/// A resolver with a fixed list, which remembers what it was asked.
#[derive(Default)]
pub(super) struct Names {
    known: HashMap<String, Vec<IpAddr>>,
    pub(super) asked: Mutex<Vec<String>>,
    /// Who answers for whom; nobody for all others.
    pub(super) servers: HashMap<String, Result<Vec<String>, Unresolved>>,
}

impl Names {
    pub(super) fn with(known: &[(&str, IpAddr)]) -> Arc<Self> {
        Arc::new(Self {
            known: known
                .iter()
                .map(|(name, address)| ((*name).to_owned(), vec![*address]))
                .collect(),
            ..Self::default()
        })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, _: &'a Waits) -> Resolving<'a> {
        self.asked.lock().unwrap().push(host.to_owned());
        let found = self
            .known
            .get(host)
            .cloned()
            .ok_or_else(|| Unresolved::Error("NXDOMAIN".to_owned()));
        Box::pin(std::future::ready(found))
    }

    fn name_servers<'a>(&'a self, host: &'a str, _: &'a Waits) -> NamingServers<'a> {
        let servers = self.servers.get(host).cloned().unwrap_or(Ok(Vec::new()));
        Box::pin(std::future::ready(servers))
    }
}

/// A configuration for servers on loopback: http only, on the given port, with little time.
pub(super) fn config(port: u16) -> Config {
    Config {
        http_port: Some(port),
        allow: AllowedRanges::Private,
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(2),
        ..Config::new("Test/1 (+https://example.test/bot)")
    }
}

pub(super) fn fetcher(config: Config) -> Fetcher {
    Fetcher::new(config, Names::with(&[])).unwrap()
}

pub(super) fn target(host: &str) -> Target {
    Target {
        host: host.to_owned(),
        addresses: vec![loopback(1)],
    }
}

/// Fetches `shop.test` from a server with the usual configuration.
pub(super) async fn fetch(server: &Server) -> Report {
    fetcher(config(server.port))
        .fetch(target("shop.test"))
        .await
}

/// A pool of one http proxy on loopback.
pub(super) fn one_proxy(port: u16, config: PoolConfig) -> Option<Arc<Pool>> {
    let proxy = Proxy {
        id: ProxyId(uuid::Uuid::from_u128(1)),
        protocol: Protocol::Http,
        host: "127.0.0.1".to_owned(),
        port,
        credentials: None,
    };
    let member = Member { proxy, weight: 1 };
    Some(Arc::new(Pool::new(config, vec![member]).unwrap()))
}

/// A configuration that hands plain pages to that proxy whole.
pub(super) fn through_proxy(port: u16, pool: PoolConfig) -> Config {
    Config {
        proxies: one_proxy(port, pool),
        proxy_guard: Arc::new(AllowedRanges::Private),
        forward_inside: true,
        ..config(port)
    }
}

pub(super) fn code(report: &Report) -> &str {
    report.fault.as_ref().map_or("", |fault| &fault.code)
}
