//! Filtered lists against a plain query: any filter, order, cursor and offset, over findings that lie in clusters.

use aggregates::ids::CampaignId;
use projections::domains::{self, Direction, Filter, Page, Sort, Warnings};
use sqlx::PgPool;

use crate::support::{World, new_campaign};

const NAMES: i64 = 30_000;
const CASES: usize = 600;

/// Findings change their kind from cluster to cluster, a cluster being a thousand names or two stretches and more; within
/// one they vary. What depends on a page is there where a page is.
const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, dns_status, dns_reason, \
    http_status, http_reason, keywords, keywords_unique, keyword_hit, parked_confidence, has_contact, score, \
    richness_score, microcrawl_gain, scored, warned, rejection_reason) \
    SELECT $1, 'n' || n, n, now(), dns, CASE dns WHEN 'error' THEN (ARRAY['NXDOMAIN', 'SERVFAIL'])[1 + n % 2] ELSE '' END, \
    http, CASE http WHEN 'error' THEN 'TLS_ERROR' ELSE '' END, \
    CASE WHEN http = 'ok' AND n / 2000 % 4 > 0 THEN CASE WHEN n % 3 = 0 THEN '{telecom}'::text[] ELSE '{}' END END, \
    CASE WHEN http = 'ok' AND n / 2000 % 4 > 0 THEN (n % 3 = 0)::int END, \
    http = 'ok' AND n / 2000 % 4 > 0 AND n % 3 = 0, CASE WHEN http = 'ok' THEN n % 7 / 7.0 END, \
    http = 'ok' AND n % 500 = 7, CASE WHEN scored THEN n * 7919 % 100 / 100.0 END, \
    CASE WHEN scored THEN n * 6007 % 100 / 100.0 END, CASE WHEN scored THEN n * 4003 % 10 / 10.0 END, scored, \
    scored AND n / 3000 = 5 AND n % 11 = 0, \
    CASE WHEN NOT scored THEN 'pending' WHEN n % 2 = 0 THEN 'qualified' ELSE 'parked' END \
    FROM (SELECT n, dns, http, http = 'ok' AND n / 1500 % 3 = 1 AS scored FROM (SELECT n, \
        CASE WHEN n < 9000 THEN 'error' WHEN n / 1000 = 13 THEN 'timeout' WHEN n > 29000 THEN 'pending' \
            WHEN n % 50 = 0 THEN 'error' ELSE 'ok' END AS dns, \
        CASE WHEN n < 9000 OR n > 28000 THEN 'pending' WHEN n / 1000 IN (10, 17) THEN 'error' \
            WHEN n % 9 = 0 THEN 'timeout' ELSE 'ok' END AS http \
        FROM generate_series(0, $2 - 1) n) checks) findings";

/// Numbers that look drawn, the same each time.
struct Drawn(u64);

impl Drawn {
    /// Draws from 0 to one less than `choices`.
    fn of(&mut self, choices: usize) -> usize {
        // Knuth, The Art of Computer Programming, volume 2, 3.3.4: MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % choices
    }

    /// Draws one of these, or none, which is as likely as all others together.
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        (self.of(4) == 0).then(|| choices[self.of(choices.len())])
    }

    fn filter(&mut self) -> Filter {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Filter {
            dns_status: text(self.one_of(&["ok", "error", "timeout", "pending"])),
            http_status: text(self.one_of(&["ok", "error", "timeout", "pending"])),
            dns_reason: text(self.one_of(&["NXDOMAIN", "SERVFAIL", "REFUSED"])),
            http_reason: text(self.one_of(&["TLS_ERROR", "NOT_FOUND"])),
            min_score: self.one_of(&[0.1, 0.5, 0.95]),
            not_parked: self.one_of(&[true, false]),
            has_contact: self.one_of(&[true, false]),
            keyword: text(self.one_of(&["telecom", "of no page"])),
            warnings: self.one_of(&[Warnings::Has, Warnings::None]),
            rejection_reasons: self
                .one_of(&[&["qualified"][..], &["parked", "pending"]])
                .map(|reasons| reasons.iter().map(|reason| (*reason).to_owned()).collect()),
            failed: self.one_of(&[true, false]),
        }
    }

    fn sort(&mut self) -> Option<(Sort, Direction)> {
        let sorts = [
            Sort::Ordinal,
            Sort::Ordinal,
            Sort::Richness,
            Sort::Gain,
            Sort::KeywordsUnique,
        ];
        let sort = sorts[self.of(sorts.len())];
        let directions = [Direction::Ascending, Direction::Descending];
        (self.of(5) > 0).then(|| (sort, directions[self.of(2)]))
    }
}

/// The filter as a plain condition.
fn condition(filter: &Filter) -> String {
    let equal = |column: &str, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(format!("{column} = '{value}'"))
    };
    let parts = [
        equal("dns_status", &filter.dns_status),
        equal("http_status", &filter.http_status),
        equal("dns_reason", &filter.dns_reason),
        equal("http_reason", &filter.http_reason),
        filter.min_score.map(|score| format!("score >= {score}")),
        filter.not_parked.map(|not_parked| {
            let sign = if not_parked { "<" } else { ">=" };
            format!("http_status = 'ok' AND parked_confidence {sign} 0.45")
        }),
        filter.has_contact.map(|has| format!("has_contact = {has}")),
        filter
            .keyword
            .as_ref()
            .map(|keyword| format!("'{keyword}' = ANY(keywords)")),
        filter
            .warnings
            .map(|warnings| format!("warned = {}", warnings == Warnings::Has)),
        filter
            .rejection_reasons
            .as_ref()
            .map(|reasons| format!("rejection_reason IN ('{}')", reasons.join("', '"))),
        filter.failed.map(|failed| {
            let not = if failed { "" } else { "NOT" };
            let bad = "IN ('error', 'timeout')";
            format!("{not} (dns_status {bad} OR http_status {bad})")
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return "true".to_owned();
    }
    parts.join(" AND ")
}

/// The whole list: ordinals with the value that it is sorted by.
async fn listed(
    pool: &PgPool,
    campaign_id: CampaignId,
    filter: &Filter,
    sort: Option<(Sort, Direction)>,
) -> Vec<(i64, Option<f64>)> {
    let (sort, direction) = sort.unwrap_or((Sort::Ordinal, Direction::Ascending));
    let direction = match direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    let value = match sort {
        Sort::Ordinal => "NULL",
        Sort::Richness => "richness_score",
        Sort::Gain => "microcrawl_gain",
        Sort::KeywordsUnique => "keywords_unique",
    };
    let plain = format!(
        "SELECT ordinal, value FROM (SELECT *, {value}::float8 AS value FROM read.domains) d \
         WHERE campaign_id = '{campaign_id}' AND {} ORDER BY value {direction} NULLS LAST, ordinal {direction}",
        condition(filter)
    );
    sqlx::query_as(&plain).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn any_page_of_any_filter_is_that_part_of_the_plain_list() {
    let world = World::start().await;
    let (pool, campaign_id) = (world.database.pool(), new_campaign());
    for (campaign_id, names) in [(campaign_id, NAMES), (new_campaign(), 5_000)] {
        sqlx::query(SEED)
            .bind(campaign_id.0)
            .bind(names)
            .execute(pool)
            .await
            .unwrap();
    }
    world.count_domains().await;
    let mut drawn = Drawn(20_261_122);
    let mut with_rows = 0;
    for _ in 0..CASES {
        let (filter, sort) = (drawn.filter(), drawn.sort());
        let list = listed(pool, campaign_id, &filter, sort).await;
        let limit = [1, 7, 100, 1_000][drawn.of(4)];
        let at = drawn.of(list.len() + 1);
        let after = (drawn.of(2) == 0 && at > 0).then(|| {
            let (ordinal, value) = list[at - 1];
            (value, ordinal)
        });
        let from = if after.is_some() { at } else { 0 };
        let offset = match drawn.of(4) {
            0 => drawn.of(list.len() - from + 10),
            1 => drawn.of(20),
            _ => 0,
        };
        let page = Page {
            limit: i64::try_from(limit).unwrap(),
            offset: i64::try_from(offset).unwrap(),
            after,
            sort,
        };
        let rows = list.iter().skip(from + offset);
        let mut expected: Vec<i64> = rows.map(|(ordinal, _)| *ordinal).take(limit + 1).collect();
        let listing = domains::listing(pool, campaign_id, &filter, &page)
            .await
            .unwrap();
        let at = format!("{filter:?} {page:?}");
        assert_eq!(listing.total, i64::try_from(list.len()).unwrap(), "{at}");
        let found: Vec<i64> = listing.rows.iter().map(|row| row.ordinal).collect();
        assert_eq!(found, expected, "{at}");
        let rows = domains::page(pool, campaign_id, &filter, &page)
            .await
            .unwrap();
        let found: Vec<i64> = rows.iter().map(|row| row.ordinal).collect();
        expected.truncate(limit);
        assert_eq!(found, expected, "{at}");
        with_rows += usize::from(!expected.is_empty());
    }
    assert!(with_rows > CASES / 3, "{with_rows}");
}
