//! Faults of sites: TCP, TLS and HTTP without a proxy.

use std::time::Duration;

use sandbox::{Host, ProxyFault, ProxyScript, Sandbox, Site, Target, Tls, World};
use validation::http::{Blame, Config, Reason, TlsVersion};

use super::{Case, Row, failed, fetched, fine, patient};

pub(super) async fn sandbox() -> Sandbox {
    let to = |text: &str| Host::new(Site::Redirect(302, Target::Verbatim(text.to_owned())));
    let world = World::scripted()
        .host("good.test", Host::page(&["espresso"]))
        .host("two.test", Host::page(&["espresso"]).http2())
        .host("expired.test", Host::page(&[]).tls(Tls::Expired))
        .host("selfsigned.test", Host::page(&[]).tls(Tls::SelfSigned))
        .host("wrongname.test", Host::page(&[]).tls(Tls::WrongHost))
        .host("notls.test", Host::page(&[]).tls(Tls::Absent))
        .host("silenttls.test", Host::page(&[]).tls(Tls::Silent))
        .host("only12.test", Host::page(&[]).tls(Tls::Only12))
        .host("reset.test", Host::new(Site::Reset(0)))
        .host("cut.test", Host::new(Site::Reset(2_000)))
        .host("short.test", Host::new(Site::Short))
        .host("silent.test", Host::new(Site::Silent))
        .host(
            "drip.test",
            Host::new(Site::Drip(Duration::from_millis(50))),
        )
        .host("garbage.test", Host::new(Site::Garbage))
        .host("headers.test", Host::new(Site::HugeHeaders))
        .host("endless.test", Host::new(Site::Endless))
        .host("bomb.test", Host::new(Site::GzipBomb))
        .host("gone.test", Host::status(410))
        .host("missing.test", Host::status(404))
        .host("forbidden.test", Host::status(403))
        .host("busy.test", Host::new(Site::RetryAfter(429, 7)))
        .host("broken.test", Host::status(500))
        .host("down.test", Host::status(503))
        .host("loop.test", Host::new(Site::RedirectLoop))
        .host("chain.test", Host::new(Site::RedirectChain(9)))
        .host("inside.test", to("http://metadata.test/"))
        .host("inside6.test", to("http://[::ffff:169.254.169.254]/"))
        .host("mail.test", to("http://good.test:25/"))
        .host("file.test", to("file:///etc/passwd"))
        .host("astray.test", to("http://nowhere.test/"))
        // Only for its port, on which nobody listens.
        .proxy(ProxyScript::faulty(ProxyFault::Dead));
    Sandbox::start(world).await.unwrap()
}

/// A site's fault.
fn fault(reason: Reason, code: &str) -> Row {
    failed(reason, code, Blame::Target)
}

pub(super) fn cases(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let case = |kind, name: &str, url: &str, wanted| Case {
        kind,
        name: name.to_owned(),
        wanted,
        found: fetched(patient(sandbox), url.to_owned()),
    };
    let other = |kind, name: &str, url: &str, config: Config, wanted| Case {
        kind,
        name: name.to_owned(),
        wanted,
        found: fetched(config, url.to_owned()),
    };
    let nobody = format!("http://good.test:{}/", sandbox.proxies()[0].port());
    let public_only = Config {
        allow: validation::http::AllowedRanges::Public,
        ..patient(sandbox)
    };
    let new_only = Config {
        tls_min: TlsVersion::V1_3,
        ..patient(sandbox)
    };
    use Reason::{ConnectionReset, Error, NotFound, SslExpired, Timeout, TlsError, Upstream5xx};
    vec![
        case("tcp", "a site that works", "http://good.test/", fine()),
        case(
            "tcp",
            "a port where nobody listens",
            &nobody,
            fault(Error, "connection_refused"),
        ),
        case(
            "tcp",
            "a reset before the answer",
            "http://reset.test/",
            fault(ConnectionReset, "connection_reset"),
        ),
        case(
            "tcp",
            "a reset in the middle of the body",
            "http://cut.test/",
            fault(ConnectionReset, "connection_reset"),
        ),
        case(
            "tcp",
            "an end before the end of the body",
            "http://short.test/",
            fault(ConnectionReset, "connection_closed"),
        ),
        case(
            "tcp",
            "a request that is never answered",
            "http://silent.test/",
            fault(Timeout, "deadline"),
        ),
        case(
            "tcp",
            "a body that drips",
            "http://drip.test/",
            fault(Timeout, "deadline"),
        ),
        other(
            "tcp",
            "an address that may not be connected to",
            "http://good.test/",
            public_only,
            fault(Error, "address_refused"),
        ),
        case("tls", "a site that works", "https://good.test/", fine()),
        case(
            "tls",
            "a certificate that ran out",
            "https://expired.test/",
            fault(SslExpired, "certificate_expired"),
        ),
        case(
            "tls",
            "a certificate that signed itself",
            "https://selfsigned.test/",
            fault(TlsError, "certificate_untrusted"),
        ),
        case(
            "tls",
            "a certificate of somebody else",
            "https://wrongname.test/",
            fault(TlsError, "certificate_wrong_name"),
        ),
        case(
            "tls",
            "a host without TLS",
            "https://notls.test/",
            fault(TlsError, "handshake_refused"),
        ),
        case(
            "tls",
            "a handshake that is never answered",
            "https://silenttls.test/",
            fault(Timeout, "connect_timeout"),
        ),
        other(
            "tls",
            "a host that speaks no version of ours",
            "https://only12.test/",
            new_only,
            fault(TlsError, "handshake_refused"),
        ),
        case(
            "tls",
            "a reset before the answer",
            "https://reset.test/",
            fault(ConnectionReset, "connection_reset"),
        ),
        case("http", "HTTP/2", "https://two.test/", fine()),
        case(
            "http",
            "a page that is not there",
            "http://missing.test/",
            fault(NotFound, "status_404"),
        ),
        case(
            "http",
            "a page that is gone",
            "http://gone.test/",
            fault(NotFound, "status_410"),
        ),
        case(
            "http",
            "a page that is forbidden",
            "http://forbidden.test/",
            fault(Error, "status_403"),
        ),
        case(
            "http",
            "too many requests",
            "http://busy.test/",
            fault(Error, "status_429"),
        ),
        case(
            "http",
            "a server that fails",
            "http://broken.test/",
            fault(Upstream5xx, "status_500"),
        ),
        case(
            "http",
            "a server that is down",
            "http://down.test/",
            fault(Upstream5xx, "status_503"),
        ),
        case(
            "http",
            "what is not HTTP",
            "http://garbage.test/",
            fault(Error, "malformed_response"),
        ),
        case(
            "http",
            "headers without end",
            "http://headers.test/",
            fault(Error, "headers_too_large"),
        ),
        case("http", "a body without end", "http://endless.test/", fine()),
        case("http", "a bomb in gzip", "http://bomb.test/", fine()),
        case(
            "http",
            "redirects in a circle",
            "http://loop.test/",
            fault(Error, "redirect_loop"),
        ),
        case(
            "http",
            "nine redirects",
            "http://chain.test/",
            fault(Error, "too_many_redirects"),
        ),
        case(
            "http",
            "a redirect to a cloud's metadata",
            "http://inside.test/",
            fault(Error, "address_refused"),
        ),
        case(
            "http",
            "the same by address",
            "http://inside6.test/",
            fault(Error, "address_refused"),
        ),
        case(
            "http",
            "a redirect to a mail server",
            "http://mail.test/",
            fault(Error, "redirect_refused"),
        ),
        case(
            "http",
            "a redirect to a file",
            "http://file.test/",
            fault(Error, "redirect_refused"),
        ),
        case(
            "http",
            "a redirect to a name without an address",
            "http://astray.test/",
            fault(Error, "redirect_host_unresolved"),
        ),
    ]
}
