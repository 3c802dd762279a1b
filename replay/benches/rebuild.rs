//! Rebuilding the domains read model from a log of half a million events, the DNS and lead results of 250,000 names.
//!
//! The yardstick of the same run is PostgreSQL itself sending the same events in log order (`COPY … TO`), which no
//! rebuild can beat. Prints events a second, medians of the rounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

use std::time::{Duration, Instant};

use aggregates::{
    Actor, Metadata,
    campaign::{
        Campaign, Command, Create, PhaseConfig, Pinned, RecordGenerated, Source, StartPhase,
    },
    domain::{self, DnsChecked, DnsReason, DnsRecord, Domain, LeadDecided, Outcome},
    ids::{CampaignId, RunId, UserId},
    lead, names,
};
use event_store::{BulkAppend, ConnectOptions, Database, Sequencer};
use futures::TryStreamExt as _;
use private_postgres::{Cluster, Options};
use projections::runtime::Runtime;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const NAMES: u64 = 250_000;
const CHUNK: usize = 1_000;
const ROUNDS: usize = 3;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Options::new(directory.path().join("data")))
        .await
        .unwrap();
    cluster.create_database("bench").await.unwrap();
    let database = Database::connect(&cluster.url("bench"), ConnectOptions::default())
        .await
        .unwrap();
    database.migrate().await.unwrap();
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    tracker.spawn(Sequencer::new(database.clone()).run(cancel.clone()));
    fill(&database).await;
    let runtime = Runtime::new(database.clone(), projections::all());
    let events = runtime.catch_up().await.unwrap().get();

    let (mut rebuilds, mut copies) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let copied = copy(&database).await;
        let domains = replay::named(&["domains".to_owned()]).unwrap().remove(0);
        let begun = Instant::now();
        let rebuilt = replay::rebuild(&database, domains, |_| ()).await.unwrap();
        let taken = begun.elapsed();
        assert_eq!(rebuilt.comparison.differing, 0, "rebuilt differs from live");
        rebuilds.push(rate(events, taken));
        copies.push(rate(events, copied));
        println!(
            "rebuild: round {round}: {:>7.0} events/s with the comparison of every row and the swap, COPY TO {:>7.0} events/s",
            rate(events, taken),
            rate(events, copied)
        );
    }
    let (rebuilt, copied) = (median(rebuilds), median(copies));
    println!(
        "rebuild: median {rebuilt:.0} events/s of {events} (goal 40000); COPY TO {copied:.0} events/s; ratio {:.2}",
        rebuilt / copied
    );
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
    database.close().await;
    cluster.stop().await.unwrap();
}

fn rate(events: u64, taken: Duration) -> f64 {
    events as f64 / taken.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Lets the server send every event in log order and throws it away.
async fn copy(database: &Database) -> Duration {
    let mut connection = database.pool().acquire().await.unwrap();
    let begun = Instant::now();
    let mut rows = connection
        .copy_out_raw(
            "COPY (SELECT l.base, e.aggregate_id, e.sequence, e.event_type, e.payload, e.metadata FROM event_log l \
             JOIN events e USING (batch) ORDER BY l.base, e.id) TO STDOUT",
        )
        .await
        .unwrap();
    while rows.try_next().await.unwrap().is_some() {}
    begun.elapsed()
}

/// Writes the log of a campaign as workers would have written it.
async fn fill(database: &Database) {
    let pattern = names::Pattern::parse(names::Spec {
        kind: names::Kind::Prefix,
        constant: "shop".to_owned(),
        prefix_length: 6,
        charset: "abcdefghij".to_owned(),
        tlds: vec!["test".to_owned()],
        ..names::Spec::default()
    })
    .unwrap();
    let campaign_id = CampaignId(Uuid::now_v7());
    let stream = campaign_id.to_string();
    let metadata = Metadata::new(Actor::Worker("bench".to_owned()), stream.clone());
    let source = Source::Pattern {
        pattern: pattern.clone(),
        count: Some(NAMES),
    };
    let run_id = RunId(Uuid::now_v7());
    let mut commands = vec![
        Command::Create(Create {
            phases: vec![PhaseConfig::Discovery {
                source: source.clone(),
            }],
            ..Create::new(UserId(Uuid::now_v7()), "bench")
        }),
        Command::StartPhase(StartPhase {
            run_id,
            pinned: Pinned::Discovery {
                pattern_hash: Some(pattern.hash()),
                inputs: Vec::new(),
                source,
            },
            auto: false,
        }),
    ];
    for start in (0..NAMES).step_by(10_000) {
        commands.push(Command::RecordGenerated(RecordGenerated {
            run_id,
            pattern: pattern.clone(),
            generator_version: names::GENERATOR_VERSION,
            start,
            count: 10_000,
            names: 10_000,
        }));
    }
    for command in commands {
        database
            .log()
            .execute::<Campaign>(&stream, command, &metadata, None)
            .await
            .unwrap();
    }
    let generated: Vec<String> = pattern
        .names(0, NAMES)
        .filter_map(|(_, name)| Some(name?.to_string()))
        .collect();
    for (version, result) in [
        (0, checked as fn(RunId, usize) -> domain::Event),
        (1, decided),
    ] {
        for (chunk, names) in generated.chunks(CHUNK).enumerate() {
            let mut batch = BulkAppend::new(&metadata);
            for (at, name) in names.iter().enumerate() {
                let event = result(run_id, chunk * CHUNK + at);
                batch
                    .stream::<Domain>(&domain::stream_id(campaign_id, name), version, &[event])
                    .unwrap();
            }
            batch.append(database).await.unwrap();
        }
    }
}

fn checked(run_id: RunId, nth: usize) -> domain::Event {
    let found = nth % 10 < 3;
    let address = std::net::Ipv4Addr::from(u32::try_from(nth).unwrap() | 0x0a00_0000);
    domain::Event::DnsChecked(DnsChecked {
        run_id,
        outcome: if found { Outcome::Ok } else { Outcome::Error },
        reason: (!found).then_some(DnsReason::Nxdomain),
        detail: None,
        records: found
            .then(|| DnsRecord {
                record_type: "A".to_owned(),
                value: address.to_string(),
                ttl: 300,
            })
            .into_iter()
            .collect(),
        addresses: found.then_some(address.into()).into_iter().collect(),
        resolver: Some("192.0.2.53:53".to_owned()),
        attempts: 1,
        elapsed_ms: 12,
        authoritative: true,
        truncated: false,
        validated: false,
        wildcard: false,
        name_servers: Vec::new(),
        parking: false,
        taken_from: None,
    })
}

fn decided(run_id: RunId, _nth: usize) -> domain::Event {
    domain::Event::LeadDecided(LeadDecided {
        run_id,
        status: lead::Status::NoMatch,
        reason: lead::Reason::DnsError,
        score: None,
    })
}
