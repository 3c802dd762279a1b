//! Progress, as the read models have it.

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Event, Mode, Phase, Pinned, RunKind},
    ids::RunId,
};
use event_store::BulkAppend;

use super::{bounds::app, *};
use crate::{
    app::App,
    sse::{
        composer::Wanted,
        progress::{Shown, Standings},
    },
};

fn started(number: u32, kind: RunKind) -> Event {
    Event::PhaseStarted {
        phase: Phase::Analysis,
        run_id: RunId(Uuid::from_u128(number.into())),
        run_number: number,
        pinned: Pinned::Analysis {
            scoring_profile: None,
            weights: std::collections::BTreeMap::new(),
        },
        auto: false,
        kind,
        through: None,
    }
}

/// A campaign, and the start of its first run.
fn begun() -> Vec<Event> {
    let created = Event::Created {
        owner: OWNER,
        campaign_type: aggregates::campaign::CampaignType::Full,
        name: "shops".to_owned(),
        description: None,
        notes: None,
        tags: Vec::new(),
        mode: Mode::StepByStep,
        configuration: Value::Null,
        max_domains: None,
    };
    vec![created, started(1, RunKind::Full)]
}

fn completed() -> Event {
    Event::PhaseCompleted {
        phase: Phase::Analysis,
        run_id: RunId(Uuid::from_u128(1)),
        tallies: aggregates::campaign::Tallies::new(),
    }
}

/// Appends events to the campaign, and returns the kinds of progress that are told once the read models know them.
async fn told_after(app: &App, version: u64, events: &[Event]) -> Vec<String> {
    let id = campaign(1);
    let metadata = Metadata::new(Actor::User(OWNER), "test");
    let mut batch = BulkAppend::new(&metadata);
    batch
        .stream::<Campaign>(&id.to_string(), version, events)
        .unwrap();
    batch.append(&app.database).await.unwrap();
    while app.database.sequence().await.unwrap().is_none() {}
    app.runtime.catch_up().await.unwrap();
    let head = app.database.feed().head().await.unwrap();
    let wanted = Wanted {
        campaign: id,
        covered: head,
        settled: head,
    };
    let standings = Standings::new(app.database.clone());
    let bodies = match standings.shown(wanted).await.unwrap() {
        Shown::Now(bodies, _) => bodies,
        Shown::Nothing => return Vec::new(),
        Shown::NotYet => panic!("the read models know everything"),
    };
    let mut out = Outbox::default();
    for body in bodies.iter() {
        out.push(None, body);
    }
    let told = read(&mut out);
    told.into_iter().map(|message| message.kind).collect()
}

#[tokio::test]
async fn the_progress_of_a_rescoring_is_told_under_a_name_of_its_own_besides() {
    let (_database, app) = app().await;
    assert_eq!(told_after(&app, 0, &begun()).await, ["campaign_progress"]);
    let again = [completed(), started(2, RunKind::Rescore)];
    let told = told_after(&app, 2, &again).await;
    assert_eq!(told, ["campaign_progress", "rescore_progress"]);
    app.database.close().await;
}

#[tokio::test]
async fn no_progress_is_told_of_a_run_that_is_paused_or_over() {
    let (_database, app) = app().await;
    let (phase, run_id) = (Phase::Analysis, RunId(Uuid::from_u128(1)));
    told_after(&app, 0, &begun()).await;
    let nothing = Vec::<String>::new();
    let paused = Event::PhasePaused { phase, run_id };
    assert_eq!(told_after(&app, 2, &[paused]).await, nothing);
    let resumed = Event::PhaseResumed { phase, run_id };
    let told = told_after(&app, 3, &[resumed]).await;
    assert_eq!(told, ["campaign_progress"]);
    assert_eq!(told_after(&app, 4, &[completed()]).await, nothing);
    app.database.close().await;
}
