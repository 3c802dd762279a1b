//! The fetchers of checks: one for each time that a check may take, all with the same word of the operator's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use event_store::describe;
use tokio::{
    sync::{OnceCell, Semaphore},
    task::spawn_blocking,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use validation::{dns, http};

use crate::{
    commands::pin::Defaults,
    work::extraction::{self, Names},
};

/// Checks of one process at once.
const AT_ONCE: usize = 64;

/// The fetchers of a process's checks. Cheap to clone; built when the first check needs them.
#[derive(Clone)]
pub struct Fetchers(Arc<Shared>);

struct Shared {
    names: OnceCell<Arc<Names>>,
    by_timeout: Mutex<HashMap<Duration, http::Fetcher>>,
    permits: Semaphore,
    cancel: CancellationToken,
    _end: DropGuard,
}

impl Default for Fetchers {
    fn default() -> Self {
        let cancel = CancellationToken::new();
        Self(Arc::new(Shared {
            names: OnceCell::new(),
            by_timeout: Mutex::default(),
            permits: Semaphore::new(AT_ONCE),
            _end: cancel.clone().drop_guard(),
            cancel,
        }))
    }
}

impl Fetchers {
    /// Returns what bounds checks: each holds a permit while it is under way.
    pub(super) fn permits(&self) -> &Semaphore {
        &self.0.permits
    }

    /// Returns the fetcher of checks that may take so long.
    ///
    /// # Errors
    /// Says why none can be built on this machine.
    pub(super) async fn of(
        &self,
        timeout: Duration,
        defaults: &Defaults,
    ) -> Result<http::Fetcher, String> {
        let known = || {
            self.0
                .by_timeout
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(fetcher) = known().get(&timeout) {
            return Ok(fetcher.clone());
        }
        let names = self.names(defaults).await?;
        let mut config = extraction::config(&defaults.http, &defaults.network)?;
        config.timeout = timeout;
        // A check is of the proxy, and of no rule for many pages.
        config.rate = None;
        // The page is one that the operator named for this.
        config.politeness = None;
        let resolver: Arc<dyn http::Resolve> = names;
        let built = spawn_blocking(move || http::Fetcher::new(config, resolver)).await;
        let fetcher = built
            .map_err(|error| error.to_string())?
            .map_err(|error| describe(&error))?;
        known().insert(timeout, fetcher.clone());
        Ok(fetcher)
    }

    async fn names(&self, defaults: &Defaults) -> Result<Arc<Names>, String> {
        let start = || async {
            let config = extraction::names_config(&defaults.dns, &defaults.network)?;
            let cancel = self.0.cancel.child_token();
            let started = spawn_blocking(move || dns::Engine::start(config, cancel)).await;
            let engine = started
                .map_err(|error| error.to_string())?
                .map_err(|error| describe(&error))?;
            Ok(Arc::new(Names(engine)))
        };
        self.0.names.get_or_try_init(start).await.cloned()
    }
}
