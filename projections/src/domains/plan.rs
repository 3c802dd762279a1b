//! The plan of the hottest query: a page by cursor reads the index from the cursor on, however deep it is.

use aggregates::ids::CampaignId;
use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Filter, Page, list::BY_ORDINAL, listing, listing::FOLLOW_THE_INDEX};

const NAMES: i64 = 30_000;

const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, dns_status) \
    SELECT $1, 'n' || n || '.test', n, now(), CASE n % 3 WHEN 0 THEN 'ok' ELSE 'error' END \
    FROM generate_series(0, $2 - 1) n";
const SEED_COUNTS: &str = "INSERT INTO read.domain_counts SELECT campaign_id, dns_status, dns_reason, http_status, \
    http_reason, lead_status, rejection_reason, keyword_hit, scored, high_potential, warned, count(*) \
    FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11";

async fn seeded() -> (TestDatabase, Database, CampaignId) {
    let migrate = |url: String| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    };
    let test = TestDatabase::from_template("domainflow", migrate)
        .await
        .unwrap();
    let database = Database::connect(test.url(), ConnectOptions::default())
        .await
        .unwrap();
    let campaign = CampaignId(Uuid::from_u128(1));
    // Another campaign beside it, so that the campaign is a part of the table.
    for id in [campaign, CampaignId(Uuid::from_u128(2))] {
        sqlx::query(SEED)
            .bind(id.0)
            .bind(NAMES)
            .execute(database.pool())
            .await
            .unwrap();
    }
    sqlx::query(SEED_COUNTS)
        .execute(database.pool())
        .await
        .unwrap();
    (test, database, campaign)
}

async fn plan(
    connection: &mut PgConnection,
    campaign: CampaignId,
    dns_status: Option<&str>,
    after: i64,
) -> String {
    let explain = format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {BY_ORDINAL}");
    let mut query = sqlx::query_scalar::<_, String>(&explain)
        .bind(campaign.0)
        .bind(dns_status);
    for _ in 0..3 {
        query = query.bind(None::<&str>);
    }
    query = query
        .bind(None::<f64>)
        .bind(None::<bool>)
        .bind(None::<bool>)
        .bind(None::<&str>);
    query = query.bind(None::<bool>).bind(None::<Vec<String>>);
    let rows = query
        .bind(None::<f64>)
        .bind(after)
        .bind(1_000_i64)
        .bind(0_i64)
        .persistent(false)
        .fetch_all(connection)
        .await
        .unwrap();
    rows.join("\n")
}

#[tokio::test]
async fn a_page_by_cursor_reads_only_its_own_rows_however_deep_it_is() {
    let (_test, database, campaign) = seeded().await;
    // Once as right after an import, once with statistics.
    pages_follow_the_index(&database, campaign).await;
    sqlx::query("ANALYZE read.domains")
        .execute(database.pool())
        .await
        .unwrap();
    pages_follow_the_index(&database, campaign).await;
    database.close().await;
}

async fn pages_follow_the_index(database: &Database, campaign: CampaignId) {
    let mut connection = database.pool().begin().await.unwrap();
    sqlx::query(FOLLOW_THE_INDEX)
        .execute(&mut *connection)
        .await
        .unwrap();
    for after in [-1, NAMES / 2, NAMES - 200] {
        let plan = plan(&mut connection, campaign, None, after).await;
        assert!(
            plan.contains("Index Scan using domains_by_ordinal"),
            "{plan}"
        );
        assert!(
            !plan.contains("Sort") && !plan.contains("Seq Scan"),
            "{plan}"
        );
        assert!(!plan.contains("Rows Removed"), "{plan}");
    }
    let filtered = plan(&mut connection, campaign, Some("ok"), NAMES / 2).await;
    assert!(
        filtered.contains("Index Scan using domains_by_ordinal"),
        "{filtered}"
    );
    // Every third row passes, so a page of 1,000 looks at some 2,000 others and not at the rest of the campaign.
    let removed = filtered
        .split("Rows Removed by Filter: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let removed: i64 = removed
        .and_then(|number| number.trim().parse().ok())
        .unwrap();
    assert!((1_990..=2_010).contains(&removed), "{filtered}");
}

#[tokio::test]
async fn the_hundredth_page_of_a_connection_is_planned_like_the_first() {
    let (_test, database, campaign) = seeded().await;
    let mut connection = database.pool().acquire().await.unwrap();
    for after in 0..20 {
        let page = Page {
            limit: 5,
            after: Some((None, after)),
            ..Page::default()
        };
        let rows = super::page(&mut *connection, campaign, &Filter::default(), &page)
            .await
            .unwrap();
        assert_eq!(rows[0].ordinal, after + 1);
    }
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%read.domains%LIMIT%'",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!(kept, 0, "a kept statement is planned for all values alike");
    drop(connection);
    database.close().await;
}

#[tokio::test]
async fn a_total_of_counted_conditions_equals_the_count_of_rows() {
    let (_test, database, campaign) = seeded().await;
    let filter = Filter {
        dns_status: Some("ok".to_owned()),
        ..Filter::default()
    };
    assert!(filter.is_counted());
    let page = Page {
        limit: 10,
        ..Page::default()
    };
    let counted = listing(database.pool(), campaign, &filter, &page)
        .await
        .unwrap();
    assert_eq!(counted.total, NAMES / 3);
    assert_eq!(counted.rows.len(), 11);
    // The same through the rows, which is how conditions are counted that the counters do not keep apart.
    let scanned = super::total(database.pool(), campaign, &filter)
        .await
        .unwrap();
    assert_eq!(scanned, counted.total);
    database.close().await;
}
