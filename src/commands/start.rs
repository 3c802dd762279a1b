//! Starting a run: pin what it will work with, then let the campaign decide.

use aggregates::{
    Metadata,
    campaign::{self, Campaign, Command, Event, Phase, StartPhase},
    ids::{CampaignId, RunId},
};
use event_store::ExecuteError;
use uuid::Uuid;

use super::{Done, pin};
use crate::app::App;

/// How often a start is pinned again because the campaign changed between pinning and deciding.
const ATTEMPTS: u32 = 3;

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The campaign refused, or the log failed.
    #[error(transparent)]
    Refused(#[from] ExecuteError<campaign::Error>),
    /// Something that the run should work with cannot be used.
    #[error(transparent)]
    Pin(#[from] pin::Error),
    /// Every phase has completed.
    #[error("every phase of the campaign has completed")]
    NothingDue,
}

impl App {
    /// Starts a run of a phase, or of the phase that is due where none is named. A phase that is running stays as it
    /// is. What is pinned is what the campaign is configured with at the version that decides.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_phase(
        &self,
        campaign_id: CampaignId,
        phase: Option<Phase>,
        metadata: &Metadata,
        expected_version: Option<u64>,
    ) -> Result<(Phase, Done<Event>), Error> {
        if let Some(done) = self.repeated::<Campaign>(metadata).await? {
            let started = done.events.iter().find_map(|event| match event {
                Event::PhaseStarted { phase, .. } => Some(*phase),
                _ => None,
            });
            return Ok((phase.or(started).ok_or(Error::NothingDue)?, done));
        }
        let stream = campaign_id.to_string();
        let mut attempt = 1;
        loop {
            let (campaign, version) = self
                .database
                .log()
                .load::<Campaign>(&stream)
                .await
                .map_err(ExecuteError::Log)?;
            let phase = phase
                .or_else(|| campaign.due_phase())
                .ok_or(Error::NothingDue)?;
            // Asked before pinning, so that the answer names what is in the way and not what could not be pinned.
            campaign.can_start(phase).map_err(ExecuteError::Rejected)?;
            let pinned = pin::pin(&self.database, &campaign, phase, &self.defaults).await?;
            let command = Command::StartPhase(StartPhase {
                run_id: RunId(Uuid::now_v7()),
                pinned,
                auto: false,
            });
            let decided_on = expected_version.unwrap_or(version);
            match self
                .execute::<Campaign>(&stream, command, metadata, Some(decided_on))
                .await
            {
                Err(ExecuteError::VersionMismatch { .. })
                    if expected_version.is_none() && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(ExecuteError::VersionMismatch { .. }) if expected_version.is_none() => {
                    return Err(Error::Refused(ExecuteError::Conflict {
                        aggregate_type: "campaign",
                        aggregate_id: stream,
                    }));
                }
                answered => return Ok((phase, answered?)),
            }
        }
    }
}
