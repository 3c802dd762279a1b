//! Sorted lists, page by page.

use projections::domains::{self, Direction, Filter, Listed, Page, Sort};

use crate::support::{World, new_campaign};

/// Ordinals 0 to 59: a third without a value, the others with many that are equal.
const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, keywords_unique, \
    richness_score, microcrawl_gain, scored, http_status) SELECT $1, 'n' || n, n, now(), CASE WHEN n % 3 > 0 THEN n * 7 % 4 END, \
    CASE WHEN n % 3 > 0 THEN n * 7 % 5 / 4.0 END, CASE WHEN n % 3 > 0 THEN n * 11 % 7 / 6.0 END, \
    n % 3 > 0, CASE WHEN n % 3 > 0 THEN 'ok' ELSE 'error' END FROM generate_series(0, 59) n";

#[tokio::test]
async fn pages_by_cursor_and_by_offset_are_the_sorted_list_in_both_directions() {
    let world = World::start().await;
    let (pool, campaign_id) = (world.database.pool(), new_campaign());
    for campaign_id in [campaign_id, new_campaign()] {
        sqlx::query(SEED)
            .bind(campaign_id.0)
            .execute(pool)
            .await
            .unwrap();
    }
    world.count_domains().await;
    let wanted = |sort, limit| Page {
        limit,
        sort: Some(sort),
        ..Page::default()
    };
    let filter = Filter::default();
    for sort in [Sort::Richness, Sort::Gain, Sort::KeywordsUnique] {
        let all = domains::page(
            pool,
            campaign_id,
            &filter,
            &Page {
                limit: 100,
                ..Page::default()
            },
        )
        .await
        .unwrap();
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut expected = all.clone();
            if direction == Direction::Descending {
                expected.reverse();
            }
            // Stable, so that ties are in the direction's order of ordinals; rows without the value come last.
            expected.sort_by(
                |one, other| match (one.sort_value(sort), other.sort_value(sort)) {
                    (Some(one), Some(other)) if direction == Direction::Ascending => {
                        one.total_cmp(&other)
                    }
                    (Some(one), Some(other)) => other.total_cmp(&one),
                    (one, other) => other.is_some().cmp(&one.is_some()),
                },
            );
            let expected = ordinals(&expected);
            for limit in [1, 7, 20, 40, 100] {
                let mut page = wanted((sort, direction), limit);
                let mut listed = Vec::new();
                loop {
                    let rows = domains::page(pool, campaign_id, &filter, &page)
                        .await
                        .unwrap();
                    let Some(last) = rows.last() else { break };
                    page.after = Some((last.sort_value(sort), last.ordinal));
                    listed.extend(ordinals(&rows));
                }
                assert_eq!(listed, expected, "{sort:?} {direction:?} by {limit}");
                for offset in [0, 1, 39, 40, 41, 59, 60, i64::MAX] {
                    let mut page = wanted((sort, direction), limit);
                    page.offset = offset;
                    let rows = domains::page(pool, campaign_id, &filter, &page)
                        .await
                        .unwrap();
                    let there = expected.iter().skip(usize::try_from(offset).unwrap());
                    let there: Vec<i64> = there
                        .take(usize::try_from(limit).unwrap())
                        .copied()
                        .collect();
                    assert_eq!(
                        ordinals(&rows),
                        there,
                        "{sort:?} {direction:?} {limit} from {offset}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_with_a_value_that_no_column_holds_is_a_place_and_no_failure() {
    let world = World::start().await;
    let (pool, campaign_id) = (world.database.pool(), new_campaign());
    sqlx::query(SEED)
        .bind(campaign_id.0)
        .execute(pool)
        .await
        .unwrap();
    world.count_domains().await;
    for sort in [Sort::Richness, Sort::Gain, Sort::KeywordsUnique] {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 2.5, -1.0] {
            let page = Page {
                limit: 100,
                after: Some((Some(value), 5)),
                sort: Some((sort, Direction::Descending)),
                ..Page::default()
            };
            let rows = domains::page(pool, campaign_id, &Filter::default(), &page)
                .await
                .unwrap();
            assert!(
                rows.len() >= 20,
                "the rows without a value come after {value}"
            );
        }
    }
}

fn ordinals(rows: &[Listed]) -> Vec<i64> {
    rows.iter().map(|row| row.ordinal).collect()
}
