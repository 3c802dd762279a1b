//! One page, followed step by step.

use sandbox::{Host, ResolverScript, Site, World};
use serde_json::json;
use uuid::Uuid;

use super::{http_persona, keyword_set};
use crate::{
    sse::client::{Message, Stream},
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

fn world() -> World {
    let page = "<title>Espresso</title><p>from our roaster</p>";
    World::scripted()
        .resolver(ResolverScript::healthy())
        .host("shop.test", Host::html(page))
        .host("missing.test", Host::status(404))
        .host("silent.test", Host::new(Site::Silent))
}

fn path(host: &str, set: &str) -> String {
    format!("/extract/keywords/stream?url=https%3A%2F%2F{host}%2F&keywordSetId={set}")
}

/// Reads a stream to its end.
async fn whole(client: &Client, path: &str) -> Vec<Message> {
    let mut stream = Stream::open_unpositioned(client, path).await;
    let mut messages = Vec::new();
    while let Some(message) = stream.any().await {
        assert_eq!(message.id, None);
        messages.push(message);
    }
    messages
}

fn kinds(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.kind.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_a_page_come_in_their_order_and_end_with_what_was_found() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    let messages = whole(&ann, &path("shop.test", &set)).await;
    let hop = ["chosen", "connected", "secured", "requested", "answered"];
    let mut expected = vec!["keep_alive", "resolved"];
    expected.extend(hop);
    expected.extend(["failed", "robots"]);
    expected.extend(hop);
    expected.extend(["fetched", "match", "match", "done"]);
    assert_eq!(kinds(&messages), expected, "{messages:?}");
    let resolved = messages[1].payload();
    assert_eq!(
        (&resolved["host"], &resolved["addresses"]),
        (&json!("shop.test"), &json!(["127.0.0.1"]))
    );
    let matched: Vec<_> = messages
        .iter()
        .filter(|message| message.kind == "match")
        .map(|message| message.payload()["matchedText"].clone())
        .collect();
    assert_eq!(matched, ["Espresso", "roaster"]);
    let done = messages.last().unwrap().payload();
    assert_eq!(
        (&done["statusCode"], &done["keywordSetIdUsed"]),
        (&json!(200), &json!(set))
    );

    let messages = whole(&ann, &path("missing.test", &set)).await;
    let ends: Vec<_> = messages
        .iter()
        .filter(|message| ["done", "error"].contains(&message.kind.as_str()))
        .collect();
    assert_eq!(ends, [messages.last().unwrap()], "one end, at the end");
    let error = ends[0].payload();
    assert_eq!(ends[0].kind, "error");
    assert_eq!(error["error"], "status_404: the server answered 404");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_what_is_not_the_callers_is_not_begun() {
    let app = TestApp::in_sandbox(world()).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let set = keyword_set(&ann).await;
    app.anonymous()
        .get(&path("shop.test", &set))
        .send()
        .await
        .ok(401);
    bob.get(&path("shop.test", &set))
        .send()
        .await
        .blames(422, "keywordSetId");
    let persona = http_persona(&bob, json!({})).await;
    for (more, status, field) in [
        (format!("&httpPersonaId={persona}"), 422, "httpPersonaId"),
        (
            format!("&dnsPersonaId={}", Uuid::now_v7()),
            422,
            "dnsPersonaId",
        ),
        ("&dnsPersonaId=x".to_owned(), 400, "dnsPersonaId"),
    ] {
        let path = format!("{}{more}", path("shop.test", &set));
        ann.get(&path).send().await.blames(status, field);
    }
    let page = format!("/extract/keywords/stream?url=shop.test&keywordSetId={set}");
    ann.get(&page).send().await.blames(422, "url");
    let page = format!("/extract/keywords/stream?keywordSetId={set}");
    ann.get(&page).send().await.blames(400, "url");
    assert_eq!(app.sandbox.as_ref().unwrap().http_total(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_ends_with_the_client_that_leaves_and_with_the_session() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    let persona = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    let path = format!("{}&httpPersonaId={persona}", path("silent.test", &set));
    let asked = async |stream: &mut Stream| {
        while stream.any().await.expect("it goes on").kind != "requested" {}
    };
    let streams = async || {
        let stats = ann.get("/sse/events/stats").send().await.ok(200);
        stats["activeConnections"].as_u64().unwrap()
    };
    let mut stream = Stream::open_unpositioned(&ann, &path).await;
    asked(&mut stream).await;
    assert_eq!(streams().await, 1);
    let sandbox = app.sandbox.as_ref().unwrap();
    let is_asked = || async { (sandbox.http_open("silent.test") == 1).then_some(()) };
    eventually("the site is asked", is_asked).await;
    drop(stream);
    eventually("the fetch has ended", || async {
        (sandbox.http_open("silent.test") == 0).then_some(())
    })
    .await;
    eventually("nobody is listening", || async {
        (streams().await == 0).then_some(())
    })
    .await;

    let other = Client {
        token: Some(
            app.log_in("ann", crate::support::server::PASSWORD)
                .await
                .ok(200)["token"]
                .as_str()
                .unwrap()
                .to_owned(),
        ),
        ..ann.clone()
    };
    let mut stream = Stream::open_unpositioned(&other, &path).await;
    asked(&mut stream).await;
    eventually("the site is asked again", is_asked).await;
    other.post("/auth/logout").send().await.ok(204);
    while let Some(message) = stream.any().await {
        assert_eq!(
            message.kind, "keep_alive",
            "it ends without an end of its own"
        );
    }
    eventually("the fetch has ended with the session", || async {
        (sandbox.http_open("silent.test") == 0).then_some(())
    })
    .await;
    app.stop().await;
}
