use super::*;

fn proxy(protocol: Protocol, host: &str, who: Option<(&str, &str)>) -> Proxy {
    Proxy {
        id: ProxyId(Uuid::from_u128(7)),
        protocol,
        host: host.to_owned(),
        port: 3128,
        credentials: who.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }),
    }
}

#[test]
fn debug_output_shows_no_credentials() {
    let shown = format!(
        "{:?}",
        proxy(Protocol::Http, "proxy.test", Some(("key-1", "secret-2")))
    );
    assert!(shown.contains("proxy.test"), "{shown}");
    assert!(
        !shown.contains("key-1") && !shown.contains("secret-2"),
        "{shown}"
    );
}

#[test]
fn what_no_handshake_could_say_is_refused_by_field() {
    let long = "x".repeat(256);
    for protocol in ["http", "https", "socks4", "socks5"] {
        let protocol: Protocol = protocol.parse().unwrap();
        for host in ["proxy.test", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(proxy(protocol, host, None).validate(), Ok(()));
        }
        for host in [
            "",
            "a b",
            "[2001:db8::1]",
            "proxy.test/",
            "user@proxy.test",
            "proxy.test:80",
        ] {
            let error = proxy(protocol, host, None).validate().unwrap_err();
            assert_eq!(error, Error::Host(host.to_owned()));
        }
        let closed = Proxy {
            port: 0,
            ..proxy(protocol, "proxy.test", None)
        };
        assert_eq!(closed.validate(), Err(Error::Port));
        for username in ["", "a\0b", &long] {
            let error = proxy(protocol, "proxy.test", Some((username, ""))).validate();
            assert_eq!(error, Err(Error::Username));
        }
    }
    for (protocol, username, password, refused) in [
        (Protocol::Http, "ann", "", None),
        (Protocol::Http, "a:b", "x", Some(Error::Username)),
        (Protocol::Https, "ann", &*long, Some(Error::Password)),
        (Protocol::Socks4, "ann", "", None),
        (Protocol::Socks4, "ann", "x", Some(Error::NoPassword)),
        (Protocol::Socks5, "a:b", "x", None),
        (Protocol::Socks5, "ann", "", Some(Error::Password)),
    ] {
        let checked = proxy(protocol, "proxy.test", Some((username, password))).validate();
        assert_eq!(checked.err(), refused, "{protocol} {username}");
    }
    assert_eq!(
        "ftp".parse::<Protocol>(),
        Err(Error::Protocol("ftp".to_owned()))
    );
}
