//! What is read when somebody asks.

use std::time::Instant;

use metrics::{counter, gauge};
use sqlx::PgPool;
use validation::{http::Politeness, suppression::Suppression};

use super::{
    Process, Status,
    names::{
        BACK_OFFS, BACKED_OFF, BUILD, CPU_SECONDS, DATABASE_UP, FOLLOWER_AGE, FOLLOWER_BEHIND,
        FOLLOWER_HALTED, GIVEN_UP, LOG_POSITION, MEMORY, MIGRATED, ORDERS, POLITE_DELAYED,
        POLITE_REQUESTS, POOL_CONNECTIONS, POOL_MOST, STANDSTILLS, STREAM_MESSAGES, STREAMS,
        SUPPRESSED, UNSEQUENCED, UNSEQUENCED_AGE, UPTIME,
    },
};

/// What a process keeps that is read when somebody asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// The connections to the database.
    pub(super) pool: &'a PgPool,
    /// How often sites are asked.
    pub(super) politeness: &'a Politeness,
    /// Whom nothing is sent to.
    pub(super) suppression: &'a Suppression,
    /// Streams that are open.
    pub(super) streams: usize,
    /// Messages that streams were sent.
    pub(super) messages: u64,
    /// When the server began.
    pub(super) started: Instant,
}

/// Puts everything beside what was counted.
pub(super) fn set(status: &Status, sources: &Sources<'_>) {
    of_status(status);
    of_process(sources);
    let standing = sources.politeness.standing();
    counter!(POLITE_REQUESTS).absolute(standing.requests);
    counter!(POLITE_DELAYED).absolute(standing.delayed);
    counter!(BACK_OFFS).absolute(standing.back_offs);
    counter!(GIVEN_UP).absolute(standing.given_up);
    counter!(SUPPRESSED).absolute(sources.suppression.counted());
    gauge!(BACKED_OFF).set(number(standing.left_alone));
    gauge!(STREAMS).set(number(sources.streams));
    counter!(STREAM_MESSAGES).absolute(sources.messages);
}

fn of_status(status: &Status) {
    gauge!(DATABASE_UP).set(flag(status.unreachable.is_none()));
    gauge!(MIGRATED).set(flag(status.migrated));
    gauge!(STANDSTILLS).set(number(status.standstills.len()));
    let orders = status.orders;
    for (state, orders) in [
        ("waiting", orders.waiting),
        ("resting", orders.resting),
        ("leased", orders.leased),
        ("expired", orders.expired),
    ] {
        gauge!(ORDERS, "state" => state).set(signed(orders));
    }
    let Some(lag) = &status.lag else { return };
    gauge!(LOG_POSITION).set(unsigned(lag.head.get()));
    for follower in &lag.followers {
        let name = follower.name;
        let (behind, age) = (unsigned(follower.behind), follower.age.as_secs_f64());
        if name == replay::SEQUENCER {
            gauge!(UNSEQUENCED).set(behind);
            gauge!(UNSEQUENCED_AGE).set(age);
            continue;
        }
        gauge!(FOLLOWER_BEHIND, "projection" => name).set(behind);
        gauge!(FOLLOWER_AGE, "projection" => name).set(age);
        gauge!(FOLLOWER_HALTED, "projection" => name).set(flag(follower.halted.is_some()));
    }
}

fn of_process(sources: &Sources<'_>) {
    let Process {
        memory,
        cpu_seconds,
    } = Process::now();
    if let Some(memory) = memory {
        gauge!(MEMORY).set(unsigned(memory));
    }
    if let Some(seconds) = cpu_seconds {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds of a process, none of them negative"
        )]
        counter!(CPU_SECONDS).absolute(seconds as u64);
    }
    let (all, idle) = (sources.pool.size(), sources.pool.num_idle());
    let used = number(
        usize::try_from(all)
            .unwrap_or(usize::MAX)
            .saturating_sub(idle),
    );
    gauge!(POOL_CONNECTIONS, "state" => "idle").set(number(idle));
    gauge!(POOL_CONNECTIONS, "state" => "used").set(used);
    gauge!(POOL_MOST).set(f64::from(sources.pool.options().get_max_connections()));
    gauge!(UPTIME).set(sources.started.elapsed().as_secs_f64());
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

const fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers are shown as floating point, and none comes near 2^52"
)]
const fn unsigned(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "as above")]
const fn number(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "as above")]
const fn signed(n: i64) -> f64 {
    n as f64
}
