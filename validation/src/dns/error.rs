//! What can be wrong with a configuration, found before the first packet.

use std::{io, net::SocketAddr};

use hickory_resolver::net::NetError;

/// Why an engine was not started.
///
/// What goes wrong with one domain is never an `Error`: it is the outcome in that domain's report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is outside its limits, contradicts another, or cannot be honoured.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field of [`Config`](super::Config), or the part of a name.
        field: &'static str,
        /// What is wrong with it, for the person who set it.
        problem: String,
    },
    /// `system` was asked for and the system names no resolver.
    #[error("the system's resolver configuration cannot be read")]
    System(#[source] Box<NetError>),
    /// No socket could be opened or connected for a resolver.
    #[error("no socket for resolver {resolver}")]
    Socket {
        /// Where the socket should have gone.
        resolver: SocketAddr,
        /// What the operating system answered.
        source: io::Error,
    },
}

impl Error {
    /// Names the field at fault and what is wrong with it.
    pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }
}
