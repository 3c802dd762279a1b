//! What can happen to an entry. Field and variant names are forever; see `tests/golden/suppression_entry`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::Target;
use crate::ids::UserId;

/// An event of an entry's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Nothing is sent to the target any more.
    AddedToSuppressionList {
        /// Who is left alone.
        #[serde(flatten)]
        target: Target,
        /// Why.
        reason: String,
        /// What else is to be known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Who added it.
        added_by: UserId,
    },
    /// The target may be asked and fetched again.
    RemovedFromSuppressionList {
        /// Who was left alone until now.
        #[serde(flatten)]
        target: Target,
        /// Who removed it.
        removed_by: UserId,
    },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::AddedToSuppressionList { .. } => "AddedToSuppressionList",
            Self::RemovedFromSuppressionList { .. } => "RemovedFromSuppressionList",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
