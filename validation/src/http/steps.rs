//! What a fetch does, told while it does it, for somebody who watches one.
//!
//! Runs watch nothing, and then nothing is made to be told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use url::Url;

use super::fault::Fault;
use super::fetcher::Unresolved;

/// One thing that a fetch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A host was looked up.
    Resolved {
        /// The host.
        host: String,
        /// Its addresses, or why there are none.
        found: Result<Vec<IpAddr>, Unresolved>,
    },
    /// These of a host's addresses may be connected to, and will be tried in this order.
    Chosen {
        /// The host.
        host: String,
        /// Those that may be connected to.
        addresses: Vec<IpAddr>,
    },
    /// There is a connection.
    Connected {
        /// Whom it leads to; nothing where a proxy finds the site by itself.
        address: Option<SocketAddr>,
    },
    /// The connection is encrypted.
    Secured {
        /// The version of TLS, such as `TLSv1.3`.
        version: Option<&'static str>,
        /// When the certificate expires.
        expires: Option<DateTime<Utc>>,
        /// Whether HTTP/2 was agreed on.
        http2: bool,
    },
    /// A page is asked for.
    Requested {
        /// Its address.
        url: Url,
    },
    /// The head of an answer came.
    Answered {
        /// The address that was asked for.
        url: Url,
        /// The status.
        status: u16,
        /// The version of HTTP: `HTTP/1.1`, `HTTP/2.0`.
        version: String,
    },
    /// The answer leads elsewhere, and is followed there.
    Redirected {
        /// Where from.
        from: Url,
        /// Where to.
        to: Url,
    },
    /// There is no page at an address, or none in time.
    Failed {
        /// The address that was asked for last, where one was.
        url: Option<Url>,
        /// Why.
        fault: Fault,
    },
}

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Steps(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Steps {
    /// Tells somebody.
    pub(super) fn to(watcher: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watcher)))
    }

    /// Tells a step, if anybody watches.
    pub(super) fn tell(&self, step: impl FnOnce() -> Step) {
        if let Some(watcher) = &self.0 {
            watcher(step());
        }
    }
}
