//! Tampering: each kind is found and named at the first event that it touches.

use replay::{Change, LogFinding, Place};

use super::{AT, Log, place};

#[tokio::test]
async fn an_altered_event_is_named_whichever_field_of_it_was_altered() {
    for change in [
        r#"payload = '{"Added":{"amount":3}}'"#,
        r#"payload = '{"Added": {"amount":2}}'"#,
        r#"metadata = '{"actor":"somebody else"}'"#,
        "event_type = 'Taken'",
        "event_version = '2'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "recorded_at = 'infinity'",
        "recorded_at = '-infinity'",
    ] {
        let log = Log::of(200).await;
        let found = log
            .tampered(&format!("UPDATE events SET {change} WHERE {AT}"))
            .await;
        let change = Change::Altered {
            event: place(103, 2),
        };
        let position = 311;
        assert_eq!(found, LogFinding::Changed { position, change }, "{found}");
    }
}

#[tokio::test]
async fn an_event_that_was_given_to_another_stream_is_named() {
    let log = Log::of(200).await;
    let statement = format!("UPDATE events SET aggregate_id = 'other', sequence = 1 WHERE {AT}");
    let found = log.tampered(&statement).await;
    let event = Place {
        aggregate_id: "other".to_owned(),
        ..place(103, 1)
    };
    let change = Change::Altered { event };
    let position = 311;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn a_removed_event_is_named_also_where_the_log_was_made_to_fit() {
    let count = "UPDATE event_log SET events = 2 WHERE base = 310";
    let renumber = "UPDATE event_log SET base = base + 100000 WHERE base > 310; \
                    UPDATE event_log SET base = base - 100001 WHERE base > 100000";
    for more in [
        String::new(),
        count.to_owned(),
        format!("{count}; {renumber}"),
    ] {
        let log = Log::of(200).await;
        let found = log
            .tampered(&format!("DELETE FROM events WHERE {AT}; {more}"))
            .await;
        let change = Change::Missing {
            events: 1,
            lost: Some(place(103, 2)),
            next: Some(place(103, 3)),
        };
        let position = 311;
        assert_eq!(found, LogFinding::Changed { position, change }, "{more}");
    }
}

#[tokio::test]
async fn removed_commits_are_named() {
    let log = Log::of(200).await;
    let statement = "DELETE FROM events WHERE aggregate_id IN ('s103', 's104'); \
                     DELETE FROM event_log WHERE base IN (310, 313)";
    let found = log.tampered(statement).await;
    let change = Change::Missing {
        events: 6,
        lost: None,
        next: Some(place(105, 1)),
    };
    let position = 310;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn an_inserted_event_is_named_in_a_commit_and_as_one_of_its_own() {
    let into = "INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)";
    let statement = format!(
        "{into} SELECT batch, 'tally', 's103', 4, 'Added', '1', '{{}}', '{{}}' FROM event_log WHERE base = 310"
    );
    let own = "UPDATE event_log SET base = base + 100000 WHERE base > 310; \
               UPDATE event_log SET base = base - 99999 WHERE base > 100000; \
               INSERT INTO event_log (base, events, batch, aggregate_types) VALUES (313, 1, 999999, '{tally}')";
    let own =
        format!("{into} VALUES (999999, 'tally', 's103', 4, 'Added', '1', '{{}}', '{{}}'); {own}");
    for statement in [statement, own] {
        let log = Log::of(200).await;
        let found = log.tampered(&statement).await;
        let change = Change::Inserted {
            event: place(103, 4),
        };
        let position = 313;
        assert_eq!(
            found,
            LogFinding::Changed { position, change },
            "{statement}"
        );
    }
}

/// Whoever reads a stream would see it, and no reader of the log.
#[tokio::test]
async fn an_event_that_was_put_into_a_stream_past_the_log_is_found() {
    let log = Log::of(20).await;
    let statement = "INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
                     VALUES (999999, 'tally', 's7', 4, 'Added', '1', '{}', '{}')";
    let found = log.tampered(statement).await;
    assert!(
        matches!(
            found,
            LogFinding::Log(event_store::Finding::Unnoted {
                batch: 999_999,
                events: 1
            })
        ),
        "{found}"
    );
}

#[tokio::test]
async fn events_in_another_order_are_named() {
    let log = Log::of(200).await;
    let batches: Vec<(i64,)> =
        sqlx::query_as("SELECT batch FROM event_log WHERE base IN (310, 313) ORDER BY base")
            .fetch_all(log.database.pool())
            .await
            .unwrap();
    let (one, two) = (batches[0].0, batches[1].0);
    let statement = format!(
        "UPDATE event_log SET batch = 0 WHERE base = 310; UPDATE event_log SET batch = {one} WHERE base = 313; \
         UPDATE event_log SET batch = {two} WHERE base = 310"
    );
    let found = log.tampered(&statement).await;
    let change = Change::Moved {
        event: place(104, 1),
        recorded_at: 313,
    };
    let position = 310;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn wrong_positions_of_right_events_are_named() {
    let log = Log::of(20).await;
    let found = log
        .tampered("UPDATE event_log SET base = base + 5 WHERE base = 58")
        .await;
    let expected = LogFinding::Renumbered {
        expected: 58,
        found: 63,
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_tree_that_was_changed_beside_a_log_that_was_not_is_told_apart() {
    let mut log = Log::of(200).await;
    log.checkpoint().await;
    let damage = "UPDATE log_tree_tiles SET hashes = set_byte(hashes, 10, get_byte(hashes, 10) # 255) WHERE level = 0 AND index = 1";
    let found = log.tampered(damage).await;
    assert_eq!(found, LogFinding::TreeChanged { position: 257 });

    let log = Log::of(200).await;
    let damage = "UPDATE log_tree_tiles SET hashes = set_byte(hashes, 10, get_byte(hashes, 10) # 255) WHERE level = 1";
    let found = log.tampered(damage).await;
    assert!(
        matches!(found, LogFinding::NodesDiffer { tile } if tile.level == 1),
        "{found}"
    );

    let log = Log::of(200).await;
    let found = log
        .tampered("DELETE FROM log_tree_tiles WHERE level = 0 AND index = 2")
        .await;
    assert!(
        matches!(found, LogFinding::Changed { position: 513, .. }),
        "{found}"
    );
}
