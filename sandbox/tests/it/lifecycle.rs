//! Beginning and end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sandbox::{Host, ProxyScript, ResolverScript, Sandbox, Site, World};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

fn world() -> World {
    World::scripted()
        .host("a.test", Host::new(Site::Silent))
        .resolver(ResolverScript::healthy())
        .proxy(ProxyScript::open())
}

fn tcp_addresses(sandbox: &Sandbox) -> Vec<SocketAddr> {
    let ports = [sandbox.http_port(), sandbox.https_port()]
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    [
        vec![sandbox.dns_addr(), sandbox.dot_addr()],
        sandbox.resolvers(),
        ports.to_vec(),
        sandbox.proxies(),
    ]
    .concat()
}

#[tokio::test]
async fn nothing_listens_after_shutdown_even_with_a_request_under_way() {
    let sandbox = Sandbox::start(world()).await.unwrap();
    let addresses = tcp_addresses(&sandbox);
    assert_eq!(addresses.len(), 6);
    let mut open = Vec::new();
    for address in &addresses {
        assert!(address.ip().is_loopback());
        open.push(TcpStream::connect(address).await.unwrap());
    }
    let mut hanging = TcpStream::connect(("127.0.0.1", sandbox.http_port()))
        .await
        .unwrap();
    hanging
        .write_all(b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n")
        .await
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while sandbox.http_requests("a.test") == 0 {
        assert!(Instant::now() < deadline, "the request never arrived");
        tokio::task::yield_now().await;
    }
    // Every server has an open connection that says nothing, and one has a request that is never answered.
    let udp = [sandbox.dns_addr(), sandbox.resolvers()[0]];
    tokio::time::timeout(Duration::from_secs(5), sandbox.shutdown())
        .await
        .expect("shutdown hangs");
    for address in addresses {
        assert!(
            TcpStream::connect(address).await.is_err(),
            "{address} still listens"
        );
    }
    for address in udp {
        UdpSocket::bind(address)
            .await
            .unwrap_or_else(|error| panic!("{address} is still bound: {error}"));
    }
}

#[tokio::test]
async fn dropping_a_sandbox_ends_it_too() {
    let sandbox = Sandbox::start(world()).await.unwrap();
    let addresses = tcp_addresses(&sandbox);
    drop(sandbox);
    let deadline = Instant::now() + Duration::from_secs(5);
    for address in addresses {
        while TcpStream::connect(address).await.is_ok() {
            assert!(Instant::now() < deadline, "{address} still listens");
            tokio::task::yield_now().await;
        }
    }
}
