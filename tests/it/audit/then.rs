//! What was answered at a moment of the log is answered again later, as of that moment.

use aggregates::user::Role;
use event_store::Position;
use projections::domains;
use sandbox::World;
use serde_json::{Value, json};

use crate::{
    campaigns::{configure, create, position, shops},
    support::{
        DEADLINE, eventually,
        server::{Client, TestApp},
    },
};

/// Lists of domains: every filter, every sort.
const LISTS: [&str; 20] = [
    "limit=1000",
    "first=7",
    "limit=5&offset=9",
    "dnsStatus=ok",
    "dnsStatus=pending",
    "dnsReason=NXDOMAIN",
    "httpStatus=ok",
    "httpStatus=error",
    "httpReason=NOT_FOUND",
    "minScore=20",
    "notParked=true",
    "notParked=false",
    "hasContact=true",
    "keyword=espresso",
    "warnings=has",
    "rejectionReason=qualified,no_keywords",
    "dir=desc",
    "sort=richness_score",
    "sort=keywords_unique&dir=asc&first=9",
    "sort=microcrawl_gain&httpStatus=ok",
];

/// What is asked again: paths below the campaign's.
fn questions() -> Vec<String> {
    let lists = LISTS.iter().map(|list| format!("/domains?{list}"));
    let alone = ["", "/status", "/funnel"].map(str::to_owned);
    alone.into_iter().chain(lists).collect()
}

/// What was answered when the log ended somewhere.
struct Remembered {
    cursor: Position,
    time: String,
    answers: Vec<(String, Value)>,
}

fn with(question: &str, as_of: &str) -> String {
    let mark = if question.contains('?') { '&' } else { '?' };
    format!("{question}{mark}asOf={as_of}")
}

/// Waits until the log and the read models stand still, and remembers what they answer.
async fn remember(app: &TestApp, client: &Client, path: &str) -> Remembered {
    let cursor = position(app).await;
    let runtime = &app.app.runtime;
    runtime.wait_for(cursor, DEADLINE).await.unwrap();
    let mut answers = Vec::new();
    for question in questions() {
        let answer = client
            .get(&format!("{path}{question}"))
            .send()
            .await
            .ok(200);
        answers.push((question, answer));
    }
    let time = sqlx::query_scalar(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    );
    let time = time.fetch_one(app.app.database.pool()).await.unwrap();
    assert_eq!(position(app).await, cursor, "nothing happens meanwhile");
    Remembered {
        cursor,
        time,
        answers,
    }
}

async fn completed(client: &Client, path: &str, phase: &str) {
    let status = format!("{path}/phases/{phase}/status");
    eventually(&format!("{phase} is completed"), || async {
        let status = client.get(&status).send().await.ok(200);
        (status["status"] == "completed").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_then_is_answered_as_of_then() {
    let app = TestApp::in_sandbox(World::generated(7)).await;
    let ann = app.user("ann").await;
    let nothing = position(&app).await;
    let mut body = shops("abcdefgh");
    body["mode"] = json!("step_by_step");
    let path = create(&ann, &body).await;
    let mut remembered = vec![remember(&app, &ann, &path).await];
    configure(&ann, &path, &["espresso", "the"]).await;
    for phase in [
        "discovery",
        "validation",
        "extraction",
        "analysis",
        "enrichment",
        // Again: what is known of the domains begins anew.
        "analysis",
    ] {
        let start = ann.post(&format!("{path}/phases/{phase}/start"));
        start.send().await.ok(200);
        completed(&ann, &path, phase).await;
        remembered.push(remember(&app, &ann, &path).await);
    }
    let rename = json!({"name": "renamed"});
    ann.put(&path).json(&rename).send().await.ok(200);

    let mut distinct = 0;
    for (at, then) in remembered.iter().enumerate() {
        for (question, answer) in &then.answers {
            for as_of in [then.cursor.to_string(), then.time.clone()] {
                let asked = with(question, &as_of);
                let again = ann.get(&format!("{path}{asked}")).send().await.ok(200);
                assert_eq!(again, *answer, "{at}: {asked}");
            }
            let now = ann.get(&format!("{path}{question}")).send().await;
            distinct += usize::from(now.json() != *answer);
        }
    }
    assert!(distinct > 40, "{distinct} answers are others by now");
    pages_go_on(&ann, &path, &remembered).await;
    nobody_elses_and_no_other_time(&app, &ann, &path, nothing).await;
    deleted_campaigns_show_as_they_were(&app, &ann, &path, &remembered).await;
    app.stop().await;
}

async fn pages_go_on(ann: &Client, path: &str, remembered: &[Remembered]) {
    let then = &remembered[3];
    let whole = then
        .answers
        .iter()
        .find(|(q, _)| q == "/domains?limit=1000");
    let (mut walked, mut after) = (Vec::new(), String::new());
    loop {
        let asked = format!("{path}/domains?first=25&asOf={}{after}", then.cursor);
        let page = ann.get(&asked).send().await.ok(200);
        walked.extend(page["items"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        let cursor = page["pageInfo"]["endCursor"].as_str().unwrap();
        after = format!("&after={cursor}");
    }
    assert_eq!(json!(walked), whole.unwrap().1["items"]);
}

async fn nobody_elses_and_no_other_time(
    app: &TestApp,
    ann: &Client,
    path: &str,
    nothing: Position,
) {
    let bob = app.user("bob").await;
    let head = position(app).await;
    for question in ["", "/status", "/funnel", "/domains"] {
        let path = format!("{path}{question}");
        for before in [
            "0".to_owned(),
            nothing.to_string(),
            "2001-01-01T00:00:00Z".to_owned(),
        ] {
            let reply = ann.get(&format!("{path}?asOf={before}")).send().await;
            reply.blames(404, "campaignId");
        }
        let beyond = (head.get() + 1_000_000).to_string();
        for wrong in [
            &beyond,
            "2999-01-01T00:00:00Z",
            "yesterday",
            "",
            "-1",
            "99999999999999999999999",
        ] {
            let reply = ann.get(&format!("{path}?asOf={wrong}")).send().await;
            reply.blames(400, "asOf");
        }
        let reply = bob.get(&format!("{path}?asOf={head}")).send().await;
        reply.blames(404, "campaignId");
    }
    let reply = ann.get(&format!("{path}/domains?asOf={head}&sort=size"));
    reply.send().await.blames(400, "sort");
}

async fn deleted_campaigns_show_as_they_were(
    app: &TestApp,
    ann: &Client,
    path: &str,
    remembered: &[Remembered],
) {
    ann.delete(path).send().await.ok(204);
    let head = position(app).await;
    ann.get(&format!("{path}?asOf={head}")).send().await.ok(404);
    let auditor = app.user_with_role("auditor", Role::Auditor).await;
    let then = &remembered[4];
    for (question, answer) in &then.answers[..4] {
        let asked = with(question, &then.cursor.to_string());
        let again = auditor.get(&format!("{path}{asked}")).send().await.ok(200);
        assert_eq!(again, *answer, "{asked}");
    }
    // What is computed leaves nothing behind.
    let mut connection = app.app.database.pool().acquire().await.unwrap();
    assert_eq!(domains::recount(&mut connection).await.unwrap(), []);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
}
