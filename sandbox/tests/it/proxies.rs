//! Proxies of every kind.

use reqwest::Proxy;
use sandbox::{Host, ProxyFault, ProxyScript, Sandbox, Site, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fetch::{builder, causes, http, https};

async fn with(script: ProxyScript) -> Sandbox {
    let world = World::scripted()
        .host("a.test", Host::page(&["espresso"]))
        .host("reset.test", Host::new(Site::Reset(0)))
        .proxy(script);
    Sandbox::start(world).await.unwrap()
}

fn through(sandbox: &Sandbox, scheme: &str, user: &str) -> reqwest::Client {
    let proxy = Proxy::all(format!("{scheme}://{user}{}", sandbox.proxies()[0])).unwrap();
    builder(sandbox).proxy(proxy).build().unwrap()
}

#[tokio::test]
async fn an_open_proxy_carries_http_and_https_over_every_protocol() {
    let sandbox = with(ProxyScript::open()).await;
    for scheme in ["http", "socks4a", "socks5h"] {
        let client = through(&sandbox, scheme, "");
        for url in [
            http(&sandbox, "a.test", "/"),
            https(&sandbox, "a.test", "/"),
        ] {
            let answer = client
                .get(&url)
                .send()
                .await
                .unwrap_or_else(|error| panic!("{scheme} {url}: {}", causes(&error)));
            assert!(answer.text().await.unwrap().contains("espresso"));
        }
    }
    assert_eq!(
        (sandbox.proxy_connections(0), sandbox.proxy_tunnels(0)),
        (6, 6)
    );
    assert_eq!(sandbox.http_requests("a.test"), 6);
}

#[tokio::test]
async fn credentials_are_asked_for_and_checked() {
    let sandbox = with(ProxyScript::open().credentials("ann", "secret")).await;
    let answer = through(&sandbox, "http", "")
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 407);
    assert_eq!(sandbox.http_requests("a.test"), 0);
    for (scheme, user, good) in [
        ("http", "ann:secret@", true),
        ("http", "ann:wrong@", false),
        ("socks5h", "ann:secret@", true),
        ("socks5h", "ann:wrong@", false),
        ("socks5h", "", false),
        ("socks4a", "", false),
    ] {
        let answer = through(&sandbox, scheme, user)
            .get(https(&sandbox, "a.test", "/"))
            .send()
            .await;
        assert_eq!(answer.is_ok(), good, "{scheme} {user}");
    }
}

#[tokio::test]
async fn a_proxys_fault_and_a_targets_fault_differ() {
    let sandbox = with(ProxyScript::open()).await;
    let status = async |request: &str| {
        let mut stream = TcpStream::connect(sandbox.proxies()[0]).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut line = vec![0; 12];
        stream.read_exact(&mut line).await.unwrap();
        String::from_utf8(line).unwrap()
    };
    assert_eq!(
        status("CONNECT a.test:443 HTTP/1.1\r\n\r\n").await,
        "HTTP/1.1 200"
    );
    assert_eq!(
        status("CONNECT nowhere.test:443 HTTP/1.1\r\n\r\n").await,
        "HTTP/1.1 502"
    );
    // A proxy of the sandbox never leaves it.
    assert_eq!(
        status("CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n").await,
        "HTTP/1.1 403"
    );
    assert_eq!(
        status("CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n").await,
        "HTTP/1.1 502"
    );
    assert_eq!(
        status("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n").await,
        "HTTP/1.1 400"
    );
    let error = through(&sandbox, "socks5h", "")
        .get(http(&sandbox, "reset.test", "/"))
        .send()
        .await
        .unwrap_err();
    assert!(
        causes(&error).contains("ConnectionReset"),
        "{}",
        causes(&error)
    );
    assert_eq!(sandbox.http_requests("reset.test"), 1);
}

#[tokio::test]
async fn each_fault_of_a_proxy_is_observed() {
    for (fault, wanted) in [(ProxyFault::Unavailable, 502), (ProxyFault::Forbidden, 403)] {
        let sandbox = with(ProxyScript::faulty(fault)).await;
        let answer = through(&sandbox, "http", "")
            .get(http(&sandbox, "a.test", "/"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), wanted);
        assert!(
            through(&sandbox, "socks5h", "")
                .get(http(&sandbox, "a.test", "/"))
                .send()
                .await
                .is_err()
        );
    }
    let silent = with(ProxyScript::faulty(ProxyFault::Silent)).await;
    let error = through(&silent, "http", "")
        .get(http(&silent, "a.test", "/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{}", causes(&error));
    let rude = with(ProxyScript::faulty(ProxyFault::Reset)).await;
    let error = through(&rude, "http", "")
        .get(http(&rude, "a.test", "/"))
        .send()
        .await
        .unwrap_err();
    assert!(
        causes(&error).contains("ConnectionReset"),
        "{}",
        causes(&error)
    );
    assert_eq!(silent.http_total() + rude.http_total(), 0);
}
