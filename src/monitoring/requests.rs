//! What became of requests, by operation.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::names::{REQUEST_SECONDS, REQUESTS};

/// Requests of a process by operation, of which there are as many as the interface has.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<(String, String), OfOperation>>);

/// What became of the requests of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfOperation {
    /// How many were answered.
    pub answered: u64,
    /// Those of them that were refused (4xx).
    pub refused: u64,
    /// Those of them that failed (5xx).
    pub failed: u64,
    /// How long they took to the heads of their answers, all together.
    pub taken: Duration,
    /// The longest of that.
    pub longest: Duration,
}

impl Requests {
    /// Counts a request in: its method, the template of its path, the status of its answer, and how long that took.
    pub(crate) fn count(&self, method: &str, path: &str, status: u16, taken: Duration) {
        let operation = [
            ("method", method.to_owned()),
            ("path", path.to_owned()),
            ("status", status.to_string()),
        ];
        metrics::counter!(REQUESTS, &operation).increment(1);
        let operation = [("method", method.to_owned()), ("path", path.to_owned())];
        metrics::histogram!(REQUEST_SECONDS, &operation).record(taken.as_secs_f64());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (method.to_owned(), path.to_owned());
        let of = known.entry(key).or_default();
        of.answered += 1;
        of.refused += u64::from((400..500).contains(&status));
        of.failed += u64::from(status >= 500);
        of.taken += taken;
        of.longest = of.longest.max(taken);
    }

    /// Lists what became of them: method, path, and how many.
    #[must_use]
    pub fn by_operation(&self) -> Vec<(String, String, OfOperation)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter();
        all.map(|((method, path), of)| (method.clone(), path.clone(), *of))
            .collect()
    }
}
