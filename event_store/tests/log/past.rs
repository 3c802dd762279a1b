//! Where the log ended at a moment, and what a stream and those below it had by then.

use chrono::{DateTime, TimeDelta, Utc};
use event_store::Position;

use crate::support::{bulk_of, by_hand, fresh, run};

fn noon() -> DateTime<Utc> {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn at_each_moment_the_log_ended_with_the_last_commit_that_was_readable_then() {
    let fresh = fresh().await;
    let past = fresh.database.past();
    let end_at = async |moment| past.end_at(moment).await.unwrap().map(Position::get);
    assert_eq!(end_at(noon()).await, Some(0), "an empty log");
    // Commits of one, two, three and more events, at noon and each minute after it.
    let mut ends = Vec::new();
    for events in 1..=12 {
        let stream = format!("s{events}");
        let append = bulk_of(&[(&stream, 0, events)]);
        append.append(&fresh.database).await.unwrap();
        let head = fresh.database.feed();
        fresh.database.sequence().await.unwrap();
        ends.push(head.head().await.unwrap().get());
    }
    let mut connection = by_hand(&fresh.url).await;
    run(&mut connection, "SET session_replication_role = replica").await;
    let minutes = "UPDATE event_log l SET committed_at = '2026-01-01T12:00:00Z'::timestamptz + n * interval '1 minute' \
        FROM (SELECT base, row_number() OVER (ORDER BY base) - 1 AS n FROM event_log) numbered WHERE l.base = numbered.base";
    run(&mut connection, minutes).await;
    assert_eq!(end_at(noon() - TimeDelta::microseconds(1)).await, Some(0));
    for (minute, end) in ends.iter().enumerate() {
        let at = noon() + TimeDelta::minutes(i64::try_from(minute).unwrap());
        assert_eq!(end_at(at).await, Some(*end), "{minute}");
        let later = at + TimeDelta::seconds(59);
        assert_eq!(end_at(later).await, Some(*end), "{minute}");
    }
    assert_eq!(end_at(Utc::now() + TimeDelta::days(1)).await, None);
}

#[tokio::test]
async fn a_stream_and_those_below_it_have_their_events_at_the_positions_of_the_feed() {
    let fresh = fresh().await;
    let database = &fresh.database;
    for streams in [
        vec![("a", 0, 2), ("ab", 0, 1), ("a/x", 0, 3)],
        vec![("b", 0, 2)],
        vec![("b/x", 0, 1), ("a/y", 0, 1), ("a", 2, 1)],
        vec![("a/x", 3, 1)],
    ] {
        bulk_of(&streams).append(database).await.unwrap();
        database.sequence().await.unwrap();
    }
    let feed = database.feed().after(Position::START, 100, None).await;
    let all = feed.unwrap().events;
    let (past, mut connection) = (database.past(), database.pool().acquire().await.unwrap());
    let streams = ["a", "a/x", "a/y", "none"].map(str::to_owned);
    for until in [0, 1, 6, 8, 9, 11, 12, 1_000] {
        let until = Position::new(until);
        let found = past.commits_of(&mut connection, "tally", &streams, until);
        let mut commits = found.await.unwrap();
        commits.sort();
        let read = past.events_below(&mut connection, "a", &commits).await;
        // A position within a commit counts as its end.
        let whole = commits
            .last()
            .map(|commit| commit.base.get() + commit.events);
        let expected: Vec<_> = all
            .iter()
            .filter(|event| event.aggregate_id == "a" || event.aggregate_id.starts_with("a/"))
            .filter(|event| whole.is_some_and(|whole| event.position.get() < whole))
            .cloned()
            .collect();
        assert_eq!(read.unwrap(), expected, "{until}");
        let last = commits.last().map_or(0, |commit| commit.base.get());
        assert!(last <= until.get());
    }
    let found = past.commits_of(&mut connection, "tally", &streams, Position::new(1_000));
    assert_eq!(found.await.unwrap().len(), 3, "b's own commit is none");
}
