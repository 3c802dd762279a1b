//! How much work one step takes on.

use std::sync::{Arc, Mutex};

use aggregates::{ids::CampaignId, names as generator};
use event_store::Recorded;
use futures::future::BoxFuture;
use projections::{
    domains::{self, Domains},
    runtime::{ApplyError, LIVE_PAGE, Projection, Rebuild, SHADOW_PAGE},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::support::{World, dns_ok, imported, names, new_campaign};

/// The domains read model, with a note of every page: the events' types, and the rows that they are.
#[derive(Default)]
struct Watched {
    pages: Mutex<Vec<(Vec<String>, u64)>>,
}

impl Projection for Watched {
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
        let types = events
            .iter()
            .map(|event| event.event_type.clone())
            .collect();
        let rows = events
            .iter()
            .map(|event| u64::from(self.weight(event)))
            .sum();
        self.pages.lock().unwrap().push((types, rows));
        Domains.apply(connection, events)
    }
}

impl Watched {
    /// The pages so far, as how many rows each is, and how many events.
    fn taken(&self) -> Vec<(u64, usize)> {
        let pages = std::mem::take(&mut *self.pages.lock().unwrap());
        pages
            .into_iter()
            .map(|(types, rows)| (rows, types.len()))
            .collect()
    }
}

/// Names of an import's chunk.
const CHUNK: usize = 3_000;

fn generated(first_ordinal: usize, count: u64) -> Value {
    let pattern = json!({"kind": "prefix_variable", "constant": "shop", "prefix_length": 4, "suffix_length": 0,
                         "charset": "abcdefghij", "tlds": ["test"]});
    json!({"DomainsGenerated": {"run_id": Uuid::now_v7(), "pattern": pattern,
        "generator_version": generator::GENERATOR_VERSION, "start": 0, "count": count,
        "first_ordinal": first_ordinal, "names": count}})
}

/// Six imports of a commit each, a commit of three campaigns' imports, ten thousand names of a generator, and results.
async fn fill(world: &World) -> CampaignId {
    let (campaign_id, names) = (new_campaign(), names(6 * CHUNK));
    let stream = campaign_id.to_string();
    for (version, chunk) in names.chunks(CHUNK).enumerate() {
        let event = imported(version * CHUNK, chunk);
        world
            .append(vec![("campaign", stream.clone(), version as u64, event)])
            .await;
    }
    let others = (0..3).map(|_| {
        let event = imported(0, &names[..CHUNK]);
        ("campaign", new_campaign().to_string(), 0, event)
    });
    world.append(others.collect()).await;
    world
        .append(vec![("campaign", stream, 6, generated(6 * CHUNK, 10_000))])
        .await;
    for chunk in names[..CHUNK].chunks(500) {
        world.results(campaign_id, chunk, 0, &dns_ok()).await;
    }
    campaign_id
}

#[tokio::test]
async fn a_step_takes_rows_up_to_its_bound_and_whole_commits_live_and_rebuilt() {
    let world = World::start().await;
    let campaign_id = fill(&world).await;
    let watched = Arc::new(Watched::default());
    world.catch_up(watched.clone()).await;
    // Full at 4,000: two chunks, and never a third. The commit of three is not torn apart; neither is an event.
    assert_eq!(LIVE_PAGE, 4_000);
    let live = [
        (6_000, 2),
        (6_000, 2),
        (6_000, 2),
        (9_000, 3),
        (10_000, 1),
        (3_000, 3_000),
    ];
    assert_eq!(watched.taken(), live);
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!((counts.generated, counts.dns("ok")), (28_000, 3_000));

    let mut rebuild = Rebuild::begin(world.database.clone(), watched.clone())
        .await
        .unwrap();
    let live = rebuild.live_position().await.unwrap();
    while rebuild.step(live).await.unwrap() {}
    assert_eq!(SHADOW_PAGE, 20_000);
    // Eighteen thousand and the commit of nine; then what is left.
    assert_eq!(watched.taken(), [(27_000, 9), (13_000, 3_001)]);
    let comparison = rebuild.compare().await.unwrap();
    assert_eq!(comparison.differing, 0, "{:?}", comparison.differences);
    rebuild.discard().await.unwrap();
}

#[tokio::test]
async fn a_rebuild_does_not_go_past_the_live_position_with_a_heavy_event_after_it() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(20));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream.clone(), 0, imported(0, &names))])
        .await;
    let watched = Arc::new(Watched::default());
    world.catch_up(watched.clone()).await;
    world
        .append(vec![("campaign", stream, 1, generated(20, 10_000))])
        .await;
    watched.taken();
    let mut rebuild = Rebuild::begin(world.database.clone(), watched.clone())
        .await
        .unwrap();
    let comparison = rebuild.compare().await.unwrap();
    // Twenty domains, one counter and one total.
    assert_eq!((comparison.rows, comparison.differing), (22, 0));
    assert_eq!(watched.taken(), [(20, 1)]);
    rebuild.discard().await.unwrap();
}

#[tokio::test]
async fn a_page_ends_with_an_event_that_changes_a_whole_campaign() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(20));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream.clone(), 0, imported(0, &names))])
        .await;
    world.results(campaign_id, &names, 0, &dns_ok()).await;
    world
        .append(vec![(
            "campaign",
            stream.clone(),
            1,
            json!({"Deleted": {}}),
        )])
        .await;
    let other = new_campaign();
    world
        .append(vec![(
            "campaign",
            other.to_string(),
            0,
            imported(0, &names),
        )])
        .await;
    let watched = Arc::new(Watched::default());
    world.catch_up(watched.clone()).await;
    let pages: Vec<Vec<String>> = watched
        .pages
        .lock()
        .unwrap()
        .iter()
        .map(|(types, _)| types.clone())
        .collect();
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert_eq!(pages[0].last().map(String::as_str), Some("Deleted"));
    assert_eq!(pages[1], ["DomainsImported"]);
}

#[tokio::test]
async fn two_results_of_one_kind_for_a_domain_may_share_a_page_and_the_later_one_holds() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(50));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    let failed = json!({"DnsChecked": {"run_id": Uuid::now_v7(), "outcome": "error", "reason": "NXDOMAIN",
                                       "attempts": 1, "elapsed_ms": 3}});
    world.results(campaign_id, &names, 0, &failed).await;
    world.results(campaign_id, &names[..20], 1, &dns_ok()).await;
    world.results(campaign_id, &names[..10], 2, &failed).await;
    world.level().await;
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!((counts.dns("ok"), counts.dns("error")), (10, 40));
    let versions = "SELECT sum(version)::bigint FROM read.domains";
    assert_eq!(world.number(versions).await, 50 + 20 + 10);
}
