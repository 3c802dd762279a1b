//! Looking at a pattern before a campaign takes its names.

use serde_json::{Value, json};

use super::{create, discovered, position, with};
use crate::support::server::{Client, TestApp};

async fn offset(client: &Client) -> Value {
    let body = json!({"patternType": "prefix", "prefixVariableLength": 2, "characterSet": "abc", "constantString": "shop", "tld": "test"});
    client
        .post("/campaigns/domain-generation/pattern-offset")
        .json(&body)
        .send()
        .await
        .ok(200)["currentOffset"]
        .clone()
}

#[tokio::test]
async fn a_preview_shows_the_next_names_and_takes_nothing() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let pattern = json!({"patternType": "prefix_variable", "constantString": "shop", "prefixVariableLength": 2,
        "characterSet": "abc", "tld": "test"});
    let before = position(&app).await;
    let preview = async |client: &Client| {
        let request = client.post("/discovery/preview").json(&pattern);
        request.send().await.ok(200)
    };
    let shown = preview(&ann).await;
    assert_eq!(shown["success"], true);
    assert_eq!(
        (
            &shown["data"]["totalCombinations"],
            &shown["data"]["nextOffset"]
        ),
        (&json!(9), &json!(0))
    );
    assert_eq!(shown["data"]["sampleDomains"][1], "abshop.test");
    assert_eq!(offset(&ann).await, 0);
    assert_eq!(position(&app).await, before, "a preview takes nothing");

    let configuration = json!({"maxDomains": 4, "patternConfig": {"constant": "shop", "prefixVariableLength": 2, "charset": "abc", "tlds": ["test"]}});
    let path = create(&ann, &with(configuration)).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    let status = discovered(&ann, &path).await;
    assert_eq!(status["progress"]["totalItems"], 4);
    let shown = preview(&ann).await["data"].clone();
    assert_eq!(
        (&shown["nextOffset"], &shown["sampleDomains"][0]),
        (&json!(4), &json!("bbshop.test"))
    );
    assert_eq!(
        shown["priorCampaigns"][0]["offsetRange"],
        json!({"start": 0, "end": 4})
    );
    assert_eq!(offset(&ann).await, 4);
    // Somebody else sees how far the pattern is used up, and not by whom.
    let bob = app.user("bob").await;
    let of_bob = preview(&bob).await["data"].clone();
    assert_eq!(
        (&of_bob["nextOffset"], &of_bob["priorCampaigns"]),
        (&json!(4), &json!([]))
    );

    for (change, field) in [
        (json!({"prefixVariableLength": 11}), "prefixVariableLength"),
        (json!({"tld": "a b"}), "tld"),
        (json!({"characterSet": ""}), "characterSet"),
        (json!({"patternType": "x"}), "patternType"),
        (json!({"more": 1}), "more"),
    ] {
        let mut body = pattern.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        ann.post("/discovery/preview")
            .json(&body)
            .send()
            .await
            .blames(400, field);
    }
    app.stop().await;
}
