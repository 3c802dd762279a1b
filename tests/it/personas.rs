//! Personas through the interface.

use serde_json::{Value, json};

use crate::support::server::TestApp;

fn dns() -> Value {
    json!({"personaType": "dns", "resolvers": ["9.9.9.9", "9.9.9.10:5353"], "queryTimeoutSeconds": 2,
        "maxDomainsPerRequest": 100, "concurrentQueriesPerDomain": 2, "resolverStrategy": "weighted_rotation",
        "resolversWeighted": {"9.9.9.9": 3}})
}

fn request(config: Value) -> Value {
    json!({"name": "resolvers", "personaType": "dns", "description": "two of them", "configDetails": config})
}

#[tokio::test]
async fn a_persona_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let made = ann.post("/personas").json(&request(dns())).send().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    assert!(made.header("x-event-cursor").is_some());
    let made = made.ok(201);
    assert_eq!(made["personaType"], "dns");
    assert_eq!(made["isEnabled"], true);
    assert_eq!(made["configDetails"]["personaType"], "dns");
    assert_eq!(made["configDetails"]["resolverStrategy"], "weighted");
    let path = format!("/personas/{}", made["id"].as_str().unwrap());

    let shown = ann.get(&path).send().await;
    assert_eq!(shown.header("etag"), Some("\"1\""));
    assert_eq!(shown.ok(200), made);
    assert_eq!(
        ann.get(&path.replace("/personas/", "/personas/dns/"))
            .send()
            .await
            .ok(200),
        made
    );
    ann.get(&path.replace("/personas/", "/personas/http/"))
        .send()
        .await
        .ok(404);

    let change = json!({"name": "others", "isEnabled": false});
    ann.put(&path)
        .header("if-match", "\"7\"")
        .json(&change)
        .send()
        .await
        .ok(412);
    let changed = ann
        .put(&path)
        .header("if-match", "\"1\"")
        .json(&change)
        .send()
        .await;
    assert_eq!(changed.header("etag"), Some("\"3\""));
    let changed = changed.ok(200);
    assert_eq!(
        (&changed["name"], &changed["isEnabled"]),
        (&json!("others"), &json!(false))
    );
    assert_eq!(changed["configDetails"], made["configDetails"]);
    let shown = ann.get(&path).send().await;
    assert_eq!(shown.header("etag"), Some("\"3\""));
    assert_eq!(shown.ok(200), changed);
    // The same again changes nothing, and says so.
    assert_eq!(
        ann.put(&path).json(&change).send().await.header("etag"),
        Some("\"3\"")
    );
    // Whoever saw version 1 would overwrite.
    ann.put(&path)
        .header("if-match", "\"1\"")
        .json(&change)
        .send()
        .await
        .ok(412);
    ann.delete(&path)
        .header("if-match", "\"1\"")
        .send()
        .await
        .ok(412);

    ann.delete(&path)
        .header("if-match", "\"3\"")
        .send()
        .await
        .ok(204);
    ann.get(&path).send().await.ok(404);
    ann.put(&path).json(&change).send().await.ok(404);
    ann.delete(&path).send().await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn a_list_shows_what_its_filters_let_through_and_counts_all_of_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for at in 0..3 {
        let body = json!({"name": format!("dns {at}"), "personaType": "dns", "configDetails": dns(), "isEnabled": at != 1});
        ann.post("/personas").json(&body).send().await.ok(201);
    }
    let http = json!({"name": "http", "personaType": "http", "configDetails": {"userAgent": "x"}});
    ann.post("/personas").json(&http).send().await.ok(201);

    let names = |query: &'static str| {
        let ann = ann.clone();
        async move {
            let reply = ann.get(&format!("/personas{query}")).send().await;
            let total = reply.header("x-total-count").unwrap().to_owned();
            let names: Vec<String> = reply
                .ok(200)
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["name"].as_str().unwrap().to_owned())
                .collect();
            (total, names.join(", "))
        }
    };
    assert_eq!(
        names("").await,
        ("4".to_owned(), "dns 0, dns 1, dns 2, http".to_owned())
    );
    assert_eq!(
        names("?limit=2&offset=1").await,
        ("4".to_owned(), "dns 1, dns 2".to_owned())
    );
    assert_eq!(
        names("?personaType=http").await,
        ("1".to_owned(), "http".to_owned())
    );
    assert_eq!(
        names("?personaType=dns&isEnabled=false").await,
        ("1".to_owned(), "dns 1".to_owned())
    );
    app.stop().await;
}

#[tokio::test]
async fn what_an_engine_cannot_honour_is_refused_by_its_field_and_not_stored() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let with = |field: &str, value: Value| {
        let mut config = dns();
        config[field] = value;
        request(config)
    };
    let header = |name: &str| json!({"name": "x", "personaType": "http", "configDetails": {"userAgent": "x", "headers": {name: "y"}}});
    let cases = [
        (
            with("resolvers", json!(["not an address"])),
            422,
            "configDetails.resolvers[0]",
        ),
        // The inside of whatever the process runs in, of which the operator said nothing.
        (
            with("resolvers", json!(["9.9.9.9", "127.0.0.1:9999"])),
            422,
            "configDetails.resolvers[1]",
        ),
        (
            with("resolvers", json!(["169.254.169.254"])),
            422,
            "configDetails.resolvers[0]",
        ),
        (
            with("resolvers", json!([5])),
            400,
            "configDetails.resolvers[0]",
        ),
        (
            with("queryTimeoutSeconds", json!("2")),
            400,
            "configDetails.queryTimeoutSeconds",
        ),
        (
            with("queryTimeoutSeconds", json!(-1)),
            400,
            "configDetails.queryTimeoutSeconds",
        ),
        (
            with("queryTimeoutSeconds", json!(10_000)),
            422,
            "configDetails.queryTimeoutSeconds",
        ),
        (with("resolverz", json!([])), 400, "configDetails.resolverz"),
        (
            with("personaType", json!("http")),
            400,
            "configDetails.personaType",
        ),
        (
            json!({"name": "x", "personaType": "dns"}),
            400,
            "configDetails",
        ),
        (
            json!({"name": "x", "personaType": "ftp", "configDetails": {}}),
            400,
            "personaType",
        ),
        (
            json!({"name": "x", "personaType": "dns", "configDetails": {}, "colour": 1}),
            400,
            "colour",
        ),
        (
            json!({"name": "", "personaType": "dns", "configDetails": dns()}),
            422,
            "name",
        ),
        (
            json!({"name": "x".repeat(256), "personaType": "dns", "configDetails": dns()}),
            422,
            "name",
        ),
        (
            json!({"name": "x", "personaType": "http", "configDetails": {"userAgent": "x", "headerOrder": ["Host", "DNT"]}}),
            422,
            "configDetails.headerOrder[1]",
        ),
        (
            header("Keep-Alive"),
            422,
            "configDetails.headers.Keep-Alive",
        ),
        (header("X-Api-Key"), 422, "configDetails.headers.X-Api-Key"),
        (
            with("resolvers", json!(["9.9.9.9", "[192.0.2.1]"])),
            422,
            "configDetails.resolvers[1]",
        ),
        (
            json!({"name": "x", "personaType": "dns", "configDetails": dns(), "description": "x".repeat(10_001)}),
            422,
            "description",
        ),
    ];
    for (body, status, field) in cases {
        ann.post("/personas")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    assert_eq!(ann.get("/personas").send().await.ok(200), json!([]));
    let made = ann
        .post("/personas")
        .json(&request(dns()))
        .send()
        .await
        .ok(201);
    let path = format!("/personas/{}", made["id"].as_str().unwrap());
    ann.put(&path)
        .json(&json!({"configDetails": {"personaType": "http", "userAgent": "x"}}))
        .send()
        .await
        .blames(400, "configDetails.personaType");
    ann.put(&path)
        .json(&json!({"configDetails": with("resolvers", json!(["10.1.2.3"]))["configDetails"]}))
        .send()
        .await
        .blames(422, "configDetails.resolvers[0]");
    ann.put(&path)
        .header("if-match", "one")
        .json(&json!({}))
        .send()
        .await
        .blames(400, "If-Match");
    app.stop().await;
}

#[tokio::test]
async fn somebody_elses_persona_is_not_there() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let made = ann
        .post("/personas")
        .json(&request(dns()))
        .send()
        .await
        .ok(201);
    let path = format!("/personas/{}", made["id"].as_str().unwrap());
    bob.get(&path).send().await.ok(404);
    bob.put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await
        .ok(404);
    bob.delete(&path).send().await.ok(404);
    assert_eq!(bob.get("/personas").send().await.ok(200), json!([]));
    assert_eq!(ann.get(&path).send().await.ok(200), made);
    app.stop().await;
}
