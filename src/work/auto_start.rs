//! Starting the next phase of campaigns in full sequence.
//!
//! A phase that cannot start by itself says why on the campaign's stream, and stays due: what it names may be put right
//! at any time. Nothing here needs to be remembered; what is remembered only spares looking again for nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, Phase, RefuseStart, StartPhase},
    ids::{CampaignId, RunId},
};
use event_store::{Database, ExecuteError, describe};
use projections::{campaigns, runtime::checkpoints};
use uuid::Uuid;

use super::coordinator::PassError;
use crate::commands::pin::{self, Defaults};

/// How long a refused phase is left alone while nothing that a configuration can name has changed.
const REST: Duration = Duration::from_secs(30);

/// The read models of what a configuration can name.
const NAMED: [&str; 3] = ["personas", "keyword_sets", "scoring_profiles"];

/// Starts phases that are due.
pub(super) struct AutoStart {
    database: Database,
    defaults: Defaults,
    /// When refused phases were last tried, and how many changes of what they can name there had been.
    tried: Mutex<Option<(Instant, i64)>>,
}

impl AutoStart {
    pub(super) const fn new(database: Database, defaults: Defaults) -> Self {
        Self {
            database,
            defaults,
            tried: Mutex::new(None),
        }
    }

    /// Starts every phase that is due, or records why it does not start.
    pub(super) async fn start_due_phases(&self) -> Result<(), PassError> {
        let due = campaigns::due_for_auto_start(self.database.pool()).await?;
        let again = due.iter().any(|due| due.refused) && self.may_try_again().await?;
        for due in due.iter().filter(|due| again || !due.refused) {
            let campaign_id = due.campaign_id;
            if let Err(error) = self.start_or_say_why(campaign_id).await {
                tracing::warn!(campaign.id = %campaign_id, error = %describe(&error), "the next phase cannot be started, trying again");
            }
        }
        Ok(())
    }

    /// Tells whether refused phases are worth another try: something that they can name has changed, or time has passed.
    async fn may_try_again(&self) -> Result<bool, PassError> {
        let checkpoints = checkpoints(self.database.pool()).await?;
        let changes = checkpoints
            .iter()
            .filter(|checkpoint| NAMED.contains(&checkpoint.name.as_str()))
            .map(|checkpoint| checkpoint.applied)
            .sum();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = tried.is_some_and(|(when, seen)| seen == changes && when.elapsed() < REST);
        if !idle {
            *tried = Some((Instant::now(), changes));
        }
        Ok(!idle)
    }

    async fn start_or_say_why(&self, campaign_id: CampaignId) -> Result<(), PassError> {
        let stream = campaign_id.to_string();
        let (campaign, _) = self.database.log().load::<Campaign>(&stream).await?;
        let Some(phase) = campaign.auto_start_due() else {
            return Ok(());
        };
        let Some(message) = self.start(campaign_id, &campaign, phase).await? else {
            return Ok(());
        };
        tracing::warn!(campaign.id = %campaign_id, phase = %phase, reason = message, "the next phase cannot start by itself");
        let refuse = campaign::Command::RefuseStart(RefuseStart { phase, message });
        self.command(campaign_id, stream, refuse).await.map(|_| ())
    }

    /// Starts a phase; answers why it cannot.
    async fn start(
        &self,
        campaign_id: CampaignId,
        campaign: &Campaign,
        phase: Phase,
    ) -> Result<Option<String>, PassError> {
        let pinned = match pin::pin(&self.database, campaign, phase, &self.defaults).await {
            Ok(pinned) => pinned,
            Err(pin::Error::Log(error)) => return Err(error.into()),
            Err(refused) => return Ok(Some(refused.to_string())),
        };
        let run_id = RunId(Uuid::now_v7());
        let start = campaign::Command::StartPhase(StartPhase {
            run_id,
            pinned,
            auto: true,
        });
        self.command(campaign_id, run_id.to_string(), start).await
    }

    /// Gives a command as the coordinator; answers why the campaign refused. A conflict is left to the next pass.
    async fn command(
        &self,
        campaign_id: CampaignId,
        correlation_id: String,
        command: campaign::Command,
    ) -> Result<Option<String>, PassError> {
        let metadata = Metadata::new(Actor::Worker("coordinator".to_owned()), correlation_id);
        let stream = campaign_id.to_string();
        let log = self.database.log();
        match log
            .execute::<Campaign>(&stream, command, &metadata, None)
            .await
        {
            Ok(_) | Err(ExecuteError::Conflict { .. } | ExecuteError::VersionMismatch { .. }) => {
                Ok(None)
            }
            Err(ExecuteError::Rejected(refused)) => Ok(Some(refused.to_string())),
            Err(ExecuteError::Log(error)) => Err(error.into()),
        }
    }
}
