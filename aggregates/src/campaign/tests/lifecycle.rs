//! A campaign's life against a model of it, whatever is commanded, whatever dies, and however time passes.
//!
//! The model knows nothing of transition tables and events: a phase waits, runs, is paused, is done or is broken, and
//! what may happen to it is said once more, in other words, in `lifecycle/model.rs`. Commands are drawn from all that
//! users and the coordinator give; a crash throws the state away and folds it again from the log as it is written;
//! time is the coordinator and the workers doing what comes next by itself.

mod draw;
mod model;

use proptest::prelude::*;

use self::model::{Model, Stands};
use super::*;

/// The longest way from anywhere to the end: every phase configured, started and completed, a paused one resumed.
const FAR: usize = 3 * Phase::ALL.len() + 1;

/// What happens to a campaign.
#[derive(Clone, Debug)]
pub(super) enum Happens {
    /// Somebody, or the coordinator, gives a command.
    Command(Box<Command>),
    /// The same with a command on the phase that is under way, or else on the next one, and on its present run: what
    /// is drawn blindly seldom meets a paused run.
    Aimed(Action),
    /// The process dies; what is not in the log is gone.
    Crash,
    /// What comes next by itself does, or else what a patient user would do.
    Time,
}

/// A campaign, its log, and the model of it.
struct Life {
    campaign: Campaign,
    log: Vec<String>,
    model: Model,
    runs: u128,
}

impl Life {
    fn new() -> Self {
        Self {
            campaign: Campaign::default(),
            log: Vec::new(),
            model: Model::default(),
            runs: 0x1000,
        }
    }

    /// Gives a command and holds what came of it against the model.
    fn command(&mut self, command: Command) -> Result<(), TestCaseError> {
        let said = format!("{command:?}");
        let expected = self.model.take(&command);
        let before = state_of(&self.campaign);
        let outcome = when(&mut self.campaign, command);
        match (&outcome, expected) {
            (Ok(events), Ok(recorded)) => prop_assert_eq!(
                !events.is_empty(),
                recorded,
                "{} recorded {:?}",
                said,
                events
            ),
            (Err(_), Err(())) => {}
            (Ok(events), Err(())) => {
                return Err(TestCaseError::fail(format!(
                    "accepted: {said} led to {events:?}"
                )));
            }
            (Err(refused), Ok(_)) => {
                return Err(TestCaseError::fail(format!("refused: {said}: {refused}")));
            }
        }
        let events = outcome.unwrap_or_default();
        if events.is_empty() {
            prop_assert_eq!(
                before,
                state_of(&self.campaign),
                "{} changed the state and no event says so",
                said
            );
        }
        for event in &events {
            self.log.push(serde_json::to_string(event).unwrap());
        }
        self.agrees(&said)
    }

    /// Holds everything that a campaign says of its life against the model.
    fn agrees(&self, after: &str) -> Result<(), TestCaseError> {
        let (campaign, model) = (&self.campaign, &self.model);
        prop_assert_eq!(campaign.owner().is_some(), model.is_there(), "{}", after);
        let (mut states, mut expected) = (Vec::new(), Vec::new());
        for phase in Phase::ALL {
            states.push(campaign.phase(phase).state());
            expected.push(model.state(phase));
        }
        prop_assert_eq!(states, expected, "{}", after);
        if model.is_there() {
            prop_assert_eq!(campaign.status(), model.status(), "{}", after);
        }
        prop_assert_eq!(campaign.active_phase(), model.under_way(), "{}", after);
        prop_assert_eq!(campaign.auto_start_due(), model.follows(), "{}", after);
        Ok(())
    }

    /// The process dies and another one reads the log.
    fn crash(&mut self) -> Result<(), TestCaseError> {
        let known = state_of(&self.campaign);
        let events = self
            .log
            .iter()
            .map(|event| serde_json::from_str(event).unwrap());
        self.campaign = given(events);
        prop_assert_eq!(
            state_of(&self.campaign),
            known,
            "the log says something else"
        );
        Ok(())
    }

    fn new_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(Uuid::from_u128(self.runs))
    }

    /// What happens next, if a user is patient: never one of the commands that end a run early.
    fn next(&mut self) -> Option<Command> {
        let run_id = self.new_run();
        if !self.model.is_there() {
            return None;
        }
        if let Some(phase) = self.model.under_way() {
            return Some(match self.model.stands(phase) {
                Stands::Paused => Command::ResumePhase(ResumePhase {
                    phase,
                    expected: Some(PhaseState::Paused),
                }),
                _ => Command::CompletePhase(CompletePhase {
                    phase,
                    run_id: self.model.run(phase)?,
                    tallies: Tallies::new(),
                }),
            });
        }
        if let Some(phase) = self.model.lacks() {
            return Some(Command::ConfigurePhase(ConfigurePhase {
                config: config(phase),
            }));
        }
        let pinned = pinned(self.model.first_open()?);
        let auto = self.model.follows().is_some();
        Some(Command::StartPhase(StartPhase {
            run_id,
            pinned,
            auto,
        }))
    }

    /// An action on the phase that it is about now.
    fn aimed(&mut self, action: Action) -> Command {
        let model = &self.model;
        let phase = model
            .under_way()
            .or_else(|| model.first_open())
            .unwrap_or(Phase::Enrichment);
        let run_id = model.run(phase).unwrap_or(RUN);
        let expected = None;
        match action {
            Action::Configure => Command::ConfigurePhase(ConfigurePhase {
                config: draw::another_config(phase),
            }),
            Action::Start => start(phase, self.new_run()),
            Action::Pause => pause(phase),
            Action::Resume => Command::ResumePhase(ResumePhase { phase, expected }),
            Action::Stop => Command::StopPhase(StopPhase { phase }),
            Action::Complete => Command::CompletePhase(CompletePhase {
                phase,
                run_id,
                tallies: Tallies::new(),
            }),
            Action::Fail => Command::FailPhase(FailPhase {
                phase,
                run_id,
                message: "no resolver".to_owned(),
            }),
        }
    }

    fn happens(&mut self, what: Happens) -> Result<(), TestCaseError> {
        match what {
            Happens::Command(command) => self.command(*command),
            Happens::Aimed(action) => {
                let command = self.aimed(action);
                self.command(command)
            }
            Happens::Crash => self.crash(),
            Happens::Time => match self.next() {
                Some(command) => self.command(command),
                None => Ok(()),
            },
        }
    }

    /// A copy from which something else is tried.
    fn fork(&self) -> Self {
        Self {
            campaign: self.campaign.clone(),
            log: self.log.clone(),
            model: self.model.clone(),
            runs: self.runs,
        }
    }

    /// From wherever the campaign is, something moves it: a run under way can be ended by a user and by the
    /// coordinator, and by commands that are all accepted and all recorded it comes to its end.
    fn can_end(&self) -> Result<(), TestCaseError> {
        if !self.model.is_there() {
            return Ok(());
        }
        if let Some(phase) = self.campaign.active_phase() {
            let mut stopped = self.fork();
            stopped.command(Command::Stop(Stop {}))?;
            prop_assert_eq!(stopped.campaign.status(), Status::Cancelled);
            let mut failed = self.fork();
            failed.command(Command::FailPhase(FailPhase {
                phase,
                run_id: self.campaign.phase(phase).run().unwrap(),
                message: "no resolver".to_owned(),
            }))?;
            prop_assert_eq!(failed.campaign.status(), Status::Failed);
        }
        let mut patient = self.fork();
        for _ in 0..FAR {
            let Some(command) = patient.next() else {
                break;
            };
            let said = format!("{command:?}");
            let known = patient.log.len();
            patient.command(command)?;
            prop_assert!(patient.log.len() > known, "{} moves nothing", said);
        }
        prop_assert_eq!(patient.campaign.status(), Status::Completed);
        Ok(())
    }
}

fn state_of(campaign: &Campaign) -> serde_json::Value {
    serde_json::to_value(campaign).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_campaign_lives_as_its_model_whatever_is_commanded_and_whoever_dies(
        created in draw::creation(),
        life in prop::collection::vec(draw::happening(), 0..50),
    ) {
        let mut campaign = Life::new();
        campaign.command(created)?;
        for what in life {
            campaign.happens(what)?;
            campaign.can_end()?;
        }
        campaign.crash()?;
    }
}

#[test]
fn what_is_not_a_campaign_takes_no_command_but_its_creation() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    runner
        .run(&draw::command(), |command| {
            let mut nothing = Life::new();
            let creates = matches!(
                command,
                Command::Create(_) | Command::CreateWithNames(_) | Command::Duplicate(_)
            );
            nothing.command(command)?;
            prop_assert!(creates || nothing.log.is_empty());
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_campaign_that_is_left_alone_in_full_sequence_comes_to_its_end_after_one_start() {
    for campaign_type in CampaignType::ALL {
        let mut life = Life::new();
        let create = Create {
            campaign_type,
            mode: Mode::FullSequence,
            phases: campaign_type.phases().iter().copied().map(config).collect(),
            ..Create::new(owner(), "shops")
        };
        life.command(Command::Create(create)).unwrap();
        for (at, phase) in campaign_type.phases().iter().enumerate() {
            assert_eq!(life.campaign.auto_start_due(), (at > 0).then_some(*phase));
            life.happens(Happens::Time).unwrap();
            assert_eq!(life.campaign.active_phase(), Some(*phase));
            life.crash().unwrap();
            life.happens(Happens::Time).unwrap();
        }
        assert_eq!(life.campaign.status(), Status::Completed);
        assert!(life.next().is_none());
    }
}
