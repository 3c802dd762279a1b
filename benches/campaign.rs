//! A campaign of 100,000 names through the whole service: discovery and validation against NSD on this machine.
//!
//! The yardstick of the same run is the DNS engine alone on the same names against the same server: what the log, the
//! read models and the work orders cost on top. Prints domains a second, medians of the rounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Command, Create, Phase, PhaseConfig, PhaseState, Source, StartPhase},
    ids::{CampaignId, RunId, UserId},
    names,
};
use domainflow::{
    app::App,
    commands::pin,
    work::{Network, Settings},
};
use futures::StreamExt as _;
use private_postgres::{Cluster, Options};
use sandbox::nsd::Nsd;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use validation::dns;

const ROUNDS: usize = 3;
const DIGITS: u32 = 5;
const NAMES: u64 = 100_000;

fn pattern(constant: &str) -> names::Pattern {
    names::Pattern::parse(names::Spec {
        kind: names::Kind::Prefix,
        constant: constant.to_owned(),
        prefix_length: DIGITS,
        charset: "abcdefghij".to_owned(),
        tlds: vec!["test".to_owned()],
        ..names::Spec::default()
    })
    .unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn names_of(constant: &str) -> Vec<String> {
    let pattern = pattern(constant);
    let names = pattern.names(0, NAMES);
    names
        .filter_map(|(_, name)| Some(name?.to_string()))
        .collect()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Three names in ten have an address; every round has names of its own, for a pattern gives each out once.
    let constants: Vec<String> = (0..ROUNDS).map(|round| format!("shop{round}")).collect();
    let entries = constants.iter().flat_map(|constant| {
        let names = names_of(constant);
        let found = names
            .into_iter()
            .enumerate()
            .filter(|(nth, _)| nth % 10 < 3);
        found.map(|(_, name)| format!("{} A 127.0.0.1", name.trim_end_matches(".test")))
    });
    let Some(nsd) = Nsd::start("test", entries).unwrap() else {
        println!("campaign: skipped, for there is no NSD on this machine (apt-get install nsd)");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Options::new(directory.path().join("data")))
        .await
        .unwrap();
    cluster.create_database("domainflow").await.unwrap();
    let network = Network {
        resolvers: vec![nsd.address().to_string()],
        ..Network::default()
    };
    let app = App::open(&cluster.url("domainflow"), network)
        .await
        .unwrap();
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    app.spawn_read_side(&tracker, &cancel);
    app.spawn_coordinator(&tracker, &cancel);
    app.spawn_workers(Settings::default(), &tracker, &cancel);

    println!(
        "campaign: {NAMES} names, discovery and validation, NSD and PostgreSQL (fsync on) on the same machine"
    );
    let (mut service, mut alone) = (Vec::new(), Vec::new());
    for constant in &constants {
        let taken = campaign(&app, constant).await;
        service.push(NAMES as f64 / taken.as_secs_f64());
        alone.push(engine_alone(&nsd, constant).await);
        println!(
            "campaign: round: service {:>7.0} domains/s, engine alone {:>7.0} domains/s",
            service[service.len() - 1],
            alone[alone.len() - 1]
        );
    }
    let (service, alone) = (median(service), median(alone));
    println!(
        "campaign: median service {service:.0} domains/s (goal 8000); engine alone {alone:.0} domains/s; ratio {:.2}",
        service / alone
    );
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
    app.database.close().await;
    cluster.stop().await.unwrap();
}

/// Runs one campaign until every name has its verdict in the read model.
async fn campaign(app: &App, constant: &str) -> Duration {
    let owner = UserId(Uuid::now_v7());
    let campaign_id = CampaignId(Uuid::now_v7());
    let stream = campaign_id.to_string();
    let metadata = Metadata::new(Actor::User(owner), stream.clone());
    let source = Source::Pattern {
        pattern: pattern(constant),
        count: None,
    };
    let create = Create {
        phases: vec![
            PhaseConfig::Discovery { source },
            PhaseConfig::Validation {
                dns_persona: None,
                record_types: Vec::new(),
            },
        ],
        ..Create::new(owner, constant.to_owned())
    };
    app.execute::<Campaign>(&stream, Command::Create(create), &metadata, None)
        .await
        .unwrap();
    let begun = Instant::now();
    for phase in [Phase::Discovery, Phase::Validation] {
        let (state, _) = app.database.log().load::<Campaign>(&stream).await.unwrap();
        let pinned = pin::pin(&app.database, &state, phase, &app.defaults)
            .await
            .unwrap();
        let start = StartPhase {
            run_id: RunId(Uuid::now_v7()),
            pinned,
            auto: false,
        };
        app.execute::<Campaign>(&stream, Command::StartPhase(start), &metadata, None)
            .await
            .unwrap();
        loop {
            let seen = projections::campaigns::by_id(app.database.pool(), campaign_id)
                .await
                .unwrap()
                .unwrap();
            match seen.phase(phase).state {
                PhaseState::Completed => break,
                PhaseState::Failed => panic!("the run failed: {:?}", seen.phase(phase).error),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
    let head = app.database.feed().head().await.unwrap();
    app.runtime
        .wait_for(head, Duration::from_secs(60))
        .await
        .unwrap();
    let taken = begun.elapsed();
    let counts = projections::domains::counts_of(app.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!(
        counts.dns("ok"),
        NAMES * 3 / 10,
        "a wrong verdict makes the measurement worthless"
    );
    assert_eq!(counts.dns("pending"), 0);
    taken
}

/// Checks the same names with the engine alone.
async fn engine_alone(nsd: &Nsd, constant: &str) -> f64 {
    let cancel = CancellationToken::new();
    let config = dns::Config {
        resolvers: vec![dns::Resolver::Address(nsd.address())],
        ..dns::Config::default().without_limits()
    };
    let engine = Arc::new(dns::Engine::start(config, cancel.clone()).unwrap());
    let names = names_of(constant);
    let begun = Instant::now();
    let found = futures::stream::iter(names)
        .map(|name| {
            let engine = engine.clone();
            async move { engine.check(&name).await.addresses.len() }
        })
        .buffer_unordered(1_000)
        .fold(
            0_u64,
            |sum, addresses| async move { sum + addresses as u64 },
        )
        .await;
    let rate = NAMES as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(found, NAMES * 3 / 10);
    cancel.cancel();
    rate
}
