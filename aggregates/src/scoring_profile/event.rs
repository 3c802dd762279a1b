//! What can happen to a scoring profile. Field and variant names are forever; see `tests/golden/scoring_profile`.

use std::collections::BTreeMap;

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// An event of a scoring profile's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The profile exists.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its weights by component, as given.
        weights: BTreeMap<String, f64>,
    },
    /// The profile was changed; absent fields stay.
    Changed {
        /// Whose it is.
        owner: UserId,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// All weights that it has now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<BTreeMap<String, f64>>,
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
            Self::Deleted { .. } => "Deleted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
