//! Taking names, chunk by chunk, from campaigns that share some of them.

use std::sync::Arc;

use aggregates::{
    Actor,
    campaign::{CampaignType, Mode, Phase, Pinned, RunKind, Source},
    ids::{FileId, RunId, UserId},
};
use projections::{domains::Domains, runtime::Runtime};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;
use crate::work::testing::{append, database};

fn created(campaign_type: CampaignType) -> Event {
    Event::Created {
        owner: UserId(Uuid::nil()),
        campaign_type,
        name: "names".to_owned(),
        description: None,
        notes: None,
        tags: Vec::new(),
        mode: Mode::FullSequence,
        configuration: serde_json::json!({}),
        max_domains: None,
    }
}

fn started(run_id: RunId, source: Source, inputs: Vec<Input>) -> Event {
    Event::PhaseStarted {
        phase: Phase::Discovery,
        run_id,
        run_number: 1,
        pinned: Pinned::Discovery {
            source,
            pattern_hash: None,
            inputs,
        },
        auto: false,
        kind: RunKind::Full,
        through: None,
    }
}

/// Writes a campaign with names, and returns it as an input.
async fn input(database: &Database, names: std::ops::Range<usize>) -> Input {
    let (campaign_id, run_id) = (CampaignId(Uuid::now_v7()), RunId(Uuid::now_v7()));
    let imported = Event::DomainsImported {
        file_id: FileId(Uuid::now_v7()),
        sha256: "00".to_owned(),
        filename: None,
        lines: Vec::new(),
        first_ordinal: 0,
        names: names.map(|n| format!("n{n}.test")).collect(),
    };
    let completed = Event::PhaseCompleted {
        phase: Phase::Discovery,
        run_id,
        tallies: Tallies::new(),
    };
    let started = started(run_id, Source::Import, Vec::new());
    let events = [created(CampaignType::Dns), imported, started, completed];
    append(database, campaign_id, 0, &events).await;
    Input {
        campaign_id,
        checked: Phase::Discovery,
        runs: vec![run_id],
    }
}

/// Writes a campaign that takes names, and returns its order.
async fn taker(database: &Database, inputs: &[Input]) -> Order {
    let (campaign_id, run_id) = (CampaignId(Uuid::now_v7()), RunId(Uuid::now_v7()));
    let campaigns = inputs.iter().map(|input| input.campaign_id).collect();
    let source = Source::Campaigns { campaigns };
    let events = [
        created(CampaignType::Lead),
        started(run_id, source, inputs.to_vec()),
    ];
    append(database, campaign_id, 0, &events).await;
    Order {
        campaign_id,
        phase: Phase::Discovery,
        run_id,
        first: 0,
        last: 0,
        epoch: 1,
        failures: 0,
    }
}

fn metadata() -> Metadata {
    Metadata::new(Actor::Worker("test".to_owned()), "test")
}

/// Keeps the read model of domains level.
fn level(database: &Database) -> JoinHandle<()> {
    let runtime = Runtime::new(database.clone(), vec![Arc::new(Domains)]);
    let database = database.clone();
    tokio::spawn(async move {
        loop {
            let _ = database.sequence().await;
            runtime.catch_up().await.expect("it is applied");
            tokio::task::yield_now().await;
        }
    })
}

async fn names(database: &Database, campaign_id: CampaignId) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM read.domains WHERE campaign_id = $1 ORDER BY ordinal")
        .bind(campaign_id.0)
        .fetch_all(database.pool())
        .await
        .unwrap()
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let numbers = numbers.into_iter();
    numbers.map(|n| format!("n{n}.test")).collect()
}

/// Waits until the read model shows every name that the campaign has.
async fn settled(database: &Database, order: &Order) {
    let stream = order.campaign_id.to_string();
    let (_, version) = database.log().load::<Campaign>(&stream).await.unwrap();
    let position = database
        .log()
        .position_of("campaign", &stream, version)
        .await
        .unwrap();
    assert!(domains_show(database, position).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_is_taken_once_by_workers_that_do_not_know_of_each_other() {
    let (_test, database) = database().await;
    let level = level(&database);
    let inputs = [
        input(&database, 0..20).await,
        input(&database, 10..33).await,
    ];
    let order = taker(&database, &inputs).await;
    for input in &inputs {
        let of_input = Order {
            campaign_id: input.campaign_id,
            ..order.clone()
        };
        settled(&database, &of_input).await;
    }
    let metadata = metadata();
    let takes = (0..3).map(|_| take(&database, &order, &inputs, 4, &metadata));
    for taken in futures::future::join_all(takes).await {
        assert!(matches!(taken.unwrap(), Progress::Done(_)));
    }
    settled(&database, &order).await;
    assert_eq!(names(&database, order.campaign_id).await, numbered(0..33));
    level.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_goes_on_where_another_one_ended_and_a_campaign_that_runs_again_ends_the_taking() {
    let (_test, database) = database().await;
    let level = level(&database);
    let inputs = [input(&database, 0..5).await, input(&database, 5..9).await];
    let order = taker(&database, &inputs).await;
    for input in &inputs {
        let of_input = Order {
            campaign_id: input.campaign_id,
            ..order.clone()
        };
        settled(&database, &of_input).await;
    }
    let metadata = metadata();
    // As if a worker had died in the midst of the second campaign: what is before counts as done.
    let first = Command::RecordTaken(RecordTaken {
        run_id: order.run_id,
        source: inputs[1].campaign_id,
        to_ordinal: 1,
        names: numbered([5, 6]),
    });
    let stream = order.campaign_id.to_string();
    let log = database.log();
    log.execute::<Campaign>(&stream, first, &metadata, None)
        .await
        .unwrap();
    let taken = take(&database, &order, &inputs, 1, &metadata).await;
    assert!(matches!(taken.unwrap(), Progress::Done(_)));
    settled(&database, &order).await;
    assert_eq!(names(&database, order.campaign_id).await, numbered(5..9));

    let again = taker(&database, &inputs).await;
    let other = started(RunId(Uuid::now_v7()), Source::Import, Vec::new());
    append(&database, inputs[1].campaign_id, 4, &[other]).await;
    let taken = take(&database, &again, &inputs, 2, &metadata).await;
    let Progress::Impossible(why) = taken.unwrap() else {
        panic!("its names may be others now");
    };
    assert!(why.contains(&inputs[1].campaign_id.to_string()), "{why}");
    assert_eq!(
        names(&database, again.campaign_id).await,
        Vec::<String>::new()
    );

    level.abort();
}
