//! Resolvers over TLS and over HTTPS: the sandbox's authority, which is asked nothing in the clear.

use std::time::Duration;

use futures::future::join_all;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sandbox::{Dns, Host, Sandbox, World};
use tokio::net::TcpListener;

use super::{
    super::{Config, Engine, Outcome, Reason, Resolver},
    addresses_only, start,
};
use crate::http::AllowedRanges;

async fn sandbox() -> Sandbox {
    let world = World::scripted()
        .host("a.test", Host::page(&[]))
        .host("big.test", Host::named(Dns::Truncated))
        .host("broken.test", Host::named(Dns::ServFail))
        .host("silent.test", Host::named(Dns::Silent));
    Sandbox::start(world).await.unwrap()
}

fn root(sandbox: &Sandbox) -> Vec<u8> {
    CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes())
        .unwrap()
        .to_vec()
}

fn asking(text: &str, roots: Vec<Vec<u8>>) -> Config {
    Config {
        resolvers: vec![Resolver::parse(text).unwrap()],
        trusted_roots: roots,
        ..addresses_only(&[])
    }
}

fn urls(sandbox: &Sandbox) -> [String; 2] {
    [format!("tls://{}", sandbox.dot_addr()), sandbox.doh_url()]
}

async fn outcome(engine: &Engine, name: &str) -> Outcome {
    engine.check(name).await.outcome
}

#[tokio::test]
async fn every_verdict_comes_over_tls_and_over_https_and_nothing_in_the_clear() {
    let sandbox = sandbox().await;
    for url in urls(&sandbox) {
        let config = asking(&url, vec![root(&sandbox)]);
        let engine = start(Config {
            query_timeout: Duration::from_secs(5),
            ..config.clone()
        });
        for (name, expected) in [
            ("a.test", Outcome::Ok),
            ("big.test", Outcome::Ok),
            ("none.test", Outcome::Error(Reason::Nxdomain)),
            ("broken.test", Outcome::Error(Reason::Servfail)),
        ] {
            let report = engine.check(name).await;
            assert_eq!(report.outcome, expected, "{name} by {url}: {report:?}");
            assert_eq!(report.resolver.as_ref(), Some(&url));
            assert!(!report.truncated);
        }
        let impatient = start(Config {
            query_timeout: Duration::from_millis(200),
            ..config
        });
        assert_eq!(outcome(&impatient, "silent.test").await, Outcome::Timeout);
        assert_eq!(impatient.resolvers()[0].sent, 3);
    }
    assert_eq!(sandbox.authority_packets(), 0);
    assert!(sandbox.authority_tcp_queries() > 0);
}

#[tokio::test]
async fn many_questions_share_a_connection_and_each_gets_its_own_answer() {
    let sandbox = sandbox().await;
    for url in urls(&sandbox) {
        let engine = start(asking(&url, vec![root(&sandbox)]));
        let checks = (0..300).map(async |nth| {
            let exists = nth % 3 == 0;
            let name = if exists {
                "a.test"
            } else {
                &format!("n{nth}.test")
            };
            (exists, outcome(&engine, name).await)
        });
        for (exists, outcome) in join_all(checks).await {
            assert_eq!(outcome == Outcome::Ok, exists, "{outcome:?} by {url}");
        }
        let health = engine.resolvers().remove(0);
        assert_eq!((health.sent, health.in_flight), (300, 0));
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let sandbox = sandbox().await;
    for url in urls(&sandbox) {
        let engine = start(asking(&url, Vec::new()));
        let report = engine.check("a.test").await;
        assert_eq!(report.outcome, Outcome::Error(Reason::Error));
        let detail = report.detail.unwrap();
        assert!(detail.contains("certificate"), "{detail} by {url}");
    }
    assert_eq!(sandbox.authority_tcp_queries(), 0);
}

#[tokio::test]
async fn a_server_whose_name_points_inside_is_not_connected_to_unless_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for url in [
        format!("tls://localhost:{port}"),
        format!("https://localhost:{port}/dns-query"),
    ] {
        let engine = start(asking(&url, Vec::new()));
        let detail = engine.check("a.test").await.detail.unwrap();
        assert!(detail.contains("loopback"), "{detail} by {url}");
    }
    let open = Config {
        allow: AllowedRanges::Private,
        ..asking(&format!("tls://localhost:{port}"), Vec::new())
    };
    let engine = start(open);
    let check = tokio::spawn(async move { engine.check("a.test").await });
    // The first connection of all.
    listener.accept().await.unwrap();
    check.abort();
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_again_without_a_failure() {
    let sandbox = sandbox().await;
    // A way through which connections can be cut.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("tls://{}", listener.local_addr().unwrap());
    let engine = start(Config {
        attempts: 1,
        ..asking(&url, vec![root(&sandbox)])
    });
    for _ in 0..3 {
        let check = engine.check("a.test");
        let server = sandbox.dot_addr();
        let carry = async {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = tokio::net::TcpStream::connect(server).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        };
        // Dropping the carrier cuts the connection.
        tokio::select! {
            report = check => assert_eq!(report.outcome, Outcome::Ok, "{report:?}"),
            () = carry => panic!("the connection ended before the answer"),
        }
    }
    let health = engine.resolvers().remove(0);
    assert_eq!((health.sent, health.tally.answered), (3, 3));
}
