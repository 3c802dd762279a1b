//! One page, followed step by step.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_stream::stream;
use axum::{extract, response::Response};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::mpsc;
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
/// the end, with which the stream ends. It takes 60 s at most, and ends with the client.
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
    let mut finder = Finder::new(&state.app, caller.whose());
    let item = finder.item("", wanted).await?;
    let trial = trial(&state.app)?;
    let network = state.app.defaults.network.clone();
    sse::of_messages(&state, &caller, messages(trial, item, network))
}

/// Works on an item while its messages are read, and no longer.
fn messages(trial: Trial, item: Item, network: Network) -> impl Stream<Item = Message> + Send {
    let (sender, mut steps) = mpsc::channel(WAITING);
    let since = Instant::now();
    let tell: Tell = Arc::new(move |seen: Seen| {
        // It never waits; see the bound.
        let _ = sender.try_send((since.elapsed(), seen));
    });
    stream! {
        let found = {
            let mut work = pin!(trial.extract(&item, &network, &tell));
            loop {
                tokio::select! {
                    biased;
                    Some((at, seen)) = steps.recv() => yield message(at, seen),
                    found = &mut work => break found,
                }
            }
        };
        while let Ok((at, seen)) = steps.try_recv() {
            yield message(at, seen);
        }
        let mut outcome = Outcome::of(item.url.to_string(), item.key, found);
        for found in outcome.take_matches() {
            yield Message::new("match", found);
        }
        let kind = if outcome.failed() { "error" } else { "done" };
        yield Message::new(kind, outcome);
    }
}

fn message(at: Duration, seen: Seen) -> Message {
    let step = Step::of(at, seen);
    Message::new(step.step.name(), step)
}
