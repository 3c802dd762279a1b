//! Those who watch: a client of the stream that goes on at the next server, and a clock on the read models.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::load::{Client, Done};
use crate::support::DEADLINE;

/// What ends the reading: nobody else makes one.
const LAST: &str = "keyword_set_created";

/// What one stream told, without what it tells in steps that are its own.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// Kind and payload of each message that stands for one event.
    events: Vec<(String, Value)>,
    /// Each state of a name.
    items: Vec<Value>,
    connections: usize,
}

impl Seen {
    /// Takes a message in; says whether it was the last.
    fn take(&mut self, kind: &str, data: &Value) -> bool {
        match kind {
            "keep_alive" | "campaign_progress" | "rescore_progress" => {}
            "domain_status_delta" => {
                let items = data["payload"]["items"].as_array().expect("items");
                self.items.extend(items.iter().cloned());
            }
            _ => self.events.push((kind.to_owned(), data["payload"].clone())),
        }
        kind == LAST
    }
}

/// Reads a stream to the last message; goes on where it was cut off, at whichever server answers.
async fn read(client: Client, begin: u64) -> Seen {
    let (mut seen, mut after) = (Seen::default(), begin);
    loop {
        let asked = client.stream(&format!("/sse/events?domains=all&after={after}"));
        let Ok(mut response) = asked.send().await else {
            tokio::task::yield_now().await;
            continue;
        };
        if response.status() != 200 {
            assert_eq!(response.status(), 503);
            continue;
        }
        seen.connections += 1;
        let mut text = String::new();
        // A message comes every twelve seconds.
        while let Ok(Ok(Some(chunk))) = timeout(DEADLINE, response.chunk()).await {
            text.push_str(std::str::from_utf8(&chunk).expect("text"));
            while let Some((block, rest)) = text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let kind = field("event: ").expect("a type");
                let data = field("data: ").expect("data");
                let data: Value = serde_json::from_str(data).expect("JSON");
                if let Some(id) = field("id: ") {
                    after = id.parse().expect("a cursor");
                }
                if seen.take(kind, &data) {
                    return seen;
                }
                text = rest.to_owned();
            }
        }
    }
}

/// A client of the stream while processes are killed.
pub struct Follower {
    begin: u64,
    reading: JoinHandle<Seen>,
}

impl Follower {
    pub async fn start(client: Client) -> Self {
        let opened = client.stream("/sse/events").send().await.expect("a stream");
        let cursor = opened.headers()["x-event-cursor"].to_str().expect("text");
        let begin = cursor.parse().expect("a cursor");
        let reading = tokio::spawn(read(client, begin));
        Self { begin, reading }
    }

    /// Expects that all connections together told what one undisturbed connection tells from the same place on. Returns
    /// how many there were.
    pub async fn saw_everything(self, done: &Done) -> usize {
        let body = json!({"name": "the last", "rules": []});
        done.client
            .ask(Method::POST, "/keyword-sets", Some(&body), 201)
            .await;
        let undisturbed = timeout(DEADLINE, read(done.client.clone(), self.begin));
        let undisturbed = undisturbed.await.expect("it is read");
        let seen = timeout(DEADLINE, self.reading)
            .await
            .expect("it ends")
            .expect("it reads");
        assert!(undisturbed.events.len() > 1 && !undisturbed.items.is_empty());
        assert_eq!(seen.events, undisturbed.events);
        assert_eq!(seen.items.len(), undisturbed.items.len());
        assert!(
            seen.items == undisturbed.items,
            "the same items in the same order"
        );
        seen.connections
    }
}

/// Watches how long a read model that is behind the log does not move.
pub struct Standstill {
    stop: CancellationToken,
    watching: JoinHandle<Duration>,
}

impl Standstill {
    pub fn watch(url: &str) -> Self {
        let stop = CancellationToken::new();
        let watching = tokio::spawn(longest(url.to_owned(), stop.clone()));
        Self { stop, watching }
    }

    pub async fn stop(self) -> Duration {
        self.stop.cancel();
        self.watching.await.expect("it watches")
    }
}

async fn longest(url: String, stop: CancellationToken) -> Duration {
    let pool = sqlx::PgPool::connect(&url).await.expect("the database");
    let (mut longest, mut stood, mut since) = (Duration::ZERO, -1, Instant::now());
    while !stop.is_cancelled() {
        let (slowest, head): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT min(position) FROM projection_checkpoints), \
             (SELECT coalesce(max(base + events - 1), 0) FROM event_log)",
        )
        .fetch_one(&pool)
        .await
        .expect("the database answers");
        if slowest >= head || slowest != stood {
            (stood, since) = (slowest, Instant::now());
        }
        longest = longest.max(since.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pool.close().await;
    longest
}
