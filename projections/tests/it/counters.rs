//! Counters by stretch: over several, brought to nothing, and made for domains that were there before them.

use projections::domains;
use serde_json::json;

use crate::support::{World, dns_ok, imported, names, new_campaign};

/// How many names each stretch of a campaign has, the first stretch first.
async fn by_stretch(world: &World) -> Vec<(i64, i64)> {
    let stretches =
        "SELECT stretch, sum(n)::bigint FROM read.domain_counts GROUP BY stretch ORDER BY stretch";
    sqlx::query_as(stretches)
        .fetch_all(world.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn names_are_counted_in_the_stretch_of_their_ordinal_and_findings_move_within_it() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(10_000));
    let stream = campaign_id.to_string();
    // Chunks that begin and end in the middle of a stretch, and one that goes over all of a stretch.
    for (version, (first, last)) in [(0, 3_000), (3_000, 3_500), (3_500, 10_000)]
        .into_iter()
        .enumerate()
    {
        let event = imported(first, &names[first..last]);
        world
            .append(vec![("campaign", stream.clone(), version as u64, event)])
            .await;
        world.level().await;
    }
    let stretches = [(0, 4_096), (1, 4_096), (2, 1_808)];
    assert_eq!(by_stretch(&world).await, stretches);
    let rows = "SELECT count(*) FROM read.domain_counts";
    for (found, kinds) in [(2_000, 4), (9_000, 4), (10_000, 3)] {
        let before = usize::try_from(
            world
                .number("SELECT count(*) FROM read.domains WHERE dns_run IS NOT NULL")
                .await,
        )
        .unwrap();
        world
            .results(campaign_id, &names[before..found], 0, &dns_ok())
            .await;
        world.level().await;
        assert_eq!(by_stretch(&world).await, stretches);
        assert_eq!(world.number(rows).await, kinds, "{found} of them found");
    }
    world
        .append(vec![("campaign", stream, 3, json!({"Deleted": {}}))])
        .await;
    world.level().await;
    assert_eq!(by_stretch(&world).await, []);
}

#[tokio::test]
async fn the_migration_that_brought_the_members_recounts_the_domains_that_were_there() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(9_000));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    world
        .results(campaign_id, &names[4_000..5_000], 0, &dns_ok())
        .await;
    world.level().await;
    world
        .execute("DELETE FROM read.domain_counts; DELETE FROM read.domain_totals; DROP TABLE read.domain_totals; \
             DROP INDEX read.domains_by_richness, read.domains_by_keywords, read.domains_by_gain; \
             ALTER TABLE read.domains DROP COLUMN searched, DROP COLUMN sorted_reason; \
             CREATE INDEX domains_by_richness ON read.domains (richness_score); \
             CREATE INDEX domains_by_keywords ON read.domains (keywords_unique); \
             CREATE INDEX domains_by_gain ON read.domains (microcrawl_gain)")
        .await;
    world
        .execute(include_str!(
            "../../../migrations/0018_members_of_counters.sql"
        ))
        .await;
    assert_eq!(by_stretch(&world).await, [(0, 4_096), (1, 4_096), (2, 808)]);
    world.level().await;
}

#[tokio::test]
async fn empty_counters_are_deleted_in_the_campaigns_of_the_batch_and_nowhere_else() {
    let world = World::start().await;
    let (names, campaigns) = (names(3), [new_campaign(), new_campaign()]);
    for campaign_id in campaigns {
        let stream = campaign_id.to_string();
        world
            .append(vec![("campaign", stream, 0, imported(0, &names))])
            .await;
    }
    world.level().await;
    // A counter of each campaign that stands at nothing, as one that a page of its own would leave behind.
    world
        .execute(
            "INSERT INTO read.domain_counts SELECT campaign_id, stretch, 'error', 'SERVFAIL', http_status, http_reason, \
             has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, 0, \
             repeat('0', 4096)::bit(4096) FROM read.domain_counts; \
             INSERT INTO read.domain_totals SELECT campaign_id, 'error', 'SERVFAIL', http_status, http_reason, \
             has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, 0 \
             FROM read.domain_totals",
        )
        .await;
    world.results(campaigns[0], &names, 0, &dns_ok()).await;
    world
        .catch_up(std::sync::Arc::new(projections::domains::Domains))
        .await;

    let empty = |campaign_id| {
        let query = format!(
            "SELECT (SELECT count(*) FROM read.domain_counts WHERE n = 0 AND campaign_id = '{campaign_id}') \
             + (SELECT count(*) FROM read.domain_totals WHERE n = 0 AND campaign_id = '{campaign_id}')"
        );
        let world = &world;
        async move { world.number(&query).await }
    };
    assert_eq!(empty(campaigns[0]).await, 0, "of the batch's campaign");
    assert_eq!(
        empty(campaigns[1]).await,
        2,
        "of a campaign that the batch does not touch"
    );
    let rows = format!(
        "SELECT count(*) FROM read.domain_counts WHERE campaign_id = '{}'",
        campaigns[0]
    );
    assert_eq!(
        world.number(&rows).await,
        1,
        "all of its domains are of one kind"
    );
}

#[tokio::test]
async fn two_domains_that_exchange_their_findings_in_one_batch_exchange_their_counters() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(2));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    let failed = json!({"DnsChecked": {"run_id": uuid::Uuid::now_v7(), "outcome": "error", "reason": "SERVFAIL",
                                       "attempts": 1, "elapsed_ms": 3}});
    let found = |version, events: [&serde_json::Value; 2]| {
        let result = |(name, event): (&String, &serde_json::Value)| {
            let stream = aggregates::domain::stream_id(campaign_id, name);
            ("domain", stream, version, event.clone())
        };
        names.iter().zip(events).map(result).collect()
    };
    world.append(found(0, [&dns_ok(), &failed])).await;
    world.level().await;
    // The numbers stay as they are.
    world.append(found(1, [&failed, &dns_ok()])).await;
    world.level().await;
    let filter = domains::Filter {
        dns_status: Some("ok".to_owned()),
        ..domains::Filter::default()
    };
    let page = domains::Page {
        limit: 10,
        ..domains::Page::default()
    };
    let rows = domains::page(world.database.pool(), campaign_id, &filter, &page)
        .await
        .unwrap();
    let found: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(found, [names[1].as_str()]);
}

#[tokio::test]
async fn a_counter_that_names_a_domain_too_many_ends_no_list() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(5));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    world.results(campaign_id, &names[1..], 0, &dns_ok()).await;
    world.level().await;
    world
        .execute("UPDATE read.domain_counts SET members = set_bit(members, 0, 1) WHERE dns_status = 'ok'")
        .await;
    let filter = domains::Filter {
        dns_status: Some("ok".to_owned()),
        ..domains::Filter::default()
    };
    let page = domains::Page {
        limit: 2,
        ..domains::Page::default()
    };
    let rows = domains::page(world.database.pool(), campaign_id, &filter, &page)
        .await
        .unwrap();
    let found: Vec<i64> = rows.iter().map(|row| row.ordinal).collect();
    assert_eq!(found, [1, 2]);
}
