//! The paces of domains and zones, and those that engines keep together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;

use super::{
    super::{Config, Engine, Limits, Outcome, Rate},
    addresses_only, config,
    server::Server,
    start,
};

const fn evenly(per_second: f64) -> Option<Rate> {
    Some(Rate {
        per_second,
        burst: 1,
    })
}

async fn check_all(engine: &Engine, names: impl Iterator<Item = String>) {
    let checks = names.map(async |name| engine.check(&name).await.outcome);
    for outcome in join_all(checks).await {
        assert_eq!(outcome, Outcome::Ok);
    }
}

/// Asserts that at no moment more of these had come than an even rate allows; a stalled machine only makes them later.
fn assert_even(since: Instant, arrivals: &[Instant], per_second: f64) {
    for (nth, at) in arrivals.iter().enumerate() {
        // What may be made up for, see the pace, and the millisecond of a timer.
        let elapsed = (*at - since + Duration::from_millis(12)).as_secs_f64();
        let allowed = 1.0 + per_second * elapsed;
        assert!((nth + 1) as f64 <= allowed, "{} of {allowed}", nth + 1);
    }
}

fn arrivals(server: &Server, is_meant: impl Fn(&str) -> bool) -> Vec<Instant> {
    let seen = server.seen();
    let meant = seen.iter().filter(|seen| is_meant(&seen.name));
    meant.map(|seen| seen.at).collect()
}

#[tokio::test]
async fn domains_are_begun_at_their_rate_however_many_questions_each_takes() {
    let server = Server::good().await;
    let engine = start(Config {
        domain_rate: evenly(2.0),
        ..config(&[&server])
    });
    check_all(&engine, (0..2).map(|nth| format!("n{nth}.example"))).await;
    let at: Vec<Instant> = arrivals(&server, |_| true);
    assert_eq!(at.len(), 4, "two questions a domain");
    assert!(at[2] - at[0] >= Duration::from_millis(480));
    for (first, second) in [(at[0], at[1]), (at[2], at[3])] {
        assert!(second - first < Duration::from_millis(400));
    }
}

#[tokio::test]
async fn the_servers_of_a_domain_get_their_rate_and_other_zones_do_not_wait_for_it() {
    let server = Server::good().await;
    let engine = start(Config {
        zone_rate: evenly(50.0),
        in_flight: 2,
        ..addresses_only(&[&server])
    });
    let since = Instant::now();
    let small = check_all(&engine, (0..15).map(|nth| format!("n{nth}.small.example")));
    let others = async {
        check_all(&engine, (0..15).map(|nth| format!("n{nth}.z{nth}.example"))).await;
        since.elapsed()
    };
    let ((), others) = tokio::join!(small, others);
    let of_small = arrivals(&server, |name| name.ends_with(".small.example"));
    assert_eq!((of_small.len(), server.count()), (15, 30));
    assert_even(since, &of_small, 50.0);
    let last = of_small[14] - since;
    assert!(
        last >= Duration::from_millis(250) && others < last,
        "{last:?} and {others:?}"
    );
}

#[tokio::test]
async fn the_servers_of_a_public_suffix_get_theirs() {
    let server = Server::good().await;
    let engine = start(Config {
        suffix_rate: evenly(2.0),
        ..addresses_only(&[&server])
    });
    let names = ["one.example", "two.example", "one.test"];
    check_all(&engine, names.map(str::to_owned).into_iter()).await;
    let [one, two, other] = names.map(|name| arrivals(&server, |seen| seen == name)[0]);
    assert!(two.max(one) - two.min(one) >= Duration::from_millis(480));
    // The other suffix waits for nobody.
    assert!(other - one.min(two) < Duration::from_millis(400));
}

#[tokio::test]
async fn engines_of_the_same_limits_are_together_no_faster_than_one() {
    let server = Server::good().await;
    let limits = Limits::default();
    let engine = |limits: &Limits| {
        start(Config {
            resolver_rate: evenly(100.0),
            limits: limits.clone(),
            ..addresses_only(&[&server])
        })
    };
    let (one, two) = (engine(&limits), engine(&limits));
    let since = Instant::now();
    tokio::join!(
        check_all(&one, (0..15).map(|nth| format!("a{nth}.example"))),
        check_all(&two, (0..15).map(|nth| format!("b{nth}.example"))),
    );
    let all = arrivals(&server, |_| true);
    assert_eq!(all.len(), 30);
    assert_even(since, &all, 100.0);
}

#[tokio::test]
async fn all_packets_together_have_a_rate_whatever_the_resolver_and_the_zone() {
    let (one, two) = (Server::good().await, Server::good().await);
    let engine = start(Config {
        rate: evenly(100.0),
        ..addresses_only(&[&one, &two])
    });
    let since = Instant::now();
    check_all(&engine, (0..30).map(|nth| format!("n.z{nth}.example"))).await;
    let mut all = [arrivals(&one, |_| true), arrivals(&two, |_| true)].concat();
    all.sort_unstable();
    assert_eq!(all.len(), 30);
    assert_even(since, &all, 100.0);
}

#[tokio::test]
async fn a_resolver_that_drops_much_is_asked_more_slowly_until_it_does_not() {
    let drops = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&drops);
    let server = Server::start(move |asked| {
        if state.load(Ordering::SeqCst) && asked.nth % 2 == 0 {
            return Vec::new();
        }
        vec![asked.address("192.0.2.1")]
    })
    .await;
    let engine = start(Config {
        resolver_rate: evenly(2_000.0),
        query_timeout: Duration::from_millis(20),
        attempts: 20,
        ..addresses_only(&[&server])
    });
    let pace = || engine.resolvers()[0].pace_percent;
    assert_eq!(pace(), 100);
    check_all(&engine, (0..40).map(|nth| format!("n{nth}.example"))).await;
    assert!(pace() < 60, "{}", pace());
    drops.store(false, Ordering::SeqCst);
    check_all(&engine, (0..80).map(|nth| format!("n{nth}.example"))).await;
    assert_eq!(pace(), 100);
}
