//! How far a command has come, for whoever waits.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often a line is written where nobody looks at a terminal.
const EVERY: Duration = Duration::from_secs(10);

/// The bars of works that are done at once, one below the other.
#[derive(Default)]
pub(super) struct Bars(MultiProgress);

impl Bars {
    /// Begins to show a work below the others.
    pub(super) fn begin(&self, name: &'static str) -> Shown {
        let mut shown = Shown::new(name);
        shown.bar = self.0.add(shown.bar);
        shown
    }

    /// Writes something while no bar is in its way.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

/// A bar with an estimate on a terminal; elsewhere a line on standard error every ten seconds.
pub(crate) struct Shown {
    name: &'static str,
    bar: ProgressBar,
    began: Instant,
    told: Instant,
}

impl Shown {
    /// Begins to show a work.
    pub(crate) fn new(name: &'static str) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix:>18} [{bar:40}] {pos}/{len} {elapsed}, {eta} left",
        );
        let bar = ProgressBar::new(0)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_prefix(name);
        let began = Instant::now();
        Self {
            name,
            bar,
            began,
            told: began,
        }
    }

    /// Shows that so much is done of so much, which may have become more.
    pub(crate) fn at(&mut self, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        if !self.bar.is_hidden() || self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        let line = line(self.name, done, of, self.began.elapsed());
        // Nobody need read it.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Ends the bar.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn line(name: &str, done: u64, of: u64, elapsed: Duration) -> String {
    let left = match estimate(done, of, elapsed) {
        Some(left) => format!(", some {} s left", left.as_secs()),
        None => String::new(),
    };
    format!("{name}: {done} of {of} after {} s{left}", elapsed.as_secs())
}

/// Estimates how long the rest takes, at the pace of what is done.
fn estimate(done: u64, of: u64, elapsed: Duration) -> Option<Duration> {
    let left = of.saturating_sub(done);
    let micros = elapsed
        .as_micros()
        .checked_mul(left.into())?
        .checked_div(done.into())?;
    Some(Duration::from_micros(u64::try_from(micros).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_from_what_is_done() {
        let elapsed = Duration::from_secs(30);
        let told = line("domains", 3_000, 4_000, elapsed);
        assert_eq!(told, "domains: 3000 of 4000 after 30 s, some 10 s left");
        assert_eq!(line("domains", 0, 9, elapsed), "domains: 0 of 9 after 30 s");
        assert_eq!(estimate(9, 9, elapsed), Some(Duration::ZERO));
        assert_eq!(
            estimate(1, u64::MAX, Duration::MAX),
            None,
            "too long to be told"
        );
    }
}
