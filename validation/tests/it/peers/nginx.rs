//! nginx, as the site that everything is fetched from.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use url::Url;
use validation::http::{Blame, Config, Fetcher, PoolConfig, Protocol, Proxy, Reason};

use super::expect;
use super::server::{Program, Server, free};
use crate::support::{self, LOOPBACK, fetcher, pool, proxy};

pub(super) const NGINX: Program = Program {
    name: "nginx",
    path: "/usr/sbin/nginx",
};

/// A name that every proxy finds by itself.
const HOST: &str = "localhost";

/// A site: nginx with and without TLS, HTTP/2 and gzip.
pub(super) struct Site {
    server: Server,
    https: u16,
    root: Vec<u8>,
}

pub(super) fn site() -> Site {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![HOST.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let https = free().port();
    let files = |directory: &Path, port: u16| {
        let at = directory.display();
        let page = format!("<title>nginx</title><p>{}", "A page of nginx. ".repeat(400));
        let conf = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/log;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log off; gzip on; default_type text/html; client_body_temp_path {at}; proxy_temp_path {at};\n\
             fastcgi_temp_path {at}; uwsgi_temp_path {at}; scgi_temp_path {at};\n\
             server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{https} ssl http2;\n\
             ssl_certificate {at}/cert; ssl_certificate_key {at}/key; root {at};\n\
             location = /down {{ return 503; }} }} }}\n"
        );
        vec![
            ("conf", conf),
            ("cert", certificate.pem()),
            ("key", key.serialize_pem()),
            ("index.html", page),
        ]
    };
    let arguments =
        |directory: &Path| vec!["-c".to_owned(), format!("{}/conf", directory.display())];
    Site {
        server: Server::start(NGINX, files, arguments),
        https,
        root: certificate.der().to_vec(),
    }
}

impl Site {
    fn config(&self) -> Config {
        Config {
            http_port: Some(self.server.at.port()),
            https_port: Some(self.https),
            trusted_roots: vec![self.root.clone()],
            ..support::open()
        }
    }

    /// Fetches through a proxy, in one attempt.
    pub(super) fn through(&self, proxy: Proxy, change: impl FnOnce(&mut Config)) -> Fetcher {
        let settings = PoolConfig {
            max_retries: 0,
            ..PoolConfig::default()
        };
        let mut config = Config {
            proxies: Some(pool(settings, [proxy])),
            ..self.config()
        };
        change(&mut config);
        fetcher(config)
    }
}

#[tokio::test]
async fn nginx_is_read_over_http_and_https_in_both_versions() {
    if !NGINX.is_here() {
        return;
    }
    let site = site();
    let both = fetcher(site.config());
    let one = fetcher(Config {
        http2: false,
        ..site.config()
    });
    for (fetcher, url, version) in [
        (&one, "http://localhost/", "HTTP/1.1"),
        (&one, "https://localhost/", "HTTP/1.1"),
        (&both, "https://localhost/", "HTTP/2.0"),
    ] {
        let report = fetcher
            .fetch_url(Url::parse(url).unwrap(), &[LOOPBACK])
            .await;
        assert_eq!(
            report.http_version.as_deref(),
            Some(version),
            "{:?}",
            report.fault
        );
        assert!(report.bytes > 6_000, "unpacked");
        assert_eq!(report.page.unwrap().title.as_deref(), Some("nginx"));
    }
    expect(
        "nginx",
        &site.server,
        "a page that is not there",
        &both,
        "https://localhost/none",
        Some((Reason::NotFound, "status_404", Blame::Target)),
    )
    .await;
    // It is no proxy, and says so: 400 in its older versions, 405 in its newer ones.
    let no_proxy = site.through(proxy(Protocol::Http, site.server.at, None), |_| ());
    let url = Url::parse("https://localhost/").unwrap();
    let fault = no_proxy.fetch_url(url, &[LOOPBACK]).await.fault.unwrap();
    assert_eq!(
        (fault.reason, fault.blame),
        (Reason::ProxyError, Blame::Proxy)
    );
    assert!(fault.code.starts_with("proxy_status_40"), "{fault:?}");
}
