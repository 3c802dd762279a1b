//! The memory of `serve` during a campaign of a million names through all five phases, with clients on its streams.
//!
//! The server is a process of its own, so that only its memory counts: not NSD's, nor PostgreSQL's, nor the sites' that
//! are fetched. Prints the highest resident set that the kernel saw (`VmHWM`) beside the server's before the campaign
//! and beside the bytes of the names alone.
//!
//! `cargo bench --bench memory`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use private_postgres::{Cluster, Options};
use reqwest::{Client, Method};
use sandbox::{Host, Sandbox, World, nsd::Nsd};
use serde_json::{Value, json};

const NAMES: usize = 1_000_000;
/// One name in so many has an address and a site.
const ONE_IN: usize = 20;
const STREAMS: usize = 20;
/// What the server may take, bytes.
const GOAL: u64 = 300_000_000;
const LETTERS: &[u8; 10] = b"abcdefghij";
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password of the benchmark";
const SECRET: &str = "a secret of the benchmark, long enough to sign with";
const PROGRAM: &str = env!("CARGO_BIN_EXE_domainflow");

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let found = (0..NAMES)
        .step_by(ONE_IN)
        .map(|nth| format!("{} A 127.0.0.1", label(nth)));
    let Some(nsd) = Nsd::start("test", found).unwrap() else {
        println!("memory: skipped, for there is no NSD on this machine (apt-get install nsd)");
        return;
    };
    let sites = World::scripted().wildcard("test", Host::page(&["telecom"]));
    let sites = Sandbox::start(sites).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Options::new(directory.path().join("data")))
        .await
        .unwrap();
    cluster.create_database("domainflow").await.unwrap();
    let server = Server::start(&cluster.url("domainflow"), &nsd, &sites);
    let client = Session::log_in(&server.base).await;
    let idle = server.peak();

    let path = client.campaign().await;
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
    client.check_counts(&path).await;

    let (peak, names) = (server.peak(), NAMES as u64 * (6 + 4 + 5));
    println!(
        "memory: {NAMES} names, all phases, {} fetched, {STREAMS} streams with {} messages, {:.0} s ({:.0} domains/s)",
        NAMES / ONE_IN,
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
    sites.shutdown().await;
    cluster.stop().await.unwrap();
}

/// The nth name, as the generator counts: the last letter moves first.
fn label(nth: usize) -> String {
    let digit = |power: u32| char::from(LETTERS[nth / 10_usize.pow(power) % 10]);
    (0..6).rev().map(digit).chain("shop".chars()).collect()
}

fn mb(bytes: u64) -> u64 {
    bytes / 1_000_000
}

/// Reads a stream to its end.
async fn read(stream: reqwest::RequestBuilder, delivered: Arc<AtomicU64>) {
    let mut response = stream.send().await.unwrap().error_for_status().unwrap();
    while let Ok(Some(chunk)) = response.chunk().await {
        let messages = chunk.windows(2).filter(|pair| pair == b"\n\n").count();
        delivered.fetch_add(messages as u64, Ordering::Relaxed);
    }
}

/// `domainflow serve` as a process; killed when dropped, so that a failed assertion leaves none behind.
struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(database: &str, nsd: &Nsd, sites: &Sandbox) -> Self {
        let made = Command::new(PROGRAM)
            .args(["user", "create", "--email", EMAIL])
            .env("DATABASE_URL", database)
            .env("DOMAINFLOW_PASSWORD", PASSWORD)
            .status()
            .unwrap();
        assert!(made.success(), "the user was not made");
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-private"])
            .args(["--resolver", &nsd.address().to_string()])
            .args(["--http-port", &sites.http_port().to_string()])
            .env("DATABASE_URL", database)
            .env("SESSION_SIGNING_SECRET", SECRET)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        // From here on whatever fails drops the server.
        let mut server = Self {
            child,
            base: String::new(),
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.split_once("http://").unwrap().1;
        let address = address.split_once(';').unwrap().0;
        server.base = format!("http://{address}/api/v2");
        server
    }

    /// The highest resident set so far, bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib: u64 = line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        kib * 1024
    }

    /// Ends it as an operator does.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both do nothing for one that was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who is logged in.
struct Session {
    http: Client,
    base: String,
    token: String,
}

impl Session {
    async fn log_in(base: &str) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let mut session = Self {
            http,
            base: base.to_owned(),
            token: String::new(),
        };
        let who = json!({"email": EMAIL, "password": PASSWORD});
        let answer = session.call(Method::POST, "/auth/login", Some(who)).await;
        session.token = answer["token"].as_str().unwrap().to_owned();
        session
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.bearer_auth(&self.token)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes a campaign of a million names and configures it.
    async fn campaign(&self) -> String {
        let letters = std::str::from_utf8(LETTERS).unwrap();
        let body = json!({"name": "a million", "mode": "full_sequence", "configuration": {"patternConfig": {
            "type": "variable", "constant": "shop", "prefixVariableLength": 6, "charset": letters, "tlds": ["test"]}}});
        let made = self.call(Method::POST, "/campaigns", Some(body)).await;
        let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
        for (phase, configuration) in [
            ("validation", json!({})),
            ("extraction", json!({"keywords": ["telecom"]})),
        ] {
            let configure = format!("{path}/phases/{phase}/configure");
            let body = json!({"configuration": configuration});
            self.call(Method::POST, &configure, Some(body)).await;
        }
        path
    }

    async fn wait_until_completed(&self, path: &str) {
        loop {
            let campaign = self.call(Method::GET, path, None).await;
            match campaign["status"].as_str() {
                Some("completed") => return,
                Some(ended @ ("failed" | "cancelled")) => {
                    panic!("the campaign is {ended}: {campaign}")
                }
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// A wrong result makes the measurement worthless.
    async fn check_counts(&self, path: &str) {
        for (filter, expected) in [
            ("dnsStatus=ok", NAMES / ONE_IN),
            ("dnsReason=NXDOMAIN", NAMES - NAMES / ONE_IN),
            ("keyword=telecom", NAMES / ONE_IN),
        ] {
            let page = format!("{path}/domains?first=1&{filter}");
            let found = self.call(Method::GET, &page, None).await;
            assert_eq!(found["total"], json!(expected), "{filter}");
        }
    }
}
