//! What can happen to a pool. Field and variant names are forever; see `tests/golden/proxy_pool`.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::ids::{ProxyId, UserId};

/// An event of a pool's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The pool exists, without proxies.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// How it works.
        settings: Settings,
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
        /// How it works now, as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<Settings>,
    },
    /// The pool has a proxy, or the proxy another weight.
    ProxyAdded {
        /// Whose the pool is.
        owner: UserId,
        /// The proxy.
        proxy_id: ProxyId,
        /// Its chances under `weighted`, against those of the others.
        weight: u32,
    },
    /// The pool has a proxy no more.
    ProxyRemoved {
        /// Whose the pool is.
        owner: UserId,
        /// The proxy.
        proxy_id: ProxyId,
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
            Self::ProxyAdded { .. } => "ProxyAdded",
            Self::ProxyRemoved { .. } => "ProxyRemoved",
            Self::Deleted { .. } => "Deleted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
