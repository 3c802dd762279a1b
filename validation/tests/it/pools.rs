//! Pools of proxies: who is asked, who rests, who is banned where, and who is blamed in hindsight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{Host, ProxyFault, ProxyScript, Sandbox, Site, World};
use url::Url;
use validation::http::{
    Blame, Config, Fetcher, Outcome, Pool, PoolConfig, Protocol, Proxy, Rate, Reason, Report,
    Strategy, Target,
};

use crate::support::{LOOPBACK, config, fetcher, pool, proxy};

/// A sandbox with these proxies and a few sites.
async fn with(scripts: impl IntoIterator<Item = ProxyScript>) -> Sandbox {
    let mut world = World::scripted()
        .host("a.test", Host::html("<title>a</title>"))
        .host("b.test", Host::html("<title>b</title>"))
        .host("missing.test", Host::status(404))
        .host("down.test", Host::status(503))
        .host("reset.test", Host::new(Site::Reset(0)))
        .host("asks.test", Host::status(407))
        .host(
            "slanders.test",
            Host::status(502).header("proxy-status", "p; error=proxy_internal_error"),
        )
        .host(
            "poses.test",
            Host::status(401).header("server", "tinyproxy/1.11.1"),
        )
        .host("wall.test", Host::html("<title>Solve this CAPTCHA</title>"));
    for script in scripts {
        world = world.proxy(script);
    }
    Sandbox::start(world).await.unwrap()
}

/// The first proxy is the first choice, and two failures are one too many.
fn settings() -> PoolConfig {
    PoolConfig {
        strategy: Strategy::Failover,
        failures: 2,
        ..PoolConfig::default()
    }
}

fn proxies(sandbox: &Sandbox, protocol: Protocol) -> Vec<Proxy> {
    let all = sandbox.proxies().into_iter();
    all.map(|at| proxy(protocol, at, None)).collect()
}

fn through(sandbox: &Sandbox, pool: &Arc<Pool>) -> Fetcher {
    fetcher(Config {
        proxies: Some(Arc::clone(pool)),
        ..config(sandbox)
    })
}

async fn fetch(fetcher: &Fetcher, url: &str) -> Report {
    fetcher
        .fetch_url(Url::parse(url).unwrap(), &[LOOPBACK])
        .await
}

fn title(report: &Report) -> Option<&str> {
    report.page.as_ref()?.title.as_deref()
}

fn all_healthy(pool: &Pool) -> bool {
    pool.health().iter().all(|health| health.healthy)
}

#[tokio::test]
async fn a_page_that_bans_one_proxy_comes_through_another_and_the_pair_is_remembered() {
    let sandbox = with([ProxyScript::open().bans(["a.test"]), ProxyScript::open()]).await;
    let settings = PoolConfig {
        sticky: false,
        ..settings()
    };
    let pool = pool(settings, proxies(&sandbox, Protocol::Http));
    let fetcher = through(&sandbox, &pool);
    for attempts in [2, 1, 1] {
        let report = fetch(&fetcher, "http://a.test/").await;
        assert_eq!((title(&report), report.attempts), (Some("a"), attempts));
        assert_eq!(report.proxy, Some(proxies(&sandbox, Protocol::Http)[1].id));
    }
    let other = fetch(&fetcher, "http://b.test/").await;
    assert_eq!((title(&other), other.attempts), (Some("b"), 1));
    assert_eq!(other.proxy, Some(proxies(&sandbox, Protocol::Http)[0].id));
    assert!(all_healthy(&pool));
}

#[tokio::test]
async fn a_page_that_bans_everybody_is_what_the_site_says() {
    let banning = || ProxyScript::open().bans(["a.test"]);
    let sandbox = with([banning(), banning(), banning(), banning()]).await;
    let pool = pool(settings(), proxies(&sandbox, Protocol::Http));
    let report = fetch(&through(&sandbox, &pool), "http://a.test/").await;
    assert_eq!((report.status, report.attempts), (Some(403), 3));
    assert_eq!(report.fault.unwrap().blame, Blame::Target);
    assert!(all_healthy(&pool));
}

#[tokio::test]
async fn a_page_that_wants_a_human_is_tried_elsewhere_and_shown_if_there_is_no_other() {
    let sandbox = with([ProxyScript::open(), ProxyScript::open()]).await;
    let pool = pool(settings(), proxies(&sandbox, Protocol::Http));
    let report = fetch(&through(&sandbox, &pool), "http://wall.test/").await;
    assert_eq!((report.outcome(), report.attempts), (Outcome::Ok, 2));
    assert_eq!(title(&report), Some("Solve this CAPTCHA"));
}

#[tokio::test]
async fn failures_of_a_proxy_are_made_good_by_another_and_send_it_to_rest() {
    for fault in [
        ProxyFault::Dead,
        ProxyFault::Reset,
        ProxyFault::Garbage,
        ProxyFault::Lies,
        ProxyFault::Cut(10),
        ProxyFault::Unavailable,
        ProxyFault::Hangs,
    ] {
        for protocol in [Protocol::Http, Protocol::Socks5, Protocol::Socks4] {
            let sandbox = with([ProxyScript::faulty(fault), ProxyScript::open()]).await;
            let settings = PoolConfig {
                sticky: false,
                timeout: Duration::from_millis(700),
                ..settings()
            };
            let pool = pool(settings, proxies(&sandbox, protocol));
            let fetcher = through(&sandbox, &pool);
            for attempts in [2, 2, 1] {
                let report = fetch(&fetcher, "https://a.test/").await;
                assert_eq!(title(&report), Some("a"), "{fault:?} {:?}", report.fault);
                assert_eq!(report.attempts, attempts, "{fault:?} {protocol}");
            }
            let health = pool.health();
            assert!(
                !health[0].healthy && health[1].healthy,
                "{fault:?} {protocol}"
            );
            assert_eq!(health[1].failures, 0);
        }
    }
}

#[tokio::test]
async fn a_sites_failures_rest_no_proxy_however_often_they_happen() {
    let sandbox = with([
        ProxyScript::open(),
        ProxyScript::open(),
        ProxyScript::open(),
    ])
    .await;
    for protocol in [Protocol::Http, Protocol::Socks5, Protocol::Socks4] {
        let pool = pool(settings(), proxies(&sandbox, protocol));
        let fetcher = through(&sandbox, &pool);
        for (url, reason, attempts) in [
            ("http://missing.test/", Reason::NotFound, 1),
            ("http://reset.test/", Reason::ConnectionReset, 3),
            ("https://reset.test/", Reason::ConnectionReset, 3),
            (
                "http://down.test/",
                Reason::Upstream5xx,
                if protocol == Protocol::Http { 3 } else { 1 },
            ),
        ] {
            for _ in 0..5 {
                let report = fetch(&fetcher, url).await;
                assert_eq!(report.reason(), Some(reason), "{protocol} {url}");
                assert_eq!(report.attempts, attempts, "{protocol} {url}");
                assert_eq!(report.fault.unwrap().blame, Blame::Target);
            }
        }
        for health in pool.health() {
            assert_eq!((health.healthy, health.failures), (true, 0), "{protocol}");
        }
    }
}

/// What a forwarding proxy could say of itself, said by a site: the status for wrong credentials, another in Tinyproxy's
/// name, and a failure inside the proxy.
#[tokio::test]
async fn a_site_that_speaks_as_a_proxy_would_rests_none() {
    let secret = || ProxyScript::open().credentials("ann", "secret");
    let sandbox = with([secret(), secret(), secret()]).await;
    let told = sandbox.proxies().into_iter();
    let told = told.map(|at| proxy(Protocol::Http, at, Some(("ann", "secret"))));
    let pool = pool(settings(), told);
    let fetcher = through(&sandbox, &pool);
    for (host, code, attempts) in [
        ("asks.test", "status_407", 1),
        ("poses.test", "status_401", 1),
        ("slanders.test", "proxy_internal", 3),
    ] {
        for _ in 0..5 {
            let report = fetch(&fetcher, &format!("http://{host}/")).await;
            let fault = report.fault.unwrap();
            assert_eq!((&*fault.code, report.attempts), (code, attempts), "{host}");
            assert_eq!(fault.blame, Blame::Target, "{host}");
        }
    }
    for health in pool.health() {
        assert_eq!((health.healthy, health.failures), (true, 0));
    }
}

#[tokio::test]
async fn a_forwarding_proxy_that_does_not_know_us_rests_at_once() {
    let secret = ProxyScript::open().credentials("ann", "secret");
    let sandbox = with([secret, ProxyScript::open()]).await;
    let at = sandbox.proxies();
    let members = [
        proxy(Protocol::Http, at[0], Some(("ann", "wrong"))),
        proxy(Protocol::Http, at[1], None),
    ];
    let pool = pool(settings(), members);
    let report = fetch(&through(&sandbox, &pool), "http://a.test/").await;
    assert_eq!((title(&report), report.attempts), (Some("a"), 2));
    assert!(!pool.health()[0].healthy && pool.health()[1].healthy);
}

#[tokio::test]
async fn a_site_that_is_down_for_every_protocol_is_not_the_first_proxys_fault() {
    let sandbox = with([ProxyScript::open(), ProxyScript::open()]).await;
    let at = sandbox.proxies();
    let forwards_and_tunnels = [
        proxy(Protocol::Http, at[0], None),
        proxy(Protocol::Socks5, at[1], None),
    ];
    let pool = pool(settings(), forwards_and_tunnels);
    // A 503 that is handed on may be the proxy's; that which comes by a tunnel is the site's.
    let report = fetch(&through(&sandbox, &pool), "http://down.test/").await;
    assert_eq!((report.status, report.attempts), (Some(503), 2));
    assert_eq!(report.fault.unwrap().blame, Blame::Target);
    assert!(pool.health().iter().all(|health| health.failures == 0));
}

#[tokio::test]
async fn what_proxies_fail_at_is_not_tried_over_http() {
    let sandbox = with([ProxyScript::faulty(ProxyFault::Reset)]).await;
    let pool = pool(settings(), proxies(&sandbox, Protocol::Socks5));
    let target = Target {
        host: "a.test".to_owned(),
        addresses: vec![LOOPBACK],
    };
    let report = through(&sandbox, &pool).fetch(target).await;
    assert_eq!(report.reason(), Some(Reason::ProxyError));
    assert_eq!((report.https_failure, report.attempts), (None, 1));
    assert_eq!(sandbox.proxy_connections(0), 1);
}

#[tokio::test]
async fn a_proxy_that_works_again_is_found_and_both_changes_are_told() {
    let sandbox = with([ProxyScript::faulty(ProxyFault::Reset), ProxyScript::open()]).await;
    let settings = PoolConfig {
        sticky: false,
        rest: Duration::from_millis(50),
        ..settings()
    };
    let pool = pool(settings, proxies(&sandbox, Protocol::Socks5));
    let mut changes = pool.watch();
    let fetcher = through(&sandbox, &pool);
    for _ in 0..2 {
        assert_eq!(title(&fetch(&fetcher, "http://a.test/").await), Some("a"));
    }
    // The other one was taken for healthy only, until a page came through it.
    let good = proxies(&sandbox, Protocol::Socks5)[1].id;
    let mut told = Vec::new();
    while told.len() < 2 {
        let change = changes.recv().await.unwrap();
        told.push((
            change.proxy == good,
            change.healthy,
            change.fault.map(|fault| fault.code),
        ));
    }
    told.sort();
    assert_eq!(
        told,
        [
            (false, false, Some("proxy_closed".into())),
            (true, true, None)
        ]
    );
    sandbox.set_proxy(0, ProxyScript::open());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !all_healthy(&pool) {
        assert!(Instant::now() < deadline, "it is not tried again");
        assert_eq!(title(&fetch(&fetcher, "http://a.test/").await), Some("a"));
    }
    let change = changes.recv().await.unwrap();
    assert_eq!(
        (change.proxy, change.healthy),
        (proxies(&sandbox, Protocol::Socks5)[0].id, true)
    );
    assert!(changes.try_recv().is_err());
}

#[tokio::test]
async fn each_proxy_gets_no_more_at_once_and_no_faster_than_it_may() {
    let sandbox = with([ProxyScript::open().delay(Duration::from_millis(20))]).await;
    let settings = PoolConfig {
        in_flight: 2,
        rate: Some(Rate {
            per_second: 20.0,
            burst: 1,
        }),
        ..settings()
    };
    let pool = pool(settings, proxies(&sandbox, Protocol::Socks5));
    let fetcher = through(&sandbox, &pool);
    let since = Instant::now();
    let pages = (0..12).map(|_| fetch(&fetcher, "http://a.test/"));
    let reports = futures::future::join_all(pages).await;
    assert!(reports.iter().all(|report| title(report) == Some("a")));
    assert!(
        since.elapsed() >= Duration::from_millis(540),
        "{:?}",
        since.elapsed()
    );
    assert!(sandbox.http_peak("a.test") <= 2);
    // The wait for a turn is no time of the page's.
    assert!(
        reports
            .iter()
            .all(|report| report.elapsed < Duration::from_millis(500))
    );
}

#[tokio::test]
async fn a_probe_says_what_came_how_long_it_took_and_whose_fault_it_is() {
    let sandbox = with([
        ProxyScript::open(),
        ProxyScript::faulty(ProxyFault::Dead),
        ProxyScript::open().credentials("ann", "secret"),
        ProxyScript::faulty(ProxyFault::Hangs),
    ])
    .await;
    let fetcher = fetcher(Config {
        timeout: Duration::from_secs(2),
        ..config(&sandbox)
    });
    let at = sandbox.proxies();
    let url = |text: &str| Url::parse(text).unwrap();
    for protocol in [
        Protocol::Http,
        Protocol::Https,
        Protocol::Socks4,
        Protocol::Socks5,
    ] {
        for page in ["http://a.test/", "https://a.test/"] {
            let probe = fetcher
                .probe(&proxy(protocol, at[0], None), url(page))
                .await;
            assert_eq!(
                (probe.status_code, probe.is_healthy()),
                (Some(200), Some(true)),
                "{protocol} {:?}",
                probe.fault
            );
            assert!(probe.fault.is_none() && probe.elapsed > Duration::ZERO);
        }
    }
    let open = proxy(Protocol::Socks5, at[0], None);
    let missing = fetcher.probe(&open, url("http://missing.test/")).await;
    assert_eq!(
        (missing.status_code, missing.is_healthy()),
        (Some(404), Some(true))
    );
    let secret = |password| proxy(Protocol::Socks5, at[2], Some(("ann", password)));
    for (proxy, page, code, healthy) in [
        (
            proxy(Protocol::Http, at[1], None),
            "http://a.test/",
            "proxy_refused",
            Some(false),
        ),
        (secret("secret"), "http://a.test/", "", Some(true)),
        (
            secret("wrong"),
            "http://a.test/",
            "proxy_credentials",
            Some(false),
        ),
        (
            proxy(Protocol::Socks5, at[3], None),
            "http://a.test/",
            "tunnel_timeout",
            None,
        ),
        (
            open.clone(),
            "http://nowhere.test/",
            "host_unresolved",
            None,
        ),
        (
            open.clone(),
            "http://metadata.test/",
            "address_refused",
            None,
        ),
        (
            Proxy {
                host: "nowhere.proxy".to_owned(),
                ..open.clone()
            },
            "http://a.test/",
            "proxy_unresolved",
            Some(false),
        ),
        (
            Proxy {
                host: "metadata.test".to_owned(),
                ..open.clone()
            },
            "http://a.test/",
            "proxy_address_refused",
            Some(false),
        ),
        (
            Proxy {
                port: 0,
                ..open.clone()
            },
            "http://a.test/",
            "proxy_invalid",
            Some(false),
        ),
    ] {
        let probe = fetcher.probe(&proxy, url(page)).await;
        let found = probe.fault.as_ref().map_or("", |fault| &fault.code);
        assert_eq!((found, probe.is_healthy()), (code, healthy), "{page}");
    }
}

#[tokio::test]
async fn a_proxy_by_name_is_resolved_and_spoken_to_by_that_name() {
    let sandbox = with([ProxyScript::open()]).await;
    let port = sandbox.proxies()[0].port();
    let named = Proxy {
        host: "proxy.test".to_owned(),
        ..proxy(Protocol::Socks5, ([127, 0, 0, 1], port).into(), None)
    };
    let pool = pool(settings(), [named]);
    let report = fetch(&through(&sandbox, &pool), "http://a.test/").await;
    assert_eq!(title(&report), Some("a"), "{:?}", report.fault);
}
