use std::time::Instant;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::*;

/// An authority that only the tests trust.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    fn server_config(
        &self,
        name: &str,
        year: i32,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap()
    }

    /// Serves one page over TLS with a certificate for `name` that is valid until `year`.
    async fn serve(
        &self,
        name: &str,
        year: i32,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Server {
        let mut config = self.server_config(name, year, versions);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Server::scripted(move |stream, heads| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let name = stream
                    .get_ref()
                    .1
                    .server_name()
                    .unwrap_or_default()
                    .to_owned();
                let head = read_head(&mut stream).await;
                heads.lock().unwrap().push(head);
                // No length and no farewell: the connection just ends.
                let page = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>{name}</title>"
                );
                let _ = stream.write_all(page.as_bytes()).await;
                let _ = stream.flush().await;
            }
        })
        .await
    }

    fn config(&self, https: u16, http: u16) -> Config {
        Config {
            https_port: Some(https),
            trusted_roots: vec![self.root()],
            ..config(http)
        }
    }
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS12, &rustls::version::TLS13];

async fn plain() -> Server {
    Server::answering(|_| ok("<title>plain</title>")).await
}

/// A port where nobody listens.
async fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn https_is_tried_first_with_the_right_name() {
    let authority = Authority::new("Own");
    let secure = authority.serve("shop.test", 2040, BOTH).await;
    let plain = plain().await;
    let report = fetcher(authority.config(secure.port, plain.port))
        .fetch(target("shop.test"))
        .await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    assert_eq!(
        report.page.as_ref().unwrap().title.as_deref(),
        Some("shop.test")
    );
    assert_eq!(report.tls_version, Some("TLSv1.3"));
    assert_eq!(
        report.certificate_expires.unwrap().to_rfc3339(),
        "2040-01-01T00:00:00+00:00"
    );
    assert_eq!(report.https_failure, None);
    assert!(plain.heads().is_empty());
}

#[tokio::test]
async fn http_is_taken_when_https_cannot_be_had_and_the_reason_is_kept() {
    let authority = Authority::new("Own");
    let plain = plain().await;
    let report = fetcher(authority.config(nobody().await, plain.port))
        .fetch(target("shop.test"))
        .await;
    assert_eq!(report.page.unwrap().title.as_deref(), Some("plain"));
    assert!(
        report
            .https_failure
            .unwrap()
            .starts_with("ERROR connection_refused")
    );
    let expired = authority.serve("shop.test", 2021, BOTH).await;
    let report = fetcher(authority.config(expired.port, plain.port))
        .fetch(target("shop.test"))
        .await;
    assert_eq!((report.outcome(), report.reason()), (Outcome::Ok, None));
    assert!(
        report
            .https_failure
            .unwrap()
            .starts_with("SSL_EXPIRED certificate_expired")
    );
}

#[tokio::test]
async fn faults_of_the_certificate_are_told_apart_when_there_is_no_http_either() {
    let authority = Authority::new("Own");
    let stranger = Authority::new("Stranger");
    let unencrypted = Server::scripted(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        while stream.read_u8().await.is_ok() {}
    })
    .await;
    for (server, reason, expected) in [
        (
            authority.serve("shop.test", 2021, BOTH).await,
            Reason::SslExpired,
            "certificate_expired",
        ),
        (
            authority.serve("other.test", 2040, BOTH).await,
            Reason::TlsError,
            "certificate_wrong_name",
        ),
        (
            stranger.serve("shop.test", 2040, BOTH).await,
            Reason::TlsError,
            "certificate_untrusted",
        ),
        (unencrypted, Reason::TlsError, "handshake_failed"),
    ] {
        let report = fetcher(authority.config(server.port, nobody().await))
            .fetch(target("shop.test"))
            .await;
        assert_eq!(
            (report.outcome(), code(&report)),
            (Outcome::Error(reason), expected),
            "{:?}",
            report.fault
        );
        assert!(report.https_failure.is_some());
        if reason == Reason::SslExpired {
            assert_eq!(
                report.certificate_expires.unwrap().to_rfc3339(),
                "2021-01-01T00:00:00+00:00"
            );
        }
    }
}

#[tokio::test]
async fn a_redirect_to_https_that_fails_is_the_fault_of_https() {
    let authority = Authority::new("Own");
    let expired = authority.serve("shop.test", 2021, BOTH).await;
    let plain = Server::answering(|_| redirect("https://shop.test/")).await;
    let report = fetcher(authority.config(expired.port, plain.port))
        .fetch(target("shop.test"))
        .await;
    assert_eq!(report.outcome(), Outcome::Error(Reason::SslExpired));
}

#[tokio::test]
async fn the_versions_of_the_configuration_are_kept_to() {
    let authority = Authority::new("Own");
    let old = authority
        .serve("shop.test", 2040, &[&rustls::version::TLS12])
        .await;
    let config = authority.config(old.port, nobody().await);
    let report = fetcher(config.clone()).fetch(target("shop.test")).await;
    assert_eq!(report.tls_version, Some("TLSv1.2"), "{:?}", report.fault);
    let report = fetcher(Config {
        tls_min: TlsVersion::V1_3,
        ..config
    })
    .fetch(target("shop.test"))
    .await;
    assert_eq!(code(&report), "handshake_refused");
    let new = authority.serve("shop.test", 2040, BOTH).await;
    let config = Config {
        tls_max: TlsVersion::V1_2,
        ..authority.config(new.port, nobody().await)
    };
    assert_eq!(
        fetcher(config).fetch(target("shop.test")).await.tls_version,
        Some("TLSv1.2")
    );
}

#[tokio::test]
async fn a_port_that_accepts_and_never_shakes_hands_costs_the_connect_timeout() {
    let mute =
        Server::scripted(|mut stream, _| async move { while stream.read_u8().await.is_ok() {} })
            .await;
    let authority = Authority::new("Own");
    let plain = plain().await;
    let config = Config {
        connect_timeout: Duration::from_millis(300),
        ..authority.config(mute.port, plain.port)
    };
    let started = Instant::now();
    let report = fetcher(config.clone()).fetch(target("shop.test")).await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    assert!(
        report
            .https_failure
            .unwrap()
            .starts_with("TIMEOUT connect_timeout")
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    let config = Config {
        http_port: Some(nobody().await),
        ..config
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(report.outcome(), Outcome::Timeout);
}

#[tokio::test]
async fn http2_is_spoken_where_both_want_it_and_not_where_it_is_turned_off() {
    let authority = Authority::new("Own");
    let mut config = authority.server_config("shop.test", 2040, BOTH);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::scripted(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                read_head(&mut stream).await;
                let _ = stream.write_all(&ok("<title>one</title>")).await;
                let _ = stream.shutdown().await;
                return;
            }
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                if request.uri().path() == "/reset" {
                    respond.send_reset(h2::Reason::INTERNAL_ERROR);
                    continue;
                }
                let mut body = respond.send_response(Default::default(), false).unwrap();
                body.send_data("<title>two</title>".into(), true).unwrap();
            }
        }
    })
    .await;
    let config = authority.config(server.port, nobody().await);
    let fetcher_of_both = fetcher(config.clone());
    let report = fetcher_of_both.fetch(target("shop.test")).await;
    assert_eq!(
        report.http_version.as_deref(),
        Some("HTTP/2.0"),
        "{:?}",
        report.fault
    );
    assert_eq!(report.page.unwrap().title.as_deref(), Some("two"));
    let reset = url::Url::parse("https://shop.test/reset").unwrap();
    let report = fetcher_of_both.fetch_url(reset, &[loopback(1)]).await;
    assert_eq!(
        report.reason(),
        Some(Reason::ConnectionReset),
        "{:?}",
        report.fault
    );
    let config = Config {
        http2: false,
        ..config
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(
        report.http_version.as_deref(),
        Some("HTTP/1.1"),
        "{:?}",
        report.fault
    );
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let config = Config {
        trusted_roots: vec![b"nonsense".to_vec()],
        ..config(1)
    };
    assert!(matches!(
        Fetcher::new(config, Names::with(&[])).err(),
        Some(Error::Root(_))
    ));
}
