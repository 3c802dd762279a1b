//! Adding, finding and removing entries.

use std::sync::Arc;

use projections::runtime::Rebuild;
use serde_json::{Value, json};

use super::{add, admin, entry};
use crate::support::{
    eventually,
    server::{Client, TestApp},
};

async fn check(client: &Client, target: &str) -> Value {
    let path = format!("/suppression/check?target={target}");
    client.get(&path).send().await.ok(200)
}

#[tokio::test]
async fn an_entry_is_added_once_found_and_removed_and_its_history_stays() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let body = json!({"kind": "domain", "value": " Bücher.Example. ", "reason": " asked ", "note": "by mail"});
    let made = admin.post("/suppression").json(&body).send().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.ok(201);
    assert_eq!(made["value"], "xn--bcher-kva.example");
    assert_eq!(
        (&made["reason"], &made["note"]),
        (&json!("asked"), &json!("by mail"))
    );
    assert_eq!(made["addedBy"], json!(admin.user_id.unwrap()));
    let path = format!("/suppression/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).send().await.ok(200), made);

    let same = entry("domain", "xn--bcher-kva.example");
    let refused = admin.post("/suppression").json(&same).send().await.ok(409);
    assert_eq!(refused["error"]["code"], "ALREADY_EXISTS");
    let found = check(&admin, "www.xn--bcher-kva.example").await;
    assert_eq!(
        (&found["suppressed"], &found["entryId"]),
        (&json!(true), &made["id"])
    );
    assert_eq!(found["entry"], made);
    let free = check(&admin, "other.example").await;
    assert_eq!(
        free,
        json!({"target": "other.example", "suppressed": false})
    );

    admin
        .delete(&path)
        .header("if-match", "\"7\"")
        .send()
        .await
        .ok(412);
    admin
        .delete(&path)
        .header("if-match", "\"1\"")
        .send()
        .await
        .ok(204);
    admin.delete(&path).send().await.blames(404, "id");
    admin.get(&path).send().await.blames(404, "id");
    assert_eq!(
        check(&admin, "xn--bcher-kva.example").await["suppressed"],
        false
    );
    let again = admin.post("/suppression").json(&same).send().await.ok(201);
    assert_eq!(again["id"], made["id"]);

    let id = made["id"].as_str().unwrap();
    let trail = format!("/audit?resourceType=suppression_entry&resourceId={id}&dir=asc");
    let (added, removed) = ("AddedToSuppressionList", "RemovedFromSuppressionList");
    eventually("the audit trail tells of all three", || async {
        let trail = admin.get(&trail).send().await.ok(200);
        let entries = trail["items"].as_array().unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
        (actions == [added, removed, added]).then_some(())
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn everybody_reads_the_list_and_administrators_alone_change_it() {
    let app = TestApp::start().await;
    let (admin, ann) = (admin(&app).await, app.user("ann").await);
    let id = add(&admin, "suffix", "gov").await;
    let path = format!("/suppression/{id}");
    ann.get("/suppression").send().await.ok(200);
    ann.get(&path).send().await.ok(200);
    assert_eq!(check(&ann, "www.agency.gov").await["suppressed"], true);
    let forbidden = ann.post("/suppression").json(&entry("domain", "a.example"));
    let forbidden = forbidden.send().await.ok(403);
    assert_eq!(forbidden["error"]["code"], "FORBIDDEN");
    let upload = ann
        .post("/suppression/upload?reason=x")
        .body("text/plain", "a.example");
    upload.send().await.ok(403);
    ann.delete(&path).send().await.ok(403);
    let list = admin.get("/suppression").send().await.ok(200);
    assert_eq!(list["total"], 1);
    app.stop().await;
}

#[tokio::test]
async fn what_names_nobody_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    for (body, status, field) in [
        (entry("domain", "co.uk"), 422, "value"),
        (entry("cidr", "192.0.2.1/24"), 422, "value"),
        (entry("nameserver", "192.0.2.1"), 422, "value"),
        (
            json!({"kind": "domain", "value": "a.example", "reason": " "}),
            422,
            "reason",
        ),
        (entry("host", "a.example"), 400, "kind"),
        (
            json!({"kind": "domain", "value": "a.example"}),
            400,
            "reason",
        ),
    ] {
        let refused = admin.post("/suppression").json(&body).send().await;
        refused.blames(status, field);
    }
    for (query, field) in [
        ("first=0", "first"),
        ("after=somewhere", "after"),
        ("kind=host", "kind"),
    ] {
        let refused = admin.get(&format!("/suppression?{query}")).send().await;
        refused.blames(400, field);
    }
    let nobody = admin.get("/suppression/check?target=a%20b").send().await;
    nobody.blames(400, "target");
    app.stop().await;
}

#[tokio::test]
async fn the_list_is_read_page_by_page_and_by_its_filters() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    for (kind, value) in [
        ("domain", "b.example"),
        ("suffix", "b.example"),
        ("cidr", "2001:db8::/32"),
        ("domain", "a.example"),
        ("nameserver", "ns.example"),
    ] {
        add(&admin, kind, value).await;
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = admin
            .get(&format!("/suppression?first=2{after}"))
            .send()
            .await;
        assert_eq!(page.header("x-total-count"), Some("5"));
        let page = page.ok(200);
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|item| format!("{} {}", item["value"], item["kind"])),
        );
        if page["hasNextPage"] == false {
            break;
        }
        after = format!("&after={}", page["endCursor"].as_str().unwrap());
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted(), "{seen:?}");
    for (filter, total) in [
        ("kind=domain", 2),
        ("q=B.EXAMPLE", 2),
        ("kind=cidr&q=asked", 1),
    ] {
        let page = admin
            .get(&format!("/suppression?{filter}"))
            .send()
            .await
            .ok(200);
        assert_eq!(page["total"], total, "{filter}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_text_adds_what_its_lines_name_and_tells_the_others() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    add(&admin, "domain", "known.example").await;
    let text = "# asked in May\nOne.example  # first\n\n192.0.2.0/24\n*.gov\nnameserver ns1.parking.example\n\
                one.example\nknown.example\nco.uk\nsite x.example\n192.0.2.1/24\n";
    let upload = admin
        .post("/suppression/upload?reason=asked&note=in%20May")
        .body("text/plain; charset=utf-8", text);
    let done = upload.send().await.ok(200);
    let counts = ["lines", "added", "duplicates", "rejected"].map(|of| done[of].as_i64().unwrap());
    assert_eq!(counts, [11, 4, 2, 3], "{done}");
    let rejected = done["rejectedLines"].as_array().unwrap();
    let lines: Vec<_> = rejected
        .iter()
        .map(|line| line["line"].as_i64().unwrap())
        .collect();
    assert_eq!(lines, [9, 10, 11]);
    for target in ["one.example", "192.0.2.9", "a.gov"] {
        assert_eq!(check(&admin, target).await["suppressed"], true, "{target}");
    }
    let server = admin
        .get("/suppression?kind=nameserver")
        .send()
        .await
        .ok(200);
    assert_eq!(server["items"][0]["note"], "in May");

    let post = |query: &str| admin.post(&format!("/suppression/upload{query}"));
    post("?reason=x")
        .json(&json!({}))
        .send()
        .await
        .blames(415, "Content-Type");
    post("")
        .body("text/plain", "a.example")
        .send()
        .await
        .blames(400, "reason");
    post("?reason=%20")
        .body("text/plain", "a.example")
        .send()
        .await
        .blames(422, "reason");
    let many: String = (0..2_001).map(|n| format!("n{n}.example\n")).collect();
    post("?reason=x")
        .body("text/plain", many)
        .send()
        .await
        .blames(422, "body");
    app.stop().await;
}

#[tokio::test]
async fn the_list_is_the_same_on_another_node_after_a_restart_and_rebuilt() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let other = app.another_node().await;
    let id = add(&admin, "domain", "a.example").await;
    add(&admin, "cidr", "192.0.2.0/24").await;
    eventually("the other node knows", || async {
        let found = check(&admin.at(&other), "www.a.example").await;
        (found["suppressed"] == true).then_some(())
    })
    .await;
    admin
        .delete(&format!("/suppression/{id}"))
        .send()
        .await
        .ok(204);
    eventually("the other node knows", || async {
        let found = check(&admin.at(&other), "www.a.example").await;
        (found["suppressed"] == false).then_some(())
    })
    .await;
    other.stop().await;

    let projection = Arc::new(projections::suppression::SuppressionEntries);
    let rebuild = Rebuild::begin(app.app.database.clone(), projection).await;
    let mut rebuild = rebuild.unwrap();
    let comparison = rebuild.compare().await.unwrap();
    assert_eq!((comparison.rows, comparison.differing), (1, 0));
    rebuild.discard().await.unwrap();

    let app = app.restart().await;
    let admin = admin.at(&app);
    eventually("the list was read", || async {
        let reply = admin
            .get("/suppression/check?target=192.0.2.7")
            .send()
            .await;
        (reply.status == 200).then(|| assert_eq!(reply.json()["suppressed"], true))
    })
    .await;
    app.stop().await;
}
