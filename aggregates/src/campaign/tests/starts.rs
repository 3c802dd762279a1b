//! When a run may begin, and what its beginning means for the other phases.

use super::*;

#[test]
fn full_sequence_is_refused_until_three_phases_are_configured() {
    let mut campaign = given([created(Mode::FullSequence), configured(Phase::Discovery)]);
    let refused = when(&mut campaign, start(Phase::Discovery, RUN)).unwrap_err();
    assert!(matches!(
        refused,
        Error::MissingPhases { missing, .. } if missing == [Phase::Validation, Phase::Extraction]
    ));
}

#[test]
fn two_starts_make_one_run() {
    let mut campaign = given(all_configured(Mode::StepByStep));
    let first = when(&mut campaign, start(Phase::Discovery, RUN)).unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(
        when(&mut campaign, start(Phase::Discovery, OTHER_RUN)).unwrap(),
        []
    );
    assert_eq!(campaign.phase(Phase::Discovery).run(), Some(RUN));
}

#[test]
fn one_phase_runs_at_a_time() {
    let mut events = all_configured(Mode::StepByStep);
    events.extend([
        started(Phase::Discovery, RUN, 1),
        completed(Phase::Discovery, RUN),
        started(Phase::Validation, RUN, 1),
    ]);
    let mut campaign = given(events);
    let refused = when(&mut campaign, start(Phase::Extraction, OTHER_RUN)).unwrap_err();
    assert!(matches!(
        refused,
        Error::Blocked {
            blocking: Phase::Validation,
            ..
        }
    ));
}

#[test]
fn a_phase_waits_for_the_one_before() {
    let mut campaign = given(all_configured(Mode::StepByStep));
    let refused = when(&mut campaign, start(Phase::Validation, RUN)).unwrap_err();
    assert!(matches!(
        refused,
        Error::TooEarly {
            blocking: Phase::Discovery,
            ..
        }
    ));
}

#[test]
fn a_new_run_puts_later_phases_back_to_waiting() {
    let mut events = all_configured(Mode::StepByStep);
    for phase in Phase::ALL {
        events.extend([started(phase, RUN, 1), completed(phase, RUN)]);
    }
    let mut campaign = given(events);
    assert_eq!(campaign.status(), Status::Completed);
    let again = when(&mut campaign, start(Phase::Validation, OTHER_RUN)).unwrap();
    assert!(matches!(
        again[..],
        [Event::PhaseStarted { run_number: 2, .. }]
    ));
    assert_eq!(
        campaign.phase(Phase::Enrichment).state(),
        PhaseState::Configured
    );
    assert_eq!(
        campaign.phase(Phase::Discovery).state(),
        PhaseState::Completed
    );
}

#[test]
fn the_end_of_a_phase_starts_the_next_one_unless_somebody_was_faster() {
    let mut events = all_configured(Mode::FullSequence);
    events.extend([
        started(Phase::Discovery, RUN, 1),
        completed(Phase::Discovery, RUN),
    ]);
    let mut campaign = given(events);
    assert_eq!(campaign.auto_start_due(), Some(Phase::Validation));
    let auto = Command::StartPhase(StartPhase {
        run_id: OTHER_RUN,
        pinned: pinned(Phase::Validation),
        auto: true,
    });
    assert_eq!(
        when(&mut campaign, start(Phase::Validation, RUN))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(when(&mut campaign, auto).unwrap(), []);
    assert_eq!(campaign.phase(Phase::Validation).run(), Some(RUN));
}
