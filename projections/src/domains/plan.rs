//! The plans of the hottest queries: a page by cursor reads an index from the cursor on, however deep it is.

use std::collections::BTreeSet;

use aggregates::ids::CampaignId;
use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Direction, Filter, Page, Sort, Warnings,
    list::{filtered, paged},
    listing,
    listing::FOLLOW_THE_INDEX,
    statements::{self, TOTAL},
};
use crate::snapshot::STAY_IN_THE_CAMPAIGN;

const NAMES: i64 = 30_000;

/// Three of ten names have a page; a third of the others is as found, two thirds do not resolve.
const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, dns_status, dns_reason, \
    http_status, http_reason, keywords, keywords_unique, keyword_hit, parked_confidence, has_contact, score, \
    richness_score, microcrawl_gain, scored, warned, rejection_reason) \
    SELECT $1, 'n' || n || '.test', n, now(), CASE n % 3 WHEN 0 THEN 'ok' ELSE 'error' END, \
    CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'NXDOMAIN' ELSE 'SERVFAIL' END, \
    CASE WHEN page THEN 'ok' ELSE 'error' END, CASE WHEN page THEN '' ELSE 'TLS_ERROR' END, \
    CASE WHEN page THEN CASE WHEN n % 4 = 0 THEN '{telecom}'::text[] ELSE '{}' END END, \
    CASE WHEN page THEN (n % 4 = 0)::int END, page AND n % 4 = 0, CASE WHEN page THEN n % 7 / 7.0 END, \
    page AND n % 5 = 0, CASE WHEN page THEN n * 7919 % 1000 / 1000.0 END, \
    CASE WHEN page THEN n * 6007 % 1000 / 1000.0 END, CASE WHEN page THEN n * 4003 % 1000 / 1000.0 END, \
    page, page AND n % 11 = 0, \
    CASE WHEN page THEN 'qualified' ELSE 'dns_error' END \
    FROM (SELECT n, n % 10 < 3 AS page FROM generate_series(0, $2 - 1) n) names";
const SEED_COUNTS: &str = "INSERT INTO read.domain_counts SELECT campaign_id, dns_status, dns_reason, http_status, \
    http_reason, lead_status, rejection_reason, keyword_hit, scored, high_potential, warned, count(*) \
    FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11";

/// A campaign of so many names, beside another, so that the campaign is a part of the table.
async fn seeded(names: i64, beside: i64) -> (TestDatabase, Database, CampaignId) {
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
    for (id, names) in [(campaign, names), (CampaignId(Uuid::from_u128(2)), beside)] {
        sqlx::query(SEED)
            .bind(id.0)
            .bind(names)
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

/// What a statement did when it ran.
#[derive(Debug, Default)]
struct Ran {
    /// Rows of domains that it looked at.
    looked_at: i64,
    /// The most rows that it sorted at once.
    sorted: i64,
    /// How it came to rows of domains.
    ways: BTreeSet<String>,
    /// Whether each way was a range of the campaign.
    inside: bool,
}

impl Ran {
    fn of(explained: &Value) -> Self {
        let mut ran = Self {
            inside: true,
            ..Self::default()
        };
        ran.add(&explained[0]["Plan"]);
        ran
    }

    fn add(&mut self, node: &Value) {
        // Since PostgreSQL 18 rows are a mean with decimals.
        let number = |node: &Value, key: &str| {
            node[key]
                .as_f64()
                .map_or(0, |rows| format!("{rows:.0}").parse().unwrap())
        };
        let kind = node["Node Type"].as_str().unwrap();
        let below = node["Plans"].as_array().map_or(&[][..], Vec::as_slice);
        if kind.ends_with("Sort") {
            let fed: i64 = below.iter().map(|node| number(node, "Actual Rows")).sum();
            self.sorted = self.sorted.max(fed);
        }
        if node["Relation Name"] == "domains" {
            let removed = number(node, "Rows Removed by Filter");
            self.looked_at += number(node, "Actual Rows") + removed;
            let index = node["Index Name"].as_str().unwrap_or_default();
            self.ways
                .insert(format!("{kind} {index}").trim().to_owned());
        }
        if kind.contains("Index") {
            let range = node["Index Cond"].as_str().unwrap_or_default();
            self.inside &= range.contains("campaign_id");
        }
        self.inside &= kind != "Seq Scan" || node["Relation Name"] != "domains";
        for node in below {
            self.add(node);
        }
    }
}

const EXPLAIN: &str = "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF, SUMMARY OFF) ";

/// Runs a page as the list does.
async fn run_page(
    connection: &mut PgConnection,
    campaign: CampaignId,
    filter: &Filter,
    page: &Page,
) -> Ran {
    let explain = format!("{EXPLAIN}{}", statements::page(page.sort));
    let query = sqlx::query_scalar::<_, Value>(&explain);
    let explained = paged!(query, campaign, filter, page)
        .fetch_one(connection)
        .await
        .unwrap();
    Ran::of(&explained)
}

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

/// Each filter of the list, by itself.
fn filters() -> Vec<Filter> {
    let none = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    vec![
        Filter {
            dns_status: text("ok"),
            ..none()
        },
        Filter {
            http_status: text("ok"),
            ..none()
        },
        Filter {
            dns_reason: text("SERVFAIL"),
            ..none()
        },
        Filter {
            http_reason: text("TLS_ERROR"),
            ..none()
        },
        Filter {
            min_score: Some(0.9),
            ..none()
        },
        Filter {
            not_parked: Some(true),
            ..none()
        },
        Filter {
            not_parked: Some(false),
            ..none()
        },
        Filter {
            has_contact: Some(true),
            ..none()
        },
        Filter {
            keyword: text("telecom"),
            ..none()
        },
        Filter {
            keyword: text("of no page"),
            ..none()
        },
        Filter {
            warnings: Some(Warnings::Has),
            ..none()
        },
        Filter {
            warnings: Some(Warnings::None),
            ..none()
        },
        Filter {
            rejection_reasons: Some(vec!["qualified".to_owned()]),
            ..none()
        },
    ]
}

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
            assert!(ran.sorted <= limit, "{at}");
            // Three of ten rows that are passed on the way through the ordinals have the value.
            assert!(ran.looked_at <= limit * 2, "{at}");
            let index = match sort {
                None | Some((Sort::Ordinal, _)) => "Index Scan domains_by_ordinal",
                Some((Sort::Richness, _)) => "Index Scan domains_by_richness",
                Some((Sort::Gain, _)) => "Index Scan domains_by_gain",
                Some((Sort::KeywordsUnique, _)) => "Index Scan domains_by_keywords",
            };
            let known = [index, "Index Scan domains_by_ordinal"];
            assert!(
                ran.ways.iter().all(|way| known.contains(&way.as_str())),
                "{at}"
            );
        }
    }
    // Every third row passes, so a page of 1,000 looks at some 2,000 others and not at the rest of the campaign.
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
    assert!((2_990..=3_010).contains(&ran.looked_at), "{ran:?}");
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
        let explain = format!("{EXPLAIN}{TOTAL}");
        let query = sqlx::query_scalar::<_, Value>(&explain);
        let explained = filtered!(query, campaign, &filter)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let ran = Ran::of(&explained);
        // What only pages have is looked for among them, and a reason by itself.
        let candidates = match is_of_pages(&filter) {
            true => names * 3 / 10,
            false => names,
        };
        assert!(
            ran.inside && ran.looked_at <= candidates,
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
                assert!(ran.inside && ran.sorted <= page.limit, "{at}");
                // Rows with the value by its index, those without it on a way through the candidates.
                assert!(ran.looked_at <= candidates + names * 3 / 10, "{at}");
                let reason = filter.dns_reason.is_some() || filter.http_reason.is_some();
                if reason && sort.is_none() {
                    assert!(ran.looked_at <= page.limit, "{at}");
                }
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
    let (_test, database, campaign) = seeded(NAMES, NAMES).await;
    let with = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let counted = [
        (with(|_| ()), NAMES),
        (with(|f| f.dns_status = Some("ok".into())), NAMES / 3),
        (with(|f| f.http_status = Some("ok".into())), NAMES * 3 / 10),
        (with(|f| f.dns_reason = Some("SERVFAIL".into())), NAMES / 3),
        (
            with(|f| f.http_reason = Some("TLS_ERROR".into())),
            NAMES * 7 / 10,
        ),
        (
            with(|f| f.rejection_reasons = Some(vec!["qualified".into()])),
            NAMES * 3 / 10,
        ),
        // Resolved, and with a page.
        (with(|f| f.failed = Some(false)), NAMES / 10),
        (with(|f| f.failed = Some(true)), NAMES * 9 / 10),
        (with(|f| f.warnings = Some(Warnings::Has)), 819),
        (with(|f| f.warnings = Some(Warnings::None)), NAMES - 819),
    ];
    let page = Page {
        limit: 10,
        ..Page::default()
    };
    for (filter, total) in counted {
        assert!(filter.is_counted());
        let counted = listing(database.pool(), campaign, &filter, &page)
            .await
            .unwrap();
        assert_eq!(
            (counted.total, counted.rows.len()),
            (total, 11),
            "{filter:?}"
        );
        // The same through the rows, which is how conditions are counted that the counters do not keep apart.
        let scanned = super::total(database.pool(), campaign, &filter)
            .await
            .unwrap();
        assert_eq!(scanned, counted.total, "{filter:?}");
    }
    database.close().await;
}
