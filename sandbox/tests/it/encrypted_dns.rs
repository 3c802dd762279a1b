//! The authority over TLS and over HTTPS.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use reqwest::Version;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sandbox::{DNS_HOST, Dns, Host, Sandbox, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::ask::{addresses, query};
use crate::fetch::{client, https};

async fn world() -> Sandbox {
    let world = World::scripted()
        .host("a.test", Host::page(&[]))
        .host("big.test", Host::named(Dns::Truncated));
    Sandbox::start(world).await.unwrap()
}

#[tokio::test]
async fn questions_are_answered_over_tls_under_a_name_and_under_the_address() {
    let sandbox = world().await;
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for server in [DNS_HOST, "127.0.0.1"] {
        let tcp = TcpStream::connect(sandbox.dot_addr()).await.unwrap();
        let name = ServerName::try_from(server).unwrap();
        let mut stream = connector.connect(name, tcp).await.unwrap();
        for host in ["a.test.", "big.test."] {
            let bytes = query(host, RecordType::A).to_vec().unwrap();
            stream.write_u16(bytes.len() as u16).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            let mut bytes = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut bytes).await.unwrap();
            let answer = Message::from_vec(&bytes).unwrap();
            assert_eq!(addresses(&answer), ["127.0.0.1"]);
        }
    }
    assert_eq!(
        (sandbox.authority_packets(), sandbox.authority_tcp_queries()),
        (0, 4)
    );
}

#[tokio::test]
async fn questions_are_answered_over_https_by_get_and_by_post() {
    let sandbox = world().await;
    let client = client(&sandbox);
    let message = query("a.test.", RecordType::A).to_vec().unwrap();
    for url in [sandbox.doh_url(), https(&sandbox, DNS_HOST, "/dns-query")] {
        let encoded = URL_SAFE_NO_PAD.encode(&message);
        for request in [
            client.get(format!("{url}?dns={encoded}")),
            client.post(&url).body(message.clone()),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(
                (answer.version(), answer.status().as_u16()),
                (Version::HTTP_2, 200)
            );
            assert_eq!(answer.headers()["content-type"], "application/dns-message");
            let answer = Message::from_vec(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(addresses(&answer), ["127.0.0.1"]);
        }
        let junk = client.post(&url).body("junk").send().await.unwrap();
        assert_eq!(junk.status(), 400);
    }
}
