//! A client that does not read.

use tokio::time::Instant;

use super::{
    client::Stream,
    log::{Written, assert_ids, expected},
};
use crate::support::server::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_delays_nobody_and_misses_nothing() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    // Long names, so that far more is sent than sockets hold.
    let names = (0..15_000)
        .map(|n| format!("{}{n}.{}.test", "n".repeat(50), "d".repeat(60)))
        .collect();
    let mut campaign = Written::new(&app.app, user_id, names).await;
    let mut slow = Stream::open(&user, "/sse/events?domains=all", None).await;
    let mut fast = Stream::open(&user, "/sse/events?domains=all", None).await;
    let start = slow.cursor;

    let writing = async {
        for _ in 0..6 {
            campaign.check_all(&app.app, 2_500).await;
        }
        campaign.change_mode(&app.app).await;
        Instant::now()
    };
    let reading = fast.until(|message| message.kind == "mode_changed");
    let (written, read) = tokio::join!(writing, reading);
    let late = written.elapsed();
    assert!(
        late.as_secs() < 5,
        "the fast client had everything {late:?} after it was written"
    );

    let expected = expected(&app.app, user_id, None, start).await;
    assert_eq!(expected.len(), 90_001);
    assert_ids(&read, &expected);
    let read = slow.until(|message| message.kind == "mode_changed").await;
    assert_ids(&read, &expected);
    app.stop().await;
}
