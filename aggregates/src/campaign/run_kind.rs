//! Which domains of its campaign a run works on.

use serde::{Deserialize, Serialize};

/// Which domains of its campaign a run works on, and what becomes of the results of the runs before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Every domain that the phase is about; results of the phase, and of those after it, are found anew.
    #[default]
    Full,
    /// The domains whose check failed, whatever the reason, and those that the run before did not come to; all others
    /// keep their results.
    #[serde(rename = "retry_failed")]
    Retry,
    /// As a retry, but names that do not exist keep that answer. In logs only: no command begins such a run any more.
    #[serde(rename = "retry")]
    RetryUnanswered,
    /// The domains that have no result of the phase because of a retry before it; all others keep theirs.
    Rest,
    /// As a full run of the analysis, because of other weights.
    Rescore,
}

impl RunKind {
    /// Returns the kind's name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Retry => "retry_failed",
            Self::RetryUnanswered => "retry",
            Self::Rest => "rest",
            Self::Rescore => "rescore",
        }
    }

    /// Tells whether some domains keep the results that they have.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.is_retry() || matches!(self, Self::Rest)
    }

    /// Tells whether it works on what failed before.
    #[must_use]
    pub const fn is_retry(self) -> bool {
        matches!(self, Self::Retry | Self::RetryUnanswered)
    }

    pub(super) const fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}
