//! Taking a log in.

use event_store::{Commit, Database, Import};
use serde::de::IgnoredAny;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use transparency::Event;

use super::{
    TransferError, Transferred,
    line::{self, End, FORM, Line},
};
use crate::Error;

/// The longest line that is read, bytes: longer than that of any event.
const LONGEST: u64 = 256 << 20;

/// Takes an exported log into a log that is empty, whole or not at all; `report` is told how many events were taken of how
/// many. Nobody appends meanwhile. The read models follow by themselves wherever a process keeps them.
///
/// # Errors
/// [`Error::Transfer`] says what is wrong, and in which line.
pub async fn import(
    database: &Database,
    text: &mut (impl AsyncBufRead + Unpin),
    mut report: impl FnMut(u64, u64),
) -> Result<Transferred, Error> {
    let import = Import::begin(database).await;
    let import = import.map_err(TransferError::from)?;
    Ok(read(import, &mut Lines { text, line: 0 }, &mut report).await?)
}

async fn read(
    mut import: Import,
    lines: &mut Lines<'_, impl AsyncBufRead + Unpin>,
    report: &mut impl FnMut(u64, u64),
) -> Result<Transferred, TransferError> {
    let of = match lines.next(0).await? {
        Line::Log(head) if head.form == FORM => head.events,
        Line::Log(head) => return lines.refuse(format!("the form is {}, not {FORM}", head.form)),
        other => return lines.refuse(format!("a log should begin here, not {}", other.name())),
    };
    loop {
        match lines.next(import.size()).await? {
            Line::Commit(head) => {
                let commit = commit(lines, head, import.size()).await?;
                let line = lines.line;
                let taken = import.take(commit).await;
                taken.map_err(|error| TransferError::Line {
                    line,
                    problem: event_store::describe(&error),
                })?;
                report(import.size(), of);
            }
            Line::End(end) => {
                let taken = compare(&import, &end)?;
                lines.end().await?;
                import.finish().await?;
                return Ok(taken);
            }
            other => {
                return lines.refuse(format!("a commit should begin here, not {}", other.name()));
            }
        }
    }
}

/// Reads the events of a commit.
async fn commit(
    lines: &mut Lines<'_, impl AsyncBufRead + Unpin>,
    head: line::Commit,
    before: u64,
) -> Result<Commit, TransferError> {
    let mut events = Vec::new();
    while u64::try_from(events.len()).is_ok_and(|read| read < head.events) {
        match lines.next(before).await? {
            Line::Event(event) => {
                if let Err(problem) = storable(&event) {
                    return lines.refuse(problem);
                }
                events.push(event);
            }
            other => {
                let (base, of) = (head.base, head.events);
                let problem = format!(
                    "the commit at position {base} should have {of} events, here is {} after {}",
                    other.name(),
                    events.len()
                );
                return lines.refuse(problem);
            }
        }
    }
    Ok(Commit {
        base: head.base,
        noted: head.events,
        committed_at: head.committed_at,
        events,
    })
}

/// Refuses what the database would not take, by its field.
fn storable(event: &Event) -> Result<(), String> {
    for (name, text) in [
        ("aggregateType", &event.aggregate_type),
        ("aggregateId", &event.aggregate_id),
        ("eventType", &event.event_type),
        ("eventVersion", &event.event_version),
    ] {
        if text.contains('\0') {
            return Err(format!("{name} has a character that no text can keep"));
        }
    }
    for (name, json) in [("payload", &event.payload), ("metadata", &event.metadata)] {
        serde_json::from_str::<IgnoredAny>(json)
            .map_err(|error| format!("{name} is no JSON: {error}"))?;
    }
    if event.sequence == 0 {
        return Err("sequence is 0: streams begin with 1".to_owned());
    }
    Ok(())
}

/// Holds what was read against what was written.
fn compare(import: &Import, end: &End) -> Result<Transferred, TransferError> {
    let (events, found) = (import.size(), import.root());
    if (events, found) == (end.events, end.root) {
        return Ok(Transferred {
            events,
            root: found,
        });
    }
    Err(TransferError::Changed {
        events,
        found,
        said_events: end.events,
        said: end.root,
    })
}

/// The lines of a text.
struct Lines<'a, R> {
    text: &'a mut R,
    /// The last one that was read, counted from 1.
    line: u64,
}

impl<R: AsyncBufRead + Unpin> Lines<'_, R> {
    /// Reads the next line; `events` are in those before.
    async fn next(&mut self, events: u64) -> Result<Line, TransferError> {
        let bytes = self.bytes().await?;
        let Some(text) = bytes.strip_suffix(b"\n") else {
            let lines = self.line;
            return Err(TransferError::CutOff { lines, events });
        };
        self.line += 1;
        serde_json::from_slice(text).or_else(|error| self.refuse(error.to_string()))
    }

    /// Refuses anything that comes now.
    async fn end(&mut self) -> Result<(), TransferError> {
        if self.bytes().await?.is_empty() {
            return Ok(());
        }
        self.line += 1;
        self.refuse("nothing should follow the end".to_owned())
    }

    async fn bytes(&mut self) -> Result<Vec<u8>, TransferError> {
        let mut bytes = Vec::new();
        let mut text = (&mut *self.text).take(LONGEST);
        let read = text.read_until(b'\n', &mut bytes).await;
        read.map_err(TransferError::file("read"))?;
        if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes >= LONGEST) {
            self.line += 1;
            return self.refuse(format!("it is longer than {LONGEST} bytes"));
        }
        Ok(bytes)
    }

    /// Says what is wrong with the line that was read last.
    fn refuse<T>(&self, problem: String) -> Result<T, TransferError> {
        let line = self.line;
        Err(TransferError::Line { line, problem })
    }
}
