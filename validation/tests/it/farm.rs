//! A farm of a hundred proxies of which fifty-five are not what one wishes for, and twenty thousand pages.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use sandbox::{Host, ProxyFault, ProxyScript, Sandbox, Site, World};
use validation::http::{Config, Fetcher, Member, Pool, PoolConfig, Protocol, Reason, Target};

use crate::support::{LOOPBACK, config, fetcher, proxy};

const PROXIES: usize = 100;
const SITES: usize = 500;
const PAGES: usize = 20_000;
/// Pages until every proxy and every site has been met some times.
const WARM_UP: usize = 4_000;
/// Pages at once: each has four sockets, and an ordinary process may have a thousand.
const AT_ONCE: usize = 120;

/// What is wrong with a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dead,
    Banning,
    Slow,
    Unpaid,
    Good,
}

/// Mixes the kinds, so that no two neighbours need be alike.
fn kind(proxy: usize) -> Kind {
    match (proxy * 37) % PROXIES {
        0..30 => Kind::Dead,
        30..40 => Kind::Banning,
        40..50 => Kind::Slow,
        50..55 => Kind::Unpaid,
        _ => Kind::Good,
    }
}

fn script(proxy: usize) -> ProxyScript {
    match kind(proxy) {
        Kind::Dead => ProxyScript::faulty(ProxyFault::Dead),
        // Every third site, another third for each.
        Kind::Banning => {
            ProxyScript::open().bans((0..SITES).filter(|site| site % 3 == proxy % 3).map(name))
        }
        Kind::Slow => ProxyScript::open().delay(Duration::from_millis(100)),
        Kind::Unpaid => ProxyScript::open().credentials("ann", "paid"),
        Kind::Good => ProxyScript::open(),
    }
}

fn name(site: usize) -> String {
    format!("site{site}.test")
}

/// What a site answers: one in a hundred resets, one is down, one has no such page.
fn reason(site: usize) -> Option<Reason> {
    match site % 100 {
        17 => Some(Reason::ConnectionReset),
        41 => Some(Reason::Upstream5xx),
        73 => Some(Reason::NotFound),
        _ => None,
    }
}

async fn sandbox() -> Sandbox {
    let mut world = World::scripted();
    for site in 0..SITES {
        let name = name(site);
        let host = match reason(site) {
            None => Host::html(format!("<title>{name}</title><p>A page of its own.")),
            Some(Reason::ConnectionReset) => Host::new(Site::Reset(0)),
            Some(Reason::NotFound) => Host::status(404),
            Some(_) => Host::status(503),
        };
        world = world.host(&name, host);
    }
    for proxy in 0..PROXIES {
        world = world.proxy(script(proxy));
    }
    Sandbox::start(world).await.unwrap()
}

fn pool(sandbox: &Sandbox) -> Pool {
    let members = sandbox
        .proxies()
        .into_iter()
        .enumerate()
        .map(|(index, at)| {
            // Bans are by name, which a proxy is told only where it is handed the request.
            let protocol = match (kind(index), index % 2) {
                (Kind::Banning, _) | (_, 0) => Protocol::Http,
                _ => Protocol::Socks5,
            };
            let who = (kind(index) == Kind::Unpaid).then_some(("ann", "unpaid"));
            Member {
                proxy: proxy(protocol, at, who),
                weight: 1,
            }
        });
    Pool::new(PoolConfig::default(), members.collect()).unwrap()
}

/// Fetches a page; tells whether what came is what is there, and in how many attempts.
async fn page(fetcher: &Fetcher, page: usize) -> (bool, u32) {
    let site = page % SITES;
    let host = name(site);
    let report = fetcher
        .fetch(Target {
            host: host.clone(),
            addresses: vec![LOOPBACK],
        })
        .await;
    let title = report.page.as_ref().and_then(|page| page.title.clone());
    let right = report.reason() == reason(site) && (title == Some(host) || reason(site).is_some());
    if !right {
        println!(
            "page {page}: {:?} in {} attempts",
            report.fault, report.attempts
        );
    }
    (right, report.attempts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_farm_of_bad_proxies_fetches_every_page_and_blames_no_good_one() {
    let sandbox = sandbox().await;
    let pool = Arc::new(pool(&sandbox));
    let mut changes = pool.watch();
    let fetcher = fetcher(Config {
        // Pages, not handshakes, are what there is much of.
        https_port: None,
        proxies: Some(Arc::clone(&pool)),
        ..config(&sandbox)
    });
    let since = Instant::now();
    let pages: Vec<(bool, u32)> = stream::iter(0..PAGES)
        .map(|nth| page(&fetcher, nth))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let right = pages.iter().filter(|(right, _)| *right).count();
    let warm = &pages[WARM_UP..];
    let attempts: u32 = warm.iter().map(|(_, attempts)| attempts).sum();
    let each = f64::from(attempts) / warm.len() as f64;
    println!(
        "proxy farm: {PROXIES} proxies, {PAGES} pages in {:.1?}: {right} right, {each:.3} attempts a page after {WARM_UP}",
        since.elapsed()
    );
    assert!(right * 1_000 >= PAGES * 999, "{right} of {PAGES} are right");
    assert!(each <= 1.15, "{each} attempts a page");
    let mut working = HashSet::new();
    for (index, health) in pool.health().iter().enumerate() {
        let works = matches!(kind(index), Kind::Good | Kind::Slow | Kind::Banning);
        assert_eq!(health.healthy, works, "{:?} {health:?}", kind(index));
        assert_eq!(health.failures == 0, works, "{:?} {health:?}", kind(index));
        if works {
            working.insert(health.proxy);
        }
    }
    // What was told on the way is that, too: those that work were found to, once, and nobody else ever was.
    let mut told = HashSet::new();
    while let Ok(change) = changes.try_recv() {
        assert_eq!(
            change.healthy,
            working.contains(&change.proxy),
            "{change:?}"
        );
        assert!(!change.healthy || told.insert(change.proxy), "{change:?}");
    }
    assert!(working.is_subset(&told), "{told:?}");
}
