//! One look at the counters of every campaign.

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, Command, ReconcileCounters},
    ids::CampaignId,
};
use event_store::{Database, ExecuteError, Outage, describe};
use projections::domains::{self, Corrected, Drift};
use uuid::Uuid;

use super::{CORRECTIONS, DRIFT_EVENTS, Error};
use crate::installation::Reconciling;

/// Campaigns that are listed at a time.
const PAGE: i64 = 500;
/// Who is said to have put counters right.
const ACTOR: &str = "reconciliation";

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Campaigns that could be looked at.
    pub(super) campaigns: u64,
    /// Those of them whose counters drifted.
    pub(super) drifted: u64,
    /// Counters of theirs that were wrong.
    pub(super) counters: u64,
    /// Those of them that were put right.
    pub(super) corrections: u64,
}

/// One look.
pub(super) struct Look<'a> {
    database: &'a Database,
    settings: Reconciling,
    /// What is told of the look as a whole.
    metadata: Metadata,
    found: Found,
}

impl<'a> Look<'a> {
    pub(super) fn new(database: &'a Database, settings: Reconciling) -> Self {
        let actor = Actor::Worker(ACTOR.to_owned());
        Self {
            database,
            settings,
            metadata: Metadata::new(actor, Uuid::now_v7().to_string()),
            found: Found::default(),
        }
    }

    /// Returns what was found until now.
    pub(super) const fn found(&self) -> Found {
        self.found
    }

    /// Looks at one campaign after the other. One that cannot be looked at, or put right, is told in the log and left to the
    /// next look: it keeps nobody from those behind it.
    ///
    /// # Errors
    /// When the database does not serve, or campaigns cannot be listed; what was put right until then is.
    pub(super) async fn at_every_campaign(&mut self) -> Result<(), Error> {
        let mut last = None;
        loop {
            let page = domains::campaigns_after(self.database.pool(), last, PAGE).await?;
            for &campaign_id in &page {
                match self.at(campaign_id).await {
                    Err(error) if Outage::of(&error).is_some() => return Err(error),
                    Err(error) => tracing::warn!(
                        campaign.id = %campaign_id,
                        error = %describe(&error),
                        "counters of a campaign cannot be held against its domains or put right"
                    ),
                    Ok(()) => {}
                }
            }
            match page.last() {
                Some(campaign_id) => last = Some(*campaign_id),
                None => return Ok(()),
            }
        }
    }

    async fn at(&mut self, campaign_id: CampaignId) -> Result<(), Error> {
        let drift = domains::drift_of(self.database.pool(), campaign_id).await?;
        self.found.campaigns += 1;
        if !self.is_beyond(drift) {
            return Ok(());
        }
        tracing::warn!(
            campaign.id = %campaign_id,
            counters = drift.counters,
            wrong = drift.wrong,
            domains = drift.domains,
            percent = drift.percent(),
            "counters of a campaign are not the recount of its domains"
        );
        self.found.drifted += 1;
        self.found.counters += drift.counters;
        metrics::counter!(DRIFT_EVENTS).increment(drift.counters);
        let left =
            u64::from(self.settings.max_corrections_per_run).saturating_sub(self.found.corrections);
        if !self.settings.auto_correct || left == 0 {
            return Ok(());
        }
        let Corrected { corrections, .. } = self.correct(campaign_id, left).await?;
        self.found.corrections += corrections;
        metrics::counter!(CORRECTIONS).increment(corrections);
        tracing::info!(campaign.id = %campaign_id, corrections, "counters of a campaign were put right");
        Ok(())
    }

    fn is_beyond(&self, drift: Drift) -> bool {
        drift.counters > 0 && drift.percent() > self.settings.drift_threshold_pct
    }

    /// Puts counters right and notes it on the campaign's stream, together or not at all. A campaign that was deleted has no
    /// stream any more that anybody follows: what it left behind is put right all the same.
    async fn correct(&self, campaign_id: CampaignId, most: u64) -> Result<Corrected, Error> {
        let mut transaction = self.database.begin().await?;
        let corrected = domains::correct(transaction.connection(), campaign_id, most).await?;
        let command = Command::ReconcileCounters(ReconcileCounters {
            drift_count: corrected.drift.counters,
            corrections: corrected.corrections,
        });
        let stream = campaign::stream_id(campaign_id);
        let noted = transaction
            .execute::<Campaign>(&stream, command, &self.metadata)
            .await;
        match noted {
            Ok(_) | Err(ExecuteError::Rejected(campaign::Error::NotFound)) => {}
            Err(error) => return Err(error.into()),
        }
        transaction.commit().await?;
        Ok(corrected)
    }
}
