//! The suppression list through the interface, and what it keeps campaigns from.

mod campaigns;
mod list;
mod standing;

use aggregates::user::Role;
use serde_json::{Value, json};

use crate::support::server::{Client, TestApp};

/// An administrator.
async fn admin(app: &TestApp) -> Client {
    app.user_with_role("admin", Role::Admin).await
}

fn entry(kind: &str, value: &str) -> Value {
    json!({"kind": kind, "value": value, "reason": "asked to be left alone"})
}

/// Adds an entry and returns its id.
async fn add(admin: &Client, kind: &str, value: &str) -> String {
    let made = admin.post("/suppression").json(&entry(kind, value));
    let made = made.send().await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}
