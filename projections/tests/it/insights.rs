//! Classes and momentum of a campaign, against what its domains scored.

use aggregates::{campaign::Phase, ids::CampaignId};
use projections::domains::{BUCKETS, Class, Momentum, Mover, classes_of, momentum_of};
use serde_json::Value;

use crate::support::{World, decided, fetched, imported, names, new_campaign, rerun, scored};

/// A score of a page with this richness; repeated keywords are a warning.
fn score(score: f64, richness: f64, warned: bool) -> Value {
    let mut event = scored();
    event["Scored"]["score"]["score"] = score.into();
    event["Scored"]["richness"]["score"] = richness.into();
    event["Scored"]["richness"]["repetition"] = if warned { 1.0 } else { 0.1 }.into();
    event
}

/// A campaign of domains, all but the last three with a page that has a keyword, and the last but two without one.
async fn campaign(world: &World, count: usize) -> (CampaignId, Vec<String>) {
    let (campaign_id, names) = (new_campaign(), names(count));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    let with_keyword = fetched(Some(&["telecom"]));
    world
        .results(campaign_id, &names[..count - 3], 0, &with_keyword)
        .await;
    let without = fetched(Some(&[]));
    world
        .results(campaign_id, &names[count - 3..count - 2], 0, &without)
        .await;
    (campaign_id, names)
}

#[tokio::test]
async fn every_domain_is_of_one_class_and_the_richest_are_shown() {
    let world = World::start().await;
    let (campaign_id, names) = campaign(&world, 11).await;
    // Score, richness, warned, lead.
    let found = [
        (0.80, 0.1, true, true),
        (0.79, 0.2, true, false),
        (0.50, 0.9, false, true),
        (0.499, 0.3, true, true),
        (0.30, 0.4, false, true),
        (0.30, 0.5, false, false),
        (0.0, 0.5, false, false),
        (0.1, 0.7, false, false),
    ];
    for (name, (value, richness, warned, lead)) in names.iter().zip(found) {
        let name = std::slice::from_ref(name);
        let event = score(value, richness, warned);
        world.results(campaign_id, name, 1, &event).await;
        if lead {
            world.results(campaign_id, name, 2, &decided()).await;
        }
    }
    // A page without a keyword is scored, but not analyzed.
    let pale = score(0.9, 1.0, false);
    world.results(campaign_id, &names[8..9], 1, &pale).await;
    world.level().await;

    let classes = classes_of(world.database.pool(), campaign_id, 2)
        .await
        .unwrap();
    let shown = Class::ALL.map(|class| {
        let samples = classes.samples(class).iter();
        let names: Vec<_> = samples.map(|sample| sample.name.as_str()).collect();
        (classes.count(class), names)
    });
    assert_eq!(
        shown,
        [
            (1, vec!["name-0.test"]),
            (2, vec!["name-2.test", "name-1.test"]),
            (1, vec!["name-3.test"]),
            (1, vec!["name-4.test"]),
            (3, vec!["name-7.test", "name-5.test"]),
            (3, vec!["name-8.test", "name-9.test"]),
        ]
    );
    let other = classes.samples(Class::Other);
    assert_eq!((other[0].richness, other[1].richness), (Some(1.0), None));
    let nobodys = classes_of(world.database.pool(), new_campaign(), 2).await;
    assert_eq!(
        Class::ALL.map(|class| nobodys.as_ref().unwrap().count(class)),
        [0; 6]
    );
}

async fn momentum(world: &World, campaign_id: CampaignId) -> Momentum {
    world.level().await;
    momentum_of(world.database.pool(), campaign_id, 2)
        .await
        .unwrap()
}

/// Starts another run of scoring and gives each of these names, at the version that it has, its score.
async fn rescored(world: &World, campaign_id: CampaignId, run: u64, scores: &[(&str, u64, f64)]) {
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, run - 1, rerun(Phase::Analysis))])
        .await;
    for (name, version, value) in scores {
        let name = [(*name).to_owned()];
        let event = score(*value, 0.5, false);
        world.results(campaign_id, &name, *version, &event).await;
    }
}

fn movers(expected: &[(&str, f64)]) -> Vec<Mover> {
    let movers = expected.iter();
    movers
        .map(|(name, delta)| Mover {
            name: (*name).to_owned(),
            delta: *delta,
        })
        .collect()
}

#[tokio::test]
async fn momentum_is_the_difference_of_the_last_two_runs() {
    let world = World::start().await;
    let (campaign_id, names) = campaign(&world, 8).await;
    for (name, value) in names.iter().zip([0.2, 0.3, 0.4, 0.9, 1.0]) {
        let name = std::slice::from_ref(name);
        world
            .results(campaign_id, name, 1, &score(value, 0.5, false))
            .await;
    }
    let first = momentum(&world, campaign_id).await;
    assert_eq!((first.compared(), first.mean), (0, None));

    rescored(
        &world,
        campaign_id,
        2,
        &[
            ("name-0.test", 2, 0.3),
            ("name-1.test", 2, 0.3),
            ("name-2.test", 2, 0.7),
            ("name-4.test", 2, 0.0),
        ],
    )
    .await;
    let second = momentum(&world, campaign_id).await;
    assert_eq!(
        second.up,
        movers(&[("name-2.test", 0.3), ("name-0.test", 0.1)])
    );
    assert_eq!(second.down, movers(&[("name-4.test", -1.0)]));
    let mut histogram = vec![0; BUCKETS];
    for bucket in [0, 10, 11, 13] {
        histogram[bucket] += 1;
    }
    assert_eq!(
        second.histogram, histogram,
        "each at the bucket's lower bound"
    );
    assert_eq!(second.mean, Some(-0.15));

    // What the second run left out has nothing to be compared with; neither has what the third leaves out.
    rescored(
        &world,
        campaign_id,
        3,
        &[("name-0.test", 3, 0.3), ("name-3.test", 2, 0.1)],
    )
    .await;
    let third = momentum(&world, campaign_id).await;
    assert_eq!((third.up, third.down), (vec![], vec![]));
    assert_eq!((third.histogram[10], third.mean), (1, Some(0.0)));
    rescored(&world, campaign_id, 4, &[("name-1.test", 3, 0.9)]).await;
    assert_eq!(momentum(&world, campaign_id).await.compared(), 0);
}
