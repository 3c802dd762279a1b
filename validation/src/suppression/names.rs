//! Names, found by the names below them.

use std::collections::HashMap;

use uuid::Uuid;

/// Names in lower case, each with what is kept of it.
#[derive(Clone, Debug)]
pub(super) struct Names<T>(HashMap<Box<str>, (T, Uuid)>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Copy> Names<T> {
    pub(super) fn insert(&mut self, name: String, kept: T, id: Uuid) {
        self.0.insert(name.into_boxed_str(), (kept, id));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds a name or the nearest one above it: a look-up a label.
    pub(super) fn find(&self, name: &str) -> Option<(T, Uuid)> {
        if self.is_empty() {
            return None;
        }
        let lower = name.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = lower.as_str();
        loop {
            if let Some(found) = self.0.get(rest) {
                return Some(*found);
            }
            (_, rest) = rest.split_once('.')?;
        }
    }
}
