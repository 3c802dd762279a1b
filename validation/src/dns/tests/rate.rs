//! A rate towards resolvers, measured in every second of a run at the sockets that receive.
//!
//! A noisy machine must not be taken for a sloppy engine, nor an engine be excused by it. So moments are those at which the
//! engine's system calls sent the packets, by the kernel's clock, whenever the resolvers get a turn to read them; and the
//! engine has one thread, on which a metronome tells when that thread got no turn. No second may have more than the rate
//! and a hundredth, whatever the machine does. It has to be made use of in each second for as long as there were turns.

use std::time::{Duration, Instant};

use sandbox::{Host, ResolverScript, World};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{super::Rate, apart::Apart};

const SECOND: Duration = Duration::from_secs(1);
/// Packets a second.
const RATE: f64 = 500.0;
/// What of it is to be made use of.
const USED: f64 = 0.97;
/// The most packets of a second.
const MOST: usize = 505;

/// How often the metronome ticks.
const TICK: Duration = Duration::from_millis(1);
/// Time without a tick that the engine makes up for by itself; longer ones are the machine's.
const SHORT: Duration = Duration::from_millis(6);

/// Times during which a thread got no turn, in their order.
struct Stalls(Vec<(Instant, Instant)>);

impl Stalls {
    /// Looks for them until the token is cancelled.
    async fn watch(over: CancellationToken) -> Self {
        let mut stalls = Vec::new();
        let mut last = Instant::now();
        while !over.is_cancelled() {
            sleep(TICK).await;
            let now = Instant::now();
            if now - last > SHORT {
                stalls.push((last, now));
            }
            last = now;
        }
        Self(stalls)
    }

    /// Gives how much of the second from a moment on was lost to them.
    fn within_a_second(&self, from: Instant) -> Duration {
        let overlap = |(began, ended): &(Instant, Instant)| {
            let ended = (*ended).min(from + SECOND);
            ended.saturating_duration_since((*began).max(from))
        };
        self.0.iter().map(overlap).sum()
    }
}

/// The most packets of any second, its beginning counted and its end not.
fn most_in_a_second(arrivals: &[Instant]) -> usize {
    let mut first = 0;
    let count_up_to = |(last, at): (usize, &Instant)| {
        while arrivals[first] + SECOND <= *at {
            first += 1;
        }
        last + 1 - first
    };
    let counts = arrivals.iter().enumerate().map(count_up_to);
    counts.max().unwrap_or(0)
}

/// The seconds that are made too little use of: how many packets each had, and how much of it was lost to stalls. The seconds
/// that begin behind a packet and end before one have the fewest.
fn unused_seconds(arrivals: &[Instant], stalls: &Stalls) -> Vec<(usize, Duration)> {
    let last = arrivals[arrivals.len() - 1];
    let whole = arrivals.iter().enumerate();
    whole
        .take_while(|(_, from)| **from + SECOND <= last)
        .filter_map(|(at, from)| {
            let end = arrivals.partition_point(|arrival| *arrival < *from + SECOND);
            let (count, stalled) = (end - at - 1, stalls.within_a_second(*from));
            let turns = SECOND.saturating_sub(stalled).as_secs_f64();
            ((count as f64) < (USED * RATE * turns).floor()).then_some((count, stalled))
        })
        .collect()
}

#[tokio::test]
async fn a_rate_is_kept_in_every_second_and_made_use_of_in_every_second() {
    let world = World::scripted()
        .wildcard("live.test", Host::page(&[]))
        .resolvers([ResolverScript::healthy().timed(); 2]);
    let pool = Apart::start(world).await;
    let engine = pool.engine(|config| {
        config.resolver_rate = Some(Rate {
            per_second: RATE,
            burst: 1,
        });
    });
    let over = CancellationToken::new();
    let stalls = tokio::spawn(Stalls::watch(over.clone()));
    let checks = (0..5_000).map(async |nth| engine.check(&format!("n{nth}.live.test")).await);
    futures::future::join_all(checks).await;
    over.cancel();
    let stalls = stalls.await.unwrap();
    for resolver in [0, 1] {
        let arrivals = pool.sandbox.dns_arrivals(resolver);
        assert!(arrivals.is_sorted());
        let most = most_in_a_second(&arrivals);
        let unused = unused_seconds(&arrivals, &stalls);
        println!(
            "500 a second: {} packets, {most} in the fullest second, {} stalls",
            arrivals.len(),
            stalls.0.len()
        );
        assert!(most <= MOST, "{most} in one second");
        assert!(
            unused.is_empty(),
            "{} seconds: {:?}",
            unused.len(),
            unused[0]
        );
        assert!(arrivals.len() >= 2_000, "seconds to measure");
    }
}
