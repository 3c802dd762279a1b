//! The network engines of runs: built once from what a run has pinned, shared by its orders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aggregates::{
    campaign::{Pinned, Proxies, TakenRun},
    ids::{CampaignId, RunId},
};
use event_store::{Database, describe};
use tokio::{sync::OnceCell, task::spawn_blocking, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use ::validation::{http, suppression::Held};

use super::{Network, extraction, order_size::crawls, proxies, validation};

/// Runs whose engines are kept at most, unless more are worked with at once; the one that was used longest ago goes first.
const KEPT: usize = 32;

/// How long engines are kept that nobody works with: their run is over, paused, or other nodes do its work. The expressions
/// of one run may take 64 MiB, so this does not wait until there are [`KEPT`]; they go when the next ones are
/// asked for.
const RESTED: Duration = Duration::from_secs(120);

/// How long engines wait for the suppression list of a process that has just begun.
const LIST_WAIT: Duration = Duration::from_secs(30);

/// What an order of a run works with.
pub(super) struct Kit {
    pub(super) engine: Engine,
    /// Whether one order of the run at a time is as much as its pace bears.
    pub(super) crawls: bool,
    /// The runs of other campaigns whose results are taken over.
    pub(super) taken: Vec<TakenRun>,
}

/// The engine of a phase.
#[expect(
    clippy::large_enum_variant,
    reason = "there are at most as many as runs are kept, behind an `Arc` each"
)]
pub(super) enum Engine {
    /// Names are computed; nothing is needed but what was pinned.
    Pure(Pinned),
    /// DNS.
    Dns(::validation::dns::Engine),
    /// HTTP and keywords.
    Http(extraction::Kit),
}

/// Why a run's engines could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum KitError {
    /// The database failed.
    #[error("cannot read what the run works with")]
    Database(#[from] sqlx::Error),
    /// The run is not the last of its phase any more.
    #[error("the run was superseded")]
    Superseded,
    /// What was pinned does not decode.
    #[error("what the run has pinned does not decode")]
    Decode(#[from] serde_json::Error),
    /// What was pinned cannot be honoured: the run cannot go on.
    #[error("{0}")]
    Refused(String),
    /// The engine does not start on this machine, now.
    #[error("the engine does not start: {0}")]
    NotStarted(String),
}

impl KitError {
    /// Says what does not start, with its causes.
    pub(super) fn not_started(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::NotStarted(describe(error))
    }

    /// Tells whether the run can never go on.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self, Self::Decode(_) | Self::Refused(_))
    }
}

type Slot = Arc<OnceCell<Arc<Kit>>>;

/// The slots of runs, each with the moment at which it was last seen in use.
#[derive(Default)]
struct Slots {
    by_run: HashMap<RunId, (Instant, Slot)>,
}

impl Slots {
    /// Returns a run's slot, and those that nobody needs any more: the caller drops them where that may take long.
    fn of(&mut self, run_id: RunId, now: Instant) -> (Slot, Vec<Slot>) {
        let (_, slot) = self
            .by_run
            .entry(run_id)
            .or_insert_with(|| (now, Slot::default()));
        // From here on it is in use.
        let slot = Arc::clone(slot);
        (slot, self.take_unneeded(now))
    }

    fn take_unneeded(&mut self, now: Instant) -> Vec<Slot> {
        let mut unused = Vec::new();
        for (run, (used, slot)) in &mut self.by_run {
            if is_in_use(slot) {
                *used = now;
            } else {
                unused.push((*used, *run));
            }
        }
        unused.sort_unstable_by_key(|(used, _)| *used);
        let surplus = self.by_run.len().saturating_sub(KEPT);
        let unneeded = unused
            .into_iter()
            .enumerate()
            .filter(|(at, (used, _))| *at < surplus || now.duration_since(*used) >= RESTED);
        unneeded
            .filter_map(|(_, (_, run))| self.by_run.remove(&run))
            .map(|(_, slot)| slot)
            .collect()
    }
}

/// Tells whether somebody works with the engines, or builds them: others of the same run would pace themselves anew.
fn is_in_use(slot: &Slot) -> bool {
    Arc::strong_count(slot) > 1 || slot.get().is_some_and(|kit| Arc::strong_count(kit) > 1)
}

/// The engines of the runs that this process works for.
pub struct Engines {
    database: Database,
    network: Network,
    tracker: TaskTracker,
    cancel: CancellationToken,
    slots: Mutex<Slots>,
}

impl Engines {
    /// Keeps engines that end on the token; what they find out is recorded by tasks of the tracker.
    #[must_use]
    pub fn new(
        database: Database,
        network: Network,
        tracker: TaskTracker,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            database,
            network,
            tracker,
            cancel,
            slots: Mutex::default(),
        }
    }

    /// Returns the engines of a run, building them on first use; others who ask meanwhile wait for the same ones.
    pub(super) async fn of(
        &self,
        campaign_id: CampaignId,
        run_id: RunId,
    ) -> Result<Arc<Kit>, KitError> {
        let slot = self.slot(run_id);
        let kit = slot
            .get_or_try_init(|| async { self.build(campaign_id, run_id).await.map(Arc::new) })
            .await?;
        Ok(kit.clone())
    }

    /// Returns a run's slot. Engines that nobody needs any more end on a thread that may block: some hold tens of megabytes
    /// of automata.
    fn slot(&self, run_id: RunId) -> Slot {
        let (slot, unneeded) = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.of(run_id, Instant::now())
        };
        if !unneeded.is_empty() {
            drop(spawn_blocking(move || drop(unneeded)));
        }
        slot
    }

    /// Waits until it is known whom nothing may be sent to.
    async fn know_whom_to_leave_alone(&self) -> Result<(), KitError> {
        let read = timeout(LIST_WAIT, self.network.suppression.read()).await;
        read.map_err(|_| KitError::NotStarted(Held::Unread.to_string()))
    }

    async fn build(&self, campaign_id: CampaignId, run_id: RunId) -> Result<Kit, KitError> {
        let pinned = projections::campaigns::pinned_of(self.database.pool(), campaign_id, run_id)
            .await?
            .ok_or(KitError::Superseded)?;
        let pinned = serde_json::from_value(pinned)?;
        let crawls = crawls(&pinned, &self.network);
        let taken = match &pinned {
            Pinned::Validation { taken, .. } | Pinned::Extraction { taken, .. } => taken.clone(),
            _ => Vec::new(),
        };
        let engine = self.start(run_id, pinned).await?;
        Ok(Kit {
            engine,
            crawls,
            taken,
        })
    }

    /// Makes the pool of a run, with the credentials that its proxies have now, and has what it finds out recorded.
    async fn pool_of(&self, run_id: RunId, pinned: &Proxies) -> Result<Arc<http::Pool>, KitError> {
        let made = proxies::pool(&self.database, &self.network.keys, pinned).await;
        let (pool, watched) = made.map_err(|refused| match refused {
            proxies::Refused::Database(error) => KitError::Database(error),
            proxies::Refused::Log(error) => KitError::not_started(&error),
            proxies::Refused::Unopened(..) => KitError::NotStarted(refused.to_string()),
            proxies::Refused::Pool(error) => KitError::Refused(error.to_string()),
        })?;
        let watch = watched.listen(&self.database, run_id, &pool);
        self.tracker.spawn(watch.run(self.cancel.clone()));
        Ok(pool)
    }

    async fn start(&self, run_id: RunId, pinned: Pinned) -> Result<Engine, KitError> {
        if matches!(
            pinned,
            Pinned::Validation { .. } | Pinned::Extraction { .. }
        ) {
            self.know_whom_to_leave_alone().await?;
        }
        match pinned {
            Pinned::Validation {
                dns, record_types, ..
            } => {
                let config = validation::config(&dns, &record_types, &self.network)
                    .map_err(KitError::Refused)?;
                let engine = ::validation::dns::Engine::start(config, self.cancel.child_token())
                    .map_err(|error| KitError::not_started(&error))?;
                Ok(Engine::Dns(engine))
            }
            Pinned::Extraction {
                http,
                dns,
                rules,
                proxies,
                ..
            } => {
                let proxies = match proxies {
                    Some(pinned) => Some(self.pool_of(run_id, &pinned).await?),
                    None => None,
                };
                let (network, cancel) = (self.network.clone(), self.cancel.clone());
                let kit = extraction::Kit::build((http, proxies), dns, rules, network, cancel);
                Ok(Engine::Http(kit.await?))
            }
            pure => Ok(Engine::Pure(pure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn run() -> RunId {
        RunId(Uuid::now_v7())
    }

    fn kit() -> Arc<Kit> {
        let engine = Engine::Pure(Pinned::Enrichment {
            thresholds: aggregates::lead::Thresholds::default(),
        });
        Arc::new(Kit {
            engine,
            crawls: false,
            taken: Vec::new(),
        })
    }

    /// Gives a run engines and returns them, as one who works with them has them.
    fn worked_with(slots: &mut Slots, run_id: RunId, now: Instant) -> Arc<Kit> {
        let (slot, _) = slots.of(run_id, now);
        assert!(slot.set(kit()).is_ok());
        slot.get().unwrap().clone()
    }

    #[test]
    fn engines_that_nobody_used_for_long_are_let_go_unless_somebody_works_with_them() {
        let (mut slots, start) = (Slots::default(), Instant::now());
        let (over, working) = (run(), run());
        let kit_of_over = Arc::downgrade(&worked_with(&mut slots, over, start));
        let kit_of_working = worked_with(&mut slots, working, start);

        slots.of(run(), start + RESTED - Duration::from_secs(1));
        assert!(kit_of_over.upgrade().is_some());
        let (_, unneeded) = slots.of(run(), start + RESTED);
        assert!(!slots.by_run.contains_key(&over));
        assert!(
            kit_of_over.upgrade().is_some(),
            "engines end in the hands of whoever asked, not under the lock"
        );
        drop(unneeded);
        assert!(kit_of_over.upgrade().is_none());
        let (again, _) = slots.of(working, start + 2 * RESTED);
        assert!(Arc::ptr_eq(again.get().unwrap(), &kit_of_working));
    }

    #[test]
    fn no_more_engines_are_kept_than_named_and_the_longest_unused_go_first() {
        let (mut slots, start) = (Slots::default(), Instant::now());
        let runs: Vec<RunId> = (0..=KEPT).map(|_| run()).collect();
        for (run, after) in runs.iter().zip(0..) {
            slots.of(*run, start + Duration::from_millis(after));
        }
        assert_eq!(slots.by_run.len(), KEPT);
        assert!(!slots.by_run.contains_key(&runs[0]));
    }

    #[test]
    fn engines_that_somebody_works_with_are_kept_however_many_there_are() {
        let (mut slots, start) = (Slots::default(), Instant::now());
        let runs: Vec<RunId> = (0..KEPT + 3).map(|_| run()).collect();
        let mut kits: Vec<Arc<Kit>> = runs
            .iter()
            .map(|run| worked_with(&mut slots, *run, start))
            .collect();
        for (run, kit) in runs.iter().zip(&kits) {
            let (slot, _) = slots.of(*run, start);
            let kept = slot.get().is_some_and(|kept| Arc::ptr_eq(kept, kit));
            assert!(kept, "a second engine would pace itself anew");
        }

        // Some rest: of these, as many go as there are too many.
        kits.truncate(2);
        slots.of(runs[0], start + Duration::from_secs(1));
        assert_eq!(slots.by_run.len(), KEPT);
        assert!(slots.by_run.contains_key(&runs[1]));
    }
}
