//! Random writers on both lanes, with aborts, savepoints and long transactions, against what they say they committed.
//!
//! A reader follows the feed while they write. At the end it must have seen every committed event once, in dense
//! positions, each stream in its order, and a second reading from the start must give the very same.

use std::{collections::HashMap, sync::Arc, time::Duration};

use event_store::{Answer, Database, Position, Sequencer};
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

use crate::support::{Command, Tally, assert_clean, bulk_of, fresh, insert, metadata, run};

const STREAMS: usize = 5;
const CASES: u32 = 12;

/// One step of a writer.
#[derive(Clone, Debug)]
enum Step {
    /// A command for a stream, through the interactive lane.
    Execute(usize),
    /// Some events for several streams at once; the transaction stays open for some turns and may be rolled back.
    Bulk {
        streams: Vec<(usize, usize)>,
        turns: u8,
        commit: bool,
    },
    /// Events by hand for a stream of the writer's own, one of them in a savepoint that is rolled back.
    ByHand { turns: u8, commit: bool },
    /// Lets the others go first.
    Pause(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let streams = prop::collection::btree_map(0..STREAMS, 1..4_usize, 1..STREAMS);
    prop_oneof![
        3 => (0..STREAMS).prop_map(Step::Execute),
        3 => (streams, 0..20_u8, prop::bool::weighted(0.7))
            .prop_map(|(streams, turns, commit)| Step::Bulk { streams: streams.into_iter().collect(), turns, commit }),
        2 => (0..30_u8, prop::bool::weighted(0.7)).prop_map(|(turns, commit)| Step::ByHand { turns, commit }),
        1 => (0..10_u8).prop_map(Step::Pause),
    ]
}

/// How many events each stream has got from one writer.
type Committed = HashMap<String, u64>;

async fn write(
    database: Database,
    url: String,
    writer: usize,
    steps: Vec<Step>,
    start: Arc<Barrier>,
) -> Committed {
    let mut by_hand = PgConnection::connect(&url).await.unwrap();
    let mut committed = Committed::new();
    let own = format!("own{writer}");
    start.wait().await;
    for step in steps {
        match step {
            Step::Pause(turns) => pause(turns).await,
            Step::Execute(stream) => {
                let id = format!("s{stream}");
                // A conflict is an answer too: it may lose twice, but then nothing was appended.
                if let Ok(done) = database
                    .log()
                    .execute::<Tally>(&id, Command::Add(1), &metadata(), None)
                    .await
                {
                    *committed.entry(id).or_default() += done.events.len() as u64;
                }
            }
            Step::Bulk {
                streams,
                turns,
                commit,
            } => {
                let mut wanted = Vec::new();
                for (stream, events) in streams {
                    let id = format!("s{stream}");
                    let (_, version) = database.log().load::<Tally>(&id).await.unwrap();
                    wanted.push((id, version, events));
                }
                let named: Vec<_> = wanted
                    .iter()
                    .map(|(id, version, events)| (id.as_str(), *version, *events))
                    .collect();
                let batch = bulk_of(&named).recorded_when(|_, _| false);
                let mut transaction = database.begin().await.unwrap();
                let answers = transaction.append(&batch).await.unwrap();
                pause(turns).await;
                if !commit {
                    transaction.rollback().await.unwrap();
                    continue;
                }
                transaction.commit().await.unwrap();
                for ((id, _, events), answer) in wanted.into_iter().zip(answers) {
                    if let Answer::Appended { .. } = answer {
                        *committed.entry(id).or_default() += events as u64;
                    }
                }
            }
            Step::ByHand { turns, commit } => {
                let next = committed.get(&own).copied().unwrap_or(0) as i64 + 1;
                run(&mut by_hand, "BEGIN").await;
                insert(&mut by_hand, &own, next).await;
                run(&mut by_hand, "SAVEPOINT nested").await;
                insert(&mut by_hand, &own, next + 1).await;
                pause(turns).await;
                run(&mut by_hand, "ROLLBACK TO nested").await;
                insert(&mut by_hand, &own, next + 1).await;
                run(&mut by_hand, if commit { "COMMIT" } else { "ROLLBACK" }).await;
                if commit {
                    *committed.entry(own.clone()).or_default() += 2;
                }
            }
        }
    }
    committed
}

/// Keeps a transaction open while the others run: turns of the database, not of the clock.
async fn pause(turns: u8) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

/// Follows the feed until it was told how far it goes.
async fn follow(
    database: Database,
    mut end: tokio::sync::watch::Receiver<Option<Position>>,
) -> Vec<(String, u64)> {
    let mut seen = Vec::new();
    let mut next = Position::START;
    loop {
        let page = database.feed().after(next, 7, None).await.unwrap();
        for event in &page.events {
            assert_eq!(
                event.position.get(),
                seen.len() as u64 + 1,
                "dense, from the first to the last"
            );
            seen.push((event.aggregate_id.clone(), event.sequence));
        }
        next = page.next;
        if end.borrow_and_update().is_some_and(|end| next >= end) {
            return seen;
        }
        database
            .feed()
            .wait_past(next, Duration::from_millis(20))
            .await
            .unwrap();
    }
}

async fn no_event_is_lost_doubled_or_reordered(writers: Vec<Vec<Step>>) {
    let fresh = fresh().await;
    let token = CancellationToken::new();
    let sequencers: Vec<_> = (0..2)
        .map(|_| tokio::spawn(Sequencer::new(fresh.database.clone()).run(token.clone())))
        .collect();
    let (ended, end) = tokio::sync::watch::channel(None);
    let reader = tokio::spawn(follow(fresh.database.clone(), end));
    let start = Arc::new(Barrier::new(writers.len()));
    let writing: Vec<_> = writers
        .into_iter()
        .enumerate()
        .map(|(writer, steps)| {
            tokio::spawn(write(
                fresh.database.clone(),
                fresh.url.clone(),
                writer,
                steps,
                Arc::clone(&start),
            ))
        })
        .collect();
    let mut expected = Committed::new();
    for writer in writing {
        for (stream, events) in writer.await.unwrap() {
            *expected.entry(stream).or_default() += events;
        }
    }
    token.cancel();
    for sequencer in sequencers {
        sequencer.await.unwrap();
    }
    assert_clean(&fresh.database).await;
    let total: u64 = expected.values().sum();
    assert_eq!(
        fresh.database.feed().head().await.unwrap(),
        Position::new(total)
    );
    ended.send(Some(Position::new(total))).unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(60), reader)
        .await
        .expect("the reader reaches the end")
        .unwrap();

    let mut walked = Committed::new();
    for (stream, sequence) in &seen {
        let last = walked.entry(stream.clone()).or_default();
        assert_eq!(*sequence, *last + 1, "{stream} in its order");
        *last = *sequence;
    }
    assert_eq!(walked, expected);
    assert_eq!(
        crate::support::read_all(&fresh.database).await,
        seen,
        "what was read live is what is there"
    );
}

#[test]
fn concurrent_writers_on_both_lanes_lose_double_and_reorder_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    };
    let writers = prop::collection::vec(prop::collection::vec(step(), 3..12), 2..6);
    TestRunner::new(config)
        .run(&writers, |writers| {
            runtime.block_on(no_event_is_lost_doubled_or_reordered(writers));
            Ok(())
        })
        .unwrap();
}
