//! The lists of typed campaigns.

use serde_json::{Value, json};

use super::{BASE, create, each, run};
use crate::support::server::{Client, TestApp};

async fn list(client: &Client, query: &str) -> Value {
    let list = client.get(&format!("{BASE}/dns?{query}")).send().await;
    assert!(list.header("x-total-count").is_some());
    list.ok(200)
}

fn names(list: &Value) -> Vec<Value> {
    each(list["items"].as_array().unwrap(), "campaignName")
}

#[tokio::test]
async fn campaigns_of_a_type_are_listed_filtered_sorted_and_paged() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for (name, tags) in [
        ("cedar", vec!["tree"]),
        ("ash", vec!["tree", "grey"]),
        ("beech", vec![]),
    ] {
        let body = json!({"campaignName": name, "tags": tags, "description": format!("the {name} of the North")});
        create(&ann, "dns", &body).await;
    }
    create(&ann, "http", &json!({"campaignName": "other type"})).await;
    create(&bob, "dns", &json!({"campaignName": "not hers"})).await;

    assert_eq!(names(&list(&ann, "").await), ["beech", "ash", "cedar"]);
    assert_eq!(
        names(&list(&ann, "sort=campaignName").await),
        ["ash", "beech", "cedar"]
    );
    assert_eq!(
        names(&list(&ann, "sort=-campaignName").await),
        ["cedar", "beech", "ash"]
    );
    assert_eq!(names(&list(&ann, "tag=tree").await), ["ash", "cedar"]);
    assert_eq!(names(&list(&ann, "q=ASH").await), ["ash"]);
    assert_eq!(list(&ann, "q=north").await["total"], 3);
    assert_eq!(list(&ann, "status=pending").await["total"], 3);
    assert_eq!(list(&ann, "status=completed").await["total"], 0);
    let own = ann.user_id.unwrap();
    assert_eq!(list(&ann, &format!("ownerId={own}")).await["total"], 3);
    let others = bob.user_id.unwrap();
    assert_eq!(list(&ann, &format!("ownerId={others}")).await["total"], 0);
    let all = list(&ann, "sort=createdAt").await;
    let second = all["items"][1]["createdAt"].as_str().unwrap();
    assert_eq!(
        names(&list(&ann, &format!("createdFrom={second}")).await),
        ["beech", "ash"]
    );
    assert_eq!(
        names(&list(&ann, &format!("createdTo={second}")).await),
        ["cedar"]
    );

    for sort in [
        "createdAt",
        "-createdAt",
        "updatedAt",
        "-campaignName",
        "status",
        "-status",
    ] {
        let whole = names(&list(&ann, &format!("sort={sort}")).await);
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = list(&ann, &format!("sort={sort}&limit=1{after}")).await;
            walked.extend(names(&page));
            assert_eq!(page["total"], 3);
            match page["nextAfter"].as_str() {
                Some(cursor) => after = format!("&after={cursor}"),
                None => break,
            }
        }
        assert_eq!(walked, whole, "{sort}");
        let last = list(&ann, &format!("sort={sort}&limit=1&offset=2")).await;
        assert_eq!(names(&last), whole[2..], "{sort}");
    }
    let past = list(&ann, "offset=10").await;
    assert_eq!((&past["items"], &past["total"]), (&json!([]), &json!(3)));
    let cursor = list(&ann, "limit=1").await["nextAfter"].clone();
    let cursor = cursor.as_str().unwrap();
    for (query, field) in [
        (format!("after={cursor}&sort=status"), "after"),
        ("after=rubbish".to_owned(), "after"),
        (format!("after={cursor}&offset=1"), "offset"),
        ("sort=colour".to_owned(), "sort"),
        ("status=busy".to_owned(), "status"),
        ("limit=501".to_owned(), "limit"),
        ("createdFrom=yesterday".to_owned(), "createdFrom"),
        ("ownerId=ann".to_owned(), "ownerId"),
        ("q=".to_owned(), "q"),
    ] {
        let refused = ann.get(&format!("{BASE}/dns?{query}")).send().await;
        refused.blames(400, field);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_list_shows_of_each_campaign_what_the_campaign_shows() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"campaignName": "words", "constantPart": "shop", "tlds": ["test"],
        "generationStrategy": "dictionary", "dictionary": ["tea"]});
    let path = create(&ann, "generation", &body).await;
    let done = run(&ann, &path).await;
    // What is told of its life comes from another read model.
    app.app.runtime.catch_up().await.unwrap();
    let shown = ann.get(&path).send().await.ok(200);
    assert_eq!(done["status"], shown["status"]);
    let list = ann.get(&format!("{BASE}/generation")).send().await.ok(200);
    assert_eq!(list["items"], json!([shown]));
    let log = shown["auditLog"].as_array().unwrap();
    assert_eq!(log.last().unwrap()["action"], "Created");
    assert_eq!(
        log.last().unwrap()["userId"],
        json!(ann.user_id.unwrap().to_string())
    );
    assert_eq!(log[0]["action"], "Completed");
    app.stop().await;
}
