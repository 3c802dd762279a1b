//! A list that a node cannot read any more.

use aggregates::{Actor, Metadata};
use event_store::{BulkAppend, NewEvent};
use serde_json::json;

use super::{add, admin, entry};
use crate::support::{eventually, server::TestApp};

#[tokio::test]
async fn a_node_that_does_not_understand_its_list_sends_nothing_says_so_and_confirms_no_entry() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    add(&admin, "domain", "before.example").await;
    let told = admin.get("/politeness").send().await.ok(200);
    assert_eq!(
        (
            &told["suppression"]["state"],
            &told["suppression"]["entries"]
        ),
        (&json!("level"), &json!(1)),
        "{told}"
    );
    let poison = NewEvent {
        event_type: "AddedToSuppressionList".to_owned(),
        event_version: "1".to_owned(),
        payload: r#"{"AddedToSuppressionList":{"target":"whoever"}}"#.to_owned(),
    };
    let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    let stream = uuid::Uuid::from_u128(7).to_string();
    append
        .raw_stream("suppression_entry", &stream, 0, vec![poison])
        .unwrap();
    append.append(&app.app.database).await.unwrap();

    eventually("the list halts", || async {
        let reply = app.anonymous().get("/health/ready").send().await;
        reply
            .text
            .contains("suppression_list")
            .then(|| reply.ok(503))
    })
    .await;
    let told = admin.get("/politeness").send().await.ok(200);
    assert_eq!(told["suppression"]["state"], "halted", "{told}");
    assert!(told["suppression"].get("entries").is_none(), "{told}");
    let held = app.app.suppression.list().name("free.example");
    assert_eq!(held, Some(validation::suppression::Held::Unread));
    let check = admin.get("/suppression/check?target=free.example");
    check.send().await.ok(503);

    let made = admin
        .post("/suppression")
        .json(&entry("domain", "after.example"));
    let made = made.send().await.ok(202);
    assert_eq!(made["value"], "after.example");
    assert!(
        made["notice"]
            .as_str()
            .unwrap()
            .contains("not go by it yet"),
        "{made}"
    );
    let upload = admin
        .post("/suppression/upload?reason=asked")
        .body("text/plain", "more.example");
    let upload = upload.send().await.ok(202);
    assert_eq!(upload["added"], 1);
    assert!(upload["notice"].is_string(), "{upload}");
    let path = format!("/suppression/{}", made["id"].as_str().unwrap());
    let removed = admin.delete(&path).send().await.ok(202);
    assert!(removed["notice"].is_string(), "{removed}");
    app.stop().await;
}
