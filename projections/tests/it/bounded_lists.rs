//! Lists are bounded in what they hold, whatever their rows do.

use aggregates::{campaign::CampaignType, ids::UserId};
use projections::{campaigns, keyword_sets};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    one_moment::{create, create_as},
    support::World,
};

const NAMED: &str = "UPDATE read.campaigns SET configuration = jsonb_build_object('maxDomains', 7, 'phases', \
    jsonb_build_object('analysis', jsonb_build_object('enabled', true)), 'patternConfig', jsonb_build_object( \
        'type', 'variable', 'projectionEstimate', jsonb_build_object('note', repeat('x', 20000)), 'targetDomains', \
        (SELECT jsonb_agg('n' || n || '.test') FROM generate_series(1, 10000) n)))";
const WORDY: &str = "UPDATE read.campaign_phases SET config = '{\"phase\": \"extraction\"}'";
const SET: &str = "INSERT INTO read.keyword_sets (keyword_set_id, owner, name, enabled, rules, version, created_at, \
    updated_at) SELECT gen_random_uuid(), $1, 'set ' || n, true, (SELECT jsonb_agg(jsonb_build_object( \
        'id', gen_random_uuid(), 'pattern', repeat('x', 1000), 'rule_type', 'string')) \
        FROM generate_series(1, 5000)), 1, now(), now() FROM generate_series(1, 4) n";

#[tokio::test]
async fn a_list_of_campaigns_shows_of_a_long_configuration_what_is_short_in_it() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    create(&world, owner).await;
    let pool = world.database.pool();
    for statement in [NAMED, WORDY] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    let list = campaigns::of_owner(pool, owner, 1_000, 0).await.unwrap();
    let shown = &list.campaigns[0];
    assert_eq!(
        serde_json::from_str::<Value>(shown.configuration.get()).unwrap(),
        json!({"maxDomains": 7, "phases": {"analysis": {"enabled": true}}, "patternConfig": {"type": "variable"}})
    );
    assert_eq!(shown.campaign.configuration, Value::Null);
    let mut configs = shown.campaign.phases.iter().map(|phase| &phase.config);
    assert!(configs.all(Option::is_none));

    let by_id = campaigns::by_id(pool, shown.campaign.campaign_id).await;
    let whole = by_id.unwrap().unwrap().configuration;
    let names = whole["patternConfig"]["targetDomains"].as_array().unwrap();
    assert_eq!(names.len(), 10_000);
}

#[tokio::test]
async fn a_page_of_long_typed_campaigns_ends_early_and_the_next_one_goes_on() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    let typed = include_str!("../../../aggregates/tests/golden/campaign/Created.v1.typed.json");
    for _ in 0..3 {
        create_as(&world, owner, typed).await;
    }
    let pool = world.database.pool();
    let long = "UPDATE read.campaigns SET notes = repeat('x', 5000000)";
    sqlx::query(long).execute(pool).await.unwrap();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = campaigns::TypedPage {
            limit: 500,
            after,
            ..campaigns::TypedPage::default()
        };
        let filter = campaigns::TypedFilter::default();
        let list = campaigns::typed_of_owner(pool, owner, CampaignType::Dns, &filter, &page);
        let list = list.await.unwrap();
        assert_eq!((list.campaigns.len(), list.total), (1, 3));
        let (key, shown) = list.campaigns.into_iter().next().unwrap();
        seen.push(shown.overview.campaign.campaign_id);
        after = Some((key, shown.overview.campaign.campaign_id));
        if !list.has_more {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_list_of_sets_reads_their_rules_where_they_are_asked_for_and_fit_into_one_answer() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    let pool = world.database.pool();
    sqlx::query(SET).bind(owner.0).execute(pool).await.unwrap();
    let list = |with_rules, limit| keyword_sets::list(pool, owner, None, with_rules, (limit, 0));

    let (sets, total) = list(false, 500).await.unwrap();
    assert_eq!((sets.len(), total), (4, 4));
    for set in &sets {
        assert_eq!((set.rule_count, &set.rules), (5_000, &None));
    }
    let (sets, _) = list(true, 2).await.unwrap();
    let rules = sets.into_iter().filter_map(|set| set.rules);
    assert!(rules.map(|rules| rules.len()).eq([5_000, 5_000]));
    let refused = list(true, 500).await.map(|(sets, _)| sets.len());
    assert!(
        matches!(refused, Err(keyword_sets::ListError::TooLarge)),
        "{refused:?}"
    );

    let rules = |limit| {
        let filter = keyword_sets::RuleFilter::default();
        async move { keyword_sets::rules(pool, owner, &filter, limit, 0).await }
    };
    assert_eq!(rules(10_000).await.unwrap().0.len(), 10_000);
    let refused = rules(20_000).await.map(|(rules, _)| rules.len());
    assert!(
        matches!(refused, Err(keyword_sets::ListError::TooLarge)),
        "{refused:?}"
    );
}
