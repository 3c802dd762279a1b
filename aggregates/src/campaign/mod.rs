//! The campaign: five phases over a set of names.
//!
//! A phase moves only through [`transition`]; the campaign's own status is computed from its phases and kept nowhere.
//! One phase runs at a time. A run pins everything that it works with when it starts. Commands come from users
//! (through the API and the command line) and from the coordinator (`Complete`, `Fail`, automatic `Start`,
//! `RecordGenerated`); both pass the same gate, and both may be repeated: a command that asks for the state that is
//! there answers the same and records nothing.

mod assign_scoring_profile;
mod campaign_type;
mod change_details;
mod change_mode;
mod command;
mod configuration;
mod configure_phase;
mod control;
mod create;
mod create_with_names;
mod delete;
mod duplicate;
mod error;
mod event;
mod finish_run;
mod import_domains;
mod phase;
mod reconcile_counters;
mod reconfigure;
mod record_generated;
mod record_taken;
mod refuse_start;
mod rescore;
mod restart;
mod restart_analysis;
mod restore;
mod retry_failed;
mod run_kind;
mod several;
mod start_phase;
mod status;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    assign_scoring_profile::AssignScoringProfile,
    campaign_type::{CampaignType, UnknownType},
    change_details::ChangeDetails,
    change_mode::{ChangeMode, Mode, UnknownMode},
    command::Command,
    configuration::{Input, PhaseConfig, Pinned, PinnedProxy, Proxies, Source, TakenRun},
    configure_phase::ConfigurePhase,
    control::{PausePhase, ResumePhase, Stop, StopPhase},
    create::{Create, check_name},
    create_with_names::CreateWithNames,
    delete::Delete,
    duplicate::Duplicate,
    error::Error,
    event::{Event, FailureCause, Tallies, stream_id},
    finish_run::{CompletePhase, FailPhase},
    import_domains::{IMPORT_CHUNK, ImportDomains, MAX_FILENAME},
    phase::{Action, Phase, PhaseState, Transition, UnknownPhase, UnknownState, transition},
    reconcile_counters::ReconcileCounters,
    reconfigure::Reconfigure,
    record_generated::{GENERATED_CHUNK, RecordGenerated},
    record_taken::{RecordTaken, TAKEN_CHUNK},
    refuse_start::RefuseStart,
    rescore::Rescore,
    restart::Restart,
    restart_analysis::RestartAnalysis,
    restore::Restored,
    retry_failed::RetryFailed,
    run_kind::RunKind,
    several::Several,
    start_phase::StartPhase,
    status::Status,
};
use crate::ids::{CampaignId, RunId, UserId};

/// One phase of a campaign.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PhaseRecord {
    state: PhaseState,
    config: Option<PhaseConfig>,
    run: Option<RunId>,
    run_number: u32,
    kind: RunKind,
    refusal: Option<String>,
    /// Configured anew since the last run, so that its results and those of the next run are not alike.
    reconfigured: bool,
}

impl PhaseRecord {
    /// Returns where the phase stands.
    #[must_use]
    pub const fn state(&self) -> PhaseState {
        self.state
    }

    /// Returns the configuration for the next run.
    #[must_use]
    pub const fn config(&self) -> Option<&PhaseConfig> {
        self.config.as_ref()
    }

    /// Returns the last run.
    #[must_use]
    pub const fn run(&self) -> Option<RunId> {
        self.run
    }

    /// Returns the number of the last run, 0 before the first.
    #[must_use]
    pub const fn run_number(&self) -> u32 {
        self.run_number
    }

    /// Returns why the phase last could not start by itself; nothing once it was started or configured anew.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }
}

/// The state of a campaign.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Campaign {
    owner: Option<UserId>,
    campaign_type: CampaignType,
    name: String,
    description: Option<String>,
    notes: Option<String>,
    tags: Vec<String>,
    mode: Mode,
    max_domains: Option<u64>,
    phases: [PhaseRecord; 5],
    names: u64,
    generated_to: Option<u64>,
    /// The first offset that no run of the campaign has come to.
    enumerated_to: Option<u64>,
    /// The campaign that the present discovery run last took names from, and the ordinal there up to which it did.
    taken_to: Option<(CampaignId, u64)>,
    /// Phases up to this one follow by themselves, whatever the mode.
    through: Option<Phase>,
    /// The last run left the other domains' results as they were, and so do those that follow it.
    partial: bool,
    stopped: bool,
    deleted: bool,
}

impl Campaign {
    /// Returns whose campaign it is, or nothing where there is none.
    #[must_use]
    pub fn owner(&self) -> Option<UserId> {
        self.owner.filter(|_| !self.deleted)
    }

    /// Returns what the campaign is for.
    #[must_use]
    pub const fn campaign_type(&self) -> CampaignType {
        self.campaign_type
    }

    /// Returns the campaign's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns how many names the campaign may have, where that was limited.
    #[must_use]
    pub const fn max_domains(&self) -> Option<u64> {
        self.max_domains
    }

    /// Returns how many names the campaign has; the next name's ordinal.
    #[must_use]
    pub const fn names(&self) -> u64 {
        self.names
    }

    /// Tells whether the campaign takes its names from lists, and has none yet.
    #[must_use]
    pub fn waits_for_names(&self) -> bool {
        let imports = PhaseConfig::Discovery {
            source: Source::Import,
        };
        self.names == 0 && self.phase(Phase::Discovery).config.as_ref() == Some(&imports)
    }

    /// Returns how others may take what the campaign found; nothing while it has no names, or something is under way,
    /// about to begin, or ended half way.
    #[must_use]
    pub fn as_input(&self, campaign_id: CampaignId) -> Option<Input> {
        let completed = |phase: &Phase| self.phase(*phase).state == PhaseState::Completed;
        let failed = |phase: Phase| self.phase(phase).state == PhaseState::Failed;
        let settled = completed(&Phase::Discovery)
            && self.active_phase().is_none()
            && self.auto_start_due().is_none()
            && !self.phases().any(failed);
        let checks = [Phase::Extraction, Phase::Validation, Phase::Discovery];
        let checked = checks.into_iter().find(completed)?;
        settled.then(|| Input {
            campaign_id,
            checked,
            runs: self
                .phases()
                .filter_map(|phase| self.phase(phase).run)
                .collect(),
        })
    }

    /// Returns the offset up to which the present discovery run has generated.
    #[must_use]
    pub const fn generated_to(&self) -> Option<u64> {
        self.generated_to
    }

    /// Returns the first offset of the pattern that no discovery run of the campaign has come to.
    #[must_use]
    pub const fn enumerated_to(&self) -> Option<u64> {
        self.enumerated_to
    }

    /// Returns which campaign the present discovery run last took names from, and the ordinal there up to which it did.
    #[must_use]
    pub const fn taken_to(&self) -> Option<(CampaignId, u64)> {
        self.taken_to
    }

    /// Returns one phase.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &PhaseRecord {
        #[expect(
            clippy::indexing_slicing,
            reason = "a phase's index is below the array's length"
        )]
        &self.phases[phase.index()]
    }

    /// Returns the phase that has a run under way, paused or not.
    #[must_use]
    pub fn active_phase(&self) -> Option<Phase> {
        Phase::ALL
            .into_iter()
            .find(|phase| self.phase(*phase).state.is_active())
    }

    /// Returns the first phase that has not completed.
    #[must_use]
    pub fn due_phase(&self) -> Option<Phase> {
        self.phases()
            .find(|phase| self.phase(*phase).state != PhaseState::Completed)
    }

    /// Returns the phases that the campaign has, in the order of execution.
    pub fn phases(&self) -> impl DoubleEndedIterator<Item = Phase> + use<> {
        self.campaign_type.phases().iter().copied()
    }

    /// Checks that the campaign has a phase.
    fn must_have(&self, phase: Phase) -> Result<(), Error> {
        let campaign_type = self.campaign_type;
        match campaign_type.phases().contains(&phase) {
            true => Ok(()),
            false => Err(Error::NoSuchPhase {
                phase,
                campaign_type,
            }),
        }
    }

    /// Returns the phase that should start by itself now: after a phase completed and before the next one began, in
    /// full sequence or where a command began more than one phase. Whether it can is another question; see
    /// [`RefuseStart`].
    #[must_use]
    pub fn auto_start_due(&self) -> Option<Phase> {
        if self.stopped || self.owner().is_none() || self.active_phase().is_some() {
            return None;
        }
        let due = self.due_phase()?;
        if self.mode != Mode::FullSequence && self.through.is_none_or(|last| due > last) {
            return None;
        }
        let waits = matches!(
            self.phase(due).state,
            PhaseState::NotStarted | PhaseState::Configured
        );
        (due != Phase::Discovery && waits).then_some(due)
    }

    fn phase_mut(&mut self, phase: Phase) -> &mut PhaseRecord {
        #[expect(
            clippy::indexing_slicing,
            reason = "a phase's index is below the array's length"
        )]
        &mut self.phases[phase.index()]
    }

    fn must_exist(&self) -> Result<(), Error> {
        self.owner().map(|_| ()).ok_or(Error::NotFound)
    }
}

impl Aggregate for Campaign {
    const TYPE: &'static str = "campaign";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        for event in command.decide(self)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Created {
                owner,
                campaign_type,
                name,
                description,
                notes,
                tags,
                mode,
                max_domains,
                ..
            } => {
                self.owner = Some(owner);
                self.campaign_type = campaign_type;
                self.name = name;
                self.description = description;
                self.notes = notes;
                self.tags = tags;
                self.mode = mode;
                self.max_domains = max_domains;
            }
            Event::DetailsChanged {
                name,
                description,
                notes,
                tags,
                ..
            } => {
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
                self.notes = notes.or_else(|| self.notes.take());
                if let Some(tags) = tags {
                    self.tags = tags;
                }
            }
            Event::ModeChanged { mode } => {
                self.mode = mode;
                self.through = None;
                self.forget_refusals(Phase::Discovery);
            }
            Event::PhaseConfigured { config } => self.configure(config),
            Event::ScoringProfileAssigned { scoring_profile } => {
                self.configure(assign_scoring_profile::analysis_with(scoring_profile));
            }
            Event::DomainsImported {
                first_ordinal,
                names,
                ..
            } => {
                self.names = first_ordinal.saturating_add(names.len() as u64);
            }
            Event::DomainsTaken {
                source,
                to_ordinal,
                first_ordinal,
                names,
                ..
            } => {
                self.names = first_ordinal.saturating_add(names.len() as u64);
                self.taken_to = Some((source, to_ordinal));
            }
            Event::DomainsGenerated {
                start,
                count,
                first_ordinal,
                names,
                ..
            } => {
                self.names = first_ordinal.saturating_add(names);
                self.generated_to = Some(start.saturating_add(count));
                self.enumerated_to = self.generated_to;
            }
            Event::PhaseStarted {
                phase,
                run_id,
                run_number,
                kind,
                through,
                ..
            } => {
                self.begin(phase, run_id, run_number);
                self.phase_mut(phase).kind = kind;
                self.through = through;
                self.partial = kind.is_partial();
            }
            Event::PhasePaused { phase, .. } => self.phase_mut(phase).state = PhaseState::Paused,
            Event::PhaseResumed { phase, .. } => self.phase_mut(phase).state = PhaseState::Running,
            Event::PhaseCompleted { phase, .. } => {
                self.phase_mut(phase).state = PhaseState::Completed;
                self.through = self.through.filter(|last| *last > phase);
            }
            Event::PhaseFailed { phase, .. } => self.phase_mut(phase).state = PhaseState::Failed,
            Event::PhaseStartRefused { phase, message } => {
                self.phase_mut(phase).refusal = Some(message);
            }
            Event::Completed {}
            | Event::Duplicated { .. }
            | Event::Rescored { .. }
            | Event::Restarted { .. }
            | Event::CountersReconciled { .. } => {}
            Event::Stopped {} => self.stopped = true,
            Event::Deleted {} => self.deleted = true,
        }
    }
}

impl Campaign {
    /// Takes a configuration for the next run.
    fn configure(&mut self, config: PhaseConfig) {
        if config.phase() == Phase::Discovery && self.names == 0 {
            // It may be another pattern, whose offsets are others.
            self.enumerated_to = None;
        }
        let record = self.phase_mut(config.phase());
        if record.state == PhaseState::NotStarted {
            record.state = PhaseState::Configured;
        }
        record.config = Some(config);
        record.refusal = None;
        record.reconfigured = true;
    }

    /// Enters a run. Later phases that are over go back to waiting: what they said rests on results that this run
    /// replaces.
    fn begin(&mut self, phase: Phase, run_id: RunId, run_number: u32) {
        self.stopped = false;
        self.forget_refusals(phase);
        let record = self.phase_mut(phase);
        record.state = PhaseState::Running;
        record.run = Some(run_id);
        record.run_number = run_number;
        record.reconfigured = false;
        if phase == Phase::Discovery {
            self.generated_to = None;
            self.taken_to = None;
        }
        for later in Phase::ALL.into_iter().filter(|later| *later > phase) {
            let record = self.phase_mut(later);
            if matches!(record.state, PhaseState::Completed | PhaseState::Failed) {
                record.state = if record.config.is_some() {
                    PhaseState::Configured
                } else {
                    PhaseState::NotStarted
                };
            }
        }
    }

    /// Forgets why phases from `first` on could not start by themselves.
    fn forget_refusals(&mut self, first: Phase) {
        for phase in Phase::ALL.into_iter().filter(|phase| *phase >= first) {
            self.phase_mut(phase).refusal = None;
        }
    }
}

#[cfg(test)]
mod tests;
