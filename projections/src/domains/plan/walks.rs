//! Pages of every sort and filter follow the indexes.

use aggregates::ids::CampaignId;
use event_store::Database;
use serde_json::Value;

use super::{EXPLAIN, NAMES, Ran, filters, run_page, seeded};
use crate::tables::Tables;
use crate::{
    domains::{
        Direction, Filter, Page, Sort, Warnings,
        list::filtered,
        pages::{FOLLOW_THE_INDEX, Reader},
        statements::RECOUNTED_STRETCHES,
        stretches::GROUP_WITHOUT_SORTING,
    },
    snapshot::STAY_IN_THE_CAMPAIGN,
};

const SORTS: [Option<(Sort, Direction)>; 8] = [
    None,
    Some((Sort::Ordinal, Direction::Descending)),
    Some((Sort::Richness, Direction::Ascending)),
    Some((Sort::Richness, Direction::Descending)),
    Some((Sort::Gain, Direction::Ascending)),
    Some((Sort::Gain, Direction::Descending)),
    Some((Sort::KeywordsUnique, Direction::Ascending)),
    Some((Sort::KeywordsUnique, Direction::Descending)),
];

#[tokio::test]
async fn pages_and_totals_of_every_sort_and_filter_stay_in_the_campaign_and_sort_no_more_than_a_page()
 {
    let (campaign_names, beside) = (100_000, 200_000);
    let (_test, database, campaign) = seeded(campaign_names, beside).await;
    // Once as right after an import, once with statistics.
    pages_follow_the_indexes(&database, campaign, campaign_names).await;
    filters_stay_in_the_campaign(&database, campaign, campaign_names).await;
    sqlx::query("ANALYZE read.domains")
        .execute(database.pool())
        .await
        .unwrap();
    pages_follow_the_indexes(&database, campaign, campaign_names).await;
    filters_stay_in_the_campaign(&database, campaign, campaign_names).await;
    database.close().await;
}

async fn pages_follow_the_indexes(database: &Database, campaign: CampaignId, names: i64) {
    let mut connection = database.pool().begin().await.unwrap();
    sqlx::query(FOLLOW_THE_INDEX)
        .execute(&mut *connection)
        .await
        .unwrap();
    let limit = 101;
    for sort in SORTS {
        // The first page, deep ones, the last of the rows that have the value, and the last of all.
        let value = |value| sort.map(|_| value);
        let places = [
            None,
            Some((value(0.5), names / 2)),
            Some((value(1.0), names - 2)),
            Some((value(0.0), 40)),
            Some((None, names / 2)),
            Some((None, names - 200)),
        ];
        for after in places {
            let page = Page {
                limit,
                after,
                sort,
                ..Page::default()
            };
            let ran = run_page(&mut connection, campaign, &Filter::default(), &page).await;
            let at = format!("{sort:?} after {after:?}: {ran:?}");
            assert!(ran.inside, "{at}");
            // A walk for each kind of rows is merged, of which a page has its own rows at the end.
            assert!(ran.sorted <= limit * ran.kinds, "{at}");
            assert!(ran.looked_at <= limit * (ran.kinds + 2), "{at}");
            let index = match sort {
                None | Some((Sort::Ordinal, _)) => "domains_by_ordinal",
                Some((Sort::Richness, _)) => "domains_by_richness",
                Some((Sort::Gain, _)) => "domains_by_gain",
                Some((Sort::KeywordsUnique, _)) => "domains_by_keywords",
            };
            let known = |way: &str| {
                way == format!("Index Scan {index}")
                    || way == format!("Index Only Scan {index}")
                    || way == "Index Scan domains_by_ordinal"
            };
            assert!(ran.ways.iter().all(|way| known(way)), "{at}");
        }
    }
    // Every third row passes: a page of 1,000 looks at no other.
    let page = Page {
        limit: 1_000,
        after: Some((None, names / 2)),
        ..Page::default()
    };
    let filter = Filter {
        dns_status: Some("ok".to_owned()),
        ..Filter::default()
    };
    let ran = run_page(&mut connection, campaign, &filter, &page).await;
    assert_eq!(ran.looked_at, 1_000, "{ran:?}");
}

/// Tells whether only a domain that gave a page can pass.
fn is_of_pages(filter: &Filter) -> bool {
    filter.http_status.as_deref() == Some("ok")
        || filter.min_score.is_some()
        || filter.not_parked.is_some()
        || filter.has_contact == Some(true)
        || filter.keyword.is_some()
        || filter.warnings == Some(Warnings::Has)
        || filter.rejection_reasons.is_some()
}

async fn filters_stay_in_the_campaign(database: &Database, campaign: CampaignId, names: i64) {
    for filter in filters() {
        let mut connection = database.pool().begin().await.unwrap();
        sqlx::query(STAY_IN_THE_CAMPAIGN)
            .execute(&mut *connection)
            .await
            .unwrap();
        sqlx::query(GROUP_WITHOUT_SORTING)
            .execute(&mut *connection)
            .await
            .unwrap();
        let explain = format!("{EXPLAIN}{RECOUNTED_STRETCHES}");
        let query = sqlx::query_scalar::<_, Value>(&explain);
        let explained = filtered!(query, campaign, &filter)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let mut ran = Ran::nothing();
        ran.add(&explained);
        // What only pages have is looked for among them, and a reason by itself.
        let candidates = match is_of_pages(&filter) {
            true => names * 3 / 10,
            false => names,
        };
        assert!(
            ran.inside && ran.looked_at <= candidates && ran.sorted == 0,
            "{filter:?}: {ran:?}"
        );
        sqlx::query(FOLLOW_THE_INDEX)
            .execute(&mut *connection)
            .await
            .unwrap();
        for sort in SORTS {
            for after in [None, Some((sort.map(|_| 0.5), names / 2))] {
                let page = Page {
                    limit: 101,
                    after,
                    sort,
                    ..Page::default()
                };
                let ran = run_page(&mut connection, campaign, &filter, &page).await;
                let at = format!("{filter:?} by {sort:?} after {after:?}: {ran:?}");
                assert!(ran.inside && ran.sorted <= page.limit * ran.kinds, "{at}");
                // What the counters keep apart is looked at and nothing else; otherwise rows with the value by its index,
                // and those without it on a way through the candidates. How a check ended makes no kind: what has a
                // value has passed the checks, but for the domains of this test.
                let of_checks = filter.dns_status.is_some() || filter.dns_reason.is_some();
                let bound = match filter.is_counted() && !(of_checks && sort.is_some()) {
                    true => page.limit * (ran.kinds + 2),
                    false => candidates + names * 3 / 10,
                };
                assert!(ran.looked_at <= bound, "{at}");
            }
        }
    }
}

#[tokio::test]
async fn the_hundredth_page_of_a_connection_is_planned_like_the_first() {
    let (_test, database, campaign) = seeded(NAMES, NAMES).await;
    let mut connection = database.pool().acquire().await.unwrap();
    for after in 0..20 {
        let page = Page {
            limit: 5,
            after: Some((None, after)),
            ..Page::default()
        };
        let reader = Reader {
            connection: &mut connection,
            tables: Tables::Live,
            campaign_id: campaign,
            filter: &Filter::default(),
        };
        let rows = reader.page(&page, None).await.unwrap();
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
