//! Names per second on one core, beside the least that making a text of a number can cost.
//!
//! The yardstick writes a counter of as many digits as a name has letters into one buffer that is used again: what
//! generates names does more (a charset, a fixed part, a top-level domain), so the ratio says what that costs. Both run in
//! turns. `cargo bench -p aggregates`
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    fmt::Write as _,
    hint::black_box,
    time::{Duration, Instant},
};

use aggregates::names::{Kind, Pattern, Spec};

const NAMES: u64 = 10_000_000;
const ROUNDS: usize = 5;
/// Names a second on one core.
const GOAL: f64 = 10e6;
/// `abcdeshop.com`.
const LENGTH: usize = 13;

fn main() {
    let pattern = Pattern::parse(Spec {
        kind: Kind::Prefix,
        constant: "shop".to_owned(),
        prefix_length: 5,
        charset: "abcdefghijklmnopqrstuvwxyz".to_owned(),
        tlds: vec!["com".to_owned()],
        ..Spec::default()
    })
    .unwrap();
    let mut ratios = Vec::new();
    let (mut generated, mut counted) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (names, yardstick) = (per_second(|| generate(&pattern)), per_second(count));
        generated.push(names);
        counted.push(yardstick);
        ratios.push(names / yardstick);
    }
    let names = median(generated);
    println!(
        "names: {:.1} M names/s a core (goal {:.0} M, {}); a counter written as text {:.1} M/s; ratio {:.2}",
        names / 1e6,
        GOAL / 1e6,
        if names >= GOAL { "met" } else { "missed" },
        median(counted) / 1e6,
        median(ratios),
    );
}

/// Runs something that makes [`NAMES`] texts of [`LENGTH`] bytes.
fn per_second(make: impl FnOnce() -> usize) -> f64 {
    let begun = Instant::now();
    let bytes = make();
    let taken: Duration = begun.elapsed();
    assert_eq!(bytes, usize::try_from(NAMES).unwrap() * LENGTH);
    NAMES as f64 / taken.as_secs_f64()
}

fn generate(pattern: &Pattern) -> usize {
    let mut names = pattern.names(0, NAMES);
    let mut bytes = 0;
    while let Some(step) = names.step() {
        bytes += black_box(step.name).map_or(0, str::len);
    }
    bytes
}

fn count() -> usize {
    let mut text = String::with_capacity(LENGTH);
    let mut bytes = 0;
    for nth in 0..NAMES {
        text.clear();
        write!(text, "{nth:013}").unwrap();
        bytes += black_box(&text).len();
    }
    bytes
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
