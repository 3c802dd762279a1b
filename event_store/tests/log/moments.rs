//! Moments that no calendar has, which only somebody's tampering writes.

use chrono::{DateTime, Utc};
use event_store::{Position, Walk, describe};

use crate::support::{bulk_of, by_hand, fresh, run};

#[tokio::test]
async fn an_event_that_was_recorded_at_no_moment_is_named_and_ends_no_reader() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 3)])
        .append(&fresh.database)
        .await
        .unwrap();
    fresh.database.sequence().await.unwrap();
    let mut connection = by_hand(&fresh.url).await;
    run(&mut connection, "SET session_replication_role = replica").await;
    for (moment, nearest) in [
        ("infinity", DateTime::<Utc>::MAX_UTC),
        ("-infinity", DateTime::<Utc>::MIN_UTC),
        ("290000-01-01", DateTime::<Utc>::MAX_UTC),
    ] {
        let statement = format!("UPDATE events SET recorded_at = '{moment}' WHERE sequence = 2");
        run(&mut connection, &statement).await;
        let log = fresh.database.log();
        let feed = fresh.database.feed().after(Position::START, 10, None).await;
        let stream = log.stream("tally", "a").page(0, 10).await;
        for refused in [feed.unwrap_err(), stream.unwrap_err()] {
            assert!(refused.is_undecodable(), "{refused:?}");
            let told = describe(&refused);
            assert!(told.contains("event 2 of tally a"), "{told}");
        }
        let commits = Walk::default().next(&mut connection, 10).await.unwrap();
        assert_eq!(commits[0].events[1].recorded_at, nearest, "{moment}");
    }
}
