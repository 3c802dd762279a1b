//! What the interface asks of a large database: no query reads a large table from one end to the other.

use aggregates::user::Role;
use reqwest::Method;
use serde_json::json;
use sqlx::Connection as _;

use crate::{
    access::operations,
    campaigns::{create, shops},
    support::server::{Client, TestApp},
};

/// Names of the campaign that is asked about, which is most of the table, and of each of the others in it. Most of a table is
/// what a planner would soonest read from end to end.
const NAMES: i64 = 1_000_000;
const NAMES_OF_OTHERS: i64 = 20_000;
const OTHERS: usize = 3;

/// Three of ten names have a page, and a third of the others are as they were found.
const SEED: &str = "INSERT INTO read.domains (campaign_id, name, ordinal, created_at, dns_status, dns_reason, \
    http_status, http_reason, fetched_at, evidence, keywords, keywords_unique, keyword_hit, parked_confidence, \
    has_contact, score, richness_score, features, scored, warned, high_potential, lead_status, rejection_reason) \
    SELECT $1, 'n' || n || '.test', n, now(), CASE n % 3 WHEN 0 THEN 'ok' ELSE 'error' END, \
    CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'NXDOMAIN' ELSE 'SERVFAIL' END, \
    CASE WHEN page THEN 'ok' ELSE 'error' END, CASE WHEN page THEN '' ELSE 'TLS_ERROR' END, \
    CASE WHEN page THEN now() END, NULL, \
    CASE WHEN page THEN CASE WHEN n % 4 = 0 THEN '{telecom}'::text[] ELSE '{}' END END, \
    CASE WHEN page THEN (n % 4 = 0)::int END, page AND n % 4 = 0, CASE WHEN page THEN n % 7 / 7.0 END, \
    page AND n % 5 = 0, CASE WHEN page THEN n * 7919 % 1000 / 1000.0 END, \
    CASE WHEN page THEN n * 6007 % 1000 / 1000.0 END, NULL, page, page AND n % 11 = 0, page AND n % 13 = 0, \
    CASE WHEN page THEN 'match' ELSE 'no_match' END, CASE WHEN page THEN 'qualified' ELSE 'dns_error' END \
    FROM (SELECT n, n % 10 < 3 AS page FROM generate_series(0, $2 - 1) n) names";
const SEED_COUNTS: &str = "INSERT INTO read.domain_counts SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, \
    http_status, http_reason, has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, \
    warned, count(*), bit_or(set_bit(repeat('0', 4096)::bit(4096), (ordinal % 4096)::integer, 1)) \
    FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14";
const SEED_TOTALS: &str = "INSERT INTO read.domain_totals SELECT campaign_id, dns_status, dns_reason, http_status, \
    http_reason, has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, sum(n) \
    FROM read.domain_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13";
const SEED_ENTRIES: &str = "INSERT INTO read.audit_entries (position, recorded_at, actor, action, resource_type, \
    resource_id, sequence, details, correlation_id, causation_id, owner) SELECT 1000000 + n, \
    '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second', \
    CASE n % 50 WHEN 0 THEN 'user:' || md5((n % 500)::text)::uuid ELSE 'operator' END, \
    CASE n % 97 WHEN 0 THEN 'PhaseFailed' ELSE 'DetailsChanged' END, CASE n % 89 WHEN 0 THEN 'persona' ELSE 'campaign' END, \
    md5((n / 10)::text)::uuid::text, 1, '{}', (n / 3)::text, CASE n % 2 WHEN 0 THEN (n / 4)::text END, \
    md5((n % 700)::text)::uuid FROM generate_series(1, 100000) n";

/// Tables that have a row a domain or more, and how often each was read from one end to the other.
const READ_THROUGH: &str = "SELECT relname::text, seq_scan FROM pg_stat_user_tables \
    WHERE schemaname = 'read' AND relname IN ('domains', 'audit_entries') AND seq_scan > 0";

/// Filters and sorts of the lists of domains.
const LISTS: [&str; 13] = [
    "dnsStatus=ok",
    "dnsReason=SERVFAIL",
    "httpStatus=error",
    "httpReason=TLS_ERROR",
    "minScore=90",
    "notParked=true",
    "hasContact=true",
    "keyword=telecom",
    "warnings=has",
    "rejectionReason=qualified,parked",
    "sort=richness_score&dir=asc",
    "sort=microcrawl_gain",
    "sort=keywords_unique",
];

/// Filters of the audit trail, each of which some of the entries pass.
const ENTRIES: [&str; 10] = [
    "actor=operator",
    "actor=cfcd2084-95d5-65ef-66e7-dff9f98764da",
    "action=PhaseFailed",
    "resourceType=persona",
    "resourceId=cfcd2084-95d5-65ef-66e7-dff9f98764da",
    "from=2026-01-02T03:00:00Z",
    "to=2026-01-01T00:10:00Z",
    "from=2026-01-01T12:00:00Z&to=2026-01-01T12:10:00Z",
    "correlationId=7000",
    "causationId=7000",
];

/// Asks for pages of the audit trail by each filter, in both directions.
async fn entries(client: &Client, whose: &str) {
    for filter in ENTRIES {
        for dir in ["asc", "desc"] {
            let list = format!("/audit?first=3&dir={dir}&{filter}");
            let page = client.get(&list).send().await.ok(200);
            let Some(cursor) = page["pageInfo"]["endCursor"].as_str() else {
                assert_eq!(whose, "one user's", "{filter}");
                continue;
            };
            let next = format!("{list}&after={cursor}");
            client.get(&next).send().await.ok(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_query_of_the_interface_reads_a_large_table_from_end_to_end() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut campaigns = Vec::new();
    for _ in 0..=OTHERS {
        let path = create(&ann, &shops("ab")).await;
        campaigns.push(path.rsplit('/').next().unwrap().to_owned());
    }
    // Campaigns of two types, asked about below their own interface.
    let named = |of: &str| format!("/api/v1/campaigns/{of}");
    let dns = ann
        .post(&named("dns"))
        .json(&json!({"campaignName": "names"}));
    let dns = dns.send().await.ok(201)["campaignId"].clone();
    let lead = json!({"campaignName": "leads", "inputCampaignIds": [dns]});
    let lead = ann.post(&named("lead")).json(&lead).send().await.ok(201)["campaignId"].clone();
    for id in [&dns, &lead] {
        campaigns.push(id.as_str().unwrap().to_owned());
    }
    let id = &campaigns[0];
    let url = app.database.url().to_owned();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    for campaign in &campaigns {
        let names = if campaign == id {
            NAMES
        } else {
            NAMES_OF_OTHERS
        };
        let campaign: uuid::Uuid = campaign.parse().unwrap();
        sqlx::query(SEED)
            .bind(campaign)
            .bind(names)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    for statement in [
        SEED_COUNTS,
        SEED_TOTALS,
        SEED_ENTRIES,
        "VACUUM ANALYZE read.domains",
        "VACUUM ANALYZE read.audit_entries",
        "SELECT pg_stat_reset()",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }

    let mut asked = 0;
    for (method, path) in operations() {
        // Streams do not end, and say what the log says.
        if method != Method::GET || path.contains("/sse/") {
            continue;
        }
        let typed = match path.ends_with("/leads") {
            true => ("lead", lead.as_str().unwrap()),
            false => ("dns", dns.as_str().unwrap()),
        };
        let id = if path.contains("{type}") { typed.1 } else { id };
        let filled = path
            .replace("{campaignId}", id)
            .replace("{domain}", "n6.test")
            .replace("{type}", typed.0)
            .replace("{phase}", "validation")
            .replace("{phaseType}", "validation");
        if filled.contains('{') {
            continue;
        }
        let reply = ann.get(&filled).send().await;
        assert!(reply.status < 500, "{path}: {}", reply.text);
        let answered = reply.status == 200 || !path.contains("{type}");
        assert!(answered, "{path}: {}", reply.text);
        asked += 1;
    }
    assert!(asked > 30, "{asked}");
    for list in LISTS {
        let page = ann.get(&format!("/campaigns/{id}/domains?first=100&{list}"));
        let page = page.send().await.ok(200);
        assert_ne!(page["total"], json!(0), "{list}");
        let cursor = page["pageInfo"]["endCursor"].as_str().unwrap();
        let next = format!("/campaigns/{id}/domains?first=100&{list}&after={cursor}");
        ann.get(&next).send().await.ok(200);
    }
    for list in [
        format!(
            "dns/{}/domains?validationStatus=failed",
            dns.as_str().unwrap()
        ),
        format!(
            "dns/{}/domains?validationStatus=done",
            dns.as_str().unwrap()
        ),
        format!(
            "lead/{}/leads?extractionStatus=done",
            lead.as_str().unwrap()
        ),
        format!(
            "lead/{}/leads?extractionStatus=error",
            lead.as_str().unwrap()
        ),
    ] {
        let list = named(&list);
        let page = ann.get(&format!("{list}&limit=100")).send().await.ok(200);
        let cursor = page["nextAfter"].as_str().unwrap();
        let next = format!("{list}&limit=100&after={cursor}");
        ann.get(&next).send().await.ok(200);
    }
    entries(&ann, "one user's").await;
    let auditor = app.user_with_role("auditor", Role::Auditor).await;
    entries(&auditor, "everybody's").await;
    // What a session did is counted when it ends, at the latest.
    let TestApp {
        server,
        database: _kept,
        ..
    } = app;
    server.stop().await;
    let read: Vec<(String, i64)> = sqlx::query_as(READ_THROUGH)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(read, []);
    // A scan would have been counted.
    sqlx::query(
        "SELECT count(*) FROM (SELECT * FROM read.domains OFFSET 0) d WHERE name LIKE '%x%'",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    crate::support::eventually("the scan is counted", || {
        let url = url.clone();
        async move {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            let read: Vec<(String, i64)> = sqlx::query_as(READ_THROUGH)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            (read.len() == 1).then_some(())
        }
    })
    .await;
}
