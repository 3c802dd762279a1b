//! Progress, as the read models have it.

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Event, Mode, Phase, Pinned, RunKind},
    ids::RunId,
};
use event_store::BulkAppend;

use super::{bounds::app, *};
use crate::sse::{
    composer::Wanted,
    progress::{Shown, Standings},
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

#[tokio::test]
async fn the_progress_of_a_rescoring_is_told_under_a_name_of_its_own_besides() {
    let (_database, app) = app().await;
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
    let completed = Event::PhaseCompleted {
        phase: Phase::Analysis,
        run_id: RunId(Uuid::from_u128(1)),
        tallies: aggregates::campaign::Tallies::new(),
    };
    let metadata = Metadata::new(Actor::User(OWNER), "test");
    let id = campaign(1);
    for (version, events, kinds) in [
        (
            0,
            vec![created, started(1, RunKind::Full)],
            vec!["campaign_progress"],
        ),
        (
            2,
            vec![completed, started(2, RunKind::Rescore)],
            vec!["campaign_progress", "rescore_progress"],
        ),
    ] {
        let mut batch = BulkAppend::new(&metadata);
        batch
            .stream::<Campaign>(&id.to_string(), version, &events)
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
        let Shown::Now(bodies, _) = standings.shown(wanted).await.unwrap() else {
            panic!("a run is under way");
        };
        let mut out = Outbox::default();
        for body in bodies.iter() {
            out.push(None, body);
        }
        let told = read(&mut out);
        let told: Vec<&str> = told.iter().map(|message| message.kind.as_str()).collect();
        assert_eq!(told, kinds);
    }
    app.database.close().await;
}
