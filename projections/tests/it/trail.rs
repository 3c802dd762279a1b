//! The audit trail as its queries show it.

use std::sync::Arc;

use aggregates::{
    Actor, Metadata,
    ids::{CampaignId, UserId},
};
use projections::{
    Whose,
    audit::{self, Audit, Filter, Order, Page},
    then::{self, Archive},
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{World, imported, names, new_campaign};

/// Appends entries about personas of somebody, one commit each.
async fn persona(world: &World, owner: UserId) {
    let stream = Uuid::now_v7().to_string();
    let made = json!({"Created": {"owner": owner, "name": "p", "enabled": true,
        "config": {"type": "http"}}});
    let off = json!({"Disabled": {"owner": owner}});
    world
        .append(vec![("persona", stream.clone(), 0, made)])
        .await;
    world.append(vec![("persona", stream, 1, off)]).await;
}

#[tokio::test]
async fn what_is_read_up_to_an_end_is_of_the_moment_at_which_it_was_the_end() {
    let world = World::start().await;
    let (ann, bob) = (UserId(Uuid::now_v7()), UserId(Uuid::now_v7()));
    for _ in 0..3 {
        persona(&world, ann).await;
    }
    world.catch_up(Arc::new(Audit)).await;
    let pool = world.database.pool();
    let until = audit::end(pool).await.unwrap();
    assert_eq!(until, 6);
    persona(&world, ann).await;
    persona(&world, bob).await;
    world.catch_up(Arc::new(Audit)).await;
    for (whose, order, expected) in [
        (Whose::Everybodys, Order::OldestFirst, vec![3, 4, 5, 6]),
        (Whose::Of(ann), Order::OldestFirst, vec![3, 4, 5, 6]),
        (Whose::Of(bob), Order::OldestFirst, vec![]),
        (Whose::Everybodys, Order::NewestFirst, vec![1]),
    ] {
        let page = Page {
            after: Some(2),
            until,
            limit: 10,
            order,
        };
        let read = audit::page(pool, whose, &Filter::default(), &page).await;
        let positions: Vec<i64> = read.unwrap().iter().map(|entry| entry.position).collect();
        assert_eq!(positions, expected, "{whose:?} {order:?}");
    }
    // What an event changes is told by those before it, also when they were taken in long before.
    let everything = Page {
        after: None,
        until: i64::MAX,
        limit: 100,
        order: Order::NewestFirst,
    };
    let disabled = Filter {
        action: Some("Disabled".to_owned()),
        ..Filter::default()
    };
    let read = audit::page(pool, Whose::Of(ann), &disabled, &everything).await;
    let read = read.unwrap();
    assert_eq!(read.len(), 4);
    for entry in read {
        assert_eq!(entry.before, Some(json!({"enabled": true})));
        assert_eq!(entry.after, Some(json!({"enabled": false})));
    }
}

#[tokio::test]
async fn what_led_to_an_entry_is_a_filter_alone_and_beside_others() {
    let world = World::start().await;
    let owner = UserId(Uuid::now_v7());
    for (actor, correlation, causation) in [
        (Actor::Operator, "one", None),
        (Actor::Operator, "one", Some("cause")),
        (Actor::User(owner), "two", Some("cause")),
        (Actor::User(owner), "two", Some("another")),
    ] {
        let metadata = Metadata {
            causation_id: causation.map(str::to_owned),
            ..Metadata::new(actor, correlation)
        };
        let made = json!({"Created": {"owner": owner, "name": "p", "weights": {}}});
        let stream = Uuid::now_v7().to_string();
        let events = vec![("scoring_profile", stream, 0, made)];
        world.append_as(&metadata, events).await;
    }
    world.catch_up(Arc::new(Audit)).await;
    let text = |text: &str| Some(text.to_owned());
    for (actor, correlation_id, causation_id, expected) in [
        (None, None, text("cause"), vec![2, 3]),
        (None, None, text("another"), vec![4]),
        (None, None, text("nothing"), vec![]),
        (None, text("two"), None, vec![3, 4]),
        (None, text("two"), text("cause"), vec![3]),
        (text("operator"), None, text("cause"), vec![2]),
    ] {
        let filter = Filter {
            actor,
            correlation_id,
            causation_id,
            ..Filter::default()
        };
        let page = Page {
            after: None,
            until: i64::MAX,
            limit: 10,
            order: Order::OldestFirst,
        };
        for whose in [Whose::Everybodys, Whose::Of(owner)] {
            let read = audit::page(world.database.pool(), whose, &filter, &page).await;
            let positions: Vec<i64> = read.unwrap().iter().map(|entry| entry.position).collect();
            assert_eq!(positions, expected, "{filter:?}");
        }
    }
}

async fn made(world: &World, campaign: CampaignId, count: usize) {
    let owner = UserId(Uuid::now_v7());
    let created = json!({"Created": {"owner": owner, "name": "c", "mode": "step_by_step"}});
    let mut events = vec![("campaign", campaign.to_string(), 0, created)];
    for (at, chunk) in names(count).chunks(5_000).enumerate() {
        let version = u64::try_from(at + 1).unwrap();
        let event = imported(at * 5_000, chunk);
        events.push(("campaign", campaign.to_string(), version, event));
    }
    for event in events {
        world.append(vec![event]).await;
    }
}

#[tokio::test]
async fn a_campaign_that_was_too_large_is_refused_and_shown_as_of_when_it_was_not() {
    let world = World::start().await;
    let campaign = new_campaign();
    made(&world, campaign, 101_000).await;
    let head = world.database.feed().head().await.unwrap();
    let archive = Archive::new(world.database.clone());
    let refused = archive.campaign(campaign, head).await;
    assert!(matches!(refused.err(), Some(then::Error::TooLarge)));
    let before = event_store::Position::new(3);
    let mut then = archive.campaign(campaign, before).await.unwrap();
    let shown = then.overview().await.unwrap().unwrap();
    assert_eq!(
        (shown.campaign.names, shown.counts.generated),
        (10_000, 10_000)
    );
    then.end().await.unwrap();
}

#[tokio::test]
async fn two_campaigns_are_shown_as_they_were_at_once_and_a_third_is_told_to_wait() {
    let world = World::start().await;
    let campaign = new_campaign();
    made(&world, campaign, 3).await;
    let head = world.database.feed().head().await.unwrap();
    let archive = Archive::new(world.database.clone());
    let then = async || archive.campaign(campaign, head).await;
    let (one, two) = (then().await.unwrap(), then().await.unwrap());
    assert!(matches!(then().await.err(), Some(then::Error::Busy)));
    one.end().await.unwrap();
    then().await.unwrap().end().await.unwrap();
    two.end().await.unwrap();
}
