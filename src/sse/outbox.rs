//! Messages in their wire form.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::cursor::Cursor;

/// The version of the messages' shape.
const VERSION: u32 = 1;

/// Text that waits to be handed over.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    text: String,
    messages: u64,
}

#[derive(Serialize)]
struct Envelope<'a, P> {
    version: u32,
    r#type: &'a str,
    timestamp: DateTime<Utc>,
    payload: P,
}

/// Writes a message without its id. Compact JSON has no line breaks, so the data is one line.
pub(super) fn body<P: Serialize>(kind: &str, timestamp: DateTime<Utc>, payload: P) -> String {
    let envelope = Envelope {
        version: VERSION,
        r#type: kind,
        timestamp,
        payload,
    };
    // Only a map whose keys are no text, or a writer that fails, cannot be written; payloads here have neither.
    let data = serde_json::to_string(&envelope).unwrap_or_default();
    format!("event: {kind}\ndata: {data}\n\n")
}

impl Outbox {
    /// Adds a message; `body` is what [`body`] wrote.
    pub(super) fn push(&mut self, id: Option<Cursor>, body: &str) {
        if let Some(id) = id {
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "id: {id}");
        }
        self.text.push_str(body);
        self.messages += 1;
    }

    /// Tells the client when to come back; part of the next message.
    pub(super) fn retry(&mut self, milliseconds: u128) {
        let _ = writeln!(self.text, "retry: {milliseconds}");
    }

    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes out what waits, with how many messages it is.
    pub(super) fn take(&mut self) -> (String, u64) {
        let (mut text, messages) = (
            std::mem::take(&mut self.text),
            std::mem::take(&mut self.messages),
        );
        // It may wait for a slow client, and the room that it grew into would wait with it.
        text.shrink_to_fit();
        (text, messages)
    }
}
