//! The network engines of runs: built once from what a run has pinned, shared by its orders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{
    campaign::Pinned,
    ids::{CampaignId, RunId},
};
use event_store::describe;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Network, extraction, validation};

/// Runs whose engines are kept at most; the one that was used longest ago goes first.
const KEPT: usize = 32;

/// What an order of a run works with.
#[expect(
    clippy::large_enum_variant,
    reason = "there are at most as many as runs are kept, behind an `Arc` each"
)]
pub(super) enum Kit {
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

/// The slots of runs, each with the number of its last use.
#[derive(Default)]
struct Slots {
    uses: u64,
    by_run: HashMap<RunId, (u64, Slot)>,
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
        slots.uses += 1;
        let (now, by_run) = (slots.uses, &mut slots.by_run);
        if !by_run.contains_key(&run_id) && by_run.len() >= KEPT {
            let oldest = by_run.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(run, _)| *run) {
                by_run.remove(&oldest);
            }
        }
        let entry = by_run.entry(run_id).or_default();
        entry.0 = now;
        entry.1.clone()
    }

    async fn build(&self, campaign_id: CampaignId, run_id: RunId) -> Result<Kit, KitError> {
        let pinned = projections::campaigns::pinned_of(&self.pool, campaign_id, run_id)
            .await?
            .ok_or(KitError::Superseded)?;
        match serde_json::from_value(pinned)? {
            Pinned::Validation {
                dns, record_types, ..
            } => {
                let config = validation::config(&dns, &record_types, &self.network)
                    .map_err(KitError::Refused)?;
                let engine = ::validation::dns::Engine::start(config, self.cancel.child_token())
                    .map_err(|error| KitError::not_started(&error))?;
                Ok(Kit::Dns(engine))
            }
            Pinned::Extraction {
                http, dns, rules, ..
            } => {
                let (network, cancel) = (self.network.clone(), self.cancel.clone());
                let kit = extraction::Kit::build(http, dns, rules, network, cancel);
                Ok(Kit::Http(kit.await?))
            }
            pure => Ok(Kit::Pure(pure)),
        }
    }
}
