//! What clients of the contract send: its smallest bodies, and what they read, written back with a change.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{create, position, with};
use crate::support::server::TestApp;

fn pattern(config: Value) -> Value {
    json!({ "patternConfig": config })
}

#[tokio::test]
async fn the_smallest_bodies_of_the_contract_are_taken_and_what_was_read_can_be_written_back() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    // `type` is all of a pattern that the contract requires; of names it says nothing.
    let bare = pattern(json!({"type": "variable", "keywordSetIds": []}));
    let path = create(&ann, &with(bare.clone())).await;
    let configs = ann.get(&format!("{path}/configs")).send().await.ok(200);
    assert_eq!(configs["configsPresent"]["discovery"], false);
    ann.put(&path)
        .json(&with(pattern(json!({"type": "constant"}))))
        .send()
        .await
        .ok(200);
    let state = json!({ "configuration": bare });
    ann.put(&format!("{path}/state"))
        .json(&state)
        .send()
        .await
        .ok(200);
    let wanted =
        json!({"phases": {"discovery": {"enabled": true}}, "patternConfig": {"type": "variable"}});
    let refused = ann.post("/campaigns").json(&with(wanted)).send().await;
    refused.blames(422, "configuration.patternConfig");

    let listed = pattern(json!({"type": "constant", "targetDomains": ["a.test", "B.test"]}));
    let path = create(&ann, &with(listed.clone())).await;
    let read = ann.get(&path).send().await.ok(200);
    assert_eq!(read["progress"]["totalDomains"], 2);
    assert_eq!(read["configuration"], listed);
    // Read, changed, written: by both ways to write it.
    let mut changed = read["configuration"].clone();
    changed["phases"] = json!({"analysis": {"enabled": true}});
    let body = json!({ "configuration": changed });
    let written = ann.put(&path).json(&body).send().await.ok(200);
    assert_eq!(written["configuration"], changed);
    let mut changed =
        ann.get(&format!("{path}/state")).send().await.ok(200)["configuration"].clone();
    changed["phases"]["validation"] = json!({"enabled": true});
    let body = json!({ "configuration": changed });
    let written = ann
        .put(&format!("{path}/state"))
        .json(&body)
        .send()
        .await
        .ok(200);
    assert_eq!(written["configuration"], changed);
    let configs = ann.get(&format!("{path}/configs")).send().await.ok(200);
    assert_eq!(
        (
            &configs["configsPresent"]["analysis"],
            &configs["configsPresent"]["validation"]
        ),
        (&json!(true), &json!(true))
    );

    let before = position(&app).await;
    for others in [json!(["a.test"]), json!(["a.test", "b.test", "c.test"])] {
        changed["patternConfig"]["targetDomains"] = others;
        let body = json!({ "configuration": changed });
        for path in [path.clone(), format!("{path}/state")] {
            let refused = ann.put(&path).json(&body).send().await;
            refused.blames(422, "configuration.patternConfig.targetDomains");
        }
    }
    assert_eq!(position(&app).await, before, "nothing was stored");
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_knows_of_no_pages_has_all_its_campaigns_and_others_are_told_how_many_there_are()
 {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let many = (0..103).map(|number| {
        let body = json!({"name": format!("number {number}")});
        let ann = &ann;
        async move { ann.post("/campaigns").json(&body).send().await.ok(201) }
    });
    join_all(many).await;
    let all = ann.get("/campaigns").send().await;
    assert_eq!(all.header("x-total-count"), Some("103"));
    assert_eq!(all.ok(200).as_array().map(Vec::len), Some(103));
    let page = ann.get("/campaigns?limit=2&offset=102").send().await;
    assert_eq!(page.header("x-total-count"), Some("103"));
    assert_eq!(page.ok(200).as_array().map(Vec::len), Some(1));
    app.stop().await;
}
