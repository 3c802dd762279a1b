//! What benchmarks of a whole server share: the server as a process of its own, and somebody who talks to it.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password of the benchmark";
const SECRET: &str = "a secret of the benchmark, long enough to sign with";
const PROGRAM: &str = env!("CARGO_BIN_EXE_domainflow");

/// Writes bytes as megabytes.
pub(crate) fn mb(bytes: u64) -> u64 {
    bytes / 1_000_000
}

/// Returns the value below which so many of a hundred of the values lie.
pub(crate) fn percentile(values: &mut [Duration], of_a_hundred: usize) -> Duration {
    values.sort_unstable();
    let at = values.len().saturating_sub(1) * of_a_hundred / 100;
    values.get(at).copied().unwrap_or_default()
}

/// `domainflow serve` as a process; killed when dropped, so that a failed assertion leaves none behind.
pub(crate) struct Server {
    child: Child,
    pub(crate) base: String,
    /// Where it keeps what is outside of the database.
    _data_dir: tempfile::TempDir,
}

impl Server {
    /// Makes the user on a database.
    pub(crate) fn user(database: &str) {
        let made = Command::new(PROGRAM)
            .args(["user", "create", "--email", EMAIL])
            .env("DATABASE_URL", database)
            .env("DOMAINFLOW_PASSWORD", PASSWORD)
            .status()
            .unwrap();
        assert!(made.success(), "the user was not made");
    }

    /// Starts the server on a database, on loopback and with these arguments.
    pub(crate) fn start(database: &str, arguments: &[String]) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-private"])
            .args(["--requests-per-second", "0"])
            .arg("--data-dir")
            .arg(data_dir.path())
            .args(arguments)
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
            _data_dir: data_dir,
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.split_once("http://").unwrap().1;
        let address = address.split_once(';').unwrap().0;
        server.base = format!("http://{address}/api/v2");
        server
    }

    /// The highest resident set so far, bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The resident set, bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(what));
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
    pub(crate) fn stop(mut self) {
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
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn log_in(base: &str) -> Self {
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

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.bearer_auth(&self.token)
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
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

    /// Waits for a campaign's end.
    pub(crate) async fn wait_until_completed(&self, path: &str) {
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
}
