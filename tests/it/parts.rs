//! The parts of a process: which of them a command starts, and how they end.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Command, Create, Mode, Source},
    ids::{CampaignId, UserId},
    user::Role,
};
use domainflow::{
    app::App,
    auth,
    cli::{Entrance, Node, Parts, Server},
    config::{ListenArgs, ReachArgs, SessionArgs, StoreArgs},
    work::Network,
};
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    pipeline::{database, pattern, phases},
    server::{PASSWORD, email},
};

#[tokio::test]
async fn a_server_ends_at_once_although_a_stream_is_open() {
    let database = database().await;
    let directory = tempfile::tempdir().unwrap();
    let node = Node::open(database.url(), Network::default())
        .await
        .unwrap();
    node.start(Parts {
        read_side: true,
        coordinator: true,
        workers: None,
    });
    let listen = ListenArgs {
        listen: "127.0.0.1:0".parse().unwrap(),
        secret: None,
        secure_cookie: false,
        sessions: SessionArgs::default(),
        reach: ReachArgs::default(),
    };
    let store = StoreArgs {
        database_url: None,
        data_dir: directory.path().to_owned(),
        credentials_keys: Vec::new(),
    };
    let server = Server::start(&node, Entrance::open(&listen, &store).await.unwrap())
        .await
        .unwrap();
    let mail = email("ann");
    auth::register(&node.app, server.auth(), &mail, "ann", PASSWORD, Role::User)
        .await
        .unwrap();
    let base = format!("http://{}/api/v2", server.address());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let session = http
        .post(format!("{base}/auth/login"))
        .header("content-type", "application/json")
        .body(json!({"email": mail, "password": PASSWORD}).to_string())
        .send()
        .await
        .unwrap();
    let session: serde_json::Value = serde_json::from_str(&session.text().await.unwrap()).unwrap();
    let mut stream = http
        .get(format!("{base}/sse/events"))
        .bearer_auth(session["token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);

    let begun = Instant::now();
    server.stop().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // The stream was ended, not cut off.
    let ended = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(DEADLINE, ended).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn making_a_user_leaves_campaigns_to_nodes_that_know_the_network() {
    let database = database().await;
    let app = App::open(database.url(), Network::default()).await.unwrap();
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    app.spawn_read_side(&tracker, &cancel);
    let owner = UserId(Uuid::now_v7());
    let metadata = Metadata::new(Actor::User(owner), "a request".to_owned());
    let campaign_id = CampaignId(Uuid::now_v7());
    let source = Source::Pattern {
        pattern: pattern("shop", 1, "ab"),
        count: None,
    };
    let create = Create {
        mode: Mode::FullSequence,
        phases: phases(source, &[]),
        ..Create::new(owner, "shops")
    };
    app.execute::<Campaign>(
        &campaign_id.to_string(),
        Command::Create(create),
        &metadata,
        None,
    )
    .await
    .unwrap();
    app.start_phase(campaign_id, None, &metadata, None)
        .await
        .unwrap();

    let url = database.url().to_owned();
    let made = tokio::task::spawn_blocking(move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_domainflow"))
            .args(["user", "create", "--database-url", &url])
            .args(["--email", "ann@example.com", "--password", PASSWORD])
            .stdin(Stdio::null())
            .output()
    });
    let made = made.await.unwrap().unwrap();
    assert!(made.status.success(), "{made:?}");
    let planned: i64 = sqlx::query_scalar("SELECT count(*) FROM work_orders")
        .fetch_one(app.database.pool())
        .await
        .unwrap();
    assert_eq!(planned, 0, "a run was planned without the operator's word");
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
    app.database.close().await;
}
