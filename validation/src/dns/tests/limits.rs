//! The paces of domains and zones, and those that engines keep together.

use std::time::{Duration, Instant};

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
        domain_rate: evenly(100.0),
        ..config(&[&server])
    });
    let since = Instant::now();
    check_all(&engine, (0..30).map(|nth| format!("n{nth}.example"))).await;
    let elapsed = since.elapsed();
    let firsts: Vec<Instant> = (0..30)
        .map(|nth| arrivals(&server, |name| name == format!("n{nth}.example"))[0])
        .collect();
    assert_eq!(server.count(), 60, "two questions a domain");
    assert!(elapsed >= Duration::from_millis(280), "{elapsed:?}");
    assert_even(since, &firsts, 100.0);
    // Counted as questions, sixty would take twice as long: the bound is wide for a slow machine.
    assert!(elapsed < Duration::from_millis(550), "{elapsed:?}");
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
        suffix_rate: evenly(50.0),
        ..addresses_only(&[&server])
    });
    let since = Instant::now();
    let both = (0..10).flat_map(|nth| [format!("n{nth}.example"), format!("n{nth}.test")]);
    check_all(&engine, both).await;
    for suffix in [".example", ".test"] {
        assert_even(
            since,
            &arrivals(&server, |name| name.ends_with(suffix)),
            50.0,
        );
    }
    let all = arrivals(&server, |_| true);
    let ahead = all
        .iter()
        .enumerate()
        .any(|(nth, at)| nth as f64 > 2.0 + 75.0 * (*at - since).as_secs_f64());
    assert!(ahead, "the two were paced as one");
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
