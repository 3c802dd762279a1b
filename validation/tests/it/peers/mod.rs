//! The same cases against what others made: nginx as a site, and Squid, Tinyproxy and Dante as proxies, from Debian's
//! packages. What is not installed is skipped, and said to be.

mod server;

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use url::Url;
use validation::http::{Blame, Config, Fetcher, PoolConfig, Protocol, Reason, Report};

use self::server::{Program, Server, free};
use crate::support::{self, LOOPBACK, fetcher, pool, proxy};

const NGINX: Program = Program {
    name: "nginx",
    path: "/usr/sbin/nginx",
};
const SQUID: Program = Program {
    name: "squid",
    path: "/usr/sbin/squid",
};
const TINYPROXY: Program = Program {
    name: "tinyproxy",
    path: "/usr/bin/tinyproxy",
};
const DANTE: Program = Program {
    name: "dante",
    path: "/usr/sbin/danted",
};

/// A name that every proxy finds by itself.
const HOST: &str = "localhost";

/// A site: nginx with and without TLS, HTTP/2 and gzip.
struct Site {
    server: Server,
    https: u16,
    root: Vec<u8>,
}

fn site() -> Site {
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
    fn through(&self, proxy: validation::http::Proxy, change: impl FnOnce(&mut Config)) -> Fetcher {
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

/// Reason, code and blame; nothing of a success, which must be the right page.
type Verdict = Option<(Reason, &'static str, Blame)>;

async fn expect(
    peer: &str,
    server: &Server,
    what: &str,
    fetcher: &Fetcher,
    url: &str,
    wanted: Verdict,
) {
    let report: Report = fetcher
        .fetch_url(Url::parse(url).unwrap(), &[LOOPBACK])
        .await;
    let found = report
        .fault
        .as_ref()
        .map(|fault| (fault.reason, &*fault.code, fault.blame));
    println!("real peers: {peer:10} {what:45} {found:?}");
    assert_eq!(
        found,
        wanted,
        "{peer}: {what}: {:?}\n{}",
        report.fault,
        server.log()
    );
    if wanted.is_none() {
        let title = report.page.and_then(|page| page.title);
        assert_eq!(title.as_deref(), Some("nginx"), "{peer}: {what}");
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

/// What holds for every HTTP proxy, with the credentials `ann` and `secret`.
async fn http_proxy(peer: &str, server: &Server, site: &Site) {
    let with = |who| proxy(Protocol::Http, server.at, who);
    let good = site.through(with(Some(("ann", "secret"))), |_| ());
    let tunnels = site.through(with(Some(("ann", "secret"))), |config| {
        config.forward_inside = false
    });
    for (what, fetcher, url) in [
        ("a page that is handed over", &good, "http://localhost/"),
        ("plain http by a tunnel", &tunnels, "http://localhost/"),
        ("https by a tunnel", &good, "https://localhost/"),
    ] {
        expect(peer, server, what, fetcher, url, None).await;
    }
    let missing = Some((Reason::NotFound, "status_404", Blame::Target));
    expect(
        peer,
        server,
        "a page that is not there",
        &good,
        "http://localhost/none",
        missing,
    )
    .await;
    expect(
        peer,
        server,
        "the same by a tunnel",
        &good,
        "https://localhost/none",
        missing,
    )
    .await;
    let nobody = site.through(with(None), |_| ());
    let wrong = site.through(with(Some(("ann", "wrong"))), |_| ());
    for url in ["http://localhost/", "https://localhost/"] {
        let required = Some((Reason::ProxyError, "proxy_auth_required", Blame::Proxy));
        expect(
            peer,
            server,
            "credentials that are missing",
            &nobody,
            url,
            required,
        )
        .await;
        let refused = Some((Reason::ProxyError, "proxy_credentials", Blame::Proxy));
        expect(
            peer,
            server,
            "credentials that are wrong",
            &wrong,
            url,
            refused,
        )
        .await;
    }
}

#[tokio::test]
async fn squid_tells_its_faults_from_the_sites() {
    if !NGINX.is_here() || !SQUID.is_here() {
        return;
    }
    let site = site();
    let server = squid();
    http_proxy("squid", &server, &site).await;
    let good = site.through(
        proxy(Protocol::Http, server.at, Some(("ann", "secret"))),
        |_| (),
    );
    let closed = free().port();
    let refused = Some((Reason::Error, "connection_refused", Blame::Target));
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://localhost:{closed}/");
        expect(
            "squid",
            &server,
            "a site that refuses",
            &good,
            &url,
            refused,
        )
        .await;
        let forbidden = Some((Reason::ProxyError, "proxy_forbidden", Blame::Proxy));
        let url = format!("{scheme}://localhost:1023/");
        expect(
            "squid",
            &server,
            "a site that its rules forbid",
            &good,
            &url,
            forbidden,
        )
        .await;
    }
    let down = Some((Reason::Upstream5xx, "status_503", Blame::Unknown));
    expect(
        "squid",
        &server,
        "a site that is down",
        &good,
        "http://localhost/down",
        down,
    )
    .await;
}

fn squid() -> Server {
    let files = |directory: &Path, port: u16| {
        let at = directory.display();
        let conf = format!(
            "http_port 127.0.0.1:{port}\npid_filename {at}/pid\ncache deny all\naccess_log none\ncache_log {at}/log\n\
             cache_store_log none\nnetdb_filename none\npinger_enable off\ncoredump_dir {at}\nvisible_hostname test\n\
             max_filedescriptors 1024\nshutdown_lifetime 0 seconds\n\
             auth_param basic program /bin/sh {at}/check\nauth_param basic children 1\n\
             acl known proxy_auth REQUIRED\nacl never port 1023\n\
             http_access deny !known\nhttp_access deny never\nhttp_access allow all\n"
        );
        let check = "while read -r user password; do\n\
             if [ \"$user $password\" = 'ann secret' ]; then echo OK; else echo ERR; fi\ndone\n";
        vec![
            ("conf", conf),
            ("check", check.to_owned()),
            ("log", String::new()),
        ]
    };
    let arguments = |directory: &Path| {
        vec![
            "-N".to_owned(),
            "-f".to_owned(),
            format!("{}/conf", directory.display()),
        ]
    };
    Server::start(SQUID, files, arguments)
}

#[tokio::test]
async fn tinyproxy_tells_its_faults_from_the_sites_where_it_can() {
    if !NGINX.is_here() || !TINYPROXY.is_here() {
        return;
    }
    let site = site();
    let files = |directory: &Path, port: u16| {
        let at = directory.display();
        let conf = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 50\nLogFile \"{at}/log\"\nLogLevel Info\nPidFile \"{at}/pid\"\n\
             BasicAuth ann secret\nFilter \"{at}/filter\"\n"
        );
        vec![
            ("conf", conf),
            (
                "filter",
                "^127\\.0\\.0\\.9$\n^forbidden\\.test$\n".to_owned(),
            ),
            ("log", String::new()),
        ]
    };
    let arguments = |directory: &Path| {
        vec![
            "-d".to_owned(),
            "-c".to_owned(),
            format!("{}/conf", directory.display()),
        ]
    };
    let server = Server::start(TINYPROXY, files, arguments);
    http_proxy("tinyproxy", &server, &site).await;
    let good = site.through(
        proxy(Protocol::Http, server.at, Some(("ann", "secret"))),
        |_| (),
    );
    let closed = free().port();
    let unknown = Some((Reason::ProxyError, "proxy_status_500", Blame::Unknown));
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://localhost:{closed}/");
        expect(
            "tinyproxy",
            &server,
            "a site that refuses",
            &good,
            &url,
            unknown,
        )
        .await;
    }
    let forbidden = Some((Reason::ProxyError, "proxy_forbidden", Blame::Proxy));
    expect(
        "tinyproxy",
        &server,
        "a site that it filters",
        &good,
        "http://forbidden.test/",
        forbidden,
    )
    .await;
    expect(
        "tinyproxy",
        &server,
        "the same by a tunnel",
        &good,
        "https://127.0.0.9/",
        forbidden,
    )
    .await;
}

#[tokio::test]
async fn dante_tells_its_faults_from_the_sites() {
    if !NGINX.is_here() || !DANTE.is_here() {
        return;
    }
    let site = site();
    let open = dante("none");
    for protocol in [Protocol::Socks5, Protocol::Socks4] {
        let peer = format!("dante {protocol}");
        let good = site.through(proxy(protocol, open.at, None), |_| ());
        expect(&peer, &open, "plain http", &good, "http://localhost/", None).await;
        expect(&peer, &open, "https", &good, "https://localhost/", None).await;
        let missing = Some((Reason::NotFound, "status_404", Blame::Target));
        expect(
            &peer,
            &open,
            "a page that is not there",
            &good,
            "https://localhost/none",
            missing,
        )
        .await;
        let closed = format!("http://localhost:{}/", free().port());
        let (refused, forbidden) = match protocol {
            Protocol::Socks5 => (
                (Reason::Error, "connection_refused", Blame::Target),
                (Reason::ProxyError, "proxy_forbidden", Blame::Proxy),
            ),
            _ => {
                let rejected = (Reason::ProxyError, "socks4_rejected", Blame::Unknown);
                (rejected, rejected)
            }
        };
        expect(
            &peer,
            &open,
            "a site that refuses",
            &good,
            &closed,
            Some(refused),
        )
        .await;
        expect(
            &peer,
            &open,
            "a site that its rules forbid",
            &good,
            "http://127.0.0.9/",
            Some(forbidden),
        )
        .await;
    }
    let closed = dante("username");
    for (what, who, code) in [
        ("credentials that are missing", None, "proxy_auth_required"),
        (
            "credentials that are wrong",
            Some(("nobody-here", "wrong")),
            "proxy_credentials",
        ),
    ] {
        let asked = site.through(proxy(Protocol::Socks5, closed.at, who), |_| ());
        let wanted = Some((Reason::ProxyError, code, Blame::Proxy));
        expect("dante", &closed, what, &asked, "http://localhost/", wanted).await;
    }
}

fn dante(method: &str) -> Server {
    let files = |directory: &Path, port: u16| {
        let at = directory.display();
        let conf = format!(
            "logoutput: {at}/log\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\n\
             clientmethod: none\nsocksmethod: {method}\n\
             client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n\
             socks block {{ from: 0.0.0.0/0 to: 127.0.0.9/32 }}\n\
             socks pass {{ from: 127.0.0.0/8 to: 127.0.0.0/8 command: connect }}\n"
        );
        vec![("conf", conf), ("log", String::new())]
    };
    let arguments = |directory: &Path| {
        let at = directory.display();
        vec![
            "-f".to_owned(),
            format!("{at}/conf"),
            "-p".to_owned(),
            format!("{at}/pid"),
        ]
    };
    Server::start(DANTE, files, arguments)
}
