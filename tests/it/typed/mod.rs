//! Typed campaigns through their interface: campaigns that are for less than everything.

mod checks;
mod control;
mod generation;
mod leads;
mod list;
mod refusals;
mod refused_start;

use serde_json::{Value, json};

use crate::{
    campaigns::{reaches, upload::form},
    support::server::Client,
};

const BASE: &str = "/api/v1/campaigns";

/// Makes a campaign of a type and returns its path.
async fn create(client: &Client, of: &str, body: &Value) -> String {
    let made = client.post(&format!("{BASE}/{of}")).json(body);
    let made = made.send().await.ok(201);
    format!(
        "{BASE}/{of}/{}",
        made["campaignId"].as_str().expect("an id")
    )
}

/// Sends a list of names.
async fn upload(client: &Client, path: &str, list: &str) -> Value {
    let (kind, body) = form("names.txt", list);
    let sent = client.post(&format!("{path}/upload")).body(&kind, body);
    sent.send().await.ok(200)
}

/// Starts a campaign and waits for its end.
async fn run(client: &Client, path: &str) -> Value {
    client.post(&format!("{path}/start")).send().await.ok(200);
    reaches(client, path, "completed").await
}

/// Makes a campaign that checks names over a resolver that never answers, so that its run is under way for long.
pub async fn slow_check(client: &Client) -> String {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let resolver = silent.local_addr().expect("an address").to_string();
    // Kept open, so that asking it times out instead of being refused.
    std::mem::forget(silent);
    let persona = json!({"name": "slow", "personaType": "dns", "configDetails": {"personaType": "dns",
        "resolvers": [resolver], "queryTimeoutSeconds": 5, "maxDomainsPerRequest": 1, "concurrentQueriesPerDomain": 1}});
    let persona = client.post("/personas").json(&persona).send().await.ok(201);
    let names: Vec<String> = (0..20).map(|n| format!("n{n}.test")).collect();
    let body = json!({"campaignName": "slow", "domains": names, "dnsPersonaId": persona["id"]});
    create(client, "dns", &body).await
}

/// Lists what a campaign has of its domains, by name.
async fn records(client: &Client, path: &str, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{path}/domains{query}")).send().await;
    let list = list.ok(200);
    let items = list["items"].as_array().expect("items").clone();
    assert_eq!(list["total"], json!(items.len()));
    items
}

/// Returns a field of each of the records, in their order.
fn each(records: &[Value], field: &str) -> Vec<Value> {
    records.iter().map(|record| record[field].clone()).collect()
}
