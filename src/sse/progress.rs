//! Progress, computed from the read models once for all connections.
//!
//! Progress never carries a change of a campaign's life: it is shown only where the read models know exactly that part
//! of the campaign's life which the stream has told. They are asked at most ten times a second a campaign.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aggregates::{
    campaign::{Phase, PhaseState, RunKind},
    ids::{CampaignId, RunId},
};
use chrono::Utc;
use event_store::{Database, Error, Position};
use projections::campaigns::{Overall, Progress, Standing, standing};
use serde::Serialize;
use tokio::{
    sync::{Mutex as AsyncMutex, Semaphore},
    time::Instant,
};

use super::{composer::Wanted, outbox};

/// For how long what the read models say is not asked again.
const FRESH: Duration = Duration::from_millis(100);
/// Campaigns that are looked at at the same time.
const READERS: usize = 4;
/// Campaigns whose last look is kept.
const MAX_KEPT: usize = 1_024;

/// What there is to show of a campaign at a place of a stream.
#[derive(Debug)]
pub(super) enum Shown {
    /// These messages, which count the domains up to a position.
    Now(Arc<[String]>, Position),
    /// The read models do not stand where the stream does.
    NotYet,
    /// No run is under way, or it is paused.
    Nothing,
}

/// One look at the read models.
#[derive(Debug)]
struct Look {
    at: Instant,
    /// The campaign's version, and the position of its last event.
    version: i64,
    version_at: Position,
    campaign_at: Position,
    counts_at: Position,
    running: Option<(Phase, Arc<[String]>)>,
}

type Kept = Arc<AsyncMutex<Option<Arc<Look>>>>;

/// Looks at the read models on behalf of all connections.
#[derive(Debug)]
pub(super) struct Standings {
    database: Database,
    kept: Mutex<HashMap<CampaignId, Kept>>,
    readers: Semaphore,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OverallMessage {
    status: &'static str,
    percent_complete: f64,
    processed_domains: u64,
    total_domains: u64,
    successful_domains: u64,
    failed_domains: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressMessage {
    campaign_id: CampaignId,
    overall: OverallMessage,
    current_phase: Phase,
    phase: Phase,
    status: &'static str,
    progress_pct: f64,
    items_total: u64,
    items_processed: u64,
    run_id: RunId,
}

impl Standings {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            kept: Mutex::default(),
            readers: Semaphore::new(READERS),
        }
    }

    /// Says what there is to show of a campaign.
    pub(super) async fn shown(&self, wanted: Wanted) -> Result<Shown, Failure> {
        let Some(look) = self.look(wanted.campaign).await? else {
            return Ok(Shown::Nothing);
        };
        Ok(look.shown(wanted))
    }

    async fn look(&self, campaign: CampaignId) -> Result<Option<Arc<Look>>, Failure> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= MAX_KEPT && !kept.contains_key(&campaign) {
                kept.clear();
            }
            Arc::clone(kept.entry(campaign).or_default())
        };
        // Whoever waits here finds the look of whoever was first.
        let mut last = kept.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.at.elapsed() < FRESH) {
            return Ok(Some(Arc::clone(look)));
        }
        let _turn = self.readers.acquire().await.ok();
        let at = Instant::now();
        let Some(standing) = standing(self.database.pool(), campaign).await? else {
            return Ok(None);
        };
        let version = standing.overview.campaign.version;
        let version_at = match last.as_ref().filter(|look| look.version == version) {
            Some(look) => look.version_at,
            None => {
                let version = u64::try_from(version).unwrap_or(0);
                self.database
                    .log()
                    .position_of("campaign", &campaign.to_string(), version)
                    .await?
            }
        };
        let look = Arc::new(Look {
            at,
            version,
            version_at,
            campaign_at: standing.campaign_at,
            counts_at: standing.counts_at,
            running: messages(&standing),
        });
        *last = Some(Arc::clone(&look));
        Ok(Some(look))
    }
}

/// Why the read models could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The read models.
    #[error("cannot read how a campaign stands")]
    Read(#[from] sqlx::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] Error),
}

impl Look {
    fn shown(&self, wanted: Wanted) -> Shown {
        // The campaign's last event that the read model knows must have been told, and what was told be known.
        if self.version_at > wanted.covered || self.campaign_at < wanted.settled {
            return Shown::NotYet;
        }
        let Some((phase, bodies)) = &self.running else {
            return Shown::Nothing;
        };
        // Between the run's start and the moment of the campaign's row no other run can have reset what is counted.
        // Discovery is reset by nothing.
        let same_run = (self.version_at..=self.campaign_at).contains(&self.counts_at);
        if *phase != Phase::Discovery && !same_run {
            return Shown::NotYet;
        }
        Shown::Now(Arc::clone(bodies), self.counts_at)
    }
}

/// Writes the progress of the run that is under way and not paused, if there is one; that of a rescoring under a name of
/// its own besides.
fn messages(standing: &Standing) -> Option<(Phase, Arc<[String]>)> {
    let (campaign, counts) = (&standing.overview.campaign, &standing.overview.counts);
    let running = campaign
        .phases
        .iter()
        .find(|phase| phase.state == PhaseState::Running)?;
    let (phase, run_id) = (running.phase, running.run_id?);
    let (overall, progress) = (
        Overall::of(campaign, counts),
        Progress::of(campaign, phase, counts),
    );
    let payload = ProgressMessage {
        campaign_id: campaign.campaign_id,
        overall: OverallMessage {
            status: campaign.status().name(),
            percent_complete: overall.percent,
            processed_domains: overall.processed,
            total_domains: overall.total,
            successful_domains: overall.successful,
            failed_domains: overall.failed,
        },
        current_phase: phase,
        phase,
        status: running.state.name(),
        progress_pct: progress.percent,
        items_total: progress.total,
        items_processed: progress.processed,
        run_id,
    };
    let mut kinds = vec!["campaign_progress"];
    if running.run_kind == RunKind::Rescore {
        kinds.push("rescore_progress");
    }
    let now = Utc::now();
    let bodies = kinds
        .into_iter()
        .map(|kind| outbox::body(kind, now, &payload));
    Some((phase, bodies.collect()))
}
