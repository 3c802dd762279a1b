//! Resolvers in bad company, counted at the sandbox's resolvers.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use sandbox::{Always, Dns, Host, ResolverScript, World};

use super::{
    super::{Outcome, Reason},
    apart::Apart,
};

/// Packets are the questions that arrive at the resolvers, the lost ones and those for the six silent and the six that
/// refuse included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_company_spoils_no_verdict_and_costs_at_most_an_eighth_more() {
    const NAMES: u32 = 20_000;
    let script = |nth| match nth % 32 {
        0..3 => ResolverScript::always(Always::Silent),
        3..6 => ResolverScript::always(Always::Refused),
        _ => ResolverScript::healthy().loss(0.05),
    };
    let world = World::scripted()
        .wildcard("live.test", Host::page(&[]))
        .wildcard("empty.test", Host::named(Dns::NoData))
        .resolvers((0..64).map(script));
    let pool = Apart::start(world).await;
    let engine = pool.engine(|config| {
        config.query_timeout = Duration::from_millis(500);
        config.attempts = 8;
        config.in_flight = 1_000;
        config.rest = Duration::from_secs(1);
    });
    let wrong: Vec<_> = stream::iter(0..NAMES)
        .map(async |nth| {
            let (zone, expected) = match nth % 5 {
                0 | 1 => ("live", Outcome::Ok),
                2 => ("empty", Outcome::Error(Reason::NoAnswer)),
                _ => ("none", Outcome::Error(Reason::Nxdomain)),
            };
            let report = engine.check(&format!("n{nth}.{zone}.test")).await;
            (report.outcome != expected).then_some(report)
        })
        .buffer_unordered(1_000)
        .filter_map(async |wrong| wrong)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} wrong: {:?}", wrong.len(), wrong[0]);
    let packets: u64 = (0..64).map(|nth| pool.sandbox.dns_packets(nth)).sum();
    let each = packets as f64 / f64::from(NAMES);
    println!("hostile pool: {packets} packets for {NAMES} names, {each:.3} a name");
    assert!(each <= 1.15, "{each} packets a name");
}
