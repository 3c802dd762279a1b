//! Whom the suppression list names, what is tried leaves alone too.

use aggregates::user::Role;
use sandbox::{Host, Record, ResolverScript, World};
use serde_json::{Value, json};

use super::{dns_persona, http_persona, keyword_set, steps, tested};
use crate::support::server::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_tried_is_sent_to_whom_the_list_names() {
    let parked = Host::page(&[]).record(Record::Ns("ns1.parking.test".into()));
    let world = World::scripted()
        .resolver(ResolverScript::healthy())
        .host("free.test", Host::page(&[]))
        .host("named.test", Host::page(&[]))
        .host("parked.test", parked);
    let app = TestApp::in_sandbox(world).await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let resolver = app.sandbox.as_ref().unwrap().resolvers()[0].to_string();
    let (dns, http) = (
        dns_persona(&admin, json!([resolver])).await,
        http_persona(&admin, json!({})).await,
    );
    let set = keyword_set(&admin).await;
    for (kind, value) in [("domain", "named.test"), ("nameserver", "parking.test")] {
        let entry = json!({"kind": kind, "value": value, "reason": "asked"});
        admin.post("/suppression").json(&entry).send().await.ok(201);
    }
    let suppressed = |text: &Value| {
        text.as_str()
            .is_some_and(|text| text.contains("SUPPRESSED"))
    };
    for (target, is_held) in [
        ("named.test", true),
        ("parked.test", true),
        ("free.test", false),
    ] {
        for persona in [&dns, &http] {
            let answer = tested(&admin, persona, &json!({"target": target})).await;
            assert_eq!(
                suppressed(&answer["results"]["detail"]),
                is_held,
                "{answer}"
            );
            assert_eq!(answer["success"], !is_held);
            assert!(
                !is_held || steps(&answer, "connected").is_empty(),
                "{answer}"
            );
        }
        let item = json!({"url": format!("http://{target}/"), "keywordSetId": set});
        let batch = admin
            .post("/extract/keywords")
            .json(&json!({"items": [item]}));
        let result = batch.send().await.ok(200)["results"][0].clone();
        assert_eq!(suppressed(&result["error"]), is_held, "{result}");
    }
    let sandbox = app.sandbox.as_ref().unwrap();
    assert_eq!(sandbox.dns_queries("named.test"), 0);
    for host in ["named.test", "parked.test"] {
        assert_eq!(sandbox.http_requests(host), 0, "{host}");
    }
    assert!(sandbox.http_requests("free.test") > 0);
    app.stop().await;
}
