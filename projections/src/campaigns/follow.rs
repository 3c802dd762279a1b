//! One campaign event → the campaign in memory: what [`super::apply`] writes, without the tables.
//!
//! A command is answered by it when the tables lag, or when the campaign is not in them any more. The invariant is that
//! both come to the same after every event: `tests/it/followed.rs` of this room compares them.

use aggregates::{
    campaign::{Event, Phase, PhaseConfig, PhaseState},
    ids::CampaignId,
};
use chrono::{DateTime, Utc};

use super::{Campaign, PhaseRow};

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Campaign {
    /// Begins a campaign with the event that created it; with any other there is none.
    #[must_use]
    pub fn begun(campaign_id: CampaignId, event: Event, at: DateTime<Utc>) -> Option<Self> {
        let Event::Created {
            owner,
            campaign_type,
            name,
            description,
            notes,
            tags,
            mode,
            configuration,
            max_domains,
        } = event
        else {
            return None;
        };
        Some(Self {
            campaign_id,
            owner,
            campaign_type,
            name,
            description,
            notes,
            tags,
            mode,
            configuration,
            max_domains: max_domains.map(number),
            names: 0,
            stopped: false,
            version: 1,
            created_at: at,
            updated_at: at,
            phases: campaign_type
                .phases()
                .iter()
                .copied()
                .map(PhaseRow::untouched)
                .collect(),
        })
    }

    /// Takes in the event after the campaign's last.
    ///
    /// # Errors
    /// When a configuration cannot be written as JSON.
    pub fn follow(
        &mut self,
        event: Event,
        version: u64,
        at: DateTime<Utc>,
    ) -> Result<(), serde_json::Error> {
        match event {
            Event::DetailsChanged {
                name,
                description,
                configuration,
                notes,
                tags,
            } => {
                self.notes = notes.or_else(|| self.notes.take());
                self.tags = tags.unwrap_or_else(|| std::mem::take(&mut self.tags));
                self.name = name.unwrap_or_else(|| std::mem::take(&mut self.name));
                self.description = description.or_else(|| self.description.take());
                self.configuration = configuration.unwrap_or_else(|| self.configuration.take());
            }
            Event::ModeChanged { mode } => {
                self.mode = mode;
                self.forget_refusals(Phase::Discovery, at);
            }
            Event::PhaseConfigured { config } => {
                let phase = config.phase();
                let config = serde_json::to_value(config)?;
                self.touch(phase, at, |row| row.configure(config));
            }
            Event::ScoringProfileAssigned { scoring_profile } => {
                let config = serde_json::to_value(PhaseConfig::Analysis {
                    scoring_profile: Some(scoring_profile),
                })?;
                self.touch(Phase::Analysis, at, |row| row.configure(config));
            }
            Event::DomainsImported {
                first_ordinal,
                names,
                ..
            }
            | Event::DomainsTaken {
                first_ordinal,
                names,
                ..
            } => self.names = number(first_ordinal.saturating_add(names.len() as u64)),
            Event::DomainsGenerated {
                first_ordinal,
                names,
                ..
            } => self.names = number(first_ordinal.saturating_add(names)),
            Event::PhaseStarted {
                phase,
                run_id,
                run_number,
                pinned,
                kind,
                ..
            } => {
                let pinned = serde_json::to_value(pinned)?;
                self.touch(phase, at, |row| {
                    row.state = PhaseState::Running;
                    row.clear();
                    row.run_id = Some(run_id);
                    row.run_number = i32::try_from(run_number).unwrap_or(i32::MAX);
                    row.run_kind = kind;
                    row.pinned = Some(pinned);
                    row.started_at = Some(at);
                });
                self.wait_again(phase, at);
                self.forget_refusals(phase, at);
                self.stopped = false;
            }
            Event::PhasePaused { phase, .. } => self.touch(phase, at, |row| {
                row.state = PhaseState::Paused;
                row.paused_at = Some(at);
            }),
            Event::PhaseResumed { phase, .. } => self.touch(phase, at, |row| {
                row.state = PhaseState::Running;
                row.paused_at = None;
            }),
            Event::PhaseCompleted { phase, tallies, .. } => self.touch(phase, at, |row| {
                row.state = PhaseState::Completed;
                row.completed_at = Some(at);
                row.paused_at = None;
                row.tallies = Some(tallies);
            }),
            Event::PhaseFailed {
                phase,
                cause,
                message,
                ..
            } => self.touch(phase, at, |row| {
                row.failure_cause = Some(cause);
                row.state = PhaseState::Failed;
                row.failed_at = Some(at);
                row.paused_at = None;
                row.error = Some(message);
            }),
            Event::PhaseStartRefused { phase, message } => {
                self.touch(phase, at, |row| row.error = Some(message));
            }
            Event::Stopped {} => self.stopped = true,
            Event::Created { .. }
            | Event::Completed {}
            | Event::Duplicated { .. }
            | Event::Rescored { .. }
            | Event::Restarted { .. }
            | Event::CountersReconciled { .. }
            | Event::Deleted {} => {}
        }
        self.version = number(version);
        self.updated_at = at;
        Ok(())
    }

    fn touch(&mut self, phase: Phase, at: DateTime<Utc>, change: impl FnOnce(&mut PhaseRow)) {
        if let Some(row) = self.phases.iter_mut().find(|row| row.phase == phase) {
            change(row);
            row.created_at.get_or_insert(at);
            row.updated_at = Some(at);
        }
    }

    /// Lets later phases that are over wait again.
    fn wait_again(&mut self, started: Phase, at: DateTime<Utc>) {
        for row in &mut self.phases {
            let over = matches!(row.state, PhaseState::Completed | PhaseState::Failed);
            if row.phase > started && over {
                row.state = match row.config {
                    Some(_) => PhaseState::Configured,
                    None => PhaseState::NotStarted,
                };
                row.clear();
                row.updated_at = Some(at);
            }
        }
    }

    fn forget_refusals(&mut self, first: Phase, at: DateTime<Utc>) {
        for row in &mut self.phases {
            let waits = matches!(row.state, PhaseState::NotStarted | PhaseState::Configured);
            if row.phase >= first && waits && row.error.take().is_some() {
                row.updated_at = Some(at);
            }
        }
    }
}

impl PhaseRow {
    fn configure(&mut self, config: serde_json::Value) {
        self.config = Some(config);
        if self.state != PhaseState::Failed {
            self.error = None;
        }
        if self.state == PhaseState::NotStarted {
            self.state = PhaseState::Configured;
        }
    }

    /// Forgets how the last run went.
    fn clear(&mut self) {
        self.started_at = None;
        self.paused_at = None;
        self.completed_at = None;
        self.failed_at = None;
        self.error = None;
        self.failure_cause = None;
        self.tallies = None;
    }
}
