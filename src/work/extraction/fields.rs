//! Each setting of an HTTP persona has an effect that the sandbox's sites see.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use aggregates::persona::{CookieHandling, Http2Settings, TlsClientHello};
use futures::future::join_all;
use sandbox::{Host, ResolverScript, Sandbox, Seen, Site, Target, Tls, World};

use super::*;

/// A sandbox and what its operator says.
struct Lab {
    sandbox: Sandbox,
    network: Network,
}

impl Lab {
    async fn start() -> Self {
        let moved = Site::Redirect(302, Target::Path("/new".to_owned()));
        let page = || Host::html("<title>here</title>");
        let world = World::scripted()
            .resolver(ResolverScript::healthy())
            .host("shop.test", page())
            .host("two.test", page().http2())
            .host("old.test", page().tls(Tls::Only12))
            .host(
                "moved.test",
                page().cookie("seen=yes; Path=/").path("/", moved),
            )
            .host("teapot.test", Host::status(418))
            .host("silent.test", Host::new(Site::Silent));
        let sandbox = Sandbox::start(world).await.unwrap();
        let mut network = Network {
            allow_private: true,
            http_port: Some(sandbox.http_port()),
            https_port: Some(sandbox.https_port()),
            ..Network::default()
        };
        network.trust_pem(sandbox.ca_pem()).unwrap();
        Self { sandbox, network }
    }

    fn fetcher(&self, persona: &HttpConfig) -> http::Fetcher {
        persona.validate().unwrap();
        let dns = DnsConfig {
            resolvers: vec![self.sandbox.resolvers()[0].to_string()],
            use_system_resolvers: false,
            ..DnsConfig::default()
        };
        let cancel = CancellationToken::new();
        fetcher((persona, None), &dns, &self.network, &cancel).unwrap()
    }

    async fn fetch(&self, persona: &HttpConfig, host: &str) -> http::Report {
        self.fetcher(persona).fetch(target(host)).await
    }

    /// Fetches a page and returns the last request that its site saw.
    async fn seen(&self, persona: &HttpConfig, host: &str) -> Seen {
        self.fetch(persona, host).await;
        self.sandbox.http_seen(host).pop().unwrap()
    }

    /// Fetches pages of so many hosts at once and returns how long that takes.
    async fn whole(&self, persona: &HttpConfig, pages: usize) -> Duration {
        let fetcher = self.fetcher(persona);
        let since = Instant::now();
        let pages = (0..pages).map(|_| fetcher.fetch(target("shop.test")));
        let reports = join_all(pages).await;
        assert!(reports.iter().all(|report| report.fault.is_none()));
        since.elapsed()
    }
}

fn target(host: &str) -> http::Target {
    http::Target {
        host: host.to_owned(),
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
    }
}

fn code(report: &http::Report) -> &str {
    report.fault.as_ref().map_or("", |fault| &fault.code)
}

#[tokio::test]
async fn a_site_sees_the_persona_by_its_name() {
    let lab = Lab::start().await;
    let persona = HttpConfig {
        user_agent: "Beans/2 (+https://beans.example)".to_owned(),
        ..HttpConfig::default()
    };
    let seen = lab.seen(&persona, "shop.test").await;
    assert_eq!(seen.header("user-agent"), Some(&*persona.user_agent));
}

#[tokio::test]
async fn a_site_sees_the_headers_of_the_persona_in_the_order_that_it_names() {
    let lab = Lab::start().await;
    let headers = [("X-Last", "1"), ("X-First", "2")];
    let mut persona = HttpConfig {
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..HttpConfig::default()
    };
    let names = |seen: Seen| -> Vec<String> {
        let names = seen.headers.into_iter().map(|(name, _)| name);
        names.filter(|name| name.starts_with("x-")).collect()
    };
    persona.header_order = vec!["X-First".to_owned(), "X-Last".to_owned()];
    let seen = lab.seen(&persona, "shop.test").await;
    assert_eq!(seen.header("x-last"), Some("1"));
    assert_eq!(names(seen), ["x-first", "x-last"]);
    persona.header_order.reverse();
    let seen = lab.seen(&persona, "shop.test").await;
    assert_eq!(names(seen), ["x-last", "x-first"]);
}

#[tokio::test]
async fn the_versions_of_tls_that_are_offered_are_those_of_the_persona() {
    let lab = Lab::start().await;
    let offering = |min_version, max_version| HttpConfig {
        tls_client_hello: Some(TlsClientHello {
            min_version,
            max_version,
            ..TlsClientHello::default()
        }),
        ..HttpConfig::default()
    };
    let any = lab.fetch(&HttpConfig::default(), "shop.test").await;
    assert_eq!(any.tls_version, Some("TLSv1.3"));
    let lower = offering(None, Some(TlsVersion::Tls12));
    let report = lab.fetch(&lower, "shop.test").await;
    assert_eq!(report.tls_version, Some("TLSv1.2"));
    let report = lab.fetch(&HttpConfig::default(), "old.test").await;
    assert_eq!(report.tls_version, Some("TLSv1.2"));
    let higher = offering(Some(TlsVersion::Tls13), None);
    let report = lab.fetch(&higher, "old.test").await;
    assert_eq!(report.tls_version, None);
    assert!(report.https_failure.is_some(), "{report:?}");
}

#[test]
fn what_the_client_chooses_itself_in_tls_is_refused() {
    for (field, hello) in [
        (
            "cipherSuites",
            TlsClientHello {
                cipher_suites: vec!["TLS_AES_128_GCM_SHA256".to_owned()],
                ..TlsClientHello::default()
            },
        ),
        (
            "curvePreferences",
            TlsClientHello {
                curve_preferences: vec!["X25519".to_owned()],
                ..TlsClientHello::default()
            },
        ),
    ] {
        let persona = HttpConfig {
            tls_client_hello: Some(hello),
            ..HttpConfig::default()
        };
        let refused = persona.validate().unwrap_err().to_string();
        assert!(refused.contains(field), "{refused}");
    }
}

#[tokio::test]
async fn a_site_that_speaks_http_2_is_spoken_to_so_unless_the_persona_says_not() {
    let lab = Lab::start().await;
    for (enabled, version) in [
        (None, "HTTP/2.0"),
        (Some(true), "HTTP/2.0"),
        (Some(false), "HTTP/1.1"),
    ] {
        let persona = HttpConfig {
            http2_settings: enabled.map(|enabled| Http2Settings {
                enabled: Some(enabled),
            }),
            ..HttpConfig::default()
        };
        assert_eq!(lab.seen(&persona, "two.test").await.version, version);
    }
}

#[tokio::test]
async fn cookies_are_sent_back_sent_anew_or_left_as_the_persona_says() {
    let lab = Lab::start().await;
    for (mode, sent) in [
        (None, None),
        (Some(CookieMode::Ignore), None),
        (Some(CookieMode::Preserve), Some("seen=yes")),
        (Some(CookieMode::Custom), Some("own=1")),
    ] {
        let custom = mode == Some(CookieMode::Custom);
        let cookies = custom.then(|| ("own".to_owned(), "1".to_owned()));
        let persona = HttpConfig {
            cookie_handling: mode.map(|mode| CookieHandling {
                mode: Some(mode),
                cookies: cookies.into_iter().collect(),
            }),
            ..HttpConfig::default()
        };
        // The page that a redirect led to, with a cookie.
        let seen = lab.seen(&persona, "moved.test").await;
        assert_eq!(
            (&*seen.target, seen.header("cookie")),
            ("/new", sent),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn a_fetch_ends_with_the_time_of_the_persona() {
    let lab = Lab::start().await;
    let persona = HttpConfig {
        request_timeout_seconds: Some(1),
        ..HttpConfig::default()
    };
    let report = lab.fetch(&persona, "silent.test").await;
    assert_eq!(report.outcome(), http::Outcome::Timeout);
    let seconds = report.elapsed.as_secs_f64();
    assert!((1.0..15.0).contains(&seconds), "{seconds}, and not twenty");
}

#[tokio::test]
async fn a_redirect_is_followed_unless_the_persona_says_not() {
    let lab = Lab::start().await;
    let persona = HttpConfig {
        follow_redirects: Some(false),
        ..HttpConfig::default()
    };
    assert_eq!(lab.fetch(&persona, "moved.test").await.status, Some(302));
    assert_eq!(lab.sandbox.http_requests("moved.test"), 1);
    let report = lab.fetch(&HttpConfig::default(), "moved.test").await;
    assert_eq!(report.status, Some(200));
    assert_eq!(lab.sandbox.http_requests("moved.test"), 3);
}

#[tokio::test]
async fn a_status_is_fine_that_the_persona_allows_and_no_other() {
    let lab = Lab::start().await;
    let report = lab.fetch(&HttpConfig::default(), "teapot.test").await;
    assert_eq!(code(&report), "status_418");
    let persona = HttpConfig {
        allowed_status_codes: vec![418],
        ..HttpConfig::default()
    };
    let report = lab.fetch(&persona, "teapot.test").await;
    assert_eq!((code(&report), report.outcome()), ("", http::Outcome::Ok));
    assert_eq!(code(&lab.fetch(&persona, "shop.test").await), "status_200");
}

#[tokio::test]
async fn pages_are_begun_at_the_rate_of_the_persona_and_as_many_at_once_as_it_says() {
    let lab = Lab::start().await;
    let at = |per_second, burst| HttpConfig {
        rate_limit_dps: Some(per_second),
        rate_limit_burst: burst,
        ..HttpConfig::default()
    };
    let paced = lab.whole(&at(20.0, None), 9).await;
    assert!(paced >= Duration::from_millis(380), "{paced:?}");
    // One after the other they would take eight seconds.
    let at_once = lab.whole(&at(1.0, Some(9)), 9).await;
    assert!(at_once < Duration::from_secs(6), "{at_once:?}");
}
