//! Where a request came from; what a log-in knows before there is a user.

use std::sync::Arc;

use aggregates::{Actor, Metadata};

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request's id.
    pub request_id: Arc<str>,
    /// The client's address, where the server knows it.
    pub ip: Option<String>,
    /// What the client calls itself, shortened.
    pub user_agent: Option<String>,
}

impl Origin {
    /// Makes the metadata of a command from here.
    #[must_use]
    pub fn metadata(&self, actor: Actor) -> Metadata {
        Metadata {
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            ..Metadata::new(actor, &*self.request_id)
        }
    }
}
