//! When an event was recorded, as the database can say it.
//!
//! A `timestamptz` may be infinite, or in a year that no calendar of the program has. Nothing writes such a moment; who
//! tampers does, and no reader may end by it.

use chrono::{DateTime, Utc};
use sqlx::{
    Decode, Postgres, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
};

/// The database counts from 2000-01-01T00:00:00Z: microseconds after 1970-01-01T00:00:00Z.
const EPOCH: i64 = 946_684_800_000_000;

/// A moment, in microseconds of the database's count; the lowest and the highest number are the infinite ones, and beyond any
/// calendar like others near them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(i64);

/// An event was recorded at no moment that is one.
#[derive(Debug, thiserror::Error)]
#[error(
    "event {sequence} of {aggregate_type} {aggregate_id} was recorded at no moment that a calendar has"
)]
struct NoMoment {
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
}

impl Moment {
    /// Tells the moment of an event.
    ///
    /// # Errors
    /// When it is none, with the event.
    pub(crate) fn of_event(
        self,
        aggregate_type: &str,
        aggregate_id: &str,
        sequence: i64,
    ) -> Result<DateTime<Utc>, sqlx::Error> {
        self.finite().ok_or_else(|| {
            sqlx::Error::Decode(Box::new(NoMoment {
                aggregate_type: aggregate_type.to_owned(),
                aggregate_id: aggregate_id.to_owned(),
                sequence,
            }))
        })
    }

    /// Tells the moment, or the first or last of the calendar where it is beyond it.
    pub(crate) fn nearest(self) -> DateTime<Utc> {
        let beyond = if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        self.finite().unwrap_or(beyond)
    }

    fn finite(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0.checked_add(EPOCH)?)
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Moment {
    /// Every statement here is prepared, so that its answers are binary.
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<i64 as Decode<Postgres>>::decode(value)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_that_of_the_calendar_and_what_is_beyond_it_is_told_by_its_event() {
        let known = DateTime::parse_from_rfc3339("2026-01-01T00:00:00.000001Z").unwrap();
        let counted = known.timestamp_micros() - EPOCH;
        assert_eq!(Moment(counted).nearest(), known);
        assert_eq!(Moment(counted).of_event("tally", "a", 1).unwrap(), known);
        let year_290000 = (290_000 - 2_000) * 365 * 86_400 * 1_000_000;
        for (beyond, nearest) in [
            (i64::MAX, DateTime::<Utc>::MAX_UTC),
            (year_290000, DateTime::<Utc>::MAX_UTC),
            (i64::MIN, DateTime::<Utc>::MIN_UTC),
        ] {
            assert_eq!(Moment(beyond).nearest(), nearest);
            let refused = Moment(beyond).of_event("tally", "a", 7).unwrap_err();
            assert!(
                refused.to_string().contains("event 7 of tally a"),
                "{refused}"
            );
        }
    }
}
