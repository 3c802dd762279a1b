//! The audit trail as its queries show it.

use std::sync::Arc;

use aggregates::{
    Actor, Metadata,
    ids::{CampaignId, UserId},
};
use projections::{
    Whose,
    audit::{self, Audit, Entry, Filter, Order, Page},
    holdings,
    then::{self, Archive},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, imported, names, new_campaign};

fn positions(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.position).collect()
}

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
        let positions = positions(&read.unwrap().0);
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
    let (read, _) = read.unwrap();
    assert_eq!(read.len(), 4);
    for entry in read {
        assert_eq!(entry.before, Some(json!({"enabled": true})));
        assert_eq!(entry.after, Some(json!({"enabled": false})));
    }
}

/// Six entries of a user's own persona: the second and the fourth say three megabytes, which compress to almost nothing, and
/// the fifth and the sixth six.
const LONG_ENTRIES: &str = "INSERT INTO read.audit_entries (position, recorded_at, actor, action, resource_type, resource_id, \
    sequence, details, before, after, correlation_id, owner) \
    SELECT n, now(), 'user:' || $1, 'Changed', 'persona', '1', n, \
    CASE WHEN n IN (2, 5, 6) THEN long ELSE '{}' END, CASE WHEN n = 4 THEN long END, CASE WHEN n >= 5 THEN long END, '1', $1 \
    FROM generate_series(1, 6) n, (SELECT jsonb_build_object('x', repeat('x', 3000000)) AS long) said";

#[tokio::test]
async fn a_page_of_entries_that_say_much_ends_early_and_the_next_goes_on_from_it() {
    let world = World::start().await;
    let ann = UserId(Uuid::now_v7());
    let pool = world.database.pool();
    let seed = sqlx::query(LONG_ENTRIES).bind(ann.0).execute(pool).await;
    seed.unwrap();
    // What is on the page where it reaches 8 MiB is on it still.
    for (order, limit, expected) in [
        (Order::OldestFirst, 10, vec![vec![1, 2, 3, 4, 5], vec![6]]),
        (Order::NewestFirst, 10, vec![vec![6, 5], vec![4, 3, 2, 1]]),
        (
            Order::OldestFirst,
            3,
            vec![vec![1, 2, 3], vec![4, 5], vec![6]],
        ),
        (Order::OldestFirst, 6, vec![vec![1, 2, 3, 4, 5], vec![6]]),
    ] {
        for whose in [Whose::Everybodys, Whose::Of(ann)] {
            let (mut pages, mut after, mut has_next) = (Vec::new(), None, true);
            while has_next {
                let page = Page {
                    after,
                    until: i64::MAX,
                    limit,
                    order,
                };
                let read = audit::page(pool, whose, &Filter::default(), &page).await;
                let (entries, others) = read.unwrap();
                after = entries.last().map(|entry| entry.position);
                has_next = others;
                pages.push(positions(&entries));
            }
            assert_eq!(pages, expected, "{whose:?} {order:?} {limit}");
        }
    }
    let mut given: Vec<i64> = Vec::new();
    for expected in [5, 1, 0] {
        let after = given.last().copied().unwrap_or(0);
        let actions = holdings::actions_of(pool, ann, after, 10).await.unwrap();
        assert_eq!(actions.len(), expected);
        given.extend(actions.iter().map(|action| action.position));
    }
    assert_eq!(given, [1, 2, 3, 4, 5, 6]);
}

/// What a user himself, another one and somebody unknown did to his account.
const DONE_TO_HIM: &str = "INSERT INTO read.audit_entries (position, recorded_at, actor, action, resource_type, resource_id, \
    sequence, details, correlation_id, ip, user_agent, api_key, idempotency) \
    SELECT n, now(), actor, 'DetailsChanged', 'user', $1, n, '{}', '1', 'x', 'x', gen_random_uuid(), 'x' \
    FROM unnest(ARRAY['user:' || $1, 'user:' || $2, 'anonymous']) WITH ORDINALITY AS done (actor, n)";

#[tokio::test]
async fn what_is_given_to_a_user_does_not_tell_from_where_others_did_it() {
    let world = World::start().await;
    let (ann, root) = (UserId(Uuid::now_v7()), UserId(Uuid::now_v7()));
    let pool = world.database.pool();
    let seed = sqlx::query(DONE_TO_HIM).bind(ann.to_string());
    seed.bind(root.to_string()).execute(pool).await.unwrap();
    let actions = holdings::actions_of(pool, ann, 0, 10).await.unwrap();
    assert_eq!(actions.len(), 3);
    for action in actions {
        let row: Value = serde_json::from_str(action.row.get()).unwrap();
        for field in ["ip", "user_agent", "api_key", "idempotency"] {
            let is_told = row.get(field).is_some();
            assert_eq!(is_told, action.position != 2, "{field} of {row}");
        }
        assert_eq!(row["action"], "DetailsChanged");
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
            let positions = positions(&read.unwrap().0);
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
