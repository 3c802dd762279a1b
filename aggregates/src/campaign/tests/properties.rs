//! What holds whatever is commanded in whatever order.

use proptest::prelude::*;

use super::*;

fn any_command() -> impl Strategy<Value = Command> {
    let phase = prop::sample::select(Phase::ALL.to_vec());
    let run = (0_u128..4).prop_map(|n| RunId(Uuid::from_u128(n)));
    prop_oneof![
        (phase.clone(), run.clone()).prop_map(|(phase, run)| start(phase, run)),
        phase.clone().prop_map(pause),
        phase
            .clone()
            .prop_map(|phase| Command::ResumePhase(ResumePhase {
                phase,
                expected: None
            })),
        phase
            .clone()
            .prop_map(|phase| Command::StopPhase(StopPhase { phase })),
        Just(Command::Stop(Stop {})),
        run.clone().prop_map(|run_id| Command::Rescore(Rescore {
            run_id,
            pinned: pinned(Phase::Analysis)
        })),
        run.clone().prop_map(|run_id| Command::Restart(Restart {
            run_id,
            pinned: pinned(Phase::Validation)
        })),
        run.clone()
            .prop_map(|run_id| Command::RestartAnalysis(RestartAnalysis {
                run_id,
                pinned: pinned(Phase::Analysis)
            })),
        (phase.clone(), run.clone()).prop_map(|(phase, run_id)| Command::StartPhase(StartPhase {
            run_id,
            pinned: pinned(phase),
            auto: true
        })),
        (phase.clone(), run.clone()).prop_map(|(phase, run_id)| Command::RetryFailed(
            RetryFailed {
                run_id,
                pinned: pinned(phase)
            }
        )),
        (phase.clone(), run.clone()).prop_map(|(phase, run_id)| Command::CompletePhase(
            CompletePhase {
                phase,
                run_id,
                tallies: Tallies::new()
            }
        )),
        (phase, run).prop_map(|(phase, run_id)| Command::FailPhase(FailPhase {
            phase,
            run_id,
            message: "no resolver".to_owned()
        })),
        prop::bool::ANY.prop_map(|full| Command::ChangeMode(ChangeMode {
            mode: if full {
                Mode::FullSequence
            } else {
                Mode::StepByStep
            }
        })),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_commands_brings_two_runs_under_way_or_an_illegal_transition(commands in prop::collection::vec(any_command(), 0..60)) {
        let mut campaign = given(all_configured(Mode::StepByStep));
        for command in commands {
            let mut before = Phase::ALL.map(|phase| campaign.phase(phase).state());
            let events = when(&mut campaign, command).unwrap_or_default();
            let after = Phase::ALL.map(|phase| campaign.phase(phase).state());
            prop_assert!(after.iter().filter(|state| state.is_active()).count() <= 1);
            if events.is_empty() {
                prop_assert_eq!(before, after, "the state changed and no event says so");
            }
            for event in &events {
                match event {
                    Event::PhaseStarted { phase, .. } => {
                        prop_assert!(transition(*phase, before[*phase as usize], Action::Start) != Transition::Refused);
                    }
                    Event::PhaseFailed { phase, .. } => before[*phase as usize] = PhaseState::Failed,
                    _ => {}
                }
            }
        }
    }
}
