//! One connection: reads facts from its cursor on, lets the composer decide, and hands text over piece by piece.
//!
//! What was handed over and is not yet on the socket is counted by permits that the pieces carry; without a free permit
//! nothing more is read or written for the client. That is what makes a slow client cost a bounded amount.

use std::{collections::VecDeque, future::Future, sync::Arc};

use bytes::Bytes;
use chrono::Utc;
use event_store::Position;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use super::{
    AHEAD_BYTES, FRAME_BYTES, IN_FLIGHT_BYTES, KEEP_ALIVE, RETRY,
    composer::{Composer, Taken, Wanted},
    cursor::Cursor,
    fact::Fact,
    listeners::Listener,
    outbox::{self, Outbox},
    progress::Shown,
    scope::Scope,
    streams::Shared,
};

/// One connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    scope: Scope,
    composer: Composer,
    /// Everything up to here is in `ahead` or was taken in.
    cursor: Position,
    ahead: VecDeque<Arc<Fact>>,
    out: Outbox,
    keep_alive: Instant,
    in_flight: Arc<Semaphore>,
    over: bool,
    _listener: Listener,
}

/// A piece of text that is on its way to the socket.
struct Piece {
    text: String,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        listener: Listener,
        scope: Scope,
        start: Cursor,
        every_domain: bool,
    ) -> Self {
        let mut out = Outbox::default();
        out.retry(RETRY.as_millis());
        Self {
            shared,
            scope,
            composer: Composer::new(start, every_domain),
            cursor: start.position,
            ahead: VecDeque::new(),
            out,
            keep_alive: Instant::now(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_BYTES)),
            over: false,
            _listener: listener,
        }
    }

    /// Returns the next piece of the stream, as soon as there is one and room for it; nothing when the stream is over.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            let now = Instant::now();
            if now >= self.keep_alive {
                self.out
                    .push(None, &outbox::body("keep_alive", Utc::now(), json!({})));
                self.keep_alive = now + KEEP_ALIVE;
            }
            let mut wake = self.drain(now).await;
            let level = wake.is_none() && self.ahead.is_empty();
            if self.out.len() < FRAME_BYTES && level {
                match self.read_on().await {
                    Ok(true) => continue,
                    Ok(false) => wake = self.at_rest().await,
                    Err(error) => self.fail(&error),
                }
            }
            if !self.out.is_empty() {
                return Some(self.piece().await);
            }
            if self.over {
                return None;
            }
            self.wait(wake, level).await;
        }
    }

    /// Lets the composer take facts in until there is enough text; says until when it has to wait, if it has.
    async fn drain(&mut self, now: Instant) -> Option<Instant> {
        while self.out.len() < FRAME_BYTES
            && let Some(fact) = self.ahead.front()
        {
            let behind = self.shared.head().get().saturating_sub(fact.position.get());
            match self.composer.take(fact, now, behind, &mut self.out) {
                Taken::Yes => self.ahead.pop_front(),
                Taken::NotBefore(then) => return Some(then),
                Taken::AfterProgress(wanted) => {
                    self.show(wanted).await;
                    continue;
                }
            };
            if self.composer.ended() && self.scope.campaign.is_some() {
                self.ahead.clear();
                self.over = true;
            }
        }
        if self.ahead.is_empty() {
            self.composer.reach(self.cursor);
        }
        None
    }

    /// Reads the next facts; answers whether there was anything.
    async fn read_on(&mut self) -> Result<bool, event_store::Error> {
        if self.over {
            return Ok(false);
        }
        let Some(block) = self.shared.block_after(self.cursor).await? else {
            return Ok(false);
        };
        let (facts, reached) = block.after(self.cursor, &self.scope, AHEAD_BYTES);
        self.ahead.extend(facts);
        self.cursor = reached;
        Ok(true)
    }

    /// Sends what waits for its time; says when the next of it is due.
    async fn at_rest(&mut self) -> Option<Instant> {
        if let Some(then) = self.composer.rest(Instant::now(), &mut self.out) {
            return Some(then);
        }
        match self.composer.progress(Instant::now()) {
            Ok(wanted) => {
                self.show(wanted).await;
                self.composer
                    .progress(Instant::now())
                    .map_or_else(|then| then, |_| Some(Instant::now()))
            }
            Err(then) => then,
        }
    }

    async fn show(&mut self, wanted: Wanted) {
        match self.shared.standings.shown(wanted).await {
            Ok(Shown::Now(bodies, shown)) => {
                self.composer
                    .show(wanted, &bodies, shown, Instant::now(), &mut self.out);
            }
            Ok(Shown::NotYet) => self.composer.show_later(wanted, Instant::now()),
            Ok(Shown::Nothing) => self.composer.nothing_to_show(wanted, Instant::now()),
            Err(error) => {
                tracing::warn!(campaign.id = %wanted.campaign, %error, "a stream shows no progress for now");
                self.composer.show_later(wanted, Instant::now());
            }
        }
    }

    /// Says that the log cannot be read and ends; the client comes back with the id that it has.
    fn fail(&mut self, error: &event_store::Error) {
        tracing::warn!(%error, source = ?std::error::Error::source(error), "a stream ends, its client will come back");
        let payload = json!({"message": "the stream broke off, come back with the last id"});
        self.out
            .push(None, &outbox::body("error", Utc::now(), payload));
        self.over = true;
    }

    /// Hands the text over, when what was handed over before has been written.
    async fn piece(&mut self) -> Bytes {
        let (text, messages) = self.out.take();
        let bytes = u32::try_from(text.len().min(IN_FLIGHT_BYTES)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let room = Arc::clone(&self.in_flight)
            .acquire_many_owned(bytes)
            .await
            .ok();
        self.shared.listeners.note_sent(messages);
        Bytes::from_owner(Piece { text, _room: room })
    }

    /// Waits until something is due, or, where everything was read, until there is more.
    async fn wait(&self, wake: Option<Instant>, level: bool) {
        let until = wake.map_or(self.keep_alive, |wake| wake.min(self.keep_alive));
        let more: std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> = if level {
            Box::pin(self.shared.past(self.cursor))
        } else {
            Box::pin(std::future::pending())
        };
        tokio::select! {
            () = more => {}
            () = sleep_until(until) => {}
        }
    }
}
