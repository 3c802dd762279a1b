//! What clients may cost a server by being many or slow.

use std::time::Duration;

/// What clients may cost a server by being many or slow.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once, those of streams among them; of whoever comes then, some wait to be let in. The last tenth is for
    /// addresses with few connections.
    pub connections: usize,
    /// Connections at once of one address that is no proxy of the operator's; those beyond them are closed.
    pub connections_of_address: usize,
    /// How long a client may take to send the head of a request, and how long a connection is kept without one; also how long
    /// one waits for a place.
    pub head: Duration,
    /// How long the next part of a request's body may take to come; of somebody whom nobody knows, all of it.
    pub body: Duration,
    /// How long all of a request's body may take to come.
    pub whole_body: Duration,
    /// How long an answer may take to begin, from the last part of the request on.
    pub answer: Duration,
    /// How long an answer waits for its client to read on.
    pub reading: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_of_address: 500,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            whole_body: Duration::from_secs(600),
            answer: Duration::from_secs(120),
            reading: Duration::from_secs(60),
        }
    }
}
