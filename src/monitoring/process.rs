//! What the process takes of the machine, where the system tells in `/proc` (proc(5)).

use std::fs;

use rustix::param;

/// The fields of `/proc/self/stat` after the name in parentheses: `utime` and `stime`, counted from `state` as 0.
const UTIME: usize = 11;

/// What the process takes of the machine; absent where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Resident memory, bytes.
    pub memory: Option<u64>,
    /// Processor time, user and system, seconds.
    pub cpu_seconds: Option<f64>,
}

impl Process {
    /// Asks the system.
    #[must_use]
    pub fn now() -> Self {
        let read = |file| fs::read_to_string(file).ok();
        Self {
            memory: read("/proc/self/statm").and_then(|text| memory(&text)),
            cpu_seconds: read("/proc/self/stat").and_then(|text| cpu_seconds(&text)),
        }
    }
}

fn memory(statm: &str) -> Option<u64> {
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(param::page_size()).ok()?)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ticks of a process are far below 2^52"
)]
fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name may have spaces and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(UTIME);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some((user + system) as f64 / param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_a_name_with_parentheses() {
        let fields = "S 1 1 1 0 -1 4194560 10 0 0 0 250 50 0 0 20 0";
        let stat = format!("42 (a (b) c) {fields}");
        let ticks = f64::from(u32::try_from(param::clock_ticks_per_second()).unwrap());
        assert_eq!(cpu_seconds(&stat), Some(300.0 / ticks));
        assert_eq!(cpu_seconds("42 (a) S"), None);
        let pages = u64::try_from(param::page_size()).unwrap();
        assert_eq!(memory("100 7 3 0 0 0 0"), Some(7 * pages));
    }
}
