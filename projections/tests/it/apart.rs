//! Counters at every cursor, pages that a crash cut off, and names that several campaigns have.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aggregates::ids::CampaignId;
use event_store::Recorded;
use futures::future::BoxFuture;
use projections::{
    domains::{self, Domains},
    runtime::{ApplyError, Projection, Runtime},
};
use serde_json::Value;
use sqlx::PgConnection;

use crate::support::{
    World, decided, dns_ok, fetched, imported, names, new_campaign, rerun, scored,
};

/// Everything that the read model and its counters say of a campaign.
async fn known_of(world: &World, campaign_id: CampaignId) -> Vec<Value> {
    let rows = "SELECT to_jsonb(d) FROM read.domains d WHERE campaign_id = $1 UNION ALL \
                SELECT to_jsonb(c) FROM read.domain_counts c WHERE campaign_id = $1 AND n > 0 UNION ALL \
                SELECT to_jsonb(t) FROM read.domain_totals t WHERE campaign_id = $1 AND n > 0 ORDER BY 1";
    sqlx::query_scalar(rows)
        .bind(campaign_id.0)
        .fetch_all(world.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn counters_are_a_recount_of_their_rows_at_every_cursor() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(12));
    let stream = campaign_id.to_string();
    let of_campaign = |version, event| vec![("campaign", stream.clone(), version, event)];
    world.append(of_campaign(0, imported(0, &names))).await;
    world.level().await;
    // Each commit is a page of its own here, so that every position at which the read model ever stands is looked at.
    let hit: &[&str] = &["espresso"];
    for (version, event) in [
        dns_ok(),
        fetched(Some(hit)),
        scored(),
        decided(),
        fetched(Some(&[])),
    ]
    .iter()
    .enumerate()
    {
        for some in names.chunks(5) {
            world
                .results(campaign_id, some, version as u64, event)
                .await;
            world.level().await;
        }
    }
    for (version, phase) in [
        (1, aggregates::campaign::Phase::Extraction),
        (2, aggregates::campaign::Phase::Validation),
    ] {
        world.append(of_campaign(version, rerun(phase))).await;
        world.level().await;
        world
            .results(campaign_id, &names[..4], version + 4, &dns_ok())
            .await;
        world.level().await;
    }
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!((counts.generated, counts.dns("ok")), (12, 4));
}

/// The domains read model in a process that dies once after it has written a page and before it is committed.
struct DiesOnce(AtomicBool);

impl Projection for DiesOnce {
    fn name(&self) -> &'static str {
        Domains.name()
    }

    fn tables(&self) -> &'static [&'static str] {
        Domains.tables()
    }

    fn reads(&self) -> &'static [&'static str] {
        Domains.reads()
    }

    fn weight(&self, event: &Recorded) -> u32 {
        Domains.weight(event)
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        Box::pin(async move {
            Domains.apply(&mut *connection, events).await?;
            if self.0.swap(false, Ordering::Relaxed) {
                sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
                    .execute(connection)
                    .await?;
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_page_that_a_crash_cut_off_left_neither_rows_nor_checkpoint_and_counts_once_when_it_comes_again()
 {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(20));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    world.level().await;
    let before = known_of(&world, campaign_id).await;
    let checkpoint = "SELECT position FROM projection_checkpoints WHERE name = 'domains'";
    let stood_at = world.number(checkpoint).await;

    world.results(campaign_id, &names, 0, &dns_ok()).await;
    let dies: Arc<dyn Projection> = Arc::new(DiesOnce(AtomicBool::new(true)));
    let runtime = Runtime::new(world.database.clone(), vec![dies]);
    assert!(runtime.catch_up().await.is_err(), "its connection is gone");
    assert_eq!(known_of(&world, campaign_id).await, before);
    assert_eq!(world.number(checkpoint).await, stood_at);

    runtime.catch_up().await.unwrap();
    world.level().await;
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!((counts.generated, counts.dns("ok")), (20, 20));
    assert_eq!(world.number(checkpoint).await, stood_at + 20);
}

#[tokio::test]
async fn a_page_whose_checkpoint_cannot_be_moved_leaves_no_row_behind() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(20));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    world.level().await;
    let before = known_of(&world, campaign_id).await;
    world.results(campaign_id, &names, 0, &dns_ok()).await;
    // The rows of the page are written by then.
    world
        .execute(
            "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it stays'; END $$; \
             CREATE TRIGGER stay BEFORE UPDATE ON projection_checkpoints FOR EACH ROW EXECUTE FUNCTION stay()",
        )
        .await;
    let runtime = Runtime::new(world.database.clone(), vec![Arc::new(Domains)]);
    assert!(runtime.catch_up().await.is_err(), "the checkpoint stays");
    assert_eq!(known_of(&world, campaign_id).await, before);

    world.execute("DROP FUNCTION stay CASCADE").await;
    world.level().await;
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!((counts.generated, counts.dns("ok")), (20, 20));
}

#[tokio::test]
async fn a_result_of_a_domain_in_one_campaign_leaves_the_same_name_in_another_as_it_was() {
    let world = World::start().await;
    let names = vec!["example.com".to_owned(), "shop.test".to_owned()];
    let (one, other) = (new_campaign(), new_campaign());
    for campaign_id in [one, other] {
        let stream = campaign_id.to_string();
        world
            .append(vec![("campaign", stream, 0, imported(0, &names))])
            .await;
    }
    world.results(other, &names, 0, &dns_ok()).await;
    world.level().await;
    let before = known_of(&world, other).await;
    let hit: &[&str] = &["espresso"];
    let failed = serde_json::json!({"DnsChecked": {"run_id": uuid::Uuid::now_v7(), "outcome": "error",
        "reason": "NXDOMAIN", "attempts": 1, "elapsed_ms": 3}});
    let results = [dns_ok(), fetched(Some(hit)), scored(), decided(), failed];
    for (version, event) in results.iter().enumerate() {
        world.results(one, &names[..1], version as u64, event).await;
        world.level().await;
        assert_eq!(known_of(&world, other).await, before, "{event}");
    }
    // What begins one campaign anew leaves the other as it is, too.
    let anew = rerun(aggregates::campaign::Phase::Validation);
    world
        .append(vec![("campaign", one.to_string(), 1, anew)])
        .await;
    world.level().await;
    assert_eq!(known_of(&world, other).await, before);
    assert_ne!(known_of(&world, one).await, before);
}
