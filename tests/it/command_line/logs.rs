//! What a server logs.

use std::{fs::File, process::Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::{directory, domainflow, served::Served, signal};

#[tokio::test]
async fn a_line_about_a_request_carries_its_id_as_request_and_as_correlation() {
    let directory = directory();
    let log = directory.path().join("log");
    let mut command = domainflow(directory.path());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .env("RUST_LOG", "warn,domainflow::http::request_id=debug")
        .stderr(Stdio::from(File::create(&log).unwrap()));
    let mut served = Served::of(command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ping = format!("http://{}/api/v2/ping", served.address);
    let asked = client.get(ping).header("x-request-id", "mine-1").send();
    assert_eq!(asked.await.unwrap().headers()["x-request-id"], "mine-1");
    signal(&served.child, Signal::TERM);
    assert!(served.child.wait().expect("it ends").success());

    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let answered = lines
        .iter()
        .find(|line| line["fields"]["message"] == "request answered");
    let line = answered.unwrap_or_else(|| panic!("no such line in {text}"));
    assert_eq!(line["span"]["request.id"], "mine-1", "{line}");
    assert_eq!(line["span"]["correlation.id"], "mine-1", "{line}");
    assert_eq!(
        (&line["span"]["path"], &line["fields"]["status"]),
        (&"/api/v2/ping".into(), &200.into())
    );
}
