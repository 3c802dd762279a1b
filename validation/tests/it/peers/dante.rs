//! Dante, a SOCKS proxy.

use std::path::Path;

use validation::http::{Blame, Protocol, Reason};

use super::expect;
use super::nginx::{NGINX, site};
use super::server::{Program, Server, free};
use crate::support::proxy;

const DANTE: Program = Program {
    name: "dante",
    path: "/usr/sbin/danted",
};

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
