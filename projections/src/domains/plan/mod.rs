//! The plans of the hottest queries: a page by cursor reads an index from the cursor on, however deep it is.

mod far;
mod ran;
mod totals;
mod walks;

use aggregates::ids::CampaignId;
use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use serde_json::Value;
use sqlx::{PgConnection, types::BitVec};
use uuid::Uuid;

use self::ran::Ran;
use crate::tables::Tables;

use super::{
    Filter, Page, Warnings, kinds::Kinds, list::filtered, members::Places, runs::Runs, statements,
    stretches::Stretches,
};

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
const SEED_COUNTS: &str = "INSERT INTO read.domain_counts SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, \
    http_status, http_reason, has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, \
    warned, count(*), bit_or(set_bit(repeat('0', 4096)::bit(4096), (ordinal % 4096)::integer, 1)) \
    FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14";
const SEED_TOTALS: &str = "INSERT INTO read.domain_totals SELECT campaign_id, dns_status, dns_reason, http_status, \
    http_reason, has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, sum(n) \
    FROM read.domain_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13";

/// A campaign of so many names, beside another, so that the campaign is a part of the table.
async fn seeded(names: i64, beside: i64) -> (TestDatabase, Database, CampaignId) {
    seeded_with(SEED, names, beside).await
}

/// As [`seeded`], with rows of this statement.
async fn seeded_with(seed: &str, names: i64, beside: i64) -> (TestDatabase, Database, CampaignId) {
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
        sqlx::query(seed)
            .bind(id.0)
            .bind(names)
            .execute(database.pool())
            .await
            .unwrap();
    }
    for statement in [SEED_COUNTS, SEED_TOTALS] {
        sqlx::query(statement)
            .execute(database.pool())
            .await
            .unwrap();
    }
    (test, database, campaign)
}

const EXPLAIN: &str = "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF, SUMMARY OFF) ";

/// Reads a page as the list does, with every statement explained instead of answered where it reads rows.
async fn run_page(
    connection: &mut PgConnection,
    campaign: CampaignId,
    filter: &Filter,
    page: &Page,
) -> Ran {
    let mut ran = Ran::nothing();
    let (value, direction) = page.order();
    let cursor = page.after.map(|(_, ordinal)| ordinal);
    let in_the_rest = matches!(page.after, Some((None, _)));
    if let Some(value) = value.filter(|_| !in_the_rest) {
        let kinds = Kinds::of(connection, Tables::Live, campaign, filter, value)
            .await
            .unwrap();
        if !kinds.is_empty() {
            ran.kinds = i64::try_from(kinds.reasons.len()).unwrap();
            let explain = format!("{EXPLAIN}{}", statements::valued(value, direction).page);
            let query = sqlx::query_scalar::<_, Value>(&explain);
            let explained = filtered!(query, campaign, filter)
                .bind(page.after.and_then(|(value, _)| value))
                .bind(cursor)
                .bind(kinds.reasons)
                .bind(kinds.contacts)
                .bind(kinds.warnings)
                .bind(page.limit)
                .bind(page.offset)
                .bind(page.limit.saturating_add(page.offset))
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            ran.add(&explained);
        }
    }
    let cursor = cursor.filter(|_| value.is_none() || in_the_rest);
    let missing = page.limit - ran.answered;
    if missing == 0 {
        return ran;
    }
    let matching = Stretches::counted(connection, Tables::Live, campaign, filter, value)
        .await
        .unwrap();
    if filter.is_counted() && !(value.is_none() && *filter == Filter::default()) {
        let mut places = Places::new(&matching, cursor, direction, 0, missing);
        loop {
            let parts = places.next();
            if parts.is_empty() {
                break;
            }
            for part in parts {
                let query = sqlx::query_as(statements::members(value));
                let (_, members): (i64, BitVec) = filtered!(query, campaign, filter)
                    .bind(vec![part.stretch])
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                places.add(&part, &members);
            }
        }
        let explain = format!("{EXPLAIN}{}", statements::at_places(value));
        let query = sqlx::query_scalar::<_, Value>(&explain);
        let explained = filtered!(query, campaign, filter)
            .bind(places.take())
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        ran.add(&explained);
        return ran;
    }
    let runs = match *filter == Filter::default() && value.is_none() {
        true => Runs::everywhere(cursor, direction),
        false => Runs::of(&matching, cursor, direction, page.offset),
    };
    for run in &runs.runs {
        if ran.answered == page.limit {
            break;
        }
        let explain = format!("{EXPLAIN}{}", statements::run(value, direction));
        let query = sqlx::query_scalar::<_, Value>(&explain);
        let explained = filtered!(query, campaign, filter)
            .bind(run.first)
            .bind(run.last)
            .bind(page.limit - ran.answered)
            .bind(runs.offset)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        ran.add(&explained);
    }
    ran
}

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
