//! What can happen to the settings. Field and variant names are forever; see `tests/golden/settings`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{Politeness, Reconciliation, RequestLimits};

/// An event of the settings' stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Counters are held against their rows in another way.
    ReconciliationChanged {
        /// What is set; what is absent is as each node was started with.
        reconciliation: Reconciliation,
    },
    /// Sites are asked more often or less.
    PolitenessChanged {
        /// What is set; what is absent is as each node was started with.
        politeness: Politeness,
    },
    /// One may ask for more or less.
    RequestLimitsChanged {
        /// What is set; what is absent is as each node was started with.
        limits: RequestLimits,
    },
    /// Names are asked for in no order and at no rhythm, or in theirs again.
    StealthChanged {
        /// Whether they are.
        enabled: bool,
    },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::ReconciliationChanged { .. } => "ReconciliationChanged",
            Self::PolitenessChanged { .. } => "PolitenessChanged",
            Self::RequestLimitsChanged { .. } => "RequestLimitsChanged",
            Self::StealthChanged { .. } => "StealthChanged",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
