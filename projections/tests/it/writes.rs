//! What a page of results costs: the rows that it writes, however many others the table has.

use event_store::{Database, Position};
use projections::{domains::Domains, runtime::Projection as _};

use crate::support::{World, dns_ok, imported, names, new_campaign};

const NAMES: usize = 40_000;
/// More pages than a prepared statement is planned for anew, so that the plan that is kept is seen as well.
const PAGES: usize = 8;
const PAGE: usize = 500;

/// Rows of the domains table that this transaction came to by reading all of it.
const READ_THROUGH: &str = "SELECT pg_stat_get_xact_tuples_returned('read.domains'::regclass)";

/// Takes in everything after a position, page by page in one transaction; answers how many rows it read through.
async fn read_through(database: &Database, mut from: Position) -> i64 {
    let mut transaction = database.pool().begin().await.unwrap();
    sqlx::query("SET LOCAL search_path = read, public")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let limit = u32::try_from(PAGE).unwrap();
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
    sqlx::query_scalar(READ_THROUGH)
        .fetch_one(&mut *transaction)
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
    assert_eq!(read_through(&world.database, before).await, 0);
    world.execute("ANALYZE read.domains").await;
    assert_eq!(read_through(&world.database, before).await, 0);
}
