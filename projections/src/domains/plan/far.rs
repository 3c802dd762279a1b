//! Matches that lie together far from the cursor: what a page looks at on its way to them.

use aggregates::ids::CampaignId;
use event_store::Database;
use sqlx::PgConnection;

use super::{run_page, seeded_with};
use crate::domains::{
    Direction, Filter, Page, Sort,
    pages::{FOLLOW_THE_INDEX, Reader},
    stretches::ORDINALS,
};
use crate::tables::Tables;

const NAMES: i64 = 200_000;
const LIMIT: i64 = 101;

/// Findings, each by itself: pages at the end and nowhere else, checks under way at the back, timeouts at the front, two
/// clusters far from each other, one name in a hundred thousand, and one in each stretch before many together. Pages with a
/// low score are those with a low richness.
const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, dns_status, dns_reason, \
    http_status, http_reason, keywords, keywords_unique, keyword_hit, parked_confidence, has_contact, score, \
    richness_score, microcrawl_gain, scored, warned, rejection_reason) \
    SELECT $1, 'n' || n || '.test', n, now(), \
    CASE WHEN n < 1000 THEN 'timeout' WHEN back < 2000 THEN 'pending' \
        WHEN n < 150000 AND n % 4096 = 100 OR n BETWEEN 150001 AND 152000 THEN 'ok' ELSE 'error' END, \
    CASE WHEN n % 100000 = 50000 THEN 'NOANSWER' WHEN back < 1500 THEN '' ELSE 'NXDOMAIN' END, \
    CASE WHEN page THEN 'ok' WHEN n BETWEEN 20000 AND 20300 OR n BETWEEN 170000 AND 170300 THEN 'timeout' \
        ELSE 'error' END, '', \
    CASE WHEN page THEN CASE WHEN n % 3 > 0 THEN '{telecom}' ELSE '{}' END::text[] END, \
    CASE WHEN page THEN (n % 3 > 0)::integer END, page AND n % 3 > 0, CASE WHEN page THEN 0 END, \
    page AND n % 2 = 0, CASE WHEN page THEN n % 10 / 10.0 END, CASE WHEN page THEN n % 10 / 10.0 END, \
    CASE WHEN page THEN 0 END, page, false, \
    CASE WHEN page THEN CASE WHEN n % 10 < 4 THEN 'low_score' ELSE 'qualified' END WHEN n % 100000 = 50000 THEN 'http_error' ELSE 'dns_error' END \
    FROM (SELECT n, $2 - n AS back, $2 - n <= 10000 AS page FROM generate_series(0, $2 - 1) n) names";

/// Filters, each with the ordinals between which its matches lie close together.
fn clusters() -> Vec<(Filter, Vec<(i64, i64)>)> {
    let with = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let pages = vec![(NAMES - 10_000, NAMES)];
    vec![
        (with(|f| f.http_status = Some("ok".into())), pages.clone()),
        (with(|f| f.has_contact = Some(true)), pages.clone()),
        (with(|f| f.min_score = Some(0.5)), pages.clone()),
        (with(|f| f.not_parked = Some(true)), pages.clone()),
        (with(|f| f.keyword = Some("telecom".into())), pages.clone()),
        (
            with(|f| f.rejection_reasons = Some(vec!["qualified".into()])),
            pages,
        ),
        (
            with(|f| f.dns_status = Some("pending".into())),
            vec![(NAMES - 2_000, NAMES)],
        ),
        (
            with(|f| f.dns_status = Some("timeout".into())),
            vec![(0, 1_000)],
        ),
        (
            with(|f| f.http_status = Some("timeout".into())),
            vec![(20_000, 20_300), (170_000, 170_300)],
        ),
        (
            with(|f| f.rejection_reasons = Some(vec!["http_error".into()])),
            vec![(50_000, 50_001), (150_000, 150_001)],
        ),
        (
            with(|f| f.failed = Some(false)),
            vec![(NAMES - 2_000, NAMES)],
        ),
        (
            with(|f| f.dns_status = Some("ok".into())),
            vec![(150_001, 152_001)],
        ),
    ]
}

#[tokio::test]
async fn a_page_looks_at_no_more_than_itself_and_the_stretches_of_its_matches() {
    let (_test, database, campaign) = seeded_with(SEED, NAMES, NAMES / 2).await;
    for analyzed in [false, true] {
        if analyzed {
            sqlx::query("ANALYZE read.domains, read.domain_counts")
                .execute(database.pool())
                .await
                .unwrap();
        }
        for (filter, clusters) in clusters() {
            for direction in [Direction::Ascending, Direction::Descending] {
                look_at(&database, campaign, &filter, &clusters, direction).await;
            }
        }
        sorted_lists_jump_as_well(&database, campaign).await;
        sorted_lists_go_to_their_kinds(&database, campaign).await;
    }
    database.close().await;
}

async fn look_at(
    database: &Database,
    campaign: CampaignId,
    filter: &Filter,
    clusters: &[(i64, i64)],
    direction: Direction,
) {
    let mut connection = database.pool().begin().await.unwrap();
    let cursors = [0, 10, NAMES / 4, NAMES / 2, NAMES - 300, NAMES - 1];
    let within = clusters.iter().map(|(first, last)| (first + last) / 2);
    let cursors = cursors.into_iter().chain(within).map(Some);
    for cursor in std::iter::once(None).chain(cursors) {
        let page = Page {
            limit: LIMIT,
            after: cursor.map(|cursor| (None, cursor)),
            sort: Some((Sort::Ordinal, direction)),
            ..Page::default()
        };
        let (found, looked_at) = fetched(&mut connection, campaign, filter, &page).await;
        let at = format!("{filter:?} {direction:?} after {cursor:?}: {found} of {looked_at}");
        if filter.is_counted() {
            assert_eq!(looked_at, found, "{at}");
        }
        // A cluster begins and ends in a stretch that it does not fill; in between half of the rows pass or more.
        let ends = i64::try_from(clusters.len()).unwrap() * 2;
        assert!(looked_at <= 2 * LIMIT + ends * ORDINALS, "{at}");
        let behind = |cursor: i64, (first, last): (i64, i64)| match direction {
            Direction::Ascending => cursor < last - 2 * LIMIT,
            Direction::Descending => cursor > first + 2 * LIMIT,
        };
        let full = clusters.iter().any(|&cluster| {
            cluster.1 - cluster.0 > 2 * LIMIT && cursor.is_none_or(|cursor| behind(cursor, cluster))
        });
        assert!(!full || found == LIMIT, "{at}");
    }
}

/// Reads a page as the list does, and answers how many rows it has and how many were fetched of the table for it.
async fn fetched(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    filter: &Filter,
    page: &Page,
) -> (i64, i64) {
    let before = fetched_so_far(connection).await;
    let reader = Reader {
        connection,
        tables: Tables::Live,
        campaign_id,
        filter,
    };
    let rows = reader.page(page, None).await.unwrap();
    let after = fetched_so_far(connection).await;
    (i64::try_from(rows.len()).unwrap(), after - before)
}

async fn fetched_so_far(connection: &mut PgConnection) -> i64 {
    let fetched = "SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint \
        FROM pg_stat_xact_user_tables WHERE schemaname = 'read' AND relname = 'domains'";
    sqlx::query_scalar(fetched)
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Rows without a value come after those that have it, and are looked for where the counters have them: not among the
/// pages at the end, and with a filter that no page passes not behind all pages.
async fn sorted_lists_jump_as_well(database: &Database, campaign: CampaignId) {
    let mut connection = database.pool().begin().await.unwrap();
    sqlx::query(FOLLOW_THE_INDEX)
        .execute(&mut *connection)
        .await
        .unwrap();
    let without_page = Filter {
        http_status: Some("timeout".to_owned()),
        ..Filter::default()
    };
    let last_of_pages = |direction| match direction {
        Direction::Ascending => Some((Some(2.0), NAMES)),
        Direction::Descending => Some((Some(-1.0), 0)),
    };
    for sort in [Sort::Richness, Sort::Gain, Sort::KeywordsUnique] {
        for direction in [Direction::Ascending, Direction::Descending] {
            for (filter, after) in [
                (&without_page, None),
                (&without_page, last_of_pages(direction)),
                (&Filter::default(), last_of_pages(direction)),
            ] {
                let page = Page {
                    limit: LIMIT,
                    after,
                    sort: Some((sort, direction)),
                    ..Page::default()
                };
                let (found, looked_at) = fetched(&mut connection, campaign, filter, &page).await;
                let at = format!("{filter:?} {sort:?} {direction:?}: {found} of {looked_at}");
                assert_eq!(found, LIMIT, "{at}");
                assert_eq!(looked_at, LIMIT, "{at}");
                let ran = run_page(&mut connection, campaign, filter, &page).await;
                assert!(ran.inside && ran.sorted <= LIMIT, "{at}: {ran:?}");
                assert_eq!((ran.answered, ran.looked_at), (found, looked_at), "{at}");
            }
        }
    }
}

/// Those that a sort has last are no further than those that it has first.
async fn sorted_lists_go_to_their_kinds(database: &Database, campaign: CampaignId) {
    let mut connection = database.pool().begin().await.unwrap();
    sqlx::query(FOLLOW_THE_INDEX)
        .execute(&mut *connection)
        .await
        .unwrap();
    for (reason, far) in [
        ("low_score", Direction::Descending),
        ("qualified", Direction::Ascending),
    ] {
        let filter = Filter {
            rejection_reasons: Some(vec![reason.to_owned()]),
            ..Filter::default()
        };
        for after in [None, Some((Some(0.35), NAMES))] {
            let page = Page {
                limit: LIMIT,
                after,
                sort: Some((Sort::Richness, far)),
                ..Page::default()
            };
            let ran = run_page(&mut connection, campaign, &filter, &page).await;
            assert_eq!((ran.answered, ran.kinds), (LIMIT, 2), "{reason}: {ran:?}");
            assert!(
                ran.looked_at <= LIMIT * (ran.kinds + 1),
                "{reason}: {ran:?}"
            );
        }
    }
}
