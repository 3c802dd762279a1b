//! Every event exactly once and in order, whatever happens to the connection.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aggregates::ids::UserId;
use tokio::time::Instant;

use super::{
    client::{Message, Stream},
    log::{Written, assert_ids, expected, keyword_set, names, said},
};
use crate::support::server::TestApp;

/// Numbers that look drawn and are the same every time.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Two campaigns of a user and one of somebody else, written to in turns.
async fn write(app: &TestApp, user: UserId, stranger: UserId) {
    let mut draw = Draw(7);
    let mut campaigns = vec![
        Written::new(&app.app, user, names("a", 700)).await,
        Written::new(&app.app, user, names("b", 300)).await,
        Written::new(&app.app, stranger, names("c", 300)).await,
    ];
    for _ in 0..8 {
        for campaign in &mut campaigns {
            campaign.check_all(&app.app, 1 + draw.below(290)).await;
            campaign.change_mode(&app.app).await;
        }
        keyword_set(&app.app, user).await;
        keyword_set(&app.app, stranger).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_anywhere_and_comes_back_to_any_node_has_every_event_once_in_order()
 {
    let app = TestApp::start().await;
    let other = app.another_node().await;
    let (user, stranger) = (app.user("user").await, app.user("stranger").await);
    let (user_id, stranger_id) = (user.user_id.unwrap(), stranger.user_id.unwrap());
    let start = app.app.database.feed().head().await.unwrap().get();

    let mut draw = Draw(11);
    let written = AtomicBool::new(false);
    let reading = async {
        let (mut messages, mut last): (Vec<Message>, String) = (Vec::new(), start.to_string());
        let (mut silent, mut cuts) = (false, 0);
        while !(silent && written.load(Ordering::Acquire)) {
            let client = if draw.below(2) == 0 {
                user.clone()
            } else {
                user.at(&other)
            };
            let stream = Stream::open(&client, "/sse/events?domains=all", Some(&last)).await;
            let received = stream.cut_after(500 + draw.below(30_000)).await;
            cuts += 1;
            silent = received.is_empty();
            last = received
                .last()
                .and_then(|message| message.id.clone())
                .unwrap_or(last);
            messages.extend(received);
        }
        (messages, cuts)
    };
    let writing = async {
        write(&app, user_id, stranger_id).await;
        written.store(true, Ordering::Release);
    };
    let ((messages, cuts), ()) = tokio::join!(reading, writing);

    let expected = expected(&app.app, user_id, None, start).await;
    assert!(
        expected.len() > 8_000 && cuts > 5,
        "{} events, {cuts} cuts",
        expected.len()
    );
    let wanted: Vec<&str> = expected.iter().map(|(_, label)| label.as_str()).collect();
    let said = said(&messages);
    if let Some(at) = said
        .iter()
        .zip(&wanted)
        .position(|(said, wanted)| said != wanted)
    {
        panic!("differs at {at}: {:?} and not {:?}", &said[at], &wanted[at]);
    }
    assert_eq!(said.len(), wanted.len());
    assert_ids(&messages, &expected);
    other.stop().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_begins_now_and_one_of_a_campaign_has_that_campaign_only() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    let mut one = Written::new(&app.app, user_id, names("a", 10)).await;
    let mut other = Written::new(&app.app, user_id, names("b", 10)).await;
    one.change_mode(&app.app).await;

    let mut stream = Stream::open(&user, &format!("/sse/campaigns/{}/events", one.id), None).await;
    let first = stream.any().await.expect("a first message");
    assert_eq!((first.kind.as_str(), first.id), ("keep_alive", None));
    other.check_all(&app.app, 10).await;
    other.change_mode(&app.app).await;
    one.check_all(&app.app, 10).await;
    one.change_mode(&app.app).await;
    let messages = stream.until(|message| message.kind == "mode_changed").await;
    let expected = expected(&app.app, user_id, Some(one.id), stream.cursor).await;
    assert_eq!(expected.len(), 11);
    assert_ids(&messages, &expected);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coalesced_messages_come_four_a_second_with_at_most_two_hundred_domains_and_survive_cuts() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    let mut campaign = Written::new(&app.app, user_id, names("a", 1_000)).await;
    let path = format!("/sse/campaigns/{}/events", campaign.id);
    let mut stream = Stream::open(&user, &path, None).await;
    let start = stream.cursor;

    let begun = Instant::now();
    campaign.check_all(&app.app, 70).await;
    campaign.change_mode(&app.app).await;
    let messages = stream.until(|message| message.kind == "mode_changed").await;
    let deltas = messages
        .iter()
        .filter(|message| message.kind == "domain_status_delta")
        .count();
    let seconds = begun.elapsed().as_secs_f64();
    assert!(
        deltas >= 5,
        "1,000 domains are five messages or more: {deltas}"
    );
    assert!(
        deltas as f64 <= 4.0 * seconds + 1.0,
        "{deltas} in {seconds} s"
    );
    assert_ids(
        &messages,
        &expected(&app.app, user_id, Some(campaign.id), start).await,
    );

    // The same part again, cut off after each message.
    let (mut pieced, mut last) = (Vec::new(), start.to_string());
    while pieced
        .last()
        .is_none_or(|message: &Message| message.kind != "mode_changed")
    {
        let mut stream = Stream::open(&user, &format!("{path}?after={start}"), Some(&last)).await;
        let message = stream.next().await.expect("a message");
        last = message.id.clone().expect("an id");
        pieced.push(message);
        assert!(pieced.len() <= 2 * messages.len(), "it comes again");
    }
    assert_eq!(said(&pieced), said(&messages));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_while_the_server_restarted_misses_nothing() {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    let mut campaign = Written::new(&app.app, user_id, names("a", 500)).await;
    let mut stream = Stream::open(&user, "/sse/events?domains=all", None).await;
    let start = stream.cursor;
    campaign.check_all(&app.app, 100).await;
    campaign.change_mode(&app.app).await;
    let mut messages = stream.until(|message| message.kind == "mode_changed").await;
    let last = messages.last().unwrap().id.clone();

    let app = app.restart().await;
    campaign.check_all(&app.app, 100).await;
    campaign.change_mode(&app.app).await;
    let user = user.at(&app.server);
    let mut stream = Stream::open(&user, "/sse/events?domains=all", last.as_deref()).await;
    messages.extend(stream.until(|message| message.kind == "mode_changed").await);
    assert_ids(&messages, &expected(&app.app, user_id, None, start).await);
    drop(stream);
    tokio::time::timeout(Duration::from_secs(10), app.stop())
        .await
        .expect("open streams do not keep a server up");
}
