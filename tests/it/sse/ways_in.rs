//! Who may listen, from where, and for how long.

use std::time::Duration;

use super::{
    client::Stream,
    log::{Written, keyword_set, names},
};
use crate::support::{
    eventually,
    server::{Request, TestApp},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_somebody_elses_campaign_is_not_found_and_one_without_a_user_is_refused() {
    let app = TestApp::start().await;
    let (user, stranger) = (app.user("user").await, app.user("stranger").await);
    let campaign = Written::new(&app.app, user.user_id.unwrap(), names("a", 1)).await;
    let path = format!("/sse/campaigns/{}/events", campaign.id);
    // A stream that is opened all the same has no end.
    let answered = async |request: Request| {
        let answer = tokio::time::timeout(Duration::from_secs(5), request.send());
        answer.await.expect("an answer and no stream").status
    };
    assert_eq!(answered(stranger.get(&path)).await, 404);
    for path in [path.as_str(), "/sse/events", "/sse/events/stats"] {
        assert_eq!(answered(app.anonymous().get(path)).await, 401);
    }
    user.get("/sse/campaigns/none/events")
        .send()
        .await
        .blames(400, "campaignId");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_no_stream_gave_out_is_refused_by_name() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    user.get("/sse/events?after=yesterday")
        .send()
        .await
        .blames(400, "after");
    user.get("/sse/events?after=99999999")
        .send()
        .await
        .blames(400, "after");
    user.get("/sse/events")
        .header("Last-Event-ID", "-1")
        .send()
        .await
        .blames(400, "Last-Event-ID");
    user.get("/sse/events?domains=some")
        .send()
        .await
        .blames(400, "domains");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_a_session_ends_its_streams_and_no_others() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let session = app
        .log_in("user", crate::support::server::PASSWORD)
        .await
        .ok(200);
    let elsewhere = crate::support::server::Client {
        token: session["token"].as_str().map(str::to_owned),
        ..user.clone()
    };
    let mut ending = Stream::open(&user, "/sse/events", None).await;
    let mut lasting = Stream::open(&elsewhere, "/sse/events", None).await;
    user.post("/auth/logout").send().await.ok(204);
    let ended = tokio::time::timeout(Duration::from_secs(4), ending.next());
    assert_eq!(ended.await.expect("well before the next keep-alive"), None);
    keyword_set(&app.app, user.user_id.unwrap()).await;
    assert_eq!(
        lasting
            .next()
            .await
            .expect("the other session's stream goes on")
            .kind,
        "keyword_set_created"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statistics_count_open_streams_and_messages() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let stats = || async { user.get("/sse/events/stats").send().await.ok(200) };
    assert_eq!(stats().await["activeConnections"], 0);
    let mut stream = Stream::open(&user, "/sse/events", None).await;
    stream.any().await.expect("a first message");
    let open = stats().await;
    assert_eq!(open["activeConnections"], 1);
    assert!(
        open["totalEventsSent"].as_u64().unwrap() >= 1 && open["uptime"].is_string(),
        "{open}"
    );
    drop(stream);
    eventually("the stream is counted out", || async {
        (stats().await["activeConnections"] == 0).then_some(())
    })
    .await;
    app.stop().await;
}
