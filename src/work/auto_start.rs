//! Starting the next phase of campaigns in full sequence.
//!
//! A phase that cannot start by itself says why on the campaign's stream, and stays due: what it names may be put right
//! at any time. What is pinned is what the campaign is configured with at the version that decides: a campaign that has
//! changed in between is left to the next pass. Nothing here needs to be remembered; what is remembered only spares
//! looking again for nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, Phase, Pinned, RefuseStart, StartPhase},
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
const NAMED: [&str; 5] = [
    "personas",
    "keyword_sets",
    "scoring_profiles",
    "proxies",
    "proxy_pools",
];

/// A phase that is due in a campaign at a version: with what it would start, or why it cannot.
struct Due {
    campaign_id: CampaignId,
    version: u64,
    phase: Phase,
    pinned: Result<Pinned, String>,
}

/// What came of trying a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// It runs, its refusal is recorded, or nothing is due.
    Settled,
    /// The campaign has changed since what was tried was decided on, or its owner's rules wait to be checked.
    Overtaken,
}

/// What came of a command.
enum Given {
    Done,
    Refused(String),
    /// The campaign is at another version.
    Overtaken,
}

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
        let again = if due.iter().any(|due| due.refused) {
            self.worth_another_try().await?
        } else {
            None
        };
        let mut overtaken = false;
        for due in due.iter().filter(|due| again.is_some() || !due.refused) {
            let campaign_id = due.campaign_id;
            match self.start_or_say_why(campaign_id).await {
                Ok(tried) => overtaken |= due.refused && tried == Tried::Overtaken,
                Err(error) => {
                    tracing::warn!(campaign.id = %campaign_id, error = %describe(&error), "the next phase cannot be started, trying again");
                }
            }
        }
        // Whoever was overtaken is tried by the next pass, rested or not.
        if let (Some(changes), false) = (again, overtaken) {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            *tried = Some((Instant::now(), changes));
        }
        Ok(())
    }

    /// Tells whether refused phases are worth another try: something that they can name has changed, or time has passed.
    /// Answers with the number of changes that the try will know of.
    async fn worth_another_try(&self) -> Result<Option<i64>, PassError> {
        let checkpoints = checkpoints(self.database.pool()).await?;
        let changes = checkpoints
            .iter()
            .filter(|checkpoint| NAMED.contains(&checkpoint.name.as_str()))
            .map(|checkpoint| checkpoint.applied)
            .sum();
        let tried = *self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = tried.is_some_and(|(when, seen)| seen == changes && when.elapsed() < REST);
        Ok((!idle).then_some(changes))
    }

    async fn start_or_say_why(&self, campaign_id: CampaignId) -> Result<Tried, PassError> {
        match self.due(campaign_id).await? {
            Ok(due) => self.take(due).await,
            Err(tried) => Ok(tried),
        }
    }

    /// Finds what a campaign's next phase would work with, or why it cannot start; what came of it where nothing is to be done.
    async fn due(&self, campaign_id: CampaignId) -> Result<Result<Due, Tried>, PassError> {
        let stream = campaign_id.to_string();
        let (campaign, version) = self.database.log().load::<Campaign>(&stream).await?;
        let Some(phase) = campaign.auto_start_due() else {
            return Ok(Err(Tried::Settled));
        };
        let pinned = match pin::pin(&self.database, &campaign, phase, &self.defaults).await {
            Ok(pinned) => Ok(pinned),
            Err(pin::Error::Log(error)) => return Err(error.into()),
            Err(pin::Error::Busy(_)) => return Ok(Err(Tried::Overtaken)),
            Err(refused) => Err(refused.to_string()),
        };
        Ok(Ok(Due {
            campaign_id,
            version,
            phase,
            pinned,
        }))
    }

    /// Starts a phase, or records why it cannot.
    async fn take(&self, due: Due) -> Result<Tried, PassError> {
        let (campaign_id, version, phase) = (due.campaign_id, due.version, due.phase);
        let message = match due.pinned {
            Ok(pinned) => {
                let run_id = RunId(Uuid::now_v7());
                let start = campaign::Command::StartPhase(StartPhase {
                    run_id,
                    pinned,
                    auto: true,
                });
                match self
                    .command((campaign_id, version), run_id.to_string(), start)
                    .await?
                {
                    Given::Refused(message) => message,
                    Given::Done => return Ok(Tried::Settled),
                    Given::Overtaken => return Ok(Tried::Overtaken),
                }
            }
            Err(message) => message,
        };
        tracing::warn!(campaign.id = %campaign_id, phase = %phase, reason = message, "the next phase cannot start by itself");
        let refuse = campaign::Command::RefuseStart(RefuseStart { phase, message });
        let said = self
            .command((campaign_id, version), campaign_id.to_string(), refuse)
            .await?;
        Ok(match said {
            Given::Overtaken => Tried::Overtaken,
            Given::Done | Given::Refused(_) => Tried::Settled,
        })
    }

    /// Gives a command to a campaign as the coordinator, at the version that it was made for.
    async fn command(
        &self,
        (campaign_id, version): (CampaignId, u64),
        correlation_id: String,
        command: campaign::Command,
    ) -> Result<Given, PassError> {
        let metadata = Metadata::new(Actor::Worker("coordinator".to_owned()), correlation_id);
        let stream = campaign_id.to_string();
        let log = self.database.log();
        match log
            .execute::<Campaign>(&stream, command, &metadata, Some(version))
            .await
        {
            Ok(_) => Ok(Given::Done),
            Err(ExecuteError::Conflict { .. } | ExecuteError::VersionMismatch { .. }) => {
                Ok(Given::Overtaken)
            }
            Err(ExecuteError::Rejected(refused)) => Ok(Given::Refused(refused.to_string())),
            Err(ExecuteError::Log(error)) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aggregates::{
        campaign::{CampaignType, ConfigurePhase, Mode, PhaseConfig, Source, Tallies},
        ids::{PersonaId, UserId},
    };

    use super::*;
    use crate::work::testing::{append, database, metadata};

    fn extraction(http_persona: Option<PersonaId>, keyword: &str) -> PhaseConfig {
        PhaseConfig::Extraction {
            http_persona,
            dns_persona: None,
            proxy_pool: None,
            keyword_sets: Vec::new(),
            keywords: vec![keyword.to_owned()],
        }
    }

    /// Writes a campaign whose extraction is due with a configuration.
    async fn extraction_is_due(database: &Database, config: PhaseConfig) -> CampaignId {
        let campaign_id = CampaignId(Uuid::now_v7());
        let created = campaign::Event::Created {
            owner: UserId(Uuid::now_v7()),
            campaign_type: CampaignType::Full,
            name: "shops".to_owned(),
            description: None,
            notes: None,
            tags: Vec::new(),
            mode: Mode::FullSequence,
            configuration: serde_json::json!({}),
            max_domains: None,
        };
        let mut events = vec![created];
        let before = [
            PhaseConfig::Discovery {
                source: Source::Import,
            },
            PhaseConfig::Validation {
                dns_persona: None,
                record_types: Vec::new(),
            },
        ];
        for config in before {
            let phase = config.phase();
            events.push(campaign::Event::PhaseConfigured { config });
            events.push(campaign::Event::PhaseCompleted {
                phase,
                run_id: RunId(Uuid::now_v7()),
                tallies: Tallies::new(),
            });
        }
        events.push(campaign::Event::PhaseConfigured { config });
        append(database, campaign_id, 0, &events).await;
        campaign_id
    }

    async fn configure(database: &Database, campaign_id: CampaignId, config: PhaseConfig) {
        let command = campaign::Command::ConfigurePhase(ConfigurePhase { config });
        database
            .log()
            .execute::<Campaign>(&campaign_id.to_string(), command, &metadata(), None)
            .await
            .unwrap();
    }

    async fn campaign(database: &Database, campaign_id: CampaignId) -> Campaign {
        let stream = campaign_id.to_string();
        database.log().load::<Campaign>(&stream).await.unwrap().0
    }

    #[tokio::test]
    async fn a_phase_that_is_configured_between_pinning_and_starting_starts_with_the_new_configuration()
     {
        let (_test, database) = database().await;
        let starts = AutoStart::new(database.clone(), Defaults::default());
        let id = extraction_is_due(&database, extraction(None, "old")).await;
        let due = starts.due(id).await.unwrap().unwrap();
        configure(&database, id, extraction(None, "new")).await;
        assert_eq!(starts.take(due).await.unwrap(), Tried::Overtaken);
        assert_eq!(campaign(&database, id).await.active_phase(), None);

        assert_eq!(starts.start_or_say_why(id).await.unwrap(), Tried::Settled);
        let campaign = campaign(&database, id).await;
        assert_eq!(campaign.active_phase(), Some(Phase::Extraction));
        let payload: serde_json::Value = sqlx::query_scalar(
            "SELECT payload::jsonb FROM events WHERE aggregate_id = $1 AND event_type = 'PhaseStarted'",
        )
        .bind(id.to_string())
        .fetch_one(database.pool())
        .await
        .unwrap();
        assert!(payload.to_string().contains("\"new\""), "{payload}");
    }

    #[tokio::test]
    async fn a_phase_that_is_configured_between_pinning_and_refusing_is_not_refused() {
        let (_test, database) = database().await;
        let starts = AutoStart::new(database.clone(), Defaults::default());
        let missing = Some(PersonaId(Uuid::now_v7()));
        let id = extraction_is_due(&database, extraction(missing, "old")).await;
        let due = starts.due(id).await.unwrap().unwrap();
        assert!(due.pinned.is_err(), "there is no such persona");
        configure(&database, id, extraction(None, "old")).await;
        assert_eq!(starts.take(due).await.unwrap(), Tried::Overtaken);
        let then = campaign(&database, id).await;
        assert_eq!(then.phase(Phase::Extraction).refusal(), None);

        assert_eq!(starts.start_or_say_why(id).await.unwrap(), Tried::Settled);
        let then = campaign(&database, id).await;
        assert_eq!(then.active_phase(), Some(Phase::Extraction));
    }
}
