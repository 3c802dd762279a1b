//! Squid and Tinyproxy, HTTP proxies that tell more and less of whose fault something is.

use std::path::Path;

use validation::http::{Blame, Protocol, Reason};

use super::expect;
use super::nginx::{NGINX, Site, site};
use super::server::{Program, Server, free};
use crate::support::proxy;

const SQUID: Program = Program {
    name: "squid",
    path: "/usr/sbin/squid",
};
const TINYPROXY: Program = Program {
    name: "tinyproxy",
    path: "/usr/bin/tinyproxy",
};

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
