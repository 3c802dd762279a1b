//! What may happen to a campaign, said in other words than the aggregate says it.

use std::collections::BTreeMap;

use crate::campaign::{
    CampaignType, Command, Create, ImportDomains, Mode, Phase, PhaseConfig, PhaseState, Source,
    Status,
};
use crate::ids::{CampaignId, RunId};

/// Whether a command that is accepted records anything; nothing where it is refused.
pub(super) type Taken = Result<bool, ()>;

/// How a phase stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stands {
    /// For its first start, or for another one because a phase before it runs anew.
    #[default]
    Waits,
    Runs,
    Paused,
    Done,
    Broken,
}

#[derive(Clone, Debug, Default)]
struct Part {
    stands: Stands,
    config: Option<PhaseConfig>,
    run: Option<RunId>,
    retries: bool,
    refusal: Option<String>,
}

/// A campaign as far as its life goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    made: bool,
    deleted: bool,
    stopped: bool,
    full: bool,
    name: String,
    limit: Option<u64>,
    names: u64,
    generated_to: u64,
    taken_to: Option<(CampaignId, u64)>,
    /// Phases up to this one follow, whatever the mode.
    follow_to: Option<Phase>,
    /// The phases that it has; phases are in the order of execution.
    parts: BTreeMap<Phase, Part>,
}

impl Model {
    pub(super) const fn is_there(&self) -> bool {
        self.made && !self.deleted
    }

    pub(super) fn stands(&self, phase: Phase) -> Stands {
        self.parts.get(&phase).map_or(Stands::Waits, |p| p.stands)
    }

    pub(super) fn run(&self, phase: Phase) -> Option<RunId> {
        self.parts.get(&phase)?.run
    }

    /// The state that the campaign must show.
    pub(super) fn state(&self, phase: Phase) -> PhaseState {
        let configured = self
            .parts
            .get(&phase)
            .is_some_and(|part| part.config.is_some());
        match self.stands(phase) {
            Stands::Waits if configured => PhaseState::Configured,
            Stands::Waits => PhaseState::NotStarted,
            Stands::Runs => PhaseState::Running,
            Stands::Paused => PhaseState::Paused,
            Stands::Done => PhaseState::Completed,
            Stands::Broken => PhaseState::Failed,
        }
    }

    /// The phase that runs or is paused.
    pub(super) fn under_way(&self) -> Option<Phase> {
        let active = |stands| matches!(stands, Stands::Runs | Stands::Paused);
        let mut parts = self.parts.iter();
        parts
            .find(|(_, part)| active(part.stands))
            .map(|(phase, _)| *phase)
    }

    /// The first phase that is not done.
    pub(super) fn first_open(&self) -> Option<Phase> {
        let mut parts = self.parts.iter();
        parts
            .find(|(_, part)| part.stands != Stands::Done)
            .map(|(phase, _)| *phase)
    }

    /// The phase that the coordinator must start now.
    pub(super) fn follows(&self) -> Option<Phase> {
        if !self.is_there() || self.stopped || self.under_way().is_some() {
            return None;
        }
        let next = self.first_open()?;
        let wanted = self.full || self.follow_to.is_some_and(|last| next <= last);
        let follows = next > Phase::Discovery && self.stands(next) == Stands::Waits;
        (wanted && follows).then_some(next)
    }

    /// A phase that has to be configured before anything can start.
    pub(super) fn lacks(&self) -> Option<Phase> {
        let bare = |phase: &Phase| self.needs(*phase) && self.parts[phase].config.is_none();
        match self.full {
            true => self.parts.keys().copied().find(|phase| bare(phase)),
            false => self.first_open().filter(bare),
        }
    }

    pub(super) fn status(&self) -> Status {
        match self.under_way().map(|phase| self.stands(phase)) {
            Some(Stands::Paused) => return Status::Paused,
            Some(_) => return Status::Running,
            None => {}
        }
        let broken = |part: &Part| part.stands == Stands::Broken;
        if self.stopped {
            Status::Cancelled
        } else if self.parts.values().any(broken) {
            Status::Failed
        } else if self.first_open().is_none() {
            Status::Completed
        } else if self.parts.values().any(|part| part.run.is_some()) {
            Status::Running
        } else {
            Status::Draft
        }
    }

    /// Takes a command, or refuses it and is as before.
    pub(super) fn take(&mut self, command: &Command) -> Taken {
        let mut led = self.clone();
        let taken = led.decide(command)?;
        *self = led;
        Ok(taken)
    }

    fn decide(&mut self, command: &Command) -> Taken {
        match command {
            Command::Create(create) => return self.create(create),
            Command::CreateWithNames(both) => {
                self.create(&both.create)?;
                self.import(&both.import)?;
                return Ok(true);
            }
            Command::Duplicate(copy) => {
                self.create(&copy.create)?;
                if let Some(import) = &copy.import {
                    self.import(import)?;
                }
                return Ok(true);
            }
            _ if !self.is_there() => return Err(()),
            _ => {}
        }
        match command {
            Command::Create(_) | Command::CreateWithNames(_) | Command::Duplicate(_) => Err(()),
            Command::ChangeDetails(change) => self.rename(change.name.as_deref()),
            Command::Reconfigure(change) => {
                let begun = self.status() != Status::Draft;
                if change.only_pending && begun && !change.phases.is_empty() {
                    return Err(());
                }
                let mut recorded = self.rename(change.details.name.as_deref())?;
                for config in &change.phases {
                    recorded |= self.configure(config)?;
                }
                Ok(recorded)
            }
            Command::ChangeMode(change) => self.change_mode(change.mode),
            Command::ConfigurePhase(configure) => self.configure(&configure.config),
            Command::AssignScoringProfile(assign) => self.configure(&PhaseConfig::Analysis {
                scoring_profile: Some(assign.scoring_profile),
            }),
            Command::ImportDomains(import) => self.import(import),
            Command::RecordGenerated(made) => {
                self.must_run(Phase::Discovery, made.run_id)?;
                if made.start < self.generated_to {
                    return Ok(false);
                }
                self.grow(made.names)?;
                self.generated_to = made.start + made.count;
                Ok(true)
            }
            Command::RecordTaken(taken) => {
                self.must_run(Phase::Discovery, taken.run_id)?;
                let known = self.taken_to;
                if known.is_some_and(|(of, to)| of == taken.source && taken.to_ordinal <= to) {
                    return Ok(false);
                }
                self.names += taken.names.len() as u64;
                self.taken_to = Some((taken.source, taken.to_ordinal));
                Ok(true)
            }
            Command::StartPhase(start) if start.auto => {
                match start.pinned.phase() {
                    phase if self.follows() == Some(phase) => {
                        self.begin(phase, start.run_id, self.follow_to)
                    }
                    // Somebody was faster.
                    _ => Ok(false),
                }
            }
            Command::StartPhase(start) => self.begin(start.pinned.phase(), start.run_id, None),
            Command::Restart(restart) => {
                self.must_be_done(&[Phase::Discovery])?;
                let after = self.parts.iter().skip(1);
                let again = after.take_while(|(phase, part)| {
                    self.full || **phase == Phase::Validation || part.run.is_some()
                });
                let last = again.last().map(|(phase, _)| *phase);
                self.begin(Phase::Validation, restart.run_id, last)
            }
            Command::RestartAnalysis(restart) => self.analyse_anew(restart.run_id),
            Command::RetryFailed(retry) => self.retry(retry.pinned.phase(), retry.run_id),
            Command::Rescore(rescore) => match self.stands(Phase::Analysis) {
                Stands::Runs | Stands::Paused => Err(()),
                _ if self.run(Phase::Analysis).is_none() => Err(()),
                _ => self.analyse_anew(rescore.run_id),
            },
            Command::PausePhase(pause) => {
                self.must_be_as(pause.phase, pause.expected)?;
                self.moves(pause.phase, Stands::Runs, Stands::Paused)
            }
            Command::ResumePhase(resume) => {
                self.must_be_as(resume.phase, resume.expected)?;
                self.moves(resume.phase, Stands::Paused, Stands::Runs)
            }
            Command::StopPhase(stop) => match self.stands(stop.phase) {
                Stands::Runs | Stands::Paused => self.ends(stop.phase, Stands::Broken),
                Stands::Broken => Ok(false),
                _ => Err(()),
            },
            Command::Stop(_) => {
                if self.stopped {
                    return Ok(false);
                }
                match (self.under_way(), self.follows()) {
                    (Some(phase), _) => {
                        self.stopped = true;
                        self.ends(phase, Stands::Broken)
                    }
                    (None, Some(_)) => {
                        self.stopped = true;
                        Ok(true)
                    }
                    (None, None) => Err(()),
                }
            }
            Command::CompletePhase(complete) => {
                self.must_run(complete.phase, complete.run_id)?;
                self.ends(complete.phase, Stands::Done)
            }
            Command::FailPhase(fail) => {
                let under_way = self.under_way() == Some(fail.phase);
                match under_way && self.run(fail.phase) == Some(fail.run_id) {
                    true => self.ends(fail.phase, Stands::Broken),
                    false => Err(()),
                }
            }
            Command::RefuseStart(refuse) => {
                let follows = self.follows() == Some(refuse.phase);
                let Some(part) = self.parts.get_mut(&refuse.phase).filter(|_| follows) else {
                    return Ok(false);
                };
                let told = part.refusal.replace(refuse.message.clone());
                Ok(told.as_ref() != Some(&refuse.message))
            }
            Command::ReconcileCounters(noted) => Ok(noted.corrections > 0),
            Command::Delete(_) => {
                if let Some(phase) = self.under_way() {
                    self.ends(phase, Stands::Broken)?;
                }
                self.deleted = true;
                Ok(true)
            }
            Command::Several(several) => {
                let mut recorded = false;
                for command in &several.commands {
                    recorded |= self.decide(command)?;
                }
                Ok(recorded)
            }
        }
    }

    fn create(&mut self, create: &Create) -> Taken {
        if self.made {
            return Err(());
        }
        let phases = match create.campaign_type {
            CampaignType::Generation => 1,
            CampaignType::Dns => 2,
            CampaignType::Http => 3,
            CampaignType::Full | CampaignType::Lead => 5,
        };
        let phases = Phase::ALL.into_iter().take(phases);
        self.parts = phases.map(|phase| (phase, Part::default())).collect();
        self.made = true;
        self.full = create.mode == Mode::FullSequence;
        self.limit = create.max_domains;
        self.rename(Some(&create.name))?;
        for config in &create.phases {
            self.configure(config)?;
        }
        Ok(true)
    }

    fn rename(&mut self, name: Option<&str>) -> Taken {
        let Some(name) = name else { return Ok(false) };
        if name.is_empty() {
            return Err(());
        }
        let changes = self.name != name;
        self.name = name.to_owned();
        Ok(changes)
    }

    fn change_mode(&mut self, mode: Mode) -> Taken {
        let full = mode == Mode::FullSequence;
        if self.full == full {
            return Ok(false);
        }
        self.full = full;
        self.follow_to = None;
        for part in self.parts.values_mut() {
            part.refusal = None;
        }
        Ok(true)
    }

    fn configure(&mut self, config: &PhaseConfig) -> Taken {
        let phase = config.phase();
        let settled = phase == Phase::Discovery && self.names > 0;
        let part = self.parts.get_mut(&phase).ok_or(())?;
        let same = part.config.as_ref() == Some(config);
        if matches!(part.stands, Stands::Runs | Stands::Paused) || settled && !same {
            return Err(());
        }
        if !same {
            part.config = Some(config.clone());
            part.refusal = None;
        }
        Ok(!same)
    }

    fn import(&mut self, import: &ImportDomains) -> Taken {
        let lists = PhaseConfig::Discovery {
            source: Source::Import,
        };
        let discovery = self.parts.get_mut(&Phase::Discovery).ok_or(())?;
        if discovery.stands != Stands::Waits {
            return Err(());
        }
        let said = discovery.config.is_some();
        let config = discovery.config.get_or_insert_with(|| lists.clone());
        if *config != lists {
            return Err(());
        }
        self.grow(import.names.len() as u64)?;
        Ok(!said || !import.names.is_empty())
    }

    fn grow(&mut self, names: u64) -> Result<(), ()> {
        self.names += names;
        match self.limit.is_some_and(|limit| self.names > limit) {
            true => Err(()),
            false => Ok(()),
        }
    }

    /// Whether a phase cannot do without a configuration.
    fn needs(&self, phase: Phase) -> bool {
        self.parts.contains_key(&phase) && phase < Phase::Analysis
    }

    fn must_be_as(&self, phase: Phase, expected: Option<PhaseState>) -> Result<(), ()> {
        match expected.is_none_or(|expected| expected == self.state(phase)) {
            true => Ok(()),
            false => Err(()),
        }
    }

    /// A run whose work is recorded must be the present one and not paused.
    fn must_run(&self, phase: Phase, run: RunId) -> Result<(), ()> {
        let present = self.run(phase) == Some(run) && self.stands(phase) == Stands::Runs;
        present.then_some(()).ok_or(())
    }

    fn must_be_done(&self, phases: &[Phase]) -> Result<(), ()> {
        let done = |phase: &Phase| self.stands(*phase) == Stands::Done;
        phases.iter().all(done).then_some(()).ok_or(())
    }

    fn moves(&mut self, phase: Phase, from: Stands, to: Stands) -> Taken {
        let part = self.parts.get_mut(&phase).ok_or(())?;
        if part.stands == to {
            return Ok(false);
        }
        if part.stands != from {
            return Err(());
        }
        part.stands = to;
        Ok(true)
    }

    fn ends(&mut self, phase: Phase, how: Stands) -> Taken {
        self.parts.get_mut(&phase).ok_or(())?.stands = how;
        if how == Stands::Done {
            self.follow_to = self.follow_to.filter(|last| *last > phase);
        }
        Ok(true)
    }

    fn analyse_anew(&mut self, run: RunId) -> Taken {
        self.must_be_done(&[Phase::Discovery, Phase::Validation, Phase::Extraction])?;
        if self.stands(Phase::Analysis) == Stands::Paused {
            self.ends(Phase::Analysis, Stands::Broken)?;
        }
        self.begin(Phase::Analysis, run, self.last_that_ran())
    }

    fn retry(&mut self, phase: Phase, run: RunId) -> Taken {
        let part = self.parts.get(&phase).ok_or(())?;
        match part.stands {
            Stands::Runs if part.retries => return Ok(false),
            Stands::Runs | Stands::Paused => return Err(()),
            _ if part.run.is_none() || phase == Phase::Discovery => return Err(()),
            _ => {}
        }
        let begun = self.begin(phase, run, self.last_that_ran())?;
        if let Some(part) = self.parts.get_mut(&phase) {
            part.retries = true;
        }
        Ok(begun)
    }

    fn last_that_ran(&self) -> Option<Phase> {
        let mut ran = self.parts.iter();
        ran.rfind(|(_, part)| part.run.is_some())
            .map(|(phase, _)| *phase)
    }

    /// Begins a run, which phases up to one follow.
    fn begin(&mut self, phase: Phase, run: RunId, follow_to: Option<Phase>) -> Taken {
        let stands = self.parts.get(&phase).ok_or(())?.stands;
        if stands == Stands::Runs {
            return Ok(false);
        }
        let bare = |phase: &Phase| self.needs(*phase) && self.parts[phase].config.is_none();
        let lacks = bare(&phase) || self.full && self.parts.keys().any(bare);
        let mut before = self.parts.range(..phase);
        let early = before.any(|(_, part)| part.stands != Stands::Done);
        let named = phase == Phase::Discovery && stands == Stands::Done;
        if self.under_way().is_some() || lacks || early || named {
            return Err(());
        }
        for part in self.parts.range_mut(phase..).map(|(_, part)| part) {
            part.stands = Stands::Waits;
            part.refusal = None;
        }
        let part = self.parts.get_mut(&phase).ok_or(())?;
        part.stands = Stands::Runs;
        part.run = Some(run);
        part.retries = false;
        self.stopped = false;
        self.follow_to = follow_to.filter(|last| *last > phase);
        if phase == Phase::Discovery {
            self.generated_to = 0;
            self.taken_to = None;
        }
        Ok(true)
    }
}
