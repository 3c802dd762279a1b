use std::collections::BTreeMap;

use aggregates::{
    campaign::{Event, FailureCause, Phase, Pinned, RunKind, Source},
    ids::RunId,
};
use cqrs_es::DomainEvent as _;
use event_store::{Recorded, StoredEvent};

use super::*;
use crate::sse::fact_of;

const RUN: RunId = RunId(Uuid::from_u128(9));

fn recorded(event: &Event) -> Recorded {
    Recorded {
        position: Position::new(7),
        event: StoredEvent {
            aggregate_type: "campaign".to_owned(),
            aggregate_id: campaign(1).to_string(),
            sequence: 4,
            event_type: event.event_type(),
            event_version: "1".to_owned(),
            payload: serde_json::to_string(event).unwrap(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
        },
    }
}

/// What is told of an event, the announcement first.
fn told_of(event: &Event) -> Vec<Read> {
    let Some(What::Told(told)) = fact_of::of_campaign(&recorded(event)).unwrap() else {
        return Vec::new();
    };
    let mut out = Outbox::default();
    for body in told.announcement.iter().chain([&told.body]) {
        out.push(None, body);
    }
    read(&mut out)
}

fn kinds(event: &Event) -> Vec<String> {
    told_of(event)
        .into_iter()
        .map(|message| message.kind)
        .collect()
}

fn started(auto: bool) -> Event {
    let pinned = Pinned::Discovery {
        source: Source::Import,
        pattern_hash: None,
        inputs: Vec::new(),
    };
    Event::PhaseStarted {
        phase: Phase::Discovery,
        run_id: RUN,
        run_number: 1,
        pinned,
        auto,
        kind: RunKind::Full,
        through: None,
    }
}

fn completed(phase: Phase) -> Event {
    Event::PhaseCompleted {
        phase,
        run_id: RUN,
        tallies: BTreeMap::from([("ok".to_owned(), 3)]),
    }
}

#[test]
fn each_event_of_a_campaigns_life_is_one_message_under_its_name() {
    let (phase, run_id) = (Phase::Validation, RUN);
    assert_eq!(kinds(&started(false)), ["phase_started"]);
    assert_eq!(kinds(&started(true)), ["phase_auto_started"]);
    assert_eq!(
        kinds(&Event::PhasePaused { phase, run_id }),
        ["phase_paused"]
    );
    assert_eq!(
        kinds(&Event::PhaseResumed { phase, run_id }),
        ["phase_resumed"]
    );
    assert_eq!(kinds(&completed(Phase::Validation)), ["phase_completed"]);
    assert_eq!(
        kinds(&completed(Phase::Analysis)),
        ["analysis_completed", "phase_completed"]
    );
    assert_eq!(kinds(&Event::Completed {}), ["campaign_completed"]);
    assert_eq!(
        kinds(&Event::ModeChanged {
            mode: aggregates::campaign::Mode::FullSequence
        }),
        ["mode_changed"]
    );
    assert_eq!(kinds(&Event::Stopped {}), Vec::<String>::new());
}

#[test]
fn a_message_of_a_run_says_which_and_what_came_of_it() {
    let message = &told_of(&completed(Phase::Validation))[0].payload;
    let expected = serde_json::json!({
        "campaignId": campaign(1), "phase": "validation", "sequence": 4, "runId": RUN,
        "message": "validation completed", "results": {"ok": 3},
    });
    assert_eq!(*message, expected);
    let refused = Event::PhaseStartRefused {
        phase: Phase::Extraction,
        message: "httpPersonaId: the persona is disabled".to_owned(),
    };
    // No run began, so that none failed.
    assert_eq!(kinds(&refused), ["error"]);
    let expected = serde_json::json!({
        "campaignId": campaign(1), "phase": "extraction", "sequence": 4,
        "message": "httpPersonaId: the persona is disabled",
    });
    assert_eq!(told_of(&refused)[0].payload, expected);
    let failed = Event::PhaseFailed {
        phase: Phase::Analysis,
        run_id: RUN,
        cause: FailureCause::Stopped,
        message: "stopped by command".to_owned(),
    };
    assert_eq!(kinds(&failed), ["analysis_failed", "phase_failed"]);
    let payload = &told_of(&failed)[1].payload;
    assert_eq!(
        (&payload["error"], &payload["cause"]),
        (&"stopped by command".into(), &"stopped".into())
    );
}

#[test]
fn a_start_says_which_run_of_its_phase_it_is_and_what_it_is_about() {
    let about = |run_number: u32, kind: RunKind| {
        let mut event = started(false);
        if let Event::PhaseStarted {
            run_number: number,
            kind: of,
            ..
        } = &mut event
        {
            (*number, *of) = (run_number, kind);
        }
        let payload = told_of(&event)[0].payload.clone();
        (
            payload["runNumber"].clone(),
            payload.get("runKind").cloned(),
        )
    };
    assert_eq!(about(1, RunKind::Full), (1.into(), None));
    assert_eq!(
        about(2, RunKind::Retry),
        (2.into(), Some("retry_failed".into()))
    );
}

#[test]
fn an_event_that_does_not_read_is_an_error_and_not_silence() {
    let mut event = recorded(&started(false));
    event.event.payload = r#"{"PhaseStarted":{"phase":"no such phase"}}"#.to_owned();
    assert!(fact_of::of_campaign(&event).is_err());
}
