//! What a page of results costs: the rows that it writes, however many others the table has.

use event_store::{Database, Position};
use projections::{domains::Domains, runtime::Projection as _};
use sqlx::PgConnection;

use crate::support::{World, dns_ok, imported, names, new_campaign};

const NAMES: usize = 40_000;
/// More pages than a prepared statement is planned for anew, so that the plan that is kept is seen as well.
const PAGES: usize = 8;
const PAGE: usize = 500;

/// Rows of the domains table that this session came to: by reading all of it, and by an index.
const LOOKED_AT: &str = "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables \
    WHERE relid = 'read.domains'::regclass";

/// Takes in everything after a position, page by page in one transaction that is taken back; answers how many rows it
/// looked at.
async fn looked_at(database: &Database, mut from: Position) -> (i64, i64) {
    let mut transaction = database.pool().begin().await.unwrap();
    sqlx::query("SET LOCAL search_path = read, public")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let limit = u32::try_from(PAGE).unwrap();
    // The session may have counted before.
    let (through, by_index) = counted(&mut transaction).await;
    loop {
        let page = database
            .feed()
            .after_in(&mut transaction, from, limit, Some(Domains.reads()))
            .await
            .unwrap();
        if page.events.is_empty() {
            break;
        }
        Domains.apply(&mut transaction, &page.events).await.unwrap();
        from = page.next;
    }
    let now = counted(&mut transaction).await;
    (now.0 - through, now.1 - by_index)
}

async fn counted(connection: &mut PgConnection) -> (i64, i64) {
    sqlx::query_as(LOOKED_AT)
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_page_of_results_never_reads_the_table_through() {
    let world = World::start().await;
    let campaign = new_campaign();
    let names = names(NAMES);
    for (chunk, first) in names.chunks(10_000).zip((0..).step_by(10_000)) {
        let version = first as u64 / 10_000;
        let stream = campaign.to_string();
        world
            .append(vec![("campaign", stream, version, imported(first, chunk))])
            .await;
    }
    world.level().await;
    let before = world.database.feed().head().await.unwrap();
    for page in names.chunks(PAGE).take(PAGES) {
        world.results(campaign, page, 0, &dns_ok()).await;
    }
    // Once as right after an import, once with statistics.
    for analyzed in [false, true] {
        if analyzed {
            world.execute("ANALYZE read.domains").await;
        }
        let (through, by_index) = looked_at(&world.database, before).await;
        assert_eq!(through, 0, "analyzed: {analyzed}");
        let written = i64::try_from(PAGES * PAGE).unwrap();
        assert!(
            (written..=2 * written).contains(&by_index),
            "analyzed: {analyzed}: {by_index} rows looked up for {written}"
        );
    }
}
