//! What can happen to a keyword set. Field and variant names are forever; see `tests/golden/keyword_set`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::ids::UserId;

/// An event of a keyword set's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The set exists.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its rules.
        #[serde(default)]
        rules: Vec<Rule>,
        /// Whether phases may use it.
        enabled: bool,
    },
    /// Name or description were changed; absent fields stay.
    Changed {
        /// Whose it is.
        owner: UserId,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// The rules were replaced by these.
    RulesReplaced {
        /// Whose it is.
        owner: UserId,
        /// All rules that it has now.
        rules: Vec<Rule>,
    },
    /// Phases may use it again.
    Enabled {
        /// Whose it is.
        owner: UserId,
    },
    /// Phases may no longer use it.
    Disabled {
        /// Whose it is.
        owner: UserId,
    },
    /// It is gone.
    Deleted {
        /// Whose it was.
        owner: UserId,
    },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Created { .. } => "Created",
            Self::Changed { .. } => "Changed",
            Self::RulesReplaced { .. } => "RulesReplaced",
            Self::Enabled { .. } => "Enabled",
            Self::Disabled { .. } => "Disabled",
            Self::Deleted { .. } => "Deleted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
