//! Uploading lists of names.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{create, discovered, reaches, shops, walk};
use crate::support::{DEADLINE, server::TestApp};

/// A form with one file.
pub fn form(filename: &str, text: &str) -> (String, Vec<u8>) {
    field("file", filename, text)
}

fn field(name: &str, filename: &str, text: &str) -> (String, Vec<u8>) {
    let boundary = "----domainflow";
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\
         Content-Type: text/plain\r\n\r\n{text}\r\n--{boundary}--\r\n"
    );
    (
        format!("multipart/form-data; boundary={boundary}"),
        body.into_bytes(),
    )
}

#[tokio::test]
async fn a_list_is_taken_in_and_every_bad_line_is_reported() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "list"})).await;
    let upload = format!("{path}/upload");
    let list = "# my list\nA.test\nhttps://b.test/x?y\n\nnot a domain\nb.test.\nlocalhost\n";
    let (kind, body) = form("list.txt", list);
    let report = ann
        .post(&upload)
        .body(&kind, body.clone())
        .send()
        .await
        .ok(200);
    assert_eq!(
        (
            &report["accepted"],
            &report["duplicates"],
            &report["rejected"]
        ),
        (&json!(2), &json!(1), &json!(2))
    );
    let lines: Vec<_> = report["rejectedLines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["line"].clone())
        .collect();
    assert_eq!(lines, [json!(5), json!(7)]);
    // The same list again has nothing new.
    let again = ann.post(&upload).body(&kind, body).send().await.ok(200);
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(3))
    );
    let shown = ann.get(&path).send().await;
    let etag = shown.header("etag").unwrap().to_owned();
    let (kind, body) = form("more.TXT", "b.test\nc.test");
    let stale = ann.post(&upload).header("if-match", "\"1\"");
    stale.body(&kind, body.clone()).send().await.ok(412);
    let more = ann.post(&upload).header("if-match", &etag);
    let more = more.body(&kind, body).send().await.ok(200);
    assert_eq!(
        (&more["accepted"], &more["duplicates"]),
        (&json!(1), &json!(1))
    );
    let names: Vec<_> = walk(&ann, &path, "", 2)
        .await
        .iter()
        .map(|item| item["domain"].clone())
        .collect();
    assert_eq!(names, [json!("a.test"), json!("b.test"), json!("c.test")]);

    // Many names arrive in several events, and all of them are there.
    let many: String = (0..12_345).map(|n| format!("n{n}.test\n")).collect();
    let (kind, body) = form("many.txt", &many);
    let report = ann.post(&upload).body(&kind, body).send().await.ok(200);
    assert_eq!(report["accepted"], 12_345);
    let page = ann
        .get(&format!("{path}/domains?limit=1&offset=12347"))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&page["total"], &page["items"][0]["domain"]),
        (&json!(12_348), &json!("n12344.test"))
    );

    // A download goes through many pages and has every name once, in order.
    let lines = ann
        .get(&format!("{path}/export?format=ndjson"))
        .send()
        .await;
    let exported: Vec<String> = lines
        .text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("a line")["domain"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(exported.len(), 12_348);
    assert!((0..12_345).all(|n| exported[n + 3] == format!("n{n}.test")));
    let array = ann
        .get(&format!("{path}/export?format=json"))
        .send()
        .await
        .ok(200);
    assert_eq!(array.as_array().map(Vec::len), Some(12_348));

    // Discovery takes stock of what was imported, and no list comes after it.
    ann.post(&format!("{path}/start")).send().await.ok(200);
    discovered(&ann, &path).await;
    let (kind, body) = form("late.txt", "late.test");
    let late = ann.post(&upload).body(&kind, body).send().await.ok(409);
    assert_eq!(late["error"]["code"], "RERUN_PRECONDITION_FAILED");
    assert_eq!(late["error"]["attempted_action"], "configure");
    let configure = json!({"configuration": {"constantString": "x"}});
    let late = ann
        .post(&format!("{path}/phases/discovery/configure"))
        .json(&configure)
        .send()
        .await
        .ok(409);
    assert_eq!(late["error"]["attempted_action"], "configure");
    assert_eq!(
        late["error"]["message"],
        "cannot configure discovery: the campaign has its names, and they do not change"
    );
    reaches(&ann, &path, "running").await;
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_upload_under_its_key_answers_the_first_report() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "once"});
    let make = async || {
        ann.post("/campaigns")
            .header("x-idempotency-key", "make")
            .json(&body)
            .send()
            .await
            .ok(201)
    };
    let made = make().await;
    assert_eq!(make().await, made);
    assert_eq!(
        ann.get("/campaigns").send().await.header("x-total-count"),
        Some("1")
    );
    let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
    let send = async |text: &str| {
        let (kind, body) = form("list.txt", text);
        let upload = ann
            .post(&format!("{path}/upload"))
            .header("x-idempotency-key", "list");
        upload.body(&kind, body).send().await
    };
    let report = send("a.test\nb.test").await.ok(200);
    assert_eq!(report["accepted"], 2);
    assert_eq!(send("a.test\nb.test").await.ok(200), report);
    assert_eq!(send("a.test\nc.test").await.status, 422);
    assert_eq!(
        ann.get(&format!("{path}/domains")).send().await.ok(200)["total"],
        2
    );
    // What was answered is answered again, whatever became of the campaign.
    ann.delete(&path).send().await.ok(204);
    assert_eq!(send("a.test\nb.test").await.ok(200), report);
    app.stop().await;
}

#[tokio::test]
async fn a_key_lets_no_list_in_for_a_campaign_that_is_somebody_elses() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = create(&ann, &json!({"name": "anns"})).await;
    // The list is promised and never sent, so that whoever waits for it does not answer.
    let head = format!(
        "POST /api/v2{path}/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         X-Idempotency-Key: list\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: 1000000\r\n\r\n",
        bob.token.as_deref().unwrap()
    );
    let address = app.base.split('/').nth(2).unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    timeout(DEADLINE, socket.read_exact(&mut status))
        .await
        .expect("the answer does not wait for the list")
        .unwrap();
    assert_eq!(&status, b"HTTP/1.1 404");
    drop(socket);
    app.stop().await;
}

#[tokio::test]
async fn a_key_lets_nothing_large_in_but_a_list() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "large"})).await;
    let comment = format!("# {}\n", "x".repeat(998));
    let (kind, body) = form("list.txt", &format!("{}a.test\n", comment.repeat(3_000)));
    let send = async |path: &str| {
        ann.post(path)
            .header("x-idempotency-key", "large")
            .body(&kind, body.clone())
            .send()
            .await
    };
    for path in ["/keyword-sets", "/personas"] {
        send(path).await.blames_size("body", 2 << 20);
    }
    let report = send(&format!("{path}/upload")).await.ok(200);
    assert_eq!(report["accepted"], 1);
    assert_eq!(send(&format!("{path}/upload")).await.ok(200), report);
    // The largest file that is taken without a key is taken with one.
    let name = "\nb.test";
    let (kind, body) = form(
        "list.txt",
        &format!("{}{name}", "#".repeat((64 << 20) - name.len())),
    );
    let largest = ann
        .post(&format!("{path}/upload"))
        .header("x-idempotency-key", "largest");
    let report = largest.body(&kind, body).send().await.ok(200);
    assert_eq!(report["accepted"], 1);
    app.stop().await;
}

#[tokio::test]
async fn an_upload_that_is_no_list_is_refused_by_name() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(
        &ann,
        &json!({"name": "list", "configuration": {"maxDomains": 2}}),
    )
    .await;
    let upload = format!("{path}/upload");
    let send =
        async |(kind, body): (String, Vec<u8>)| ann.post(&upload).body(&kind, body).send().await;
    send(form("list.csv", "a.test")).await.blames(422, "file");
    let long = format!("{}.txt", "x".repeat(300));
    send(form(&long, "a.test")).await.blames(422, "file");
    // What stands before a file is not gathered for as long as a file may be.
    let endless = format!("{}.txt", "x".repeat(8 << 20));
    send(form(&endless, "a.test")).await.blames(400, "body");
    send(form("list.txt", "a.test\nb.test\nc.test"))
        .await
        .blames(422, "file");
    send(field("list", "list.txt", "a.test"))
        .await
        .blames(400, "list");
    send((
        "multipart/form-data; boundary=x".to_owned(),
        b"--x--\r\n".to_vec(),
    ))
    .await
    .blames(400, "file");
    send((
        "multipart/form-data; boundary=x".to_owned(),
        b"nothing".to_vec(),
    ))
    .await
    .blames(400, "body");
    send(("text/plain".to_owned(), b"a.test".to_vec()))
        .await
        .blames(415, "Content-Type");
    send(form("list.txt", &"\n".repeat(1_000_001)))
        .await
        .blames(422, "file");
    send(form("list.txt", &"#".repeat((64 << 20) + 1)))
        .await
        .blames_size("file", 64 << 20);
    let generated = create(&ann, &shops("ab")).await;
    let (kind, body) = form("list.txt", "a.test");
    ann.post(&format!("{generated}/upload"))
        .body(&kind, body)
        .send()
        .await
        .blames(422, "file");
    assert_eq!(
        ann.get(&format!("{path}/domains")).send().await.ok(200)["total"],
        0
    );
    app.stop().await;
}
