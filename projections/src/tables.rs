//! Which tables a statement reads: those that follow the log, or those of a campaign as it was.

use std::borrow::Cow;

/// The schema of the read models.
const LIVE: &str = "read.";
/// The schema of this session's temporary tables.
const THEN: &str = "pg_temp.";

/// Which tables a statement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// The read models.
    Live,
    /// The temporary tables of [`crate::then`], which have the same names and columns.
    Then,
}

impl Tables {
    /// Returns a statement, which names the live tables, for these ones.
    pub(crate) fn of(self, statement: &'static str) -> Cow<'static, str> {
        match self {
            Self::Live => statement.into(),
            Self::Then => statement.replace(LIVE, THEN).into(),
        }
    }
}
