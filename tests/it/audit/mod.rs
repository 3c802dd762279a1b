//! What is asked of the log as a whole; that evidence holds is in `command_line/proofs.rs`, where checkpoints are signed.

mod life;
mod then;
mod trail;

use aggregates::user::Role;

use crate::support::server::TestApp;

#[tokio::test]
async fn evidence_is_given_to_administrators_and_auditors_of_events_that_are_there_and_signed() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let refused = ann.get("/audit/1/proof").send().await.ok(403);
    assert_eq!(refused["error"]["code"], "FORBIDDEN");
    let root = app.user_with_role("root", Role::Admin).await;
    let head = app.app.database.feed().head().await.unwrap().get();
    for nothing in [0, head + 1, u64::MAX] {
        let reply = root.get(&format!("/audit/{nothing}/proof")).send().await;
        reply.blames(404, "position");
    }
    for unread in ["-1", "one", "18446744073709551616"] {
        let reply = root.get(&format!("/audit/{unread}/proof")).send().await;
        reply.blames(400, "position");
    }
    // This process signs nothing.
    let unsigned = root.get("/audit/1/proof").send().await.ok(409);
    assert_eq!(unsigned["error"]["code"], "NOT_SIGNED_YET");
    app.stop().await;
}
