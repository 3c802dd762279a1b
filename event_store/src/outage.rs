//! Which errors say that the database does not serve for now, and not that something is wrong with what it was asked.

use std::error::Error;

/// Why the database does not serve for now; another try may succeed. What failed with it is stored whole or not at all: where
/// the answer to a commit was lost, only a repeat under the same idempotency key tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// It is not reached: it stops, starts, or is gone.
    Unreachable,
    /// Its disk is full.
    DiskFull,
    /// It has no connection, or no memory, for one more.
    Exhausted,
    /// It only reads: a standby, or an operator has said so.
    ReadOnly,
}

impl Outage {
    /// Finds the outage among the causes of an error; none where the database is not to blame.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<sqlx::Error>() {
                return Self::of_sqlx(error);
            }
            cause = error.source();
        }
        None
    }

    fn of_sqlx(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Some(Self::Unreachable)
            }
            sqlx::Error::PoolTimedOut => Some(Self::Exhausted),
            sqlx::Error::Database(error) => Self::of_state(error.code()?.as_ref()),
            _ => None,
        }
    }

    /// Reads an `SQLSTATE` (PostgreSQL, appendix A).
    fn of_state(state: &str) -> Option<Self> {
        match state {
            "53100" => Some(Self::DiskFull),
            "25006" => Some(Self::ReadOnly),
            // admin_shutdown, crash_shutdown, cannot_connect_now, and the database being dropped.
            "57P01" | "57P02" | "57P03" | "57P04" => Some(Self::Unreachable),
            _ if state.starts_with("08") => Some(Self::Unreachable),
            _ if state.starts_with("53") => Some(Self::Exhausted),
            _ => None,
        }
    }

    /// Says it to somebody who waits for an answer.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => "the database cannot be reached for now",
            Self::DiskFull => "the database has no room on its disk for now",
            Self::Exhausted => "the database takes no more work for now",
            Self::ReadOnly => "the database takes no changes for now",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_from_a_fault_of_what_was_asked() {
        assert_eq!(Outage::of_state("53100"), Some(Outage::DiskFull));
        assert_eq!(Outage::of_state("53300"), Some(Outage::Exhausted));
        assert_eq!(Outage::of_state("53200"), Some(Outage::Exhausted));
        assert_eq!(Outage::of_state("57P03"), Some(Outage::Unreachable));
        assert_eq!(Outage::of_state("08006"), Some(Outage::Unreachable));
        assert_eq!(Outage::of_state("25006"), Some(Outage::ReadOnly));
        for fault in ["23505", "42601", "57014", "40001", "22P02"] {
            assert_eq!(Outage::of_state(fault), None, "{fault}");
        }
    }

    #[test]
    fn an_outage_is_found_behind_the_errors_that_wrap_it() {
        let wrapped = crate::Error::Aggregate {
            action: "load",
            aggregate_type: "campaign",
            aggregate_id: "one".to_owned(),
            source: Box::new(sqlx::Error::PoolTimedOut),
        };
        assert_eq!(Outage::of(&wrapped), Some(Outage::Exhausted));
        let fault = crate::Error::database("read")(sqlx::Error::RowNotFound);
        assert_eq!(Outage::of(&fault), None);
    }
}
