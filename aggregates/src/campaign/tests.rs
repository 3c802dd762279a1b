//! Given events, when a command comes, then these events or this refusal.

use cqrs_es::{Aggregate as _, event_sink::EventSink};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ids::FileId, lead};

const RUN: RunId = RunId(Uuid::from_u128(0xa));
const OTHER_RUN: RunId = RunId(Uuid::from_u128(0xb));

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn created(mode: Mode) -> Event {
    Event::Created {
        owner: owner(),
        name: "shops".to_owned(),
        description: None,
        mode,
        configuration: serde_json::json!({}),
        max_domains: Some(100),
    }
}

fn config(phase: Phase) -> PhaseConfig {
    match phase {
        Phase::Discovery => PhaseConfig::Discovery {
            source: Source::Import,
        },
        Phase::Validation => PhaseConfig::Validation {
            dns_persona: None,
            record_types: Vec::new(),
        },
        Phase::Extraction => PhaseConfig::Extraction {
            http_persona: None,
            dns_persona: None,
            proxy_pool: None,
            keyword_sets: Vec::new(),
            keywords: vec!["telecom".to_owned()],
        },
        Phase::Analysis => PhaseConfig::Analysis {
            scoring_profile: None,
        },
        Phase::Enrichment => PhaseConfig::Enrichment {
            thresholds: lead::Thresholds::default(),
        },
    }
}

fn pinned(phase: Phase) -> Pinned {
    match phase {
        Phase::Discovery => Pinned::Discovery {
            source: Source::Import,
            pattern_hash: None,
        },
        Phase::Enrichment => Pinned::Enrichment {
            thresholds: lead::Thresholds::default(),
        },
        Phase::Analysis => Pinned::Analysis {
            scoring_profile: None,
            weights: std::collections::BTreeMap::new(),
        },
        Phase::Validation => Pinned::Validation {
            dns_persona: None,
            dns: crate::persona::DnsConfig::default(),
            record_types: Vec::new(),
        },
        Phase::Extraction => Pinned::Extraction {
            http_persona: None,
            http: crate::persona::HttpConfig::default(),
            dns: crate::persona::DnsConfig::default(),
            rules: Vec::new(),
        },
    }
}

fn configured(phase: Phase) -> Event {
    Event::PhaseConfigured {
        config: config(phase),
    }
}

fn started(phase: Phase, run_id: RunId, run_number: u32) -> Event {
    Event::PhaseStarted {
        phase,
        run_id,
        run_number,
        pinned: pinned(phase),
        auto: false,
    }
}

fn completed(phase: Phase, run_id: RunId) -> Event {
    Event::PhaseCompleted {
        phase,
        run_id,
        tallies: Tallies::new(),
    }
}

fn given(events: impl IntoIterator<Item = Event>) -> Campaign {
    let mut campaign = Campaign::default();
    for event in events {
        campaign.apply(event);
    }
    campaign
}

fn all_configured(mode: Mode) -> Vec<Event> {
    [created(mode)]
        .into_iter()
        .chain(Phase::ALL.into_iter().map(configured))
        .collect()
}

fn when(campaign: &mut Campaign, command: Command) -> Result<Vec<Event>, Error> {
    // `handle` never waits, so a minimal executor is all that it needs.
    let sink = EventSink::default();
    let outcome = futures_lite_block_on(campaign.handle(command, &(), &sink));
    outcome.map(|()| futures_lite_block_on(sink.collect()))
}

fn futures_lite_block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn start(phase: Phase, run_id: RunId) -> Command {
    Command::StartPhase(StartPhase {
        run_id,
        pinned: pinned(phase),
        auto: false,
    })
}

fn pause(phase: Phase) -> Command {
    Command::PausePhase(PausePhase {
        phase,
        expected: None,
    })
}

#[test]
fn a_campaign_is_created_with_the_configurations_that_came_along() {
    let command = Command::Create(Create {
        owner: owner(),
        name: "shops".to_owned(),
        description: None,
        mode: Mode::FullSequence,
        configuration: serde_json::json!({}),
        max_domains: Some(100),
        phases: vec![config(Phase::Validation)],
    });
    let events = when(&mut Campaign::default(), command).unwrap();
    assert_eq!(
        events,
        [created(Mode::FullSequence), configured(Phase::Validation)]
    );
    let campaign = given(events);
    assert_eq!(campaign.status(), Status::Draft);
    assert_eq!(
        campaign.phase(Phase::Validation).state(),
        PhaseState::Configured
    );
}

#[test]
fn an_empty_or_overlong_name_is_refused_by_name_of_the_field() {
    for name in [String::new(), "x".repeat(256)] {
        let command = Command::Create(Create {
            owner: owner(),
            name,
            description: None,
            mode: Mode::default(),
            configuration: serde_json::json!({}),
            max_domains: None,
            phases: Vec::new(),
        });
        let refused = when(&mut Campaign::default(), command).unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "name", .. }));
    }
}

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
fn names_do_not_change_once_discovery_has_completed() {
    let mut events = all_configured(Mode::StepByStep);
    events.extend([
        started(Phase::Discovery, RUN, 1),
        completed(Phase::Discovery, RUN),
    ]);
    let mut campaign = given(events);
    let refused = when(&mut campaign, start(Phase::Discovery, OTHER_RUN)).unwrap_err();
    assert!(matches!(refused, Error::RerunRefused { .. }));
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

#[test]
fn lists_are_taken_until_discovery_starts_and_never_past_the_limit() {
    let mut events = all_configured(Mode::StepByStep);
    let import = |count: usize| {
        Command::ImportDomains(ImportDomains {
            file_id: FileId(Uuid::from_u128(4)),
            sha256: "00".to_owned(),
            names: (0..count).map(|n| format!("n{n}.test")).collect(),
        })
    };
    let mut campaign = given(events.clone());
    assert_eq!(when(&mut campaign, import(60)).unwrap().len(), 1);
    assert_eq!(campaign.names(), 60);
    assert!(matches!(
        when(&mut campaign, import(60)).unwrap_err(),
        Error::Invalid { field: "file", .. }
    ));
    events.push(started(Phase::Discovery, RUN, 1));
    assert!(matches!(
        when(&mut given(events), import(1)).unwrap_err(),
        Error::RerunRefused { .. }
    ));
}

#[test]
fn a_list_says_where_the_names_of_an_unconfigured_campaign_come_from() {
    let import = Command::ImportDomains(ImportDomains {
        file_id: FileId(Uuid::from_u128(4)),
        sha256: "00".to_owned(),
        names: vec!["a.test".to_owned()],
    });
    let mut campaign = given([created(Mode::StepByStep)]);
    let events = when(&mut campaign, import).unwrap();
    assert!(matches!(
        events.as_slice(),
        [
            Event::PhaseConfigured { .. },
            Event::DomainsImported {
                first_ordinal: 0,
                ..
            }
        ]
    ));
    assert_eq!(
        campaign.phase(Phase::Discovery).state(),
        PhaseState::Configured
    );
}

#[test]
fn a_campaign_is_made_with_its_names_or_not_at_all() {
    let make = |names: usize| {
        Command::CreateWithNames(CreateWithNames {
            create: Create {
                owner: owner(),
                name: "shops".to_owned(),
                description: None,
                mode: Mode::StepByStep,
                configuration: serde_json::json!({}),
                max_domains: Some(2),
                phases: vec![config(Phase::Discovery)],
            },
            import: ImportDomains {
                file_id: FileId(Uuid::from_u128(4)),
                sha256: "00".to_owned(),
                names: (0..names).map(|n| format!("n{n}.test")).collect(),
            },
        })
    };
    let mut campaign = Campaign::default();
    assert!(when(&mut campaign, make(3)).is_err());
    assert_eq!(campaign.owner(), None);
    assert_eq!(when(&mut campaign, make(2)).unwrap().len(), 3);
    assert_eq!(campaign.names(), 2);
}

#[test]
fn details_and_phases_change_together_or_not_at_all() {
    let mut campaign = given(all_configured(Mode::StepByStep));
    let command = |name: &str, phase| {
        Command::Reconfigure(Reconfigure {
            details: ChangeDetails {
                name: Some(name.to_owned()),
                ..ChangeDetails::default()
            },
            phases: vec![phase],
        })
    };
    let asks_mail = PhaseConfig::Validation {
        dns_persona: None,
        record_types: vec!["MX".to_owned()],
    };
    let events = when(&mut campaign, command("other", asks_mail.clone())).unwrap();
    assert!(matches!(
        events.as_slice(),
        [Event::DetailsChanged { .. }, Event::PhaseConfigured { .. }]
    ));
    campaign.apply(started(Phase::Validation, RUN, 1));
    when(&mut campaign, command("third", config(Phase::Validation))).unwrap_err();
    assert_eq!(campaign.name(), "other");
}

#[test]
fn a_deleted_campaign_refuses_everything() {
    let mut campaign = given([created(Mode::StepByStep), Event::Deleted {}]);
    assert_eq!(
        when(&mut campaign, start(Phase::Discovery, RUN)).unwrap_err(),
        Error::NotFound
    );
    assert_eq!(
        when(&mut campaign, Command::Delete(Delete {})).unwrap_err(),
        Error::NotFound
    );
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
            let before = Phase::ALL.map(|phase| campaign.phase(phase).state());
            let events = when(&mut campaign, command).unwrap_or_default();
            let after = Phase::ALL.map(|phase| campaign.phase(phase).state());
            prop_assert!(after.iter().filter(|state| state.is_active()).count() <= 1);
            if events.is_empty() {
                prop_assert_eq!(before, after, "the state changed and no event says so");
            }
            for event in &events {
                if let Event::PhaseStarted { phase, .. } = event {
                    prop_assert!(transition(*phase, before[*phase as usize], Action::Start) != Transition::Refused);
                }
            }
        }
    }
}
