//! Which resolver gets how much, in health and in sickness.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hickory_proto::op::ResponseCode;

use super::{
    super::{Condition, Config, Engine, Outcome, Reason, Resolver, Strategy},
    DEADLINE, addresses_only,
    server::Server,
    start,
};

async fn three() -> [Server; 3] {
    [
        Server::good().await,
        Server::good().await,
        Server::good().await,
    ]
}

async fn check_in_turn(engine: &Engine, count: usize) {
    for nth in 0..count {
        let report = engine.check(&format!("n{nth}.example")).await;
        assert_eq!(report.outcome, Outcome::Ok, "{report:?}");
    }
}

fn counts(servers: &[Server; 3]) -> [usize; 3] {
    servers.each_ref().map(Server::count)
}

#[tokio::test]
async fn round_robin_gives_each_the_same() {
    let servers = three().await;
    let engine = start(addresses_only(&servers.each_ref()));
    check_in_turn(&engine, 300).await;
    assert_eq!(counts(&servers), [100, 100, 100]);
}

#[tokio::test]
async fn random_gives_each_about_the_same_in_no_order() {
    let servers = three().await;
    let engine = start(Config {
        strategy: Strategy::Random,
        ..addresses_only(&servers.each_ref())
    });
    check_in_turn(&engine, 300).await;
    // Five standard deviations are 41.
    assert!(
        counts(&servers)
            .iter()
            .all(|count| (59..=141).contains(count)),
        "{:?}",
        counts(&servers)
    );
    assert_ne!(
        counts(&servers),
        [100, 100, 100],
        "one chance in six hundred, else it takes turns"
    );
}

#[tokio::test]
async fn weighted_gives_each_its_share_and_none_to_the_reserve() {
    let servers = three().await;
    let weights = servers
        .each_ref()
        .map(|server| Resolver::Address(server.address));
    let engine = start(Config {
        strategy: Strategy::Weighted,
        weights: HashMap::from_iter(weights.into_iter().zip([1, 4, 0])),
        ..addresses_only(&servers.each_ref())
    });
    check_in_turn(&engine, 500).await;
    let [one, four, none] = counts(&servers);
    // Five standard deviations are 45.
    assert!(
        (55..=145).contains(&one) && one + four == 500 && none == 0,
        "{one} {four} {none}"
    );
}

#[tokio::test]
async fn priority_goes_to_the_preferred_alone() {
    let servers = three().await;
    let engine = start(Config {
        strategy: Strategy::Priority,
        preferred_order: vec![Resolver::Address(servers[2].address)],
        ..addresses_only(&servers.each_ref())
    });
    check_in_turn(&engine, 50).await;
    assert_eq!(counts(&servers), [0, 0, 50]);
}

#[tokio::test]
async fn every_strategy_goes_on_without_a_resolver_that_refuses() {
    for strategy in [
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::Weighted,
        Strategy::Priority,
    ] {
        let refusing = Server::always(ResponseCode::Refused).await;
        let good = Server::good().await;
        let other = Server::good().await;
        let engine = start(Config {
            strategy,
            rest: Duration::from_secs(60),
            ..addresses_only(&[&refusing, &good, &other])
        });
        check_in_turn(&engine, 200).await;
        assert_eq!(
            refusing.count(),
            5,
            "{strategy:?}: five failures of its own, then rest"
        );
        assert_eq!(good.count() + other.count(), 200);
        let health = engine.resolvers();
        assert_eq!(health[0].condition, Condition::Resting);
        assert_eq!((health[0].tally.failed, health[0].tally.rested), (5, 1));
        assert_eq!(health[1].condition, Condition::Healthy);
        if strategy == Strategy::RoundRobin {
            assert!(
                good.count().abs_diff(other.count()) <= 6,
                "the turn is shared by those left"
            );
        }
    }
}

#[tokio::test]
async fn a_rested_resolver_is_tried_with_one_query_and_comes_back() {
    let ill = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&ill);
    let first = Server::start(move |asked| {
        if state.load(Ordering::SeqCst) {
            vec![asked.code(ResponseCode::ServFail)]
        } else {
            vec![asked.address("192.0.2.1")]
        }
    })
    .await;
    let second = Server::good().await;
    let engine = start(Config {
        strategy: Strategy::Priority,
        ..addresses_only(&[&first, &second])
    });
    let condition = || engine.resolvers()[0].condition;
    check_in_turn(&engine, 5).await;
    assert_eq!(condition(), Condition::Resting);
    // Ill still at its first trial: it rests again.
    let since = Instant::now();
    while engine.resolvers()[0].tally.rested < 2 {
        assert!(since.elapsed() < DEADLINE, "it was never tried");
        check_in_turn(&engine, 1).await;
    }
    assert_eq!(first.count(), 6, "five failures and one trial");
    ill.store(false, Ordering::SeqCst);
    while condition() != Condition::Healthy {
        assert!(since.elapsed() < DEADLINE, "it never came back");
        check_in_turn(&engine, 1).await;
    }
    let before = second.count();
    check_in_turn(&engine, 20).await;
    assert_eq!(
        second.count(),
        before,
        "the preferred one has all of it again"
    );
}

#[tokio::test]
async fn no_such_name_is_a_success_of_the_resolver() {
    let server = Server::always(ResponseCode::NXDomain).await;
    let other = Server::always(ResponseCode::NXDomain).await;
    let engine = start(addresses_only(&[&server, &other]));
    for nth in 0..100 {
        let report = engine.check(&format!("n{nth}.example")).await;
        assert_eq!(report.outcome, Outcome::Error(Reason::Nxdomain));
    }
    for health in engine.resolvers() {
        assert_eq!(health.condition, Condition::Healthy);
        assert_eq!((health.tally.answered, health.tally.failed), (50, 0));
    }
}

#[tokio::test]
async fn zones_that_nobody_can_resolve_do_not_cost_a_good_resolver_its_place() {
    let script = |asked: &super::server::Asked| {
        if asked.name().ends_with("broken.example") {
            vec![asked.code(ResponseCode::ServFail)]
        } else {
            vec![asked.address("192.0.2.1")]
        }
    };
    let one = Server::start(script).await;
    let two = Server::start(script).await;
    let engine = start(addresses_only(&[&one, &two]));
    for nth in 0..40 {
        let broken = engine.check(&format!("n{nth}.broken.example")).await;
        assert_eq!(broken.outcome, Outcome::Error(Reason::Servfail));
        check_in_turn(&engine, 2).await;
    }
    for health in engine.resolvers() {
        assert_eq!(
            (health.condition, health.tally.rested),
            (Condition::Healthy, 0)
        );
    }
}

#[tokio::test]
async fn when_all_rest_the_engine_goes_on_with_what_it_has() {
    let server = Server::always(ResponseCode::Refused).await;
    let engine = start(Config {
        rest: Duration::from_secs(60),
        ..addresses_only(&[&server])
    });
    for nth in 0..10 {
        let report = engine.check(&format!("n{nth}.example")).await;
        assert_eq!(report.outcome, Outcome::Error(Reason::Refused));
    }
    assert_eq!(engine.resolvers()[0].condition, Condition::Resting);
    assert_eq!(server.count(), 30);
}
