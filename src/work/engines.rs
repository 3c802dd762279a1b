//! The network engines of runs: built once from what a run has pinned, shared by its orders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aggregates::{
    campaign::{Pinned, TakenRun},
    ids::{CampaignId, RunId},
};
use event_store::describe;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Network, extraction, validation};

/// Runs whose engines are kept at most; the one that was used longest ago goes first.
const KEPT: usize = 32;

/// How long engines are kept that nobody works with: their run is over, paused, or other nodes do its work. The expressions
/// of one run may take 64 MiB, so this does not wait until there are [`KEPT`]; they go when the next ones are
/// asked for.
const RESTED: Duration = Duration::from_secs(120);

/// What an order of a run works with.
#[expect(
    clippy::large_enum_variant,
    reason = "there are at most as many as runs are kept, behind an `Arc` each"
)]
pub(super) enum Kit {
    /// Names are computed; nothing is needed but what was pinned.
    Pure(Pinned),
    /// DNS, and whose results are taken over.
    Dns(::validation::dns::Engine, Vec<TakenRun>),
    /// HTTP and keywords, and whose results are taken over.
    Http(extraction::Kit, Vec<TakenRun>),
}

impl Kit {
    /// Returns the runs of other campaigns whose results are taken over.
    pub(super) fn taken(&self) -> &[TakenRun] {
        match self {
            Self::Pure(_) => &[],
            Self::Dns(_, taken) | Self::Http(_, taken) => taken,
        }
    }
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

/// The slots of runs, each with the moment of its last use.
#[derive(Default)]
struct Slots {
    by_run: HashMap<RunId, (Instant, Slot)>,
}

impl Slots {
    /// Returns a run's slot, and lets those go that nobody needs.
    fn of(&mut self, run_id: RunId, now: Instant) -> Slot {
        self.by_run.retain(|run, (used, slot)| {
            *run == run_id || now.duration_since(*used) < RESTED || is_in_use(slot)
        });
        if !self.by_run.contains_key(&run_id) && self.by_run.len() >= KEPT {
            let oldest = self.by_run.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(run, _)| *run) {
                self.by_run.remove(&oldest);
            }
        }
        let (used, slot) = self
            .by_run
            .entry(run_id)
            .or_insert_with(|| (now, Slot::default()));
        *used = now;
        Arc::clone(slot)
    }
}

/// Tells whether somebody works with the engines, or builds them: others of the same run would pace themselves anew.
fn is_in_use(slot: &Slot) -> bool {
    Arc::strong_count(slot) > 1 || slot.get().is_some_and(|kit| Arc::strong_count(kit) > 1)
}

/// The engines of the runs that this process works for.
pub struct Engines {
    pool: PgPool,
    network: Network,
    cancel: CancellationToken,
    slots: Mutex<Slots>,
}

impl Engines {
    /// Keeps engines that end on the token.
    #[must_use]
    pub fn new(pool: PgPool, network: Network, cancel: CancellationToken) -> Self {
        Self {
            pool,
            network,
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

    fn slot(&self, run_id: RunId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.of(run_id, Instant::now())
    }

    async fn build(&self, campaign_id: CampaignId, run_id: RunId) -> Result<Kit, KitError> {
        let pinned = projections::campaigns::pinned_of(&self.pool, campaign_id, run_id)
            .await?
            .ok_or(KitError::Superseded)?;
        match serde_json::from_value(pinned)? {
            Pinned::Validation {
                dns,
                record_types,
                taken,
                ..
            } => {
                let config = validation::config(&dns, &record_types, &self.network)
                    .map_err(KitError::Refused)?;
                let engine = ::validation::dns::Engine::start(config, self.cancel.child_token())
                    .map_err(|error| KitError::not_started(&error))?;
                Ok(Kit::Dns(engine, taken))
            }
            Pinned::Extraction {
                http,
                dns,
                rules,
                taken,
                ..
            } => {
                let (network, cancel) = (self.network.clone(), self.cancel.clone());
                let kit = extraction::Kit::build(http, dns, rules, network, cancel);
                Ok(Kit::Http(kit.await?, taken))
            }
            pure => Ok(Kit::Pure(pure)),
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
        Arc::new(Kit::Pure(Pinned::Enrichment {
            thresholds: aggregates::lead::Thresholds::default(),
        }))
    }

    #[test]
    fn engines_that_nobody_used_for_long_are_let_go_unless_somebody_works_with_them() {
        let (mut slots, start) = (Slots::default(), Instant::now());
        let (over, working) = (run(), run());
        let built = slots.of(over, start);
        assert!(built.set(kit()).is_ok());
        let kit_of_over = Arc::downgrade(built.get().unwrap());
        drop(built);
        let slot = slots.of(working, start);
        assert!(slot.set(kit()).is_ok());
        let worked_with = slot.get().unwrap().clone();
        drop(slot);

        slots.of(run(), start + RESTED - Duration::from_secs(1));
        assert!(kit_of_over.upgrade().is_some());
        slots.of(run(), start + RESTED);
        assert!(kit_of_over.upgrade().is_none());
        let again = slots.of(working, start + 2 * RESTED);
        assert!(Arc::ptr_eq(again.get().unwrap(), &worked_with));
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
}
