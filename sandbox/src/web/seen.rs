//! What the web servers saw: counters and the last requests of each host, bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Requests kept of each host; older ones are only counted.
pub const KEPT_REQUESTS: usize = 16;

/// Hosts whose requests are kept; those that come later are only counted.
const MAX_DETAILED: usize = 4096;

/// Hosts that are counted one by one; those that come later count towards the total only.
const MAX_HOSTS: usize = 262_144;

/// A request as a site saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When its head had been read.
    pub at: Instant,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `HTTP/1.1`, `HTTP/2.0`, …
    pub version: String,
    /// It came over TLS.
    pub secure: bool,
    /// Header names in lower case and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// Returns the first value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct HostLog {
    requests: u64,
    open: u64,
    peak_open: u64,
    last: VecDeque<Seen>,
}

#[derive(Debug, Default)]
struct Log {
    total: u64,
    hosts: HashMap<String, HostLog>,
}

/// The record of all requests of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Log>);

/// Marks a request as under way until it is dropped.
pub(crate) struct UnderWay<'a> {
    requests: &'a Requests,
    host: String,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut log = self.requests.lock();
        if let Some(host) = log.hosts.get_mut(&self.host) {
            host.open = host.open.saturating_sub(1);
        }
    }
}

impl Requests {
    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request; it counts as under way until what is returned is dropped.
    pub(crate) fn begin(&self, host: &str, seen: impl FnOnce() -> Seen) -> UnderWay<'_> {
        let mut log = self.lock();
        log.total += 1;
        let known = log.hosts.len();
        let entry = match log.hosts.get_mut(host) {
            Some(entry) => Some(entry),
            None if known < MAX_HOSTS => Some(log.hosts.entry(host.to_owned()).or_default()),
            None => None,
        };
        if let Some(entry) = entry {
            entry.requests += 1;
            entry.open += 1;
            entry.peak_open = entry.peak_open.max(entry.open);
            if known < MAX_DETAILED || !entry.last.is_empty() {
                if entry.last.len() == KEPT_REQUESTS {
                    entry.last.pop_front();
                }
                entry.last.push_back(seen());
            }
        }
        UnderWay {
            requests: self,
            host: host.to_owned(),
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    pub(crate) fn of(&self, host: &str) -> u64 {
        self.lock().hosts.get(host).map_or(0, |log| log.requests)
    }

    pub(crate) fn open(&self, host: &str) -> u64 {
        self.lock().hosts.get(host).map_or(0, |log| log.open)
    }

    pub(crate) fn peak(&self, host: &str) -> u64 {
        self.lock().hosts.get(host).map_or(0, |log| log.peak_open)
    }

    pub(crate) fn last(&self, host: &str) -> Vec<Seen> {
        self.lock()
            .hosts
            .get(host)
            .map_or_else(Vec::new, |log| log.last.iter().cloned().collect())
    }
}
