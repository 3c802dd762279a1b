//! One page, followed step by step.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_stream::stream;
use axum::{extract, response::Response};
use futures::Stream;
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    view::Outcome,
    wanted::{Finder, Wanted},
};
use crate::{
    http::{Caller, Error, ErrorEnvelope, Query, State, steps::Step, trial::trial},
    sse::{self, Message},
    work::{
        Network,
        trials::{Item, Seen, Tell, Trial},
    },
};

/// Steps that wait to be told. One fetch makes fewer: a few for each of its redirects, of robots.txt, of https and of http.
const WAITING: usize = 512;
/// How long what was found is kept for a client that does not read it.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// What the messages are.
const MESSAGES: &str = include_str!("messages.md");

/// The page that is to be searched.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Its address; nothing but a host and a path, of http or https.
    #[param(format = "uri")]
    url: String,
    /// What is looked for.
    keyword_set_id: Uuid,
    /// How it is fetched; as the operator's defaults say where this is not said.
    http_persona_id: Option<Uuid>,
    /// How its host is found; as the operator's defaults say where this is not said.
    dns_persona_id: Option<Uuid>,
}

/// Fetches a page and looks for keywords on it as campaigns do, and streams every step.
///
/// Types of messages: `keep_alive`; `resolved`, `chosen`, `connected`, `secured`, `requested`, `answered`, `redirected`,
/// `robots`, `failed` and `fetched` as the fetch goes on; `match` for each rule that matched; and one of `done` and `error` at
/// the end, with which the stream ends. It takes 60 s at most, and ends with the client. What was found is kept for 30 s for
/// a client that does not read; a stream that ends with neither `done` nor `error` was not read in that time.
#[utoipa::path(get, path = "/extract/keywords/stream", tag = "extract", params(Page),
    responses((status = 200, content_type = "text/event-stream", body = String, description = MESSAGES),
        (status = 403, description = "the sender may try nothing", body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope), (status = 429, body = ErrorEnvelope)))]
pub(super) async fn follow(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Response, Error> {
    let wanted = Wanted {
        url: page.url,
        keyword_set_id: page.keyword_set_id,
        http_persona_id: page.http_persona_id,
        dns_persona_id: page.dns_persona_id,
    };
    // Before anything is read for it.
    let trial = trial(&state, &caller)?;
    let mut finder = Finder::new(&state.app, caller.whose());
    let item = finder.item("", wanted).await?;
    let network = state.app.defaults.network.clone();
    sse::of_messages(&state, &caller, messages(trial, item, network))
}

/// What is still to be told of a page.
struct Told {
    steps: mpsc::Receiver<Message>,
    found: mpsc::Receiver<Message>,
    /// The work ends with whoever is told.
    _work: AbortOnDropHandle<()>,
}

/// Works on an item, however slowly its messages are read: a client that reads none of them holds no turn for that.
fn messages(trial: Trial, item: Item, network: Network) -> impl Stream<Item = Message> + Send {
    let (to_steps, steps) = mpsc::channel(WAITING);
    // What was found has its place with whoever tells it, not in a queue.
    let (to_found, found) = mpsc::channel(1);
    let work = tokio::spawn(work(trial, item, network, to_steps, to_found));
    let told = Told {
        steps,
        found,
        _work: AbortOnDropHandle::new(work),
    };
    stream! {
        // As a whole: the work ends where only a part of it is kept.
        let mut told = told;
        while let Some(step) = told.steps.recv().await {
            yield step;
        }
        while let Some(found) = told.found.recv().await {
            yield found;
        }
    }
}

/// Searches a page, gives the turn back, and then tells what was found to whoever reads it in time.
async fn work(
    trial: Trial,
    item: Item,
    network: Network,
    steps: mpsc::Sender<Message>,
    found: mpsc::Sender<Message>,
) {
    let since = Instant::now();
    let tell: Tell = Arc::new(move |seen: Seen| {
        // It never waits; see the bound.
        let _ = steps.try_send(message(since.elapsed(), seen));
    });
    let extracted = trial.extract(&item, &network, &tell).await;
    drop((trial, tell));
    let mut outcome = Outcome::of(item.asked.clone(), item.key, extracted);
    drop(item);
    let telling = async {
        for matched in outcome.take_matches() {
            found.send(Message::new("match", matched)).await?;
        }
        let kind = if outcome.failed() { "error" } else { "done" };
        found.send(Message::new(kind, outcome)).await
    };
    // Who does not read it by then, or is gone, is not told.
    let _ = timeout(READ_LIMIT, telling).await;
}

fn message(at: Duration, seen: Seen) -> Message {
    let step = Step::of(at, seen);
    Message::new(step.step.name(), step)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aggregates::{
        ids::{KeywordSetId, RuleId, UserId},
        keyword_set::{Rule, RuleType},
        persona::{DnsConfig, HttpConfig},
    };
    use futures::StreamExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::work::trials::{Key, Pages, Trials, Words};

    /// A site of one page, and an item that looks for its word.
    async fn item() -> Item {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4_096]).await;
                let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>espresso";
                let _ = stream.write_all(page.as_bytes()).await;
            }
        });
        let http = HttpConfig {
            user_agent: "Test".to_owned(),
            ..HttpConfig::default()
        };
        let dns = DnsConfig {
            resolvers: vec!["127.0.0.1:9".to_owned()],
            ..DnsConfig::default()
        };
        let rule = Rule {
            id: RuleId(Uuid::from_u128(1)),
            pattern: "espresso".to_owned(),
            rule_type: RuleType::String,
            is_case_sensitive: false,
            category: None,
            weight: 1.0,
            context_chars: 10,
        };
        Item {
            key: Key {
                http_persona: None,
                dns_persona: None,
                keyword_set: KeywordSetId(Uuid::from_u128(2)),
            },
            asked: url.clone(),
            url: url.parse().unwrap(),
            pages: Arc::new(Pages::new(http, dns)),
            words: Arc::new(Words::new([rule].into())),
        }
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_has_no_turn_once_its_page_was_searched() {
        let (trials, stop) = (
            Trials::new(1, 1, Duration::from_secs(60)),
            CancellationToken::new(),
        );
        let user = UserId(Uuid::from_u128(3));
        let trial = trials.begin(user, &stop).unwrap();
        let network = Network {
            allow_private: true,
            ..Network::default()
        };
        let unread = messages(trial, item().await, network);
        assert!(trials.begin(user, &stop).is_err(), "it is being searched");
        let another = async {
            while trials.begin(user, &stop).is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), another).await.unwrap();
        // What was found waits for it all the same.
        let told: Vec<Message> = unread.collect().await;
        assert!(told.len() > 3, "steps, a match and an end: {}", told.len());
    }
}
