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

/// Sends bytes to the first proxy and reads what comes until the connection ends, however it ends.
async fn raw(sandbox: &Sandbox, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(sandbox.proxies()[0]).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while let Ok(read) = stream.read_buf(&mut answer).await {
        if read == 0 {
            break;
        }
    }
    answer
}

/// A tunnel to the plain web over HTTP, SOCKS4 and SOCKS5, with a request inside.
fn tunnels(sandbox: &Sandbox) -> [Vec<u8>; 3] {
    let port = sandbox.http_port();
    let [high, low] = port.to_be_bytes();
    let get = b"GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n";
    [
        [
            format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n").as_bytes(),
            get,
        ]
        .concat(),
        [&[4, 1, high, low, 127, 0, 0, 1, 0][..], get].concat(),
        [&[5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, high, low][..], get].concat(),
    ]
}

#[tokio::test]
async fn each_fault_of_a_tunnel_is_observed_over_every_protocol() {
    let starts = |answers: [&[u8]; 3]| answers.map(<[u8]>::to_vec);
    for (script, wanted) in [
        (
            ProxyScript::open(),
            starts([b"HTTP/1.1 200 ", &[0, 90], &[5, 0, 5, 0]]),
        ),
        (
            ProxyScript::faulty(ProxyFault::Status(429)),
            starts([b"HTTP/1.1 429 ", &[0, 91], &[5, 0, 5, 1]]),
        ),
        (
            ProxyScript::faulty(ProxyFault::Reply(6)),
            starts([b"HTTP/1.1 502 ", &[0, 6], &[5, 0, 5, 6]]),
        ),
        (
            ProxyScript::faulty(ProxyFault::Lies),
            starts([b"HTTP/1.1 200 ", &[0, 90], &[5, 0, 5, 0]]),
        ),
        (
            ProxyScript::open().bans(["127.0.0.1"]),
            starts([b"HTTP/1.1 403 ", &[0, 91], &[5, 0, 5, 2]]),
        ),
    ] {
        let is_open = script.clone();
        let sandbox = with(script).await;
        for (request, wanted) in tunnels(&sandbox).iter().zip(wanted) {
            let answer = raw(&sandbox, request).await;
            assert!(answer.starts_with(&wanted), "{is_open:?}: {answer:?}");
        }
        let carried = sandbox.http_requests("a.test");
        let works = sandbox.proxy_tunnels(0) == 3;
        assert_eq!(carried, if works { 3 } else { 0 }, "{is_open:?}");
    }
}

#[tokio::test]
async fn a_tunnel_is_cut_after_so_many_bytes_of_the_site() {
    let sandbox = with(ProxyScript::faulty(ProxyFault::Cut(9))).await;
    let [http, _, socks5] = tunnels(&sandbox);
    assert!(raw(&sandbox, &http).await.ends_with(b"\r\n\r\nHTTP/1.1 "));
    assert!(raw(&sandbox, &socks5).await.ends_with(b"HTTP/1.1 "));
}

#[tokio::test]
async fn a_dead_proxy_refuses_and_a_changed_one_does_what_it_is_told_now() {
    let dead = with(ProxyScript::faulty(ProxyFault::Dead)).await;
    let refused = TcpStream::connect(dead.proxies()[0]).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let sandbox = with(ProxyScript::faulty(ProxyFault::Garbage)).await;
    let [connect, ..] = tunnels(&sandbox);
    assert!(raw(&sandbox, &connect).await.starts_with(&[0, 1]));
    sandbox.set_proxy(0, ProxyScript::open());
    assert!(raw(&sandbox, &connect).await.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_proxy_that_explains_says_why_and_one_that_does_not_keeps_silent() {
    for explains in [true, false] {
        let script = ProxyScript::open();
        let sandbox = with(if explains { script.explains() } else { script }).await;
        let answer = raw(&sandbox, b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n").await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
        let said = answer.contains("proxy-status: sandbox; error=connection_refused");
        assert_eq!(said, explains, "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_is_spoken_to_over_tls_too() {
    let sandbox = with(ProxyScript::open().credentials("ann", "secret")).await;
    for url in [
        http(&sandbox, "a.test", "/"),
        https(&sandbox, "a.test", "/"),
    ] {
        let answer = through(&sandbox, "https", "ann:secret@")
            .get(&url)
            .send()
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{url}: {}", causes(&error)));
        assert!(answer.text().await.unwrap().contains("espresso"));
    }
}
