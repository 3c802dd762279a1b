//! What the stream of a client that does not ask for every domain leaves out, and how it says so.

use std::sync::atomic::{AtomicBool, Ordering};

use aggregates::{
    campaign::{Campaign, Command, PausePhase, Phase, ResumePhase, Several, StartPhase, StopPhase},
    ids::{CampaignId, RunId, UserId},
};
use domainflow::commands::pin;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{Message, Stream},
    delivery::Draw,
    log::{Written, expected, metadata, names, said},
};
use crate::{
    campaigns::discovered,
    support::server::{Client, TestApp},
};

const NAMES: usize = 1_000;
const ROUNDS: usize = 12;

/// A validation that begins, is paused, resumed and stopped before anybody works on it.
async fn short_run(app: &TestApp, user: UserId, id: CampaignId) {
    let (stream, phase) = (id.to_string(), Phase::Validation);
    let (campaign, _) = app
        .app
        .database
        .log()
        .load::<Campaign>(&stream)
        .await
        .unwrap();
    let pinned = pin::pin(&app.app.database, &campaign, phase, &app.app.defaults);
    let start = StartPhase {
        run_id: RunId(Uuid::now_v7()),
        pinned: pinned.await.unwrap(),
        auto: false,
    };
    let expected = None;
    let commands = vec![
        Command::StartPhase(start),
        Command::PausePhase(PausePhase { phase, expected }),
        Command::ResumePhase(ResumePhase { phase, expected }),
        Command::StopPhase(StopPhase { phase }),
    ];
    let several = Command::Several(Several { commands });
    app.app
        .execute::<Campaign>(&stream, several, &metadata(user), None)
        .await
        .expect("a run that ends at once");
}

/// Finds something about every domain, again and again, faster than it is listed, with runs that begin and end between.
async fn write(app: &TestApp, user: &Client, campaign: &mut Written) {
    let path = format!("/campaigns/{}", campaign.id);
    let start = user.post(&format!("{path}/phases/discovery/start"));
    start.send().await.ok(200);
    discovered(user, &path).await;
    let configure = user.post(&format!("{path}/phases/validation/configure"));
    let defaults = json!({"configuration": {}});
    configure.json(&defaults).send().await.ok(200);
    for round in 0..ROUNDS {
        campaign.check_all(&app.app, NAMES).await;
        if round % 3 == 2 {
            short_run(app, user.user_id.unwrap(), campaign.id).await;
        }
    }
}

/// Reads the default stream, cut off anywhere and opened again, until it has nothing more and all was written.
async fn read(
    user: &Client,
    path: &str,
    start: u64,
    written: &AtomicBool,
) -> (Vec<Message>, usize) {
    let (mut messages, mut last) = (Vec::<Message>::new(), start.to_string());
    let (mut draw, mut cuts) = (Draw(5), 0);
    loop {
        let all_is_written = written.load(Ordering::Acquire);
        let stream = Stream::open(user, path, Some(&last)).await;
        let received = stream.cut_after(2_000 + draw.below(60_000)).await;
        cuts += 1;
        if received.is_empty() && all_is_written {
            return (messages, cuts);
        }
        let id = received.last().and_then(|message| message.id.clone());
        last = id.unwrap_or(last);
        messages.extend(received);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_stream_tells_every_change_of_life_once_and_counts_what_it_does_not_list_wherever_it_is_cut_off()
 {
    let app = TestApp::start().await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    let mut campaign = Written::new(&app.app, user_id, names("a", NAMES)).await;
    let id = campaign.id;
    let start = app.app.database.feed().head().await.unwrap().get();
    let written = AtomicBool::new(false);
    let path = format!("/sse/campaigns/{id}/events");
    let writing = async {
        write(&app, &user, &mut campaign).await;
        written.store(true, Ordering::Release);
    };
    let ((messages, cuts), ()) = tokio::join!(read(&user, &path, start, &written), writing);

    let expected = expected(&app.app, user_id, Some(id), start).await;
    let is_finding = |label: &String| label.contains("DnsChecked");
    let (findings, life): (Vec<String>, Vec<String>) = expected
        .into_iter()
        .map(|(_, label)| label)
        .partition(is_finding);
    let (listed, told): (Vec<String>, Vec<String>) =
        said(&messages).into_iter().partition(is_finding);
    assert_eq!(told, life, "each change of life once and in order");
    // The start and the end of discovery, and four changes of each run of validation.
    assert_eq!(life.len(), 2 + 4 * (ROUNDS / 3));
    assert!(cuts > 3, "{cuts} cuts");
    let left_out = |message: &Message| message.payload().get("leftOut").and_then(Value::as_u64);
    let left_out: u64 = messages.iter().filter_map(left_out).sum();
    assert!(left_out > 0, "the stream was never late");
    assert_eq!(
        listed.len() as u64 + left_out,
        findings.len() as u64,
        "{} are listed",
        listed.len()
    );
    let ids: Vec<u64> = messages.iter().map(Message::position).collect();
    assert!(ids.is_sorted(), "ids never fall");
    app.stop().await;
}
