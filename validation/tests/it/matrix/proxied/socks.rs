//! SOCKS proxies: credentials, and every reply.

use sandbox::Sandbox;
use validation::http::Blame::{Proxy, Target, Unknown};
use validation::http::Protocol;
use validation::http::Reason::{Error, ProxyError};

use super::{Case, Try, failed, fine};

pub(super) fn cases(sandbox: &Sandbox) -> Vec<Case<'_>> {
    let five = || Try::new(sandbox, Protocol::Socks5, "http://good.test/");
    let four = || Try::new(sandbox, Protocol::Socks4, "http://good.test/");
    let six = || Try::new(sandbox, Protocol::Socks4, "http://[::1]/");
    vec![
        five().case("open", None, "a proxy that works", fine()),
        five().case(
            "secret",
            Some(("ann", "secret")),
            "credentials that are right",
            fine(),
        ),
        five().case(
            "secret",
            None,
            "credentials that are missing",
            failed(ProxyError, "proxy_auth_required", Proxy),
        ),
        five().case(
            "secret",
            Some(("ann", "x")),
            "credentials that are wrong",
            failed(ProxyError, "proxy_credentials", Proxy),
        ),
        five().case(
            "reply 1",
            None,
            "reply 1",
            failed(ProxyError, "socks_failure", Proxy),
        ),
        five().case(
            "reply 2",
            None,
            "reply 2",
            failed(ProxyError, "proxy_forbidden", Proxy),
        ),
        five().case(
            "reply 3",
            None,
            "reply 3",
            failed(Error, "unreachable", Target),
        ),
        five().case(
            "reply 4",
            None,
            "reply 4",
            failed(Error, "unreachable", Target),
        ),
        five().case(
            "reply 5",
            None,
            "reply 5",
            failed(Error, "connection_refused", Target),
        ),
        five().case(
            "reply 6",
            None,
            "reply 6",
            failed(Error, "unreachable", Unknown),
        ),
        five().case(
            "reply 7",
            None,
            "reply 7",
            failed(ProxyError, "socks_command", Proxy),
        ),
        five().case(
            "reply 8",
            None,
            "reply 8",
            failed(ProxyError, "socks_address_type", Proxy),
        ),
        five().case(
            "reply 9",
            None,
            "a reply that does not exist",
            failed(ProxyError, "proxy_malformed", Proxy),
        ),
        four().case("open", None, "a proxy that works", fine()),
        four().case(
            "reply 91",
            None,
            "reply 91",
            failed(ProxyError, "socks4_rejected", Unknown),
        ),
        four().case(
            "reply 92",
            None,
            "reply 92",
            failed(ProxyError, "proxy_auth_required", Proxy),
        ),
        four().case(
            "reply 94",
            None,
            "a reply that does not exist",
            failed(ProxyError, "proxy_malformed", Proxy),
        ),
        six().case(
            "open",
            None,
            "an IPv6 address",
            failed(ProxyError, "socks4_ipv4_only", Unknown),
        ),
    ]
}
