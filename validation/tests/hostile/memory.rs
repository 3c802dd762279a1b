//! The peak of the process's resident memory, as the kernel keeps it.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whoever measures; others would be measured with him.
static MEASURED: Mutex<()> = Mutex::new(());

/// Waits until nobody else measures.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    MEASURED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the peak back to what is in use now. Tells whether that can be had: where there is no `/proc`, it cannot.
pub(crate) fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok() && peak().is_some()
}

/// Reads the peak, bytes.
pub(crate) fn peak() -> Option<usize> {
    field("VmHWM:")
}

/// Reads what is in use now, bytes.
pub(crate) fn current() -> Option<usize> {
    field("VmRSS:")
}

fn field(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
