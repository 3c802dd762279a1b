//! A thousand clients on the stream of a campaign that gives more than a thousand results a second, one of which takes nothing.
//!
//! The server is a process of its own. Every client ticks off every domain by its name and checks the order of the ids; how late messages come
//! is the time from the moment that they name to their arrival, printed beside that of a single client. The server's
//! memory is its highest resident set less that before the clients came.
//!
//! `cargo bench --bench streams`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use private_postgres::{Cluster, Options};
use reqwest::Method;
use sandbox::nsd::Nsd;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    task::{JoinHandle, JoinSet},
};

use crate::support::{Server, Session, percentile};

const CLIENTS: usize = 1_000;
/// Results a second that the campaign is paced to, above the thousand that is asked for: what is measured has the run's
/// beginning and end in it, and a pace makes up for nothing that was late.
const RATE: usize = 1_300;
/// Results in the run of all clients, and in that of a single one.
const RESULTS: usize = 20_000;
const RESULTS_ALONE: usize = 5_000;
/// Letters in front of each name, which are its place in the pattern as a number: `a` is 0, `j` is 9.
const VARIABLE: usize = 5;
/// What a client may take of the server, bytes.
const GOAL: u64 = 64 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let Some(nsd) = Nsd::start("test", ["n0 A 127.0.0.1".to_owned()]).unwrap() else {
        println!("streams: skipped, for there is no NSD on this machine (apt-get install nsd)");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Options::new(directory.path().join("data")))
        .await
        .unwrap();
    cluster.create_database("domainflow").await.unwrap();
    let database = cluster.url("domainflow");
    Server::user(&database);
    let resolver = nsd.address().to_string();
    let server = Server::start(&database, &["--resolver".to_owned(), resolver.clone()]);
    let client = Session::log_in(&server.base).await;
    let persona = persona(&client, &resolver).await;

    let (mut alone, _) = run(&client, &persona, 1, RESULTS_ALONE).await;
    let before = server.resident();
    let (mut together, taken) = run(&client, &persona, CLIENTS, RESULTS).await;
    let a_client = server.peak().saturating_sub(before) / CLIENTS as u64;

    let ms = |delays: &mut [Duration], of| percentile(delays, of).as_secs_f64() * 1_000.0;
    println!(
        "streams: {CLIENTS} clients and one that takes nothing, {RESULTS} results in {:.0} s ({:.0}/s), each complete and in order at all {CLIENTS}",
        taken.as_secs_f64(),
        RESULTS as f64 / taken.as_secs_f64(),
    );
    println!(
        "streams: delay median {:.0} ms, p99 {:.0} ms; one client alone median {:.0} ms, p99 {:.0} ms; ratio of p99 {:.1}",
        ms(&mut together, 50),
        ms(&mut together, 99),
        ms(&mut alone, 50),
        ms(&mut alone, 99),
        ms(&mut together, 99) / ms(&mut alone, 99),
    );
    println!(
        "streams: memory a client {} KiB (goal {} KiB; ratio {:.2})",
        a_client / 1024,
        GOAL / 1024,
        a_client as f64 / GOAL as f64,
    );
    server.stop();
    cluster.stop().await.unwrap();
}

/// A persona that asks so many names a second; a name that does not exist is one question.
async fn persona(client: &Session, resolver: &str) -> String {
    let body = json!({"name": "paced", "personaType": "dns", "configDetails": {"personaType": "dns",
        "resolvers": [resolver], "queryTimeoutSeconds": 2, "maxDomainsPerRequest": 100,
        "concurrentQueriesPerDomain": 2, "rateLimitDps": RATE, "rateLimitBurst": 1}});
    let made = client.call(Method::POST, "/personas", Some(body)).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Runs the validation of so many names before so many clients and one that takes nothing; returns how late messages came
/// and how long the run took.
async fn run(
    client: &Session,
    persona: &str,
    clients: usize,
    results: usize,
) -> (Vec<Duration>, Duration) {
    let body = json!({"name": "streamed", "configuration": {"patternConfig": {"type": "variable",
        "constant": format!("s{clients}"), "prefixVariableLength": VARIABLE, "charset": "abcdefghij", "tlds": ["test"]},
        "maxDomains": results}});
    let made = client.call(Method::POST, "/campaigns", Some(body)).await;
    let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
    let configure = format!("{path}/phases/validation/configure");
    let body = json!({"configuration": {}, "personaIds": {"dnsPersonaId": persona}});
    client.call(Method::POST, &configure, Some(body)).await;
    client
        .call(Method::POST, &format!("{path}/start"), None)
        .await;
    completed(client, &path, "discovery").await;

    let stream = format!("/sse{path}/events?domains=all");
    let stalled = stalled(client, &stream).await;
    let mut reading = JoinSet::new();
    for _ in 0..clients {
        let response = client.request(Method::GET, &stream).send().await.unwrap();
        reading.spawn(read(response.error_for_status().unwrap(), results));
    }
    let begun = Instant::now();
    client
        .call(Method::POST, &format!("{path}/start"), None)
        .await;
    let mut delays = Vec::new();
    while let Some(read) = reading.join_next().await {
        delays.extend(read.unwrap());
    }
    let taken = begun.elapsed();
    stalled.abort();
    (delays, taken)
}

/// Waits until a phase has completed.
async fn completed(client: &Session, path: &str, phase: &str) {
    loop {
        let status = format!("{path}/phases/{phase}/status");
        let status = client.call(Method::GET, &status, None).await;
        match status["status"].as_str() {
            Some("completed") => return,
            Some("failed") => panic!("{phase} failed: {status}"),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Asks for a stream and takes nothing of it.
async fn stalled(client: &Session, path: &str) -> JoinHandle<()> {
    let address = client.base.trim_start_matches("http://");
    let (host, base) = address.split_once('/').unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{base}{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n",
        client.token
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    tokio::spawn(async move {
        // Held open for as long as the others read.
        std::future::pending::<()>().await;
        drop(socket);
    })
}

/// Names that came, ticked off by their place in the pattern.
struct Names {
    ticked: Vec<u64>,
    count: usize,
}

impl Names {
    fn of(results: usize) -> Self {
        Self {
            ticked: vec![0; results.div_ceil(64)],
            count: 0,
        }
    }

    /// Ticks off the names of a message; one that comes twice, or is none of the campaign's, ends the benchmark.
    fn tick(&mut self, message: &Message<'_>) {
        for (at, field) in message.data.match_indices("\"domain\":\"") {
            let letters = &message.data.as_bytes()[at + field.len()..][..VARIABLE];
            let digit = |letter: &u8| usize::from(letter - b'a');
            let place = letters
                .iter()
                .fold(0, |sum, letter| sum * 10 + digit(letter));
            let (word, bit) = (place / 64, 1 << (place % 64));
            assert_eq!(self.ticked[word] & bit, 0, "name {place} came twice");
            self.ticked[word] |= bit;
            self.count += 1;
        }
    }
}

/// Reads a stream until the phase completes; asserts that every domain came once, and in order; returns how late messages
/// were.
async fn read(mut response: reqwest::Response, results: usize) -> Vec<Duration> {
    let (mut names, mut last_id, mut delays) = (Names::of(results), 0, Vec::new());
    let mut text: Vec<u8> = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
        let Some(end) = text.windows(2).rposition(|pair| pair == b"\n\n") else {
            continue;
        };
        let rest = text.split_off(end + 2);
        let whole = String::from_utf8(std::mem::replace(&mut text, rest)).unwrap();
        for message in whole.split_terminator("\n\n") {
            let message = Message::of(message);
            if let Some(id) = message.id {
                assert!(id >= last_id, "{id} after {last_id}");
                last_id = id;
            }
            match message.kind {
                "domain_status_delta" => {
                    names.tick(&message);
                    delays.push(message.delay());
                }
                "phase_completed" => {
                    assert_eq!(names.count, results, "domains of a client");
                    return delays;
                }
                _ => {}
            }
        }
    }
    panic!("the stream ended after {} domains", names.count)
}

/// A message, looked at without parsing it whole: a thousand clients share two cores with the server.
struct Message<'a> {
    id: Option<u64>,
    kind: &'a str,
    data: &'a str,
}

impl<'a> Message<'a> {
    fn of(text: &'a str) -> Self {
        let mut message = Self {
            id: None,
            kind: "",
            data: "",
        };
        for line in text.lines() {
            match line.split_once(": ") {
                // An id may say more behind the position.
                Some(("id", id)) => {
                    let digits = id.split(|letter: char| !letter.is_ascii_digit()).next();
                    message.id = digits.and_then(|digits| digits.parse().ok());
                }
                Some(("event", kind)) => message.kind = kind,
                Some(("data", data)) => message.data = data,
                _ => {}
            }
        }
        message
    }

    fn delay(&self) -> Duration {
        let (_, rest) = self.data.split_once("\"timestamp\":\"").unwrap();
        let (text, _) = rest.split_once('"').unwrap();
        let at: DateTime<Utc> = text.parse().unwrap();
        (Utc::now() - at).to_std().unwrap_or_default()
    }
}
