//! Bounds of what is tried.

use std::time::{Duration, Instant};

use domainflow::{app::App, work::trials::Trials};
use sandbox::{Host, ResolverScript, Site, World};
use serde_json::json;

use super::{http_persona, keyword_set};
use crate::{
    sse::client::Stream,
    support::{eventually, server::TestApp},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_so_many_trials_at_once_others_are_told_when_to_come_back() {
    let adjust = |app: &mut App| app.trials = Trials::new(1, 1, Duration::from_secs(60));
    let world = World::scripted()
        .resolver(ResolverScript::healthy())
        .host("silent.test", Host::new(Site::Silent));
    let app = TestApp::in_sandbox_with(world, adjust).await;
    let ann = app.user("ann").await;
    let id = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    let set = keyword_set(&ann).await;
    let page = "http%3A%2F%2Fsilent.test%2F";
    let follow =
        format!("/extract/keywords/stream?url={page}&keywordSetId={set}&httpPersonaId={id}");
    let stream = Stream::open_unpositioned(&ann, &follow).await;

    let test = || {
        ann.post(&format!("/personas/{id}/test"))
            .json(&json!({"target": "silent.test"}))
    };
    let item = json!({"url": "http://silent.test/", "keywordSetId": set});
    let batch = json!({"items": [item]});
    let refused = [
        test().send().await,
        ann.post("/extract/keywords").json(&batch).send().await,
        ann.get(&follow).send().await,
    ];
    for reply in refused {
        assert!(reply.header("retry-after").is_some(), "{}", reply.text);
        assert_eq!(reply.ok(429)["error"]["code"], "RATE_LIMITED");
    }
    // Its turn ends with the client that leaves, and not with the site's minute.
    drop(stream);
    eventually("another may begin", || async {
        let item = json!({"url": "http://nothing.test/", "keywordSetId": set});
        let batch = ann
            .post("/extract/keywords")
            .json(&json!({"items": [item]}));
        (batch.send().await.status == 200).then_some(())
    })
    .await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_has_his_share_of_turns_leaves_the_others_to_others() {
    let adjust = |app: &mut App| app.trials = Trials::new(3, 1, Duration::from_secs(60));
    let world = World::scripted()
        .resolver(ResolverScript::healthy())
        .host("silent.test", Host::new(Site::Silent))
        .host("shop.test", Host::page(&[]));
    let app = TestApp::in_sandbox_with(world, adjust).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let slow = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    let set = keyword_set(&ann).await;
    let page = "http%3A%2F%2Fsilent.test%2F";
    let follow =
        format!("/extract/keywords/stream?url={page}&keywordSetId={set}&httpPersonaId={slow}");
    let stream = Stream::open_unpositioned(&ann, &follow).await;
    let test = ann.post(&format!("/personas/{slow}/test"));
    let refused = test.send().await.ok(429);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("yours"), "{message}");
    let own = http_persona(&bob, json!({})).await;
    let target = json!({"target": "shop.test"});
    let test = bob.post(&format!("/personas/{own}/test")).json(&target);
    assert_eq!(test.send().await.ok(200)["success"], true);
    drop(stream);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_tried_ends_with_the_server_and_says_so() {
    let world = World::scripted()
        .resolver(ResolverScript::healthy())
        .host("silent.test", Host::new(Site::Silent));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let slow = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    let test = ann
        .post(&format!("/personas/{slow}/test"))
        .json(&json!({"target": "http://silent.test/"}));
    let answer = tokio::spawn(test.send());
    eventually("the site is asked", || async {
        let sandbox = app.sandbox.as_ref().unwrap();
        (sandbox.http_open("silent.test") > 0).then_some(())
    })
    .await;
    let since = Instant::now();
    app.stop().await;
    let answer = answer.await.unwrap().ok(200);
    assert!(since.elapsed() < Duration::from_secs(15));
    let detail = answer["results"]["detail"].as_str().unwrap();
    assert!(detail.contains("server is being stopped"), "{answer}");
}
