//! Beginning a run: pin what it will work with, then let the campaign decide.

use aggregates::{
    Metadata,
    campaign::{
        self, Campaign, Command, Event, Phase, PhaseConfig, PhaseState, Pinned, Several, StartPhase,
    },
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

impl From<campaign::Error> for Error {
    fn from(refused: campaign::Error) -> Self {
        Self::Refused(ExecuteError::Rejected(refused))
    }
}

/// A run that is to begin.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The phase.
    pub phase: Phase,
    /// What it is configured with for this run alone; the phase's own configuration where absent.
    pub config: Option<PhaseConfig>,
    /// Commands that are given with it, before it: all of them or none. What is pinned does not know of them, so that they
    /// configure nothing.
    pub before: Vec<Command>,
    /// Makes the command of the run's id and of what it works with.
    pub command: fn(RunId, Pinned) -> Command,
}

/// A run that has begun, or was under way already.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The phase.
    pub phase: Phase,
    /// Where the phase stood before.
    pub before: PhaseState,
    /// What was recorded.
    pub done: Done<Event>,
}

impl Wanted {
    /// Wants a run of a phase as it is configured, by a plain start.
    ///
    /// # Errors
    /// What is in the way of it.
    pub fn start(campaign: &Campaign, phase: Phase) -> Result<Self, Error> {
        campaign.can_start(phase)?;
        if phase == Phase::Discovery && campaign.waits_for_names() {
            return Err(campaign::Error::NoNames.into());
        }
        Ok(Self {
            phase,
            config: None,
            before: Vec::new(),
            command: start,
        })
    }
}

fn start(run_id: RunId, pinned: Pinned) -> Command {
    Command::StartPhase(StartPhase {
        run_id,
        pinned,
        auto: false,
    })
}

impl App {
    /// Starts a run of a phase, or of the phase that is due where none is named. A phase that is running stays as it
    /// is.
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
        let wanted = |campaign: &Campaign| {
            let phase = phase
                .or_else(|| campaign.due_phase())
                .ok_or(Error::NothingDue)?;
            Wanted::start(campaign, phase)
        };
        let begun = self
            .begin_run(campaign_id, metadata, expected_version, wanted)
            .await?;
        Ok((begun.phase, begun.done))
    }

    /// Begins the run that `wanted` finds in a campaign. What is pinned is what the campaign is configured with at the
    /// version that decides. `wanted` is asked before anything is pinned, and refuses what the campaign would, so that
    /// the answer names what is in the way and not what could not be pinned.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn begin_run(
        &self,
        campaign_id: CampaignId,
        metadata: &Metadata,
        expected_version: Option<u64>,
        wanted: impl Fn(&Campaign) -> Result<Wanted, Error> + Send + Sync,
    ) -> Result<Begun, Error> {
        if let Some(done) = self.repeated::<Campaign>(metadata).await? {
            return self.begun_before(done).await;
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
            let Wanted {
                phase,
                config,
                before,
                command,
            } = wanted(&campaign)?;
            let pinned = match config {
                Some(config) => {
                    pin::pin_config(&self.database, &campaign, config, &self.defaults).await?
                }
                None => pin::pin(&self.database, &campaign, phase, &self.defaults).await?,
            };
            let mut command = command(RunId(Uuid::now_v7()), pinned);
            if !before.is_empty() {
                let commands = before.into_iter().chain([command]).collect();
                command = Command::Several(Several { commands });
            }
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
                answered => {
                    return Ok(Begun {
                        phase,
                        before: campaign.phase(phase).state(),
                        done: answered?,
                    });
                }
            }
        }
    }

    /// Answers a repeat with what its first command began.
    async fn begun_before(&self, done: Done<Event>) -> Result<Begun, Error> {
        let started = done.events.iter().find_map(|event| match event {
            Event::PhaseStarted { phase, .. } => Some(*phase),
            _ => None,
        });
        let phase = started.ok_or(Error::NothingDue)?;
        let recorded = u64::try_from(done.events.len()).unwrap_or(u64::MAX);
        let earlier = Done {
            version: done.version.saturating_sub(recorded),
            ..done.clone()
        };
        let earlier = self.after::<Campaign>(&earlier).await;
        let campaign = earlier.map_err(ExecuteError::Log)?.aggregate;
        Ok(Begun {
            phase,
            before: campaign.phase(phase).state(),
            done,
        })
    }
}
