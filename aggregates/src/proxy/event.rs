//! What can happen to a proxy. Field and variant names are forever; see `tests/golden/proxy`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{Endpoint, Protocol};
use crate::ids::UserId;

/// An event of a proxy's stream. None says what a proxy is told of who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The proxy is known.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// How it is spoken to.
        protocol: Protocol,
        /// Where it listens.
        endpoint: Endpoint,
        /// The country that it stands in, two capital letters (ISO 3166-1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country_code: Option<String>,
        /// Whatever the owner wants to remember.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
        /// Whether pools use it.
        enabled: bool,
    },
    /// Something was changed; absent fields stay.
    Changed {
        /// Whose it is.
        owner: UserId,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// How it is spoken to now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        protocol: Option<Protocol>,
        /// Where it listens now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<Endpoint>,
        /// The country that it stands in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country_code: Option<String>,
        /// The new notes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
    },
    /// What the proxy is told of who asks was changed; what it is stands in no event.
    CredentialsChanged {
        /// Whose it is.
        owner: UserId,
        /// Whether it is told anything now.
        present: bool,
    },
    /// Pools use it again.
    Enabled {
        /// Whose it is.
        owner: UserId,
    },
    /// Pools no longer use it.
    Disabled {
        /// Whose it is.
        owner: UserId,
    },
    /// It was found to fare otherwise than before, or for the first time since it was set up as it is.
    HealthChanged {
        /// Whose it is.
        owner: UserId,
        /// Whether a page came through it.
        healthy: bool,
        /// The kind of fault, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The fault in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// How long the check took, where it was one, milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        latency_ms: Option<u32>,
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
            Self::CredentialsChanged { .. } => "CredentialsChanged",
            Self::Enabled { .. } => "Enabled",
            Self::Disabled { .. } => "Disabled",
            Self::HealthChanged { .. } => "HealthChanged",
            Self::Deleted { .. } => "Deleted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
