//! Resolvers in bad company, and rates, counted at the sandbox's resolvers.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use sandbox::{Always, Dns, Host, ResolverScript, Sandbox, World};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Config, Engine, Outcome, Rate, Reason, Resolver},
    addresses_only,
};

/// A sandbox on a thread of its own, so that its clock is not held up by what is tested.
struct Apart {
    sandbox: Sandbox,
    _thread: tokio_util::sync::DropGuard,
}

impl Apart {
    async fn start(world: World) -> Self {
        let stop = CancellationToken::new();
        let (started, sandbox) = tokio::sync::oneshot::channel();
        let stopped = stop.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let sandbox = Sandbox::start(world).await.unwrap();
                started.send(sandbox).unwrap();
                stopped.cancelled().await;
            });
        });
        Self {
            sandbox: sandbox.await.unwrap(),
            _thread: stop.drop_guard(),
        }
    }

    fn engine(&self, change: impl FnOnce(&mut Config)) -> Engine {
        let resolvers = self.sandbox.resolvers().into_iter();
        let mut config = Config {
            resolvers: resolvers.map(Resolver::Address).collect(),
            ..addresses_only(&[])
        };
        change(&mut config);
        Engine::start(config, CancellationToken::new()).unwrap()
    }
}

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

/// The most packets of any second, its beginning counted and its end not.
fn most_in_a_second(arrivals: &[Instant]) -> usize {
    let mut first = 0;
    let count_up_to = |(last, at): (usize, &Instant)| {
        while arrivals[first] + Duration::from_secs(1) <= *at {
            first += 1;
        }
        last + 1 - first
    };
    arrivals
        .iter()
        .enumerate()
        .map(count_up_to)
        .max()
        .unwrap_or(0)
}

/// A machine under load bunches packets on their way and is late with its own timers, so the best of a few rounds counts;
/// an engine that bursts or drags does so in each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_kept_in_every_second_and_made_use_of() {
    const ROUNDS: usize = 6;
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let world = World::scripted()
            .wildcard("live.test", Host::page(&[]))
            .resolvers([ResolverScript::healthy().timed(); 2]);
        let pool = Apart::start(world).await;
        let engine = pool.engine(|config| {
            config.resolver_rate = Some(Rate {
                per_second: 500.0,
                burst: 1,
            });
        });
        let checks = (0..2_500).map(async |nth| engine.check(&format!("n{nth}.live.test")).await);
        futures::future::join_all(checks).await;
        let measured = [0, 1].map(|nth| {
            let arrivals = pool.sandbox.dns_arrivals(nth);
            let whole = arrivals[arrivals.len() - 1] - arrivals[0];
            let rate = (arrivals.len() - 1) as f64 / whole.as_secs_f64();
            (most_in_a_second(&arrivals), rate)
        });
        println!("500 a second: most in a second and on average {measured:?}");
        if measured
            .iter()
            .all(|(most, rate)| *most <= 505 && *rate >= 0.97 * 500.0)
        {
            return;
        }
        seen.push(measured);
    }
    panic!("500 a second were exceeded or not reached in each round: {seen:?}");
}
