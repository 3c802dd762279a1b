//! When requests arrive at servers, as the servers see it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;

use super::*;
use crate::http::politeness::{Bound, Exempt, Limits, Politeness, Why};

/// So slow that a test which waits for it does not end.
pub(super) const NEVER: f64 = 0.001;
const UNBOUND: Bound = Bound {
    connections: 1_000,
    per_second: 1e6,
};
pub(super) const LIFTED: Limits = Limits {
    domain: UNBOUND,
    address: UNBOUND,
    per_second: 1e6,
};

pub(super) fn bound(connections: u16, per_second: f64) -> Bound {
    Bound {
        connections,
        per_second,
    }
}

/// Waits for a condition, looking again whenever others had their turn.
pub(super) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// A server that remembers when requests came and how many were there at once.
pub(super) struct Watch {
    pub(super) server: Server,
    came: Arc<Mutex<Vec<Instant>>>,
    most: Arc<AtomicUsize>,
}

impl Watch {
    /// Gives the answers in turn, the last one again and again, each after a moment.
    async fn with(answers: Vec<Vec<u8>>) -> Self {
        let came: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let (here, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (times, peak) = (Arc::clone(&came), Arc::clone(&most));
        // At every loopback address.
        let server = Server::scripted_at("0.0.0.0:0", move |mut stream, _| {
            let (times, here, peak) = (Arc::clone(&times), Arc::clone(&here), Arc::clone(&peak));
            let answers = answers.clone();
            async move {
                peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                read_head(&mut stream).await;
                let nth = {
                    let mut times = times.lock().unwrap();
                    times.push(Instant::now());
                    times.len() - 1
                };
                // Another that is let go at once comes in this time.
                let another = until(|| here.load(Ordering::SeqCst) > 1);
                let _ = tokio::time::timeout(Duration::from_millis(3), another).await;
                here.fetch_sub(1, Ordering::SeqCst);
                let answer = answers.get(nth).or_else(|| answers.last()).unwrap();
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        Self { server, came, most }
    }

    pub(super) async fn start() -> Self {
        Self::with(vec![ok("x")]).await
    }

    /// The times between arrivals.
    fn gaps(&self) -> Vec<Duration> {
        let came = self.came.lock().unwrap();
        came.windows(2).map(|two| two[1] - two[0]).collect()
    }

    fn whole(&self) -> Duration {
        self.gaps().iter().sum()
    }

    fn count(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

fn polite(port: u16, limits: Limits) -> (Politeness, Fetcher) {
    let politeness = Politeness::new(limits, Exempt::default());
    let fetcher = fetcher(Config {
        politeness: Some(politeness.clone()),
        ..config(port)
    });
    (politeness, fetcher)
}

pub(super) fn at(host: &str, last: u8) -> Target {
    Target {
        host: host.to_owned(),
        addresses: vec![loopback(last)],
    }
}

#[tokio::test]
async fn the_names_of_one_domain_are_asked_one_after_the_other_evenly() {
    let watch = Watch::start().await;
    let domain = bound(1, 20.0);
    let (politeness, fetcher) = polite(watch.server.port, Limits { domain, ..LIFTED });
    let fetches = (1..=8_u8).map(|n| fetcher.fetch(at(&format!("n{n}.shop.test"), n)));
    for report in join_all(fetches).await {
        assert_eq!(report.outcome(), Outcome::Ok);
    }
    assert_eq!(watch.most.load(Ordering::SeqCst), 1);
    // Seven gaps of 50 ms each, give or take what the machine does.
    assert!(
        watch.whole() >= Duration::from_millis(7 * 40),
        "{:?}",
        watch.gaps()
    );
    let bursts = watch
        .gaps()
        .iter()
        .filter(|gap| **gap < Duration::from_millis(25))
        .count();
    assert!(bursts <= 1, "{:?}", watch.gaps());
    let standing = politeness.standing();
    assert_eq!((standing.requests, standing.delayed), (8, 7));
    assert!(standing.delay >= Duration::from_millis(500));
}

#[tokio::test]
async fn two_hundred_names_at_one_address_queue_and_others_do_not_wait_for_them() {
    let (watch, other) = (Watch::start().await, Watch::start().await);
    let address = bound(4, 100.0);
    let limits = Limits { address, ..LIFTED };
    let (politeness, crowd) = polite(watch.server.port, limits);
    let lone = fetcher(Config {
        politeness: Some(politeness),
        ..config(other.server.port)
    });
    let fetches = (0..200).map(|n| {
        let (crowd, host) = (crowd.clone(), format!("shop{n}.test"));
        tokio::spawn(async move { crowd.fetch(at(&host, 1)).await.outcome() })
    });
    let fetches: Vec<_> = fetches.collect();
    assert_eq!(lone.fetch(at("lone.test", 2)).await.outcome(), Outcome::Ok);
    assert!(watch.count() < 150, "the others had to queue");
    for fetched in join_all(fetches).await {
        assert_eq!(fetched.unwrap(), Outcome::Ok);
    }
    assert!(watch.most.load(Ordering::SeqCst) <= 4);
    assert!(
        watch.whole() >= Duration::from_millis(1_700),
        "{:?}",
        watch.whole()
    );
    // No burst: of any hundred in a row each took its time.
    let came = watch.came.lock().unwrap();
    for hundred in came.windows(100) {
        assert!(hundred[99] - hundred[0] >= Duration::from_millis(700));
    }
}

#[tokio::test]
async fn different_domains_at_different_addresses_wait_for_nobody() {
    let watch = Watch::start().await;
    let limits = Limits {
        domain: bound(1, NEVER),
        address: bound(1, NEVER),
        ..LIFTED
    };
    let (politeness, fetcher) = polite(watch.server.port, limits);
    let fetches = (1..=100_u8).map(|n| fetcher.fetch(at(&format!("shop{n}.test"), n)));
    let done = tokio::time::timeout(Duration::from_secs(60), join_all(fetches)).await;
    assert!(
        done.unwrap()
            .iter()
            .all(|report| report.outcome() == Outcome::Ok)
    );
    assert_eq!(politeness.standing().requests, 100);
}

#[tokio::test]
async fn all_requests_together_keep_a_pace_too() {
    let watch = Watch::start().await;
    let (_, fetcher) = polite(
        watch.server.port,
        Limits {
            per_second: 50.0,
            ..LIFTED
        },
    );
    let fetches = (1..=20_u8).map(|n| fetcher.fetch(at(&format!("shop{n}.test"), n)));
    join_all(fetches).await;
    assert!(
        watch.whole() >= Duration::from_millis(19 * 16),
        "{:?}",
        watch.whole()
    );
}

#[tokio::test]
async fn a_site_that_says_when_to_come_back_is_left_alone_until_then_and_that_is_not_its_time() {
    let busy = answer("429 Too Many Requests", "Retry-After: 1\r\n", b"");
    let watch = Watch::with(vec![busy, ok("x")]).await;
    let politeness = Politeness::new(LIFTED, Exempt::default());
    let fetcher = fetcher(Config {
        politeness: Some(politeness.clone()),
        timeout: Duration::from_millis(500),
        ..config(watch.server.port)
    });
    let refused = fetcher.fetch(at("shop.test", 1)).await;
    assert_eq!(code(&refused), "status_429");
    let [away] = politeness.standing().backed_off.try_into().unwrap();
    assert_eq!(
        (away.whom.as_str(), away.why),
        ("shop.test", Why::TooManyRequests)
    );
    // Another name of the same domain, elsewhere, waits as well.
    let report = fetcher.fetch(at("www.shop.test", 2)).await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    assert!(
        watch.gaps()[0] >= Duration::from_millis(950),
        "{:?}",
        watch.gaps()
    );
    assert!(
        report.elapsed < Duration::from_millis(500),
        "{:?}",
        report.elapsed
    );
    assert_eq!(politeness.standing().back_offs, 1);
}

#[tokio::test]
async fn a_site_that_wants_to_be_left_alone_for_long_is_not_waited_for() {
    let later = answer("503 Service Unavailable", "Retry-After: 3600\r\n", b"");
    let watch = Watch::with(vec![later]).await;
    let (politeness, fetcher) = polite(watch.server.port, LIFTED);
    fetcher.fetch(at("shop.test", 1)).await;
    let report = fetcher.fetch(at("shop.test", 1)).await;
    assert_eq!(
        (report.reason(), code(&report)),
        (Some(Reason::Error), "BACKED_OFF")
    );
    assert_eq!(watch.count(), 1, "nothing was sent");
    let standing = politeness.standing();
    assert_eq!(standing.given_up, 1);
    let [away] = standing.backed_off.try_into().unwrap();
    assert_eq!(away.why, Why::Unavailable);
    // However long it says, it is asked again within ten minutes.
    assert!(away.left <= Duration::from_secs(600) && away.left > Duration::from_secs(500));
}

#[tokio::test]
async fn a_site_that_says_nothing_in_time_is_left_alone_for_a_while() {
    let silent = Server::scripted(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let watch = Watch::start().await;
    let politeness = Politeness::new(LIFTED, Exempt::default());
    let fetcher = |port| {
        fetcher(Config {
            politeness: Some(politeness.clone()),
            timeout: Duration::from_millis(300),
            ..config(port)
        })
    };
    let report = fetcher(silent.port).fetch(at("shop.test", 1)).await;
    assert_eq!(report.outcome(), Outcome::Timeout);
    let [away] = politeness.standing().backed_off.try_into().unwrap();
    assert_eq!((away.whom.as_str(), away.why), ("shop.test", Why::Silence));
    assert!(away.left > Duration::from_secs(1), "{:?}", away.left);
    // Another domain at its address is not, and the site itself is asked after that time and not before.
    let since = Instant::now();
    let (other, again) = (fetcher(watch.server.port), fetcher(watch.server.port));
    assert_eq!(
        other.fetch(at("other.test", 1)).await.outcome(),
        Outcome::Ok
    );
    assert_eq!(again.fetch(at("shop.test", 1)).await.outcome(), Outcome::Ok);
    let came = watch.came.lock().unwrap().clone();
    let waits: Vec<_> = came.iter().map(|at| at.duration_since(since)).collect();
    let [other, again] = waits.try_into().unwrap();
    assert!(again >= away.left - Duration::from_millis(50), "{again:?}");
    assert!(other < again);
}

#[tokio::test]
async fn redirects_take_their_turn() {
    let watch = Watch::with(vec![redirect("/a"), redirect("/b"), ok("x")]).await;
    let domain = bound(1, 20.0);
    let (_, fetcher) = polite(watch.server.port, Limits { domain, ..LIFTED });
    let report = fetcher.fetch(at("shop.test", 1)).await;
    assert_eq!((report.outcome(), report.redirects.len()), (Outcome::Ok, 2));
    let gaps = watch.gaps();
    assert!(
        gaps.iter().all(|gap| *gap >= Duration::from_millis(35)),
        "{gaps:?}"
    );
}

#[tokio::test]
async fn ones_own_servers_are_asked_without_a_limit_where_the_operator_says_so() {
    let limits = Limits {
        domain: bound(1, NEVER),
        address: bound(1, NEVER),
        per_second: NEVER,
    };
    for (exempt, own_loopback) in [
        ("shop.test", false),
        ("127.0.0.0/8", false),
        ("other.test", true),
    ] {
        let watch = Watch::start().await;
        let mut exemptions = Exempt::default();
        exemptions.add(exempt).unwrap();
        let fetcher = fetcher(Config {
            politeness: Some(Politeness::new(limits, exemptions)),
            own_loopback,
            ..config(watch.server.port)
        });
        let fetches = (0..20).map(|n| fetcher.fetch(at(&format!("n{n}.shop.test"), 1)));
        let done = tokio::time::timeout(Duration::from_secs(60), join_all(fetches)).await;
        assert!(done.is_ok(), "{exempt}");
        assert_eq!(watch.count(), 20);
    }
    for nonsense in ["", "10.0.0.0/99", "a b", "*."] {
        assert!(Exempt::default().add(nonsense).is_err(), "{nonsense}");
    }
}
