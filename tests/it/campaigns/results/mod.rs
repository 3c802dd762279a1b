//! What a finished campaign answers: every filter against the whole list, every download against the list, every
//! number against a recount.

mod explained;
mod list;
mod numbers;
mod wrong;

use std::collections::HashMap;

use sandbox::World;
use serde_json::Value;

use super::{configure, create, reaches, shops};
use crate::support::server::{Client, TestApp};

/// Runs a campaign over a generated world to its end.
async fn finished() -> (TestApp, Client, String) {
    let app = TestApp::in_sandbox(World::generated(7)).await;
    let ann = app.user("ann").await;
    let path = create(&ann, &shops("abcdefghijklmnop")).await;
    configure(&ann, &path, &["espresso", "the"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    let head = app
        .app
        .database
        .feed()
        .head()
        .await
        .expect("the log answers");
    app.app
        .runtime
        .wait_for(head, crate::support::DEADLINE)
        .await
        .expect("the read models catch up");
    (app, ann, path)
}

type Row = HashMap<String, String>;

/// Downloads the table, a map a row.
async fn table(ann: &Client, path: &str, filter: &str) -> Vec<Row> {
    let reply = ann
        .get(&format!("{path}/export?format=csv{filter}"))
        .send()
        .await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(reply.status, 200, "{}", reply.text);
    let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row["domain"].clone()).collect()
}

fn listed(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| item["domain"].as_str().expect("a name").to_owned())
        .collect()
}

fn number(row: &Row, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_campaign_answers_exactly_what_its_rows_say() {
    let (app, ann, path) = finished().await;
    let all = table(&ann, &path, "").await;
    assert_eq!(all.len(), 256);
    list::filters_are_exact(&ann, &path, &all).await;
    list::pages_are_the_whole_list(&ann, &path, &all).await;
    list::downloads_equal_the_list(&ann, &path).await;
    numbers::numbers_equal_a_recount(&ann, &path, &all).await;
    explained::one_domain_is_explained(&ann, &path, &all).await;
    list::an_offset_past_everything_is_an_empty_page(&ann, &path).await;
    wrong::wrong_parameters_are_named(&ann, &path).await;
    numbers::a_drift_shows(&app, &ann, &path).await;
    app.stop().await;
}
