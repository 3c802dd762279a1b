//! What runs anew, and what follows it by itself.

use super::*;

/// A campaign whose phases up to one have completed.
fn ran_to(last: Phase, mode: Mode) -> Campaign {
    let mut events = all_configured(mode);
    for phase in Phase::ALL.into_iter().filter(|phase| *phase <= last) {
        events.extend([started(phase, RUN, 1), completed(phase, RUN)]);
    }
    given(events)
}

fn restart() -> Command {
    Command::Restart(Restart {
        run_id: OTHER_RUN,
        pinned: pinned(Phase::Validation),
    })
}

fn restart_analysis() -> Command {
    Command::RestartAnalysis(RestartAnalysis {
        run_id: OTHER_RUN,
        pinned: pinned(Phase::Analysis),
    })
}

fn auto(phase: Phase, run_id: RunId) -> Command {
    Command::StartPhase(StartPhase {
        run_id,
        pinned: pinned(phase),
        auto: true,
    })
}

#[test]
fn a_restart_begins_with_validation_and_the_phases_that_ran_follow_step_by_step_too() {
    let mut campaign = ran_to(Phase::Extraction, Mode::StepByStep);
    let events = when(&mut campaign, restart()).unwrap();
    let phases = vec![Phase::Validation, Phase::Extraction];
    assert_eq!(events[0], Event::Restarted { phases });
    assert!(matches!(
        events[1],
        Event::PhaseStarted {
            phase: Phase::Validation,
            run_number: 2,
            kind: RunKind::Full,
            through: Some(Phase::Extraction),
            ..
        }
    ));
    assert_eq!(events.len(), 2);
    assert_eq!(campaign.auto_start_due(), None);
    campaign.apply(completed(Phase::Validation, OTHER_RUN));
    assert_eq!(campaign.auto_start_due(), Some(Phase::Extraction));
    when(&mut campaign, auto(Phase::Extraction, OTHER_RUN)).unwrap();
    campaign.apply(completed(Phase::Extraction, OTHER_RUN));
    assert_eq!(
        campaign.auto_start_due(),
        None,
        "the analysis was never run and is the user's to start"
    );
}

#[test]
fn a_restart_in_full_sequence_is_about_every_phase_after_the_names() {
    let mut campaign = ran_to(Phase::Discovery, Mode::FullSequence);
    let events = when(&mut campaign, restart()).unwrap();
    let phases = Phase::ALL[1..].to_vec();
    assert_eq!(events[0], Event::Restarted { phases });
}

#[test]
fn a_restart_while_validation_runs_changes_nothing() {
    let mut campaign = ran_to(Phase::Enrichment, Mode::StepByStep);
    assert_eq!(when(&mut campaign, restart()).unwrap().len(), 2);
    assert_eq!(when(&mut campaign, restart()).unwrap(), []);
}

#[test]
fn a_restart_needs_names_and_waits_for_nobody() {
    let mut campaign = given(all_configured(Mode::StepByStep));
    assert!(matches!(
        when(&mut campaign, restart()).unwrap_err(),
        Error::RerunTooEarly {
            phase: Phase::Validation,
            blocking: Phase::Discovery,
            ..
        }
    ));
    let mut campaign = ran_to(Phase::Validation, Mode::StepByStep);
    campaign.apply(started(Phase::Extraction, RUN, 1));
    assert!(matches!(
        when(&mut campaign, restart()).unwrap_err(),
        Error::Blocked {
            blocking: Phase::Extraction,
            ..
        }
    ));
}

#[test]
fn a_change_of_the_mode_has_the_last_word_on_what_follows() {
    let mut campaign = ran_to(Phase::Enrichment, Mode::FullSequence);
    when(&mut campaign, restart()).unwrap();
    let mode = Mode::StepByStep;
    campaign.apply(Event::ModeChanged { mode });
    campaign.apply(completed(Phase::Validation, OTHER_RUN));
    assert_eq!(campaign.auto_start_due(), None);
}

#[test]
fn the_analysis_begins_anew_and_the_decision_follows_where_it_was_made_before() {
    for (last, follows) in [
        (Phase::Enrichment, Some(Phase::Enrichment)),
        (Phase::Analysis, None),
        (Phase::Extraction, None),
    ] {
        let mut campaign = ran_to(last, Mode::StepByStep);
        let events = when(&mut campaign, restart_analysis()).unwrap();
        assert!(
            matches!(
                events[..],
                [Event::PhaseStarted { phase: Phase::Analysis, through, .. }] if through == follows
            ),
            "{last}: {events:?}"
        );
        assert_eq!(when(&mut campaign, restart_analysis()).unwrap(), []);
        campaign.apply(completed(Phase::Analysis, OTHER_RUN));
        assert_eq!(campaign.auto_start_due(), follows, "{last}");
    }
}

#[test]
fn a_paused_analysis_ends_for_its_restart() {
    let mut campaign = ran_to(Phase::Extraction, Mode::StepByStep);
    campaign.apply(started(Phase::Analysis, RUN, 1));
    campaign.apply(Event::PhasePaused {
        phase: Phase::Analysis,
        run_id: RUN,
    });
    let events = when(&mut campaign, restart_analysis()).unwrap();
    assert!(matches!(
        events[..],
        [
            Event::PhaseFailed {
                run_id: RUN,
                cause: FailureCause::Stopped,
                ..
            },
            Event::PhaseStarted {
                run_id: OTHER_RUN,
                run_number: 2,
                ..
            }
        ]
    ));
    assert_eq!(campaign.phase(Phase::Analysis).state(), PhaseState::Running);
}

#[test]
fn the_analysis_does_not_begin_anew_before_what_it_rests_on_has_completed() {
    for (last, blocking) in [
        (Phase::Discovery, Phase::Validation),
        (Phase::Validation, Phase::Extraction),
    ] {
        let mut campaign = ran_to(last, Mode::StepByStep);
        let refused = when(&mut campaign, restart_analysis()).unwrap_err();
        let current = PhaseState::Configured;
        let phase = Phase::Analysis;
        assert_eq!(
            refused,
            Error::RerunTooEarly {
                phase,
                current,
                blocking
            }
        );
    }
}

fn retry(phase: Phase) -> Command {
    Command::RetryFailed(RetryFailed {
        run_id: OTHER_RUN,
        pinned: pinned(phase),
    })
}

fn kind_of(events: &[Event]) -> Option<RunKind> {
    events.iter().find_map(|event| match event {
        Event::PhaseStarted { kind, .. } => Some(*kind),
        _ => None,
    })
}

#[test]
fn what_follows_a_retry_is_about_the_rest_alone_but_where_a_phase_was_configured_anew() {
    let mut campaign = ran_to(Phase::Enrichment, Mode::StepByStep);
    campaign.apply(configured(Phase::Analysis));
    let events = when(&mut campaign, retry(Phase::Validation)).unwrap();
    assert!(matches!(
        events[..],
        [Event::PhaseStarted {
            kind: RunKind::Retry,
            run_number: 2,
            through: Some(Phase::Enrichment),
            ..
        }]
    ));
    assert_eq!(when(&mut campaign, retry(Phase::Validation)).unwrap(), []);
    let mut kinds = Vec::new();
    for before in [Phase::Validation, Phase::Extraction, Phase::Analysis] {
        campaign.apply(completed(before, OTHER_RUN));
        let due = campaign.auto_start_due().unwrap();
        kinds.push(kind_of(&when(&mut campaign, auto(due, OTHER_RUN)).unwrap()).unwrap());
    }
    assert_eq!(kinds, [RunKind::Rest, RunKind::Full, RunKind::Full]);
}

#[test]
fn a_user_who_starts_a_phase_after_a_retry_starts_all_of_it() {
    let mut campaign = ran_to(Phase::Enrichment, Mode::StepByStep);
    when(&mut campaign, retry(Phase::Validation)).unwrap();
    campaign.apply(completed(Phase::Validation, OTHER_RUN));
    let events = when(&mut campaign, start(Phase::Extraction, RUN)).unwrap();
    assert_eq!(kind_of(&events), Some(RunKind::Full));
}

#[test]
fn a_run_that_was_stopped_is_retried_too() {
    let mut campaign = ran_to(Phase::Discovery, Mode::StepByStep);
    campaign.apply(started(Phase::Validation, RUN, 1));
    let phase = Phase::Validation;
    when(&mut campaign, Command::StopPhase(StopPhase { phase })).unwrap();
    let events = when(&mut campaign, retry(phase)).unwrap();
    assert_eq!(kind_of(&events), Some(RunKind::Retry));
}

#[test]
fn what_never_ran_what_runs_and_names_are_not_retried() {
    let mut campaign = ran_to(Phase::Validation, Mode::StepByStep);
    for phase in [Phase::Discovery, Phase::Extraction] {
        let refused = when(&mut campaign, retry(phase)).unwrap_err();
        assert!(matches!(refused, Error::RerunRefused { .. }), "{refused}");
    }
    campaign.apply(started(Phase::Validation, OTHER_RUN, 2));
    let refused = when(&mut campaign, retry(Phase::Validation)).unwrap_err();
    assert!(
        matches!(refused, Error::InvalidTransition { .. }),
        "{refused}"
    );
}

fn rescore() -> Command {
    Command::Rescore(Rescore {
        run_id: OTHER_RUN,
        pinned: pinned(Phase::Analysis),
    })
}

#[test]
fn a_rescore_is_a_run_of_the_analysis_whose_end_is_announced() {
    let mut campaign = ran_to(Phase::Enrichment, Mode::StepByStep);
    let events = when(&mut campaign, rescore()).unwrap();
    assert!(matches!(
        events[..],
        [Event::PhaseStarted {
            phase: Phase::Analysis,
            kind: RunKind::Rescore,
            through: Some(Phase::Enrichment),
            ..
        }]
    ));
    let refused = when(&mut campaign, rescore()).unwrap_err();
    assert!(matches!(refused, Error::InvalidTransition { .. }));
    let complete = |phase| {
        Command::CompletePhase(CompletePhase {
            phase,
            run_id: OTHER_RUN,
            tallies: Tallies::new(),
        })
    };
    let events = when(&mut campaign, complete(Phase::Analysis)).unwrap();
    assert_eq!(events[1..], [Event::Rescored { run_id: OTHER_RUN }]);
    when(&mut campaign, auto(Phase::Enrichment, OTHER_RUN)).unwrap();
    let events = when(&mut campaign, complete(Phase::Enrichment)).unwrap();
    assert_eq!(events[1..], [Event::Completed {}]);
}

#[test]
fn what_was_not_scored_is_not_rescored() {
    let mut campaign = ran_to(Phase::Extraction, Mode::StepByStep);
    let refused = when(&mut campaign, rescore()).unwrap_err();
    assert!(matches!(refused, Error::RerunRefused { .. }), "{refused}");
    let mut campaign = ran_to(Phase::Validation, Mode::StepByStep);
    let refused = when(&mut campaign, rescore()).unwrap_err();
    assert!(matches!(refused, Error::RerunTooEarly { .. }), "{refused}");
}

#[test]
fn a_profile_is_assigned_once_in_a_row_and_not_under_a_run() {
    let assign = |n: u128| {
        Command::AssignScoringProfile(AssignScoringProfile {
            scoring_profile: ScoringProfileId(Uuid::from_u128(n)),
        })
    };
    let mut campaign = given([created(Mode::StepByStep)]);
    assert_eq!(when(&mut campaign, assign(1)).unwrap().len(), 1);
    assert_eq!(when(&mut campaign, assign(1)).unwrap(), []);
    let analysis = campaign.phase(Phase::Analysis);
    assert_eq!(analysis.state(), PhaseState::Configured);
    let scoring_profile = Some(ScoringProfileId(Uuid::from_u128(1)));
    assert_eq!(
        analysis.config(),
        Some(&PhaseConfig::Analysis { scoring_profile })
    );
    let mut campaign = ran_to(Phase::Extraction, Mode::StepByStep);
    campaign.apply(started(Phase::Analysis, RUN, 1));
    let refused = when(&mut campaign, assign(1)).unwrap_err();
    assert!(matches!(refused, Error::InvalidTransition { .. }));
}
