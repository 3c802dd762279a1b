//! Rates and bounds, counted where the packets arrive.

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::{
    super::{Config, Engine, Outcome, Rate, ResolverHealth},
    addresses_only,
    server::{Act, Server},
    start,
};

async fn check_many(engine: &Engine, count: usize) {
    let names: Vec<String> = (0..count).map(|nth| format!("n{nth}.example")).collect();
    for report in join_all(names.iter().map(|name| engine.check(name))).await {
        assert_eq!(report.outcome, Outcome::Ok);
    }
}

/// Asserts that at no moment more had arrived than the rate allows since the start.
///
/// A machine that stalls only makes packets later, never too many.
fn assert_paced(since: Instant, mut arrivals: Vec<Instant>, rate: Rate) {
    // The millisecond of a timer.
    let slack = rate.per_second / 1_000.0 + 0.5;
    arrivals.sort();
    for (nth, at) in arrivals.into_iter().enumerate() {
        let count = (nth + 1) as f64;
        let elapsed = at.duration_since(since).as_secs_f64();
        let allowed = f64::from(rate.burst) + rate.per_second * elapsed + slack;
        assert!(
            count <= allowed,
            "{count} packets where {allowed} were allowed"
        );
    }
}

#[tokio::test]
async fn the_engine_keeps_its_rate_and_its_burst() {
    let rate = Rate {
        per_second: 200.0,
        burst: 5,
    };
    let one = Server::good().await;
    let two = Server::good().await;
    let engine = start(Config {
        rate: Some(rate),
        ..addresses_only(&[&one, &two])
    });
    let since = Instant::now();
    check_many(&engine, 65).await;
    let elapsed = since.elapsed();
    assert!(
        elapsed >= Duration::from_millis(295),
        "{elapsed:?} for 60 packets at 200/s"
    );
    let arrivals: Vec<Instant> = one
        .seen()
        .iter()
        .chain(&two.seen())
        .map(|seen| seen.at)
        .collect();
    assert_eq!(arrivals.len(), 65);
    assert_paced(since, arrivals, rate);
}

#[tokio::test]
async fn each_resolver_keeps_its_own_rate() {
    let rate = Rate {
        per_second: 100.0,
        burst: 1,
    };
    let one = Server::good().await;
    let two = Server::good().await;
    let engine = start(Config {
        resolver_rate: Some(rate),
        ..addresses_only(&[&one, &two])
    });
    let since = Instant::now();
    check_many(&engine, 60).await;
    let elapsed = since.elapsed();
    assert!(
        elapsed >= Duration::from_millis(285),
        "{elapsed:?} for 30 packets each at 100/s"
    );
    for server in [&one, &two] {
        let arrivals: Vec<Instant> = server.seen().iter().map(|seen| seen.at).collect();
        assert_eq!(arrivals.len(), 30);
        assert_paced(since, arrivals, rate);
    }
}

#[tokio::test]
async fn resolvers_do_not_wait_for_each_others_rate() {
    let one = Server::good().await;
    let two = Server::good().await;
    let engine = start(Config {
        resolver_rate: Some(Rate {
            per_second: 2.0,
            burst: 1,
        }),
        ..addresses_only(&[&one, &two])
    });
    check_many(&engine, 2).await;
    let (first, second) = (one.seen()[0].at, two.seen()[0].at);
    let apart = first.max(second) - first.min(second);
    assert!(apart < Duration::from_millis(400), "{apart:?}");
}

#[tokio::test]
async fn retries_are_paced_like_anything_else() {
    let server = Server::silent().await;
    let rate = Rate {
        per_second: 100.0,
        burst: 1,
    };
    let engine = start(Config {
        rate: Some(rate),
        query_timeout: Duration::from_millis(5),
        ..addresses_only(&[&server])
    });
    let names: Vec<String> = (0..10).map(|nth| format!("n{nth}.example")).collect();
    let since = Instant::now();
    join_all(names.iter().map(|name| engine.check(name))).await;
    let arrivals: Vec<Instant> = server.seen().iter().map(|seen| seen.at).collect();
    assert_eq!(arrivals.len(), 30);
    assert_paced(since, arrivals, rate);
}

#[tokio::test]
async fn no_more_queries_are_in_flight_than_allowed() {
    let slow = |asked: &super::server::Asked| {
        let bytes = asked.with_address("192.0.2.1").to_vec().unwrap();
        vec![Act::SendAfter(Duration::from_millis(10), bytes)]
    };
    let server = Server::start(slow).await;
    let engine = start(Config {
        in_flight: 7,
        ..addresses_only(&[&server])
    });
    check_many(&engine, 70).await;
    assert_eq!(server.most_unanswered(), 7);
    let ResolverHealth {
        sent,
        in_flight,
        tally,
        ..
    } = engine.resolvers().remove(0);
    assert_eq!((sent, in_flight, tally.answered), (70, 0, 70));
}

#[tokio::test]
async fn a_domain_waits_before_its_first_query_and_that_is_no_part_of_its_time() {
    let server = Server::good().await;
    let least = Duration::from_millis(40);
    let engine = start(Config {
        delay: Some((least, Duration::from_millis(60))),
        ..addresses_only(&[&server])
    });
    let since = Instant::now();
    let report = engine.check("example.com").await;
    let whole = since.elapsed();
    let arrival = server.seen()[0].at.duration_since(since);
    assert!(arrival >= least, "{arrival:?}");
    // However slow the machine is, what was waited lies between the two.
    assert!(
        report.elapsed + least <= whole,
        "{:?} of {whole:?}",
        report.elapsed
    );
}

#[tokio::test]
async fn what_a_check_waits_for_its_turn_is_counted() {
    let ms = Duration::from_millis;
    let server = Server::good().await;
    let slow = Rate {
        per_second: 5.0,
        burst: 1,
    };
    let none = addresses_only(&[&server]);
    let delayed = Config {
        delay: Some((ms(200), ms(200))),
        ..none.clone()
    };
    let paced = Config {
        rate: Some(slow),
        ..none.clone()
    };
    let paced_each = Config {
        resolver_rate: Some(slow),
        ..none.clone()
    };
    for (config, least) in [
        (none, Duration::ZERO),
        (delayed, ms(190)),
        // The first packet takes the turn at the start, the second the next.
        (paced, ms(150)),
        (paced_each, ms(150)),
    ] {
        let engine = start(config);
        let waits = crate::Waits::default();
        let since = Instant::now();
        engine.check_counting("example.com", &waits).await;
        engine.check_counting("example.com", &waits).await;
        let waited = waits.ended().unwrap();
        assert!(waited >= least && waited <= since.elapsed(), "{waited:?}");
    }
}

#[tokio::test]
async fn what_a_check_waits_for_a_place_among_the_queries_in_flight_is_counted() {
    // The answer to one takes long, and the other comes after it.
    let answered_after = Duration::from_millis(200);
    let server = Server::start(move |asked| {
        let bytes = asked.with_address("192.0.2.1").to_vec().unwrap();
        vec![Act::SendAfter(answered_after, bytes)]
    })
    .await;
    let engine = start(Config {
        in_flight: 1,
        query_timeout: Duration::from_secs(10),
        ..addresses_only(&[&server])
    });
    let (first, second) = (crate::Waits::default(), crate::Waits::default());
    let since = Instant::now();
    futures::join!(
        engine.check_counting("one.example", &first),
        engine.check_counting("two.example", &second)
    );
    let whole = since.elapsed();
    let [first, second] = [first, second].map(|waits| waits.ended().unwrap());
    assert!(first < second, "{first:?} and {second:?}");
    assert!(
        second >= answered_after - Duration::from_millis(10) && second <= whole,
        "{second:?} of {whole:?}"
    );
}
