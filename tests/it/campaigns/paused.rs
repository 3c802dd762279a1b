//! A campaign that is paused, wherever it is shown.

use sandbox::World;
use serde_json::{Value, json};

use super::control::slow;
use crate::support::server::TestApp;

/// Words for a campaign that is at work.
const AT_WORK: [&str; 3] = ["running", "in_progress", "active"];

/// Collects where an answer has one of some words in a field that tells how something stands.
fn standing(value: &Value, at: &str, words: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let tells = ["status", "state", "currentState", "phaseStatus"];
                if tells.contains(&name.as_str())
                    && value.as_str().is_some_and(|word| words.contains(&word))
                {
                    found.push(format!("{at}.{name}"));
                }
                standing(value, &format!("{at}.{name}"), words, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                standing(item, &format!("{at}[{index}]"), words, found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_paused_campaign_reads_paused_wherever_it_is_shown_and_nowhere_as_at_work() {
    let app = TestApp::in_sandbox(World::generated(1)).await;
    let ann = app.user("ann").await;
    let path = slow(&ann).await;
    let phase = format!("{path}/phases/validation");
    ann.post(&format!("{phase}/start")).send().await.ok(200);
    let shown_at = [
        "/campaigns".to_owned(),
        path.clone(),
        format!("{path}/status"),
        format!("{path}/state"),
        format!("{path}/progress"),
        format!("{phase}/status"),
        format!("{path}/phase-executions"),
        format!("{path}/phase-executions/validation"),
    ];
    let show = async |words: &'static [&'static str]| {
        let mut shown = Vec::new();
        for path in &shown_at {
            let mut found = Vec::new();
            let answer = ann.get(path).send().await.ok(200);
            // What happened once is told as it was then.
            let mut now = answer.clone();
            if let Some(fields) = now.as_object_mut() {
                fields.remove("timeline");
            }
            standing(&now, path, words, &mut found);
            shown.push((path.clone(), found, answer));
        }
        shown
    };
    for (path, found, answer) in show(&AT_WORK).await {
        assert!(!found.is_empty(), "{path} does not say running: {answer}");
    }
    ann.post(&format!("{phase}/pause")).send().await.ok(200);
    for (path, found, answer) in show(&["paused"]).await {
        assert!(!found.is_empty(), "{path} does not say paused: {answer}");
    }
    for (path, found, answer) in show(&AT_WORK).await {
        assert_eq!(found, Vec::<String>::new(), "{path}: {answer}");
    }
    let status = ann.get(&format!("{phase}/status")).send().await.ok(200);
    assert_eq!(status["runtimeControls"]["canPause"], json!(false));
    ann.post(&format!("{path}/stop")).send().await.ok(200);
    app.stop().await;
}
