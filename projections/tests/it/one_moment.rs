//! Answers that several statements make are from one moment, whatever is written between them.

use std::{sync::Arc, time::Duration};

use aggregates::{
    campaign::CampaignType,
    ids::{CampaignId, UserId},
};
use projections::{
    audit::Audit, campaigns, domains, keyword_sets, personas, runtime::Runtime, scoring_profiles,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{World, imported, new_campaign};

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) async fn create(world: &World, owner: UserId) -> CampaignId {
    let created = include_str!("../../../aggregates/tests/golden/campaign/Created.v1.json");
    create_as(world, owner, created).await
}

pub(crate) async fn create_as(world: &World, owner: UserId, created: &str) -> CampaignId {
    let campaign_id = new_campaign();
    let mut created = golden(created);
    created["Created"]["owner"] = json!(owner);
    world
        .append(vec![("campaign", campaign_id.to_string(), 0, created)])
        .await;
    follow(world).await;
    campaign_id
}

async fn follow(world: &World) {
    world.catch_up(Arc::new(campaigns::Campaigns)).await;
    world.catch_up(Arc::new(Audit)).await;
}

/// Lets `answer` begin, runs `write` once it has come to the counters, and lets it go on.
async fn written_between<T: Send + 'static>(
    world: &World,
    answer: impl Future<Output = T> + Send + 'static,
    write: impl Future<Output = ()>,
) -> T {
    let pool = world.database.pool();
    let mut barrier = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE read.domain_totals IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *barrier)
        .await
        .unwrap();
    let answer = tokio::spawn(answer);
    let deadline = Instant::now() + Duration::from_secs(10);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock'";
    while world.number(waiting).await == 0 {
        assert!(Instant::now() < deadline, "it reads no counters");
        tokio::task::yield_now().await;
    }
    write.await;
    barrier.rollback().await.unwrap();
    answer.await.unwrap()
}

#[tokio::test]
async fn a_list_of_campaigns_and_its_total_are_from_one_moment() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    for _ in 0..2 {
        create(&world, owner).await;
    }
    let pool = world.database.pool().clone();
    let list = async move { campaigns::of_owner(&pool, owner, 100, 0).await.unwrap() };
    let write = async {
        create(&world, owner).await;
    };
    let list = written_between(&world, list, write).await;
    assert_eq!((list.campaigns.len(), list.total), (2, 2));
}

#[tokio::test]
async fn a_campaign_and_its_last_entries_are_from_one_moment() {
    let world = World::start().await;
    let campaign_id = create(&world, UserId(Uuid::now_v7())).await;
    let pool = world.database.pool().clone();
    let recent = async move {
        let actions = ["Created", "ModeChanged"];
        campaigns::recent(&pool, campaign_id, &actions, 10).await
    };
    let write = async {
        let changed = golden(include_str!(
            "../../../aggregates/tests/golden/campaign/ModeChanged.v1.json"
        ));
        world
            .append(vec![("campaign", campaign_id.to_string(), 1, changed)])
            .await;
        follow(&world).await;
    };
    let recent = written_between(&world, recent, write)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(recent.overview.campaign.version, 1);
    let actions = recent.entries.iter().map(|entry| entry.action.as_str());
    assert_eq!(actions.collect::<Vec<_>>(), ["Created"]);
}

#[tokio::test]
async fn typed_campaigns_and_what_is_shown_beside_them_are_from_one_moment() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    let typed = include_str!("../../../aggregates/tests/golden/campaign/Created.v1.typed.json");
    let campaign_id = create_as(&world, owner, typed).await;
    let pool = world.database.pool().clone();
    let list = async move {
        let page = campaigns::TypedPage {
            limit: 100,
            ..campaigns::TypedPage::default()
        };
        let filter = campaigns::TypedFilter::default();
        campaigns::typed_of_owner(&pool, owner, CampaignType::Dns, &filter, &page).await
    };
    let write = async {
        let names = ["a.test".to_owned()];
        let import = imported(0, &names);
        world
            .append(vec![("campaign", campaign_id.to_string(), 1, import)])
            .await;
        follow(&world).await;
        create_as(&world, owner, typed).await;
    };
    let list = written_between(&world, list, write).await.unwrap();
    assert_eq!((list.campaigns.len(), list.total), (1, 1));
    let (_, shown) = &list.campaigns[0];
    let version = shown.overview.campaign.version;
    assert_eq!(
        (version, shown.uploads.len(), shown.entries.len()),
        (1, 0, 1)
    );
}

/// Creates a persona, a keyword set and a scoring profile of one user again and again.
async fn write_until(world: &World, end: &CancellationToken) {
    let runtime = Runtime::new(
        world.database.clone(),
        vec![
            Arc::new(personas::Personas),
            Arc::new(keyword_sets::KeywordSets),
            Arc::new(scoring_profiles::ScoringProfiles),
        ],
    );
    while !end.is_cancelled() {
        let created = [
            (
                "persona",
                include_str!("../../../aggregates/tests/golden/persona/Created.v1.json"),
            ),
            (
                "keyword_set",
                include_str!("../../../aggregates/tests/golden/keyword_set/Created.v1.json"),
            ),
            (
                "scoring_profile",
                include_str!("../../../aggregates/tests/golden/scoring_profile/Created.v1.json"),
            ),
        ];
        let events = created.map(|(kind, event)| {
            let mut event = golden(event);
            event["Created"]["owner"] = json!(UserId(Uuid::nil()));
            (kind, Uuid::now_v7().to_string(), 0, event)
        });
        world.append(events.into()).await;
        runtime.catch_up().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_users_own_is_listed_and_counted_at_one_moment_beside_a_writer() {
    let world = World::start().await;
    let (pool, owner) = (world.database.pool(), UserId(Uuid::nil()));
    let end = CancellationToken::new();
    let read = async {
        let mut most = 0;
        while most < 100 {
            let (rows, total) = personas::list(pool, owner, &personas::Filter::default(), 9_999, 0)
                .await
                .unwrap();
            assert_eq!(i64::try_from(rows.len()).unwrap(), total);
            let (rows, total) = keyword_sets::list(pool, owner, None, true, (9_999, 0))
                .await
                .unwrap();
            assert_eq!(i64::try_from(rows.len()).unwrap(), total);
            let filter = keyword_sets::RuleFilter::default();
            let (rows, total) = keyword_sets::rules(pool, owner, &filter, 9_999, 0)
                .await
                .unwrap();
            assert_eq!(i64::try_from(rows.len()).unwrap(), total);
            let (rows, total) = scoring_profiles::list(pool, owner, 9_999, 0).await.unwrap();
            assert_eq!(i64::try_from(rows.len()).unwrap(), total);
            most = total;
        }
        end.cancel();
    };
    let deadline = Duration::from_secs(60);
    let both = async { tokio::join!(read, write_until(&world, &end)) };
    tokio::time::timeout(deadline, both).await.unwrap();
}

/// Adds names to a campaign again and again, each in a commit of its own; the first is the event after its creation.
async fn grow_until(world: &World, campaign_id: CampaignId, end: &CancellationToken) {
    let runtime = Runtime::new(
        world.database.clone(),
        vec![Arc::new(campaigns::Campaigns), Arc::new(domains::Domains)],
    );
    let mut names = 0;
    while !end.is_cancelled() {
        let event = imported(names, &[format!("name-{names}.test")]);
        let version = names as u64 + 1;
        world
            .append(vec![("campaign", campaign_id.to_string(), version, event)])
            .await;
        runtime.catch_up().await.unwrap();
        names += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_domains_its_total_and_the_counters_are_from_one_moment_beside_a_writer() {
    let world = World::start().await;
    let campaign_id = create(&world, UserId(Uuid::nil())).await;
    let (pool, end) = (world.database.pool(), CancellationToken::new());
    let page = domains::Page {
        limit: 9_999,
        ..domains::Page::default()
    };
    // A total that is the counters' sum, and one that is counted over the rows.
    let filters = [None, Some(false)].map(|has_contact| domains::Filter {
        has_contact,
        ..domains::Filter::default()
    });
    let read = async {
        let mut most = 0;
        while most < 200 {
            for filter in &filters {
                let list = domains::listing(pool, campaign_id, filter, &page)
                    .await
                    .unwrap();
                let listed = i64::try_from(list.rows.len()).unwrap();
                let counted = i64::try_from(list.counts.generated).unwrap();
                assert_eq!((listed, counted), (list.total, list.total), "{filter:?}");
                most = list.total;
            }
        }
        end.cancel();
    };
    let deadline = Duration::from_secs(60);
    let both = async { tokio::join!(read, grow_until(&world, campaign_id, &end)) };
    tokio::time::timeout(deadline, both).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_its_counters_and_how_far_both_had_come_are_from_one_moment_beside_a_writer() {
    let world = World::start().await;
    let campaign_id = create(&world, UserId(Uuid::nil())).await;
    let (pool, end) = (world.database.pool(), CancellationToken::new());
    let read = async {
        let mut most = 0;
        while most < 200 {
            let standing = campaigns::standing(pool, campaign_id).await.unwrap();
            let standing = standing.unwrap();
            let (campaign, counts) = (standing.overview.campaign, standing.overview.counts);
            // The campaign is the log's first event, and each name the next one.
            let known = (campaign.names + 1, counts.generated + 1);
            let counts_at = standing.counts_at.get().max(1);
            assert_eq!(known, (standing.campaign_at.as_i64(), counts_at));
            most = counts.generated;
        }
        end.cancel();
    };
    let deadline = Duration::from_secs(60);
    let both = async { tokio::join!(read, grow_until(&world, campaign_id, &end)) };
    tokio::time::timeout(deadline, both).await.unwrap();
}
