//! HTTP proxies: CONNECT, requests that are handed over whole, and TLS to the proxy.

use sandbox::Sandbox;
use validation::http::Blame::{Proxy, Target, Unknown};
use validation::http::Protocol;
use validation::http::Reason::{
    ConnectionReset, Error, NotFound, ProxyError, Timeout, Upstream5xx,
};

use super::{Case, Try, failed, fine, scripts};

pub(super) fn of_connect(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let at = scripts()
        .iter()
        .position(|(name, _)| *name == "dead")
        .unwrap();
    let closed = format!("https://good.test:{}/", sandbox.proxies()[at].port());
    let good = || Try::new(sandbox, Protocol::Http, "https://good.test/");
    let to = |url: &str| Try::new(sandbox, Protocol::Http, url);
    vec![
        good().case(
            "secret",
            Some(("ann", "secret")),
            "credentials that are right",
            fine(),
        ),
        good().case(
            "secret",
            None,
            "credentials that are missing",
            failed(ProxyError, "proxy_auth_required", Proxy),
        ),
        good().case(
            "secret",
            Some(("ann", "x")),
            "credentials that are wrong",
            failed(ProxyError, "proxy_credentials", Proxy),
        ),
        good().case(
            "forbids",
            None,
            "403 to CONNECT",
            failed(ProxyError, "proxy_forbidden", Proxy),
        ),
        good().case(
            "405",
            None,
            "405 to CONNECT",
            failed(ProxyError, "proxy_status_405", Proxy),
        ),
        good().case(
            "429",
            None,
            "429 to CONNECT",
            failed(ProxyError, "proxy_status_429", Proxy),
        ),
        good().case(
            "500",
            None,
            "500 to CONNECT",
            failed(ProxyError, "proxy_status_500", Unknown),
        ),
        good().case(
            "unavailable",
            None,
            "502 to CONNECT",
            failed(ProxyError, "proxy_status_502", Unknown),
        ),
        good().case(
            "503",
            None,
            "503 to CONNECT",
            failed(ProxyError, "proxy_status_503", Unknown),
        ),
        to(&closed).case(
            "open",
            None,
            "502 for a site that refuses",
            failed(ProxyError, "proxy_status_502", Unknown),
        ),
        to(&closed).case(
            "explains",
            None,
            "the same, explained",
            failed(Error, "connection_refused", Target),
        ),
        to("https://9.9.9.9/").case(
            "explains",
            None,
            "a site that its rules forbid",
            failed(ProxyError, "proxy_forbidden", Proxy),
        ),
    ]
}

pub(super) fn of_forwarding(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let good = || Try::new(sandbox, Protocol::Http, "http://good.test/");
    let to = |url: &str| Try::new(sandbox, Protocol::Http, url);
    vec![
        good().case("open", None, "a proxy that works", fine()),
        good().with(|config| config.forward_inside = false).case(
            "open",
            None,
            "one inside, by a tunnel",
            fine(),
        ),
        to("http://missing.test/").case(
            "open",
            None,
            "a page that is not there",
            failed(NotFound, "status_404", Target),
        ),
        to("http://down.test/").case(
            "open",
            None,
            "a site that is down",
            failed(Upstream5xx, "status_503", Unknown),
        ),
        to("http://reset.test/").case(
            "open",
            None,
            "a site that resets",
            failed(ConnectionReset, "connection_reset", Unknown),
        ),
        to("http://unknown.test/").case(
            "explains",
            None,
            "a site that it does not find",
            failed(Error, "unreachable", Target),
        ),
        good().case(
            "secret",
            Some(("ann", "secret")),
            "credentials that are right",
            fine(),
        ),
        good().case(
            "secret",
            None,
            "credentials that are missing",
            failed(ProxyError, "proxy_auth_required", Proxy),
        ),
        good().case(
            "secret",
            Some(("ann", "x")),
            "credentials that are wrong",
            failed(ProxyError, "proxy_credentials", Proxy),
        ),
        good().case(
            "forbids",
            None,
            "403, whoever says it",
            failed(Error, "status_403", Target),
        ),
        good().case(
            "unavailable",
            None,
            "502, whoever says it",
            failed(Upstream5xx, "status_502", Unknown),
        ),
        good().case(
            "dead",
            None,
            "nobody listens",
            failed(ProxyError, "proxy_refused", Proxy),
        ),
        good().case(
            "silent",
            None,
            "a proxy that says nothing",
            failed(Timeout, "deadline", Unknown),
        ),
        good().case(
            "resets",
            None,
            "a proxy that resets",
            failed(ConnectionReset, "connection_reset", Unknown),
        ),
        good().case(
            "garbage",
            None,
            "a proxy that is none",
            failed(Error, "malformed_response", Unknown),
        ),
        good().case(
            "cuts",
            None,
            "an answer that is cut",
            failed(ConnectionReset, "connection_reset", Unknown),
        ),
    ]
}

pub(super) fn of_tls_to_the_proxy(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let plain = || Try::new(sandbox, Protocol::Https, "http://good.test/");
    let secure = || Try::new(sandbox, Protocol::Https, "https://good.test/");
    vec![
        plain().case("open", None, "a proxy that works", fine()),
        secure().case(
            "secret",
            Some(("ann", "secret")),
            "credentials that are right",
            fine(),
        ),
        secure().case(
            "secret",
            Some(("ann", "x")),
            "credentials that are wrong",
            failed(ProxyError, "proxy_credentials", Proxy),
        ),
        plain().with(|config| config.trusted_roots.clear()).case(
            "open",
            None,
            "a proxy whose certificate nobody trusts",
            failed(ProxyError, "proxy_tls", Proxy),
        ),
    ]
}
