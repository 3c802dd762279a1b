//! Pages of whole commits, filters, and waiting.

use std::time::Duration;

use event_store::{BulkAppend, Database, MAX_PAGE_BYTES, Position, Sequencer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::{Command, Tally, assert_clean, bulk_of, by_hand, fresh, metadata, raw, run};

fn numbers(page: &event_store::Page) -> Vec<u64> {
    page.events
        .iter()
        .map(|event| event.position.get())
        .collect()
}

async fn append_sequenced(database: &Database, aggregate_type: &str, id: &str, events: usize) {
    let mut batch = BulkAppend::new(&metadata());
    batch
        .raw_stream(aggregate_type, id, 0, vec![raw("Happened", "{}"); events])
        .unwrap();
    batch.append(database).await.unwrap();
    database.sequence().await.unwrap();
}

#[tokio::test]
async fn a_page_ends_where_a_commit_ends() {
    let fresh = fresh().await;
    for (id, events) in [("a", 3), ("b", 2), ("c", 4)] {
        append_sequenced(&fresh.database, "tally", id, events).await;
    }
    let feed = fresh.database.feed();
    let page = feed.after(Position::START, 1, None).await.unwrap();
    assert_eq!(
        (numbers(&page), page.next.get(), page.head.get()),
        (vec![1, 2, 3], 3, 9)
    );
    let page = feed.after(Position::START, 4, None).await.unwrap();
    assert_eq!((numbers(&page), page.next.get()), (vec![1, 2, 3, 4, 5], 5));
    let page = feed.after(Position::new(5), 100, None).await.unwrap();
    assert_eq!((numbers(&page), page.next.get()), (vec![6, 7, 8, 9], 9));
    let page = feed.after(Position::new(9), 100, None).await.unwrap();
    assert_eq!(
        (numbers(&page), page.next.get(), page.head.get()),
        (vec![], 9, 9)
    );
}

/// A client's cursor may be any event that it saw, also one inside a commit.
#[tokio::test]
async fn reading_goes_on_in_the_middle_of_a_commit() {
    let fresh = fresh().await;
    append_sequenced(&fresh.database, "tally", "a", 5).await;
    append_sequenced(&fresh.database, "tally", "b", 2).await;
    let page = fresh
        .database
        .feed()
        .after(Position::new(3), 1, None)
        .await
        .unwrap();
    assert_eq!((numbers(&page), page.next.get()), (vec![4, 5], 5));
    let page = fresh
        .database
        .feed()
        .after(Position::new(3), 3, None)
        .await
        .unwrap();
    assert_eq!(numbers(&page)[..2], [4, 5]);
}

#[tokio::test]
async fn a_reader_of_some_types_passes_over_the_rest_and_keeps_the_positions() {
    let fresh = fresh().await;
    for number in 0..5 {
        append_sequenced(&fresh.database, "noise", &format!("n{number}"), 10).await;
    }
    let mut mixed = BulkAppend::new(&metadata());
    for (aggregate_type, id) in [("noise", "x"), ("rare", "y"), ("noise", "z")] {
        mixed
            .raw_stream(aggregate_type, id, 0, vec![raw("Happened", "{}")])
            .unwrap();
    }
    mixed.append(&fresh.database).await.unwrap();
    append_sequenced(&fresh.database, "noise", "last", 10).await;
    let feed = fresh.database.feed();
    let page = feed
        .after(Position::START, 100, Some(&["rare", "unheard of"]))
        .await
        .unwrap();
    // Rows of a batch are sorted by stream: noise x, noise z, rare y.
    assert_eq!(
        (numbers(&page), page.next.get(), page.head.get()),
        (vec![53], 63, 63)
    );
    assert_eq!(page.events[0].aggregate_id, "y");
    let page = feed
        .after(Position::START, 1, Some(&["rare"]))
        .await
        .unwrap();
    assert_eq!(
        (numbers(&page), page.next.get()),
        (vec![53], 53),
        "a full page ends at its last commit"
    );
    let page = feed
        .after(Position::new(53), 100, Some(&["rare"]))
        .await
        .unwrap();
    assert_eq!(
        (numbers(&page), page.next.get()),
        (vec![], 63),
        "nothing more, and nothing to read again"
    );
}

#[tokio::test]
async fn a_page_can_be_read_in_the_callers_transaction() {
    let fresh = fresh().await;
    append_sequenced(&fresh.database, "tally", "a", 2).await;
    let mut transaction = fresh.database.begin().await.unwrap();
    let page = fresh
        .database
        .feed()
        .after_in(transaction.connection(), Position::START, 10, None)
        .await
        .unwrap();
    assert_eq!(numbers(&page), [1, 2]);
    let metadata = page.events[0].metadata().unwrap();
    assert_eq!(metadata.correlation_id, "test");
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn waiting_ends_with_an_append_of_this_process_or_of_another_and_not_before() {
    let fresh = fresh().await;
    let here = &fresh.database;
    let there = Database::connect(&fresh.url, event_store::ConnectOptions::default())
        .await
        .unwrap();
    let begun = Instant::now();
    assert!(
        !here
            .feed()
            .wait_past(Position::START, Duration::from_millis(80))
            .await
            .unwrap()
    );
    assert!(begun.elapsed() >= Duration::from_millis(80));

    let token = CancellationToken::new();
    let sequencer = tokio::spawn(Sequencer::new(here.clone()).run(token.clone()));
    let reading = there.feed();
    let waiting = tokio::spawn(async move {
        reading
            .wait_past(Position::START, Duration::from_secs(20))
            .await
    });
    here.log()
        .execute::<Tally>("a", Command::Add(1), &metadata(), None)
        .await
        .unwrap();
    assert!(
        here.feed()
            .wait_past(Position::START, Duration::from_secs(20))
            .await
            .unwrap()
    );
    assert!(
        waiting.await.unwrap().unwrap(),
        "a process without a sequencer polls"
    );

    // Appended by a process that has no sequencer: this one's tick finds it.
    bulk_of(&[("b", 0, 1)]).append(&there).await.unwrap();
    assert!(
        here.feed()
            .wait_past(Position::new(1), Duration::from_secs(20))
            .await
            .unwrap()
    );
    token.cancel();
    sequencer.await.unwrap();
    assert_clean(here).await;
}

#[tokio::test]
async fn a_sequencer_that_is_told_to_end_sequences_what_was_appended_last() {
    let fresh = fresh().await;
    let token = CancellationToken::new();
    token.cancel();
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    Sequencer::new(fresh.database.clone()).run(token).await;
    assert_eq!(
        fresh.database.feed().head().await.unwrap(),
        Position::new(1)
    );
}

#[tokio::test]
async fn a_page_ends_with_the_commit_in_which_it_is_full_by_its_bytes() {
    let fresh = fresh().await;
    let database = &fresh.database;
    let mut hand = by_hand(&fresh.url).await;
    // A megabyte each, of digests, which do not compress; a commit each, but for the last two.
    let commits = ["a", "b", "c", "d", "e", "f", "g,h"];
    for streams in commits {
        sqlx::query(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
             SELECT 'tally', id, 1, 'Added', '1', json_build_object('long', (SELECT string_agg(md5(id || n), '')
             FROM generate_series(1, 32768) n)), '{}' FROM unnest(string_to_array($1, ',')) id",
        )
        .bind(streams)
        .execute(&mut hand)
        .await
        .unwrap();
        database.sequence().await.unwrap();
    }
    let feed = database.feed();
    for types in [None, Some(["tally"].as_slice())] {
        let (mut next, mut pages) = (Position::START, Vec::new());
        while next < Position::new(8) {
            let page = feed.after(next, 1_000, types).await.unwrap();
            assert_eq!(page.head, Position::new(8));
            next = page.next;
            pages.push((page.events.len(), next));
        }
        assert_eq!(MAX_PAGE_BYTES, 4 << 20);
        assert_eq!(pages, [(4, Position::new(4)), (4, Position::new(8))]);
    }
}

/// Commits of five events each, as many sessions would have written them.
const WRITE_COMMITS: &str = "DO $$ BEGIN FOR n IN 1..3000 LOOP
    INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    SELECT CASE WHEN n % 10 = 0 THEN 'rare' ELSE 'tally' END, n || '/' || e, 1, 'Added', '1', '{}', '{}'
    FROM generate_series(1, 5) e;
    COMMIT;
END LOOP; END $$";

/// What this transaction has read of the log: rows of scans through a whole table, and entries of the three indexes.
const READ: &str =
    "SELECT (SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_xact_user_tables
                            WHERE relname IN ('events', 'event_log')),
    pg_stat_get_xact_tuples_returned('events_by_batch'::regclass),
    pg_stat_get_xact_tuples_returned('event_log_pkey'::regclass),
    pg_stat_get_xact_tuples_returned('events_pkey'::regclass)";

/// Pages of a long log are a walk along two indexes, never over all events, also when they are planned once for all
/// values.
#[tokio::test]
async fn a_page_of_a_long_log_reads_only_its_own_commits() {
    let fresh = fresh().await;
    let mut hand = by_hand(&fresh.url).await;
    run(&mut hand, WRITE_COMMITS).await;
    fresh.database.sequence().await.unwrap();
    let both = ["rare", "tally"];
    let wanted = [
        (None, 50),
        (Some(both.as_slice()), 50),
        (Some(&both[..1]), 500),
    ];
    for analyzed in [false, true] {
        if analyzed {
            run(&mut hand, "ANALYZE").await;
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (types, commits) in wanted {
                // What the session did before is counted no more.
                run(&mut hand, "SELECT pg_stat_force_next_flush()").await;
                run(&mut hand, "BEGIN").await;
                run(&mut hand, &format!("SET LOCAL plan_cache_mode = {mode}")).await;
                let page = fresh
                    .database
                    .feed()
                    .after_in(&mut hand, Position::new(5_000), 50, types)
                    .await
                    .unwrap();
                assert_eq!(page.events.len(), 50);
                let read: (i64, i64, i64, i64) =
                    sqlx::query_as(READ).fetch_one(&mut hand).await.unwrap();
                let at = format!("{types:?} {mode} analyzed: {analyzed}: {read:?}");
                run(&mut hand, "ROLLBACK").await;
                let (through, by_batch, by_base, by_stream) = read;
                assert_eq!((through, by_stream), (0, 0), "{at}");
                // Twice, for their sizes and for themselves.
                assert!(by_batch <= 2 * 50, "{at}");
                // A page of 50 events looks at 50 commits of the wanted types, and passes over those of others; only
                // before the server knows that commits lie in the order of their bases may it look at all of them.
                assert!(!analyzed || by_base <= commits + 10, "{at}");
            }
        }
    }
}
