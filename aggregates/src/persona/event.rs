//! What can happen to a persona. Field and variant names are forever; see `tests/golden/persona`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::Config;
use crate::ids::UserId;

/// An event of a persona's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The persona exists.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// How it works.
        config: Config,
        /// Whether phases may use it.
        enabled: bool,
    },
    /// Name, description or configuration were changed; absent fields stay.
    Changed {
        /// Whose it is.
        owner: UserId,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The new configuration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<Config>,
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
