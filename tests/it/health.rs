//! Readiness.

use aggregates::{Actor, Metadata, domain::stream_id, ids::CampaignId};
use event_store::{BulkAppend, NewEvent};

use crate::support::{eventually, server::TestApp};

#[tokio::test]
async fn a_server_whose_projection_stands_still_is_not_ready_and_names_it_without_the_event() {
    let app = TestApp::start().await;
    app.anonymous().get("/health/ready").send().await.ok(200);

    let poison = NewEvent {
        event_type: "DnsChecked".to_owned(),
        event_version: "1".to_owned(),
        payload: r#"{"DnsChecked":{"outcome":"maybe"}}"#.to_owned(),
    };
    let stream = stream_id(CampaignId(uuid::Uuid::from_u128(7)), "secret.test");
    let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    append
        .raw_stream("domain", &stream, 0, vec![poison])
        .unwrap();
    append.append(&app.app.database).await.unwrap();

    let refused = eventually("the projection halts", || async {
        let reply = app.anonymous().get("/health/ready").send().await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    assert!(!refused.text.contains("secret.test") && !refused.text.contains("maybe"));
    let body = refused.ok(503);
    assert_eq!(body["success"], false);
    assert_eq!(body["error"]["code"], "NOT_READY");
    assert_eq!(
        body["error"]["message"],
        "these projections stand still: domains"
    );
    // The server answers all the same, from what its read models have.
    for path in ["/health", "/health/live"] {
        app.anonymous().get(path).send().await.ok(200);
    }
    app.stop().await;
}
