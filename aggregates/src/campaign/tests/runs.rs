//! A run under way, and its end.

use super::*;

#[test]
fn a_pause_is_recorded_once_and_holds_until_resumed() {
    let mut events = all_configured(Mode::StepByStep);
    events.push(started(Phase::Discovery, RUN, 1));
    let mut campaign = given(events);
    assert_eq!(
        when(&mut campaign, pause(Phase::Discovery)).unwrap().len(),
        1
    );
    assert_eq!(when(&mut campaign, pause(Phase::Discovery)).unwrap(), []);
    assert_eq!(campaign.status(), Status::Paused);
    let generate = Command::ResumePhase(ResumePhase {
        phase: Phase::Discovery,
        expected: Some(PhaseState::Paused),
    });
    assert_eq!(when(&mut campaign, generate).unwrap().len(), 1);
    assert_eq!(campaign.status(), Status::Running);
}

#[test]
fn a_paused_run_whose_work_is_done_waits_for_its_resume() {
    let mut events = all_configured(Mode::FullSequence);
    events.push(started(Phase::Discovery, RUN, 1));
    let mut campaign = given(events);
    let complete = || {
        Command::CompletePhase(CompletePhase {
            phase: Phase::Discovery,
            run_id: RUN,
            tallies: Tallies::new(),
        })
    };
    when(&mut campaign, pause(Phase::Discovery)).unwrap();
    let refused = when(&mut campaign, complete()).unwrap_err();
    assert!(
        matches!(refused, Error::InvalidTransition { .. }),
        "{refused}"
    );
    assert_eq!(campaign.auto_start_due(), None);
    let resume = Command::ResumePhase(ResumePhase {
        phase: Phase::Discovery,
        expected: None,
    });
    when(&mut campaign, resume).unwrap();
    assert_eq!(when(&mut campaign, complete()).unwrap().len(), 1);
}

#[test]
fn an_unexpected_state_leaves_the_phase_where_it_is() {
    let mut events = all_configured(Mode::StepByStep);
    events.push(started(Phase::Discovery, RUN, 1));
    let mut campaign = given(events);
    let command = Command::PausePhase(PausePhase {
        phase: Phase::Discovery,
        expected: Some(PhaseState::Paused),
    });
    assert!(matches!(
        when(&mut campaign, command).unwrap_err(),
        Error::ExpectedStateMismatch { .. }
    ));
    assert_eq!(
        campaign.phase(Phase::Discovery).state(),
        PhaseState::Running
    );
}

#[test]
fn a_stop_ends_the_run_and_the_campaign() {
    let mut events = all_configured(Mode::FullSequence);
    events.push(started(Phase::Discovery, RUN, 1));
    let mut campaign = given(events);
    let stopped = when(&mut campaign, Command::Stop(Stop {})).unwrap();
    assert_eq!(stopped.len(), 2);
    assert_eq!(campaign.status(), Status::Cancelled);
    assert_eq!(campaign.auto_start_due(), None);
    let late = Command::CompletePhase(CompletePhase {
        phase: Phase::Discovery,
        run_id: RUN,
        tallies: Tallies::new(),
    });
    assert_eq!(when(&mut campaign, late).unwrap_err(), Error::RunIsOver);
}

#[test]
fn the_end_of_the_last_phase_announces_the_end_of_the_campaign_and_that_of_another_does_not() {
    let complete = |phase| {
        Command::CompletePhase(CompletePhase {
            phase,
            run_id: RUN,
            tallies: Tallies::new(),
        })
    };
    let mut campaign = given(all_configured(Mode::StepByStep));
    for phase in Phase::ALL {
        campaign.apply(started(phase, RUN, 1));
        let events = when(&mut campaign, complete(phase)).unwrap();
        let announced = events.contains(&Event::Completed {});
        assert_eq!(announced, phase == Phase::Enrichment, "{phase}");
    }
    assert_eq!(campaign.status(), Status::Completed);
}
