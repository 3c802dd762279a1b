//! Faults of proxies, and of sites behind proxies, over every protocol.
//!
//! Each case has one proxy and one attempt, so that what is seen is the word on that attempt. What hindsight makes of it is
//! the pool's, and tested there.

mod http;
mod socks;

use std::time::Duration;

use sandbox::{Host, ProxyFault, ProxyScript, Sandbox, Site, Tls, World};
use validation::http::{AllowedRanges, Blame, Config, PoolConfig, Protocol, Reason};

use super::{Case, Row, failed, fetched, fine, patient};
use crate::support::{pool, proxy};

/// The proxies of the sandbox, by name.
fn scripts() -> Vec<(&'static str, ProxyScript)> {
    let faulty = ProxyScript::faulty;
    let mut scripts = vec![
        ("open", ProxyScript::open()),
        ("explains", ProxyScript::open().explains()),
        ("secret", ProxyScript::open().credentials("ann", "secret")),
        ("dead", faulty(ProxyFault::Dead)),
        ("silent", faulty(ProxyFault::Silent)),
        ("hangs", faulty(ProxyFault::Hangs)),
        ("resets", faulty(ProxyFault::Reset)),
        ("garbage", faulty(ProxyFault::Garbage)),
        ("lies", faulty(ProxyFault::Lies)),
        ("cuts", faulty(ProxyFault::Cut(40))),
        ("forbids", faulty(ProxyFault::Forbidden)),
        ("unavailable", faulty(ProxyFault::Unavailable)),
        ("500", faulty(ProxyFault::Status(500))),
        ("503", faulty(ProxyFault::Status(503))),
        ("405", faulty(ProxyFault::Status(405))),
        ("429", faulty(ProxyFault::Status(429))),
    ];
    let replies = [
        ("reply 1", 1),
        ("reply 2", 2),
        ("reply 3", 3),
        ("reply 4", 4),
        ("reply 5", 5),
        ("reply 6", 6),
        ("reply 7", 7),
        ("reply 8", 8),
        ("reply 9", 9),
        ("reply 91", 91),
        ("reply 92", 92),
        ("reply 94", 94),
    ];
    let replies = replies.map(|(name, code)| (name, faulty(ProxyFault::Reply(code))));
    scripts.extend(replies);
    scripts
}

pub(super) async fn sandbox() -> Sandbox {
    let mut world = World::scripted()
        .host("good.test", Host::page(&["espresso"]))
        .host("missing.test", Host::status(404))
        .host("down.test", Host::status(503))
        .host("reset.test", Host::new(Site::Reset(0)))
        .host("expired.test", Host::page(&[]).tls(Tls::Expired))
        .host("wrongname.test", Host::page(&[]).tls(Tls::WrongHost))
        .host("notls.test", Host::page(&[]).tls(Tls::Absent));
    for (_, script) in scripts() {
        world = world.proxy(script);
    }
    Sandbox::start(world).await.unwrap()
}

/// Everything that makes a case, but what is wanted.
struct Try<'s> {
    sandbox: &'s Sandbox,
    protocol: Protocol,
    url: String,
    config: Config,
}

impl<'s> Try<'s> {
    fn new(sandbox: &'s Sandbox, protocol: Protocol, url: &str) -> Self {
        Self {
            sandbox,
            protocol,
            url: url.to_owned(),
            config: patient(sandbox),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Through this proxy, with these credentials, this must become of it.
    fn case(self, by: &str, who: Option<(&str, &str)>, what: &str, wanted: Row) -> Case<'s> {
        let at = scripts().iter().position(|(name, _)| *name == by).unwrap();
        let settings = PoolConfig {
            max_retries: 0,
            timeout: Duration::from_secs(6),
            ..PoolConfig::default()
        };
        let proxy = proxy(self.protocol, self.sandbox.proxies()[at], who);
        let scheme = self.url.split(':').next().unwrap_or_default().to_owned();
        Case {
            kind: match self.protocol {
                Protocol::Http => "by http",
                Protocol::Https => "by https",
                Protocol::Socks4 => "by socks4",
                Protocol::Socks5 => "by socks5",
            },
            name: format!("{scheme}: {what}"),
            wanted,
            found: fetched(
                Config {
                    proxies: Some(pool(settings, [proxy])),
                    ..self.config
                },
                self.url,
            ),
        }
    }
}

use Blame::{Proxy, Target, Unknown};
use Reason::{ConnectionReset, Error, NotFound, ProxyError, SslExpired, Timeout, TlsError};

pub(super) fn cases(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let mut cases = of_every_tunnel(sandbox);
    cases.extend(http::of_connect(sandbox));
    cases.extend(http::of_forwarding(sandbox));
    cases.extend(http::of_tls_to_the_proxy(sandbox));
    cases.extend(socks::cases(sandbox));
    cases.extend(of_guards(sandbox));
    cases
}

/// What is the same over every protocol, but for how much of the conversation a silence leaves open.
fn of_every_tunnel(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for protocol in [
        Protocol::Http,
        Protocol::Https,
        Protocol::Socks4,
        Protocol::Socks5,
    ] {
        let with = |host: &str| Try::new(sandbox, protocol, &format!("https://{host}/"));
        let good = || with("good.test");
        let silence = match protocol {
            // Before it was told anything.
            Protocol::Https | Protocol::Socks5 => failed(ProxyError, "proxy_timeout", Proxy),
            Protocol::Http | Protocol::Socks4 => failed(Timeout, "tunnel_timeout", Unknown),
        };
        let garbage = match protocol {
            Protocol::Https => failed(ProxyError, "proxy_tls", Proxy),
            _ => failed(ProxyError, "proxy_malformed", Proxy),
        };
        cases.extend([
            good().case("open", None, "a proxy that works", fine()),
            with("missing.test").case(
                "open",
                None,
                "a page that is not there",
                failed(NotFound, "status_404", Target),
            ),
            with("expired.test").case(
                "open",
                None,
                "a certificate that ran out",
                failed(SslExpired, "certificate_expired", Target),
            ),
            with("notls.test").case(
                "open",
                None,
                "a host without TLS",
                failed(TlsError, "handshake_refused", Target),
            ),
            with("wrongname.test").case(
                "open",
                None,
                "somebody's certificate",
                failed(TlsError, "certificate_wrong_name", Unknown),
            ),
            with("reset.test").case(
                "open",
                None,
                "a site that resets",
                failed(ConnectionReset, "connection_reset", Unknown),
            ),
            good().case(
                "dead",
                None,
                "nobody listens",
                failed(ProxyError, "proxy_refused", Proxy),
            ),
            good().case("silent", None, "a proxy that says nothing", silence),
            good().case(
                "hangs",
                None,
                "a request for a tunnel that is not answered",
                failed(Timeout, "tunnel_timeout", Unknown),
            ),
            good().case(
                "resets",
                None,
                "a proxy that resets",
                failed(ProxyError, "proxy_closed", Proxy),
            ),
            good().case("garbage", None, "a proxy that is none", garbage),
            good().case(
                "lies",
                None,
                "a tunnel to nowhere",
                failed(TlsError, "handshake_closed", Unknown),
            ),
            good().case(
                "cuts",
                None,
                "a tunnel that is cut",
                failed(ConnectionReset, "connection_reset", Unknown),
            ),
        ]);
    }
    cases
}

fn of_guards(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let good = |protocol| Try::new(sandbox, protocol, "http://good.test/");
    let outside =
        |config: &mut Config| config.proxy_guard = std::sync::Arc::new(AllowedRanges::Public);
    let strict = |config: &mut Config| config.allow = AllowedRanges::Public;
    vec![
        good(Protocol::Socks5).with(outside).case(
            "open",
            None,
            "a proxy that may not be connected to",
            failed(ProxyError, "proxy_address_refused", Proxy),
        ),
        good(Protocol::Http).with(strict).case(
            "open",
            None,
            "a site that may not be, by forwarding",
            failed(Error, "address_refused", Target),
        ),
        good(Protocol::Socks5).with(strict).case(
            "open",
            None,
            "a site that may not be, by a tunnel",
            failed(Error, "address_refused", Target),
        ),
    ]
}
