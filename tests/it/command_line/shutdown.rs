//! The end of a server: in time, and with nothing left half done.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{directory, served::Served, signal};
use crate::{
    campaigns::{create, upload::form},
    support::{eventually, pipeline::database, server::Client},
    typed::slow_check,
};

/// What a server may take to end, with a margin for a machine that is busy.
const IN_TIME: Duration = Duration::from_secs(10 + 5);

/// The first user of a server that has just begun, by the token that it tells.
async fn first_user(served: &mut Served) -> Client {
    let line = served.lines.next().expect("a second line").expect("text");
    let token = line.rsplit(' ').next().expect("a token").to_owned();
    let mut client = Client {
        http: reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client"),
        base: format!("http://{}/api/v2", served.address),
        token: None,
        user_id: None,
    };
    let root = json!({"token": token, "email": "root@example.com", "username": "root", "password": "a long password"});
    client.post("/auth/setup").json(&root).send().await.ok(201);
    let log_in = json!({"email": "root@example.com", "password": "a long password"});
    let session = client
        .post("/auth/login")
        .json(&log_in)
        .send()
        .await
        .ok(200);
    client.token = session["token"].as_str().map(str::to_owned);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_ends_streams_finishes_requests_and_gives_leases_back_in_time()
{
    let (database, directory) = (database().await, directory());
    let secret = "a secret of at least thirty-two bytes";
    let arguments = [
        "--database-url",
        database.url(),
        "--secret",
        secret,
        "--allow-private",
    ];
    let mut served = Served::start_with(directory.path(), &arguments);
    let root = first_user(&mut served).await;
    let pool = sqlx::PgPool::connect(database.url()).await.unwrap();
    let leased = async || -> i64 {
        let leased = "SELECT count(*) FROM work_orders WHERE state = 'leased'";
        sqlx::query_scalar(leased).fetch_one(&pool).await.unwrap()
    };

    let slow = slow_check(&root).await;
    root.post(&format!("{slow}/start")).send().await.ok(200);
    eventually("the work is under way", || async {
        (leased().await > 0).then_some(())
    })
    .await;
    let mut stream = root.get("/sse/events").0.send().await.expect("a stream");
    stream
        .chunk()
        .await
        .expect("the stream goes on")
        .expect("a first message");
    let lists = create(&root, &json!({"name": "lists"})).await;
    let (kind, body) = form("names.txt", "one.test\ntwo.test\n");
    let head = format!(
        "POST /api/v2{lists}/upload HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\n\r\n",
        served.address,
        root.token.as_deref().unwrap(),
        body.len()
    );
    let (first, rest) = body.split_at(body.len() / 2);
    let mut upload = TcpStream::connect(&served.address).await.unwrap();
    upload.write_all(head.as_bytes()).await.unwrap();
    upload.write_all(first).await.unwrap();
    // A request of another connection that is answered came after it.
    root.get("/ping").send().await.ok(200);

    let begun = Instant::now();
    signal(&served.child, Signal::TERM);
    while let Some(_piece) = stream
        .chunk()
        .await
        .expect("the stream ends, and is not cut off")
    {}
    upload.write_all(rest).await.unwrap();
    let mut answer = Vec::new();
    upload.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut child = served.child;
    let status = tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap();
    assert!(status.unwrap().success());
    assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
    assert_eq!(leased().await, 0);
    let names = "SELECT count(*) FROM events WHERE event_type = 'DomainsImported' AND payload::text LIKE '%two.test%'";
    let names: i64 = sqlx::query_scalar(names).fetch_one(&pool).await.unwrap();
    assert_eq!(names, 1, "what was uploaded is there");
    pool.close().await;
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own_where_the_operator_says_so_and_nothing_else_has() {
    let directory = directory();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let mut served = Served::start_with(directory.path(), &["--metrics-listen", &address]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |url: String| {
        let answer = client.get(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = ask(format!("http://{address}/metrics")).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("# TYPE domainflow_database_up gauge"),
        "{text}"
    );
    assert_eq!(
        ask(format!("http://{address}/api/v2/campaigns")).await.0,
        404
    );
    assert_eq!(
        ask(format!("http://{}/metrics", served.address)).await.0,
        404
    );
    assert_eq!(
        ask(format!("http://{}/api/v2/metrics", served.address))
            .await
            .0,
        401
    );
    signal(&served.child, Signal::TERM);
    assert!(served.child.wait().expect("it ends").success());
}
