//! A campaign of a million names: the memory of `serve` while it goes through all five phases with clients on its streams
//! and while it is exported, and what pages of its domains cost. What it finds lies where a list without an idea of it
//! would walk: the live names are the last ones, every other one with a keyword, and the names without an address are one
//! in 4,096 before they are many.
//!
//! The server is a process of its own, so that only its memory counts: not NSD's, nor PostgreSQL's, nor the sites' that
//! are fetched. Prints the highest resident set that the kernel saw (`VmHWM`) beside the server's before the campaign
//! and beside the bytes of the names alone.
//!
//! `cargo bench --bench million`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

mod export;
mod lists;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use private_postgres::{Cluster, Options};
use reqwest::Method;
use sandbox::{Host, Sandbox, World, nsd::Nsd};
use serde_json::json;

use crate::support::{Server, Session, mb};

const NAMES: usize = 1_000_000;
/// So many names have an address and a site: the last ones, so that they lie together at the end of every list.
const LIVE: usize = 50_000;
/// So many names before those have no address; before these, one in [`SCATTERED`].
const EMPTY: usize = 100_000;
const SCATTERED: usize = 4_096;
const STREAMS: usize = 20;
const CONSTANT: &str = "shop";
/// What the server may take, bytes.
const GOAL: u64 = 300_000_000;
const LETTERS: &[u8; 10] = b"abcdefghij";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let live = (NAMES - LIVE..NAMES).map(|nth| format!("{} A 127.0.0.1", label(nth)));
    let empty = empty().map(|nth| format!("{} TXT nothing", label(nth)));
    let Some(nsd) = Nsd::start("test", live.chain(empty)).unwrap() else {
        println!("memory: skipped, for there is no NSD on this machine (apt-get install nsd)");
        return;
    };
    let mut sites = World::scripted().wildcard("test", Host::page(&["telecom"]));
    for nth in (NAMES - LIVE..NAMES).step_by(2) {
        sites = sites.host(
            &format!("{}.test", label(nth)),
            Host::html("<p>nothing of the kind</p>"),
        );
    }
    let sites = Sandbox::start(sites).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Options::new(directory.path().join("data")))
        .await
        .unwrap();
    cluster.create_database("domainflow").await.unwrap();
    let database = cluster.url("domainflow");
    let arguments = [
        "--resolver".to_owned(),
        nsd.address().to_string(),
        "--http-port".to_owned(),
        sites.http_port().to_string(),
    ];
    Server::user(&database);
    let server = Server::start(&database, &arguments);
    let client = Session::log_in(&server.base).await;
    let idle = server.peak();

    let path = campaign(&client, CONSTANT, NAMES).await;
    let delivered = Arc::new(AtomicU64::new(0));
    for _ in 0..STREAMS {
        let stream = client.request(Method::GET, &format!("/sse{path}/events"));
        tokio::spawn(read(stream, delivered.clone()));
    }
    let begun = Instant::now();
    client
        .call(Method::POST, &format!("{path}/start"), None)
        .await;
    client.wait_until_completed(&path).await;
    let taken = begun.elapsed();
    check_counts(&client, &path).await;

    let (peak, names) = (server.peak(), NAMES as u64 * (6 + 4 + 5));
    println!(
        "memory: {NAMES} names, all phases, {} fetched, {STREAMS} streams with {} messages, {:.0} s ({:.0} domains/s)",
        LIVE,
        delivered.load(Ordering::Relaxed),
        taken.as_secs_f64(),
        NAMES as f64 / taken.as_secs_f64(),
    );
    println!(
        "memory: peak {} MB (goal {} MB; ratio {:.2}); before the campaign {} MB; the names alone {} MB",
        mb(peak),
        mb(GOAL),
        peak as f64 / GOAL as f64,
        mb(idle),
        mb(names),
    );
    server.stop();
    // A server that has done nothing yet, on the same database.
    let server = Server::start(&database, &arguments);
    let client = Session::log_in(&server.base).await;
    export::measure(&server, &client, &path).await;
    lists::measure(&client, &path).await;
    server.stop();
    sites.shutdown().await;
    cluster.stop().await.unwrap();
}

/// The places of the names that exist and have no address.
fn empty() -> impl Iterator<Item = usize> {
    let many = NAMES - LIVE - EMPTY;
    (SCATTERED / 2..many)
        .step_by(SCATTERED)
        .chain(many..NAMES - LIVE)
}

/// The nth name, as the generator counts: the last letter moves first.
fn label(nth: usize) -> String {
    let digit = |power: u32| char::from(LETTERS[nth / 10_usize.pow(power) % 10]);
    (0..6).rev().map(digit).chain(CONSTANT.chars()).collect()
}

/// Reads a stream to its end.
async fn read(stream: reqwest::RequestBuilder, delivered: Arc<AtomicU64>) {
    let mut response = stream.send().await.unwrap().error_for_status().unwrap();
    while let Ok(Some(chunk)) = response.chunk().await {
        let messages = chunk.windows(2).filter(|pair| pair == b"\n\n").count();
        delivered.fetch_add(messages as u64, Ordering::Relaxed);
    }
}

/// Makes a campaign of so many names around a constant and configures it.
async fn campaign(client: &Session, constant: &str, names: usize) -> String {
    let letters = std::str::from_utf8(LETTERS).unwrap();
    let body = json!({"name": "names", "mode": "full_sequence", "configuration": {"maxDomains": names, "patternConfig": {
        "type": "variable", "constant": constant, "prefixVariableLength": 6, "charset": letters, "tlds": ["test"]}}});
    let made = client.call(Method::POST, "/campaigns", Some(body)).await;
    let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
    for (phase, configuration) in [
        ("validation", json!({})),
        ("extraction", json!({"keywords": ["telecom"]})),
    ] {
        let configure = format!("{path}/phases/{phase}/configure");
        let body = json!({"configuration": configuration});
        client.call(Method::POST, &configure, Some(body)).await;
    }
    path
}

/// A wrong result makes the measurement worthless.
async fn check_counts(client: &Session, path: &str) {
    for (filter, expected) in [
        ("dnsStatus=ok", LIVE),
        ("dnsReason=NXDOMAIN", NAMES - LIVE - empty().count()),
        ("dnsReason=NOANSWER", empty().count()),
        ("keyword=telecom", LIVE / 2),
    ] {
        let page = format!("{path}/domains?first=1&{filter}");
        let found = client.call(Method::GET, &page, None).await;
        assert_eq!(found["total"], json!(expected), "{filter}");
    }
}
