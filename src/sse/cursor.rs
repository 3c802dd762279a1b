//! Where a stream goes on.

use std::{fmt, str::FromStr};

use event_store::Position;

/// Everything of a stream up to a position was received.
///
/// Where one event leads to two messages, an announcement and the message of the event, a client may be cut off between
/// them. The id of the announcement is the position before the event, written with a leading zero: the same number to
/// whoever reads numbers, and to the stream a sign that the announcement is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The position.
    pub(super) position: Position,
    /// The announcement before the event at the next position was received as well.
    pub(super) announced: bool,
}

impl Cursor {
    pub(super) const fn at(position: Position) -> Self {
        Self {
            position,
            announced: false,
        }
    }

    /// Returns the cursor of the announcement before the event at a position.
    pub(super) const fn announcing(position: Position) -> Self {
        Self {
            position: Position::new(position.get().saturating_sub(1)),
            announced: true,
        }
    }

    /// Returns the position of the event whose announcement was received without the event.
    pub(super) fn announced_event(self) -> Option<Position> {
        self.announced
            .then(|| Position::new(self.position.get().saturating_add(1)))
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a message of this stream, or an X-Event-Cursor")]
pub(super) struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotACursor);
        }
        Ok(Self {
            position: text.parse().map_err(|_| NotACursor)?,
            announced: text.len() > 1 && text.starts_with('0'),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.announced {
            f.write_str("0")?;
        }
        self.position.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_from_the_id_that_it_wrote() {
        for cursor in [
            Cursor::at(Position::START),
            Cursor::at(Position::new(42)),
            Cursor::announcing(Position::new(1)),
            Cursor::announcing(Position::new(43)),
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let announcing = Cursor::announcing(Position::new(43));
        assert_eq!(announcing.to_string().parse::<u64>().unwrap(), 42);
        assert_eq!(announcing.announced_event(), Some(Position::new(43)));
    }

    #[test]
    fn anything_but_digits_is_no_cursor() {
        for text in ["", "-1", "+1", " 1", "1a", "99999999999999999999999"] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
