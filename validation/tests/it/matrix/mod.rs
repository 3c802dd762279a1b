//! The fault matrix: every way in which DNS, TCP, TLS, HTTP and proxies fail, and what is made of each.
//!
//! One test runs all cases at once and prints them as a table. A row says what happened, the outcome, its reason and detail
//! code, and who is to blame.

mod direct;
mod names;
mod proxied;

use std::fmt::Write as _;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, join_all};
use sandbox::Sandbox;
use url::Url;
use validation::http::{Blame, Config, Outcome, Reason, Report};

use crate::support::{LOOPBACK, config, fetcher};

/// What is made of a fault: outcome, reason, detail, blame.
type Row = [String; 4];

/// One case: what happens, what must be made of it, and how to find out.
struct Case<'s> {
    kind: &'static str,
    name: String,
    wanted: Row,
    found: BoxFuture<'s, Row>,
}

fn row(outcome: &str, reason: &str, detail: &str, blame: &str) -> Row {
    [outcome, reason, detail, blame].map(str::to_owned)
}

/// What must be made of a failed fetch.
fn failed(reason: Reason, code: &str, blame: Blame) -> Row {
    let outcome = match reason {
        Reason::Timeout => "timeout",
        _ => "error",
    };
    row(outcome, reason.as_str(), code, blame.as_str())
}

fn fine() -> Row {
    row("ok", "-", "-", "-")
}

fn of_report(report: &Report) -> Row {
    match (&report.fault, report.outcome()) {
        (None, Outcome::Ok) => fine(),
        (Some(fault), _) => failed(fault.reason, &fault.code, fault.blame),
        (None, outcome) => panic!("{outcome:?} without a fault"),
    }
}

/// The usual configuration, with times that end a case in seconds and leave a busy machine room.
fn patient(sandbox: &Sandbox) -> Config {
    Config {
        timeout: Duration::from_secs(6),
        connect_timeout: Duration::from_secs(3),
        ..config(sandbox)
    }
}

/// Fetches one address.
fn fetched<'s>(config: Config, url: String) -> BoxFuture<'s, Row> {
    async move {
        let url = Url::parse(&url).unwrap();
        of_report(&fetcher(config).fetch_url(url, &[LOOPBACK]).await)
    }
    .boxed()
}

fn table(rows: &[(&'static str, String, Row, bool)]) -> String {
    let mut text = String::new();
    for (kind, name, [outcome, reason, detail, blame], right) in rows {
        let mark = if *right { "" } else { "  <- WRONG" };
        writeln!(
            text,
            "{kind:9} {name:58} {outcome:8} {reason:17} {detail:27} {blame}{mark}"
        )
        .unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_outcome_reason_detail_and_blame() {
    let sites = direct::sandbox().await;
    let proxies = proxied::sandbox().await;
    let resolvers = names::sandbox().await;
    let cases: Vec<Case<'_>> = names::cases(&resolvers)
        .into_iter()
        .chain(direct::cases(&sites))
        .chain(proxied::cases(&proxies))
        .collect();
    let rows: Vec<_> = join_all(cases.into_iter().map(|case| async move {
        let found = case.found.await;
        let right = found == case.wanted;
        (case.kind, case.name, found, right)
    }))
    .await;
    println!("{}", table(&rows));
    println!("fault matrix: {} cases", rows.len());
    assert!(rows.len() >= 40);
    let wrong: Vec<_> = rows.into_iter().filter(|(.., right)| !right).collect();
    assert!(wrong.is_empty(), "\n{}", table(&wrong));
}
