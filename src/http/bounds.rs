//! What clients may cost a server by being many or slow.

use std::time::Duration;

/// What clients may cost a server by being many or slow.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once, those of streams among them; whoever comes then waits to be let in.
    pub connections: usize,
    /// Connections at once of one address that is no proxy of the operator's; those beyond them are closed.
    pub connections_of_address: usize,
    /// How long a client may take to send the head of a request, and how long a connection is kept without one.
    pub head: Duration,
    /// How long the next part of a request's body may take to come.
    pub body: Duration,
    /// How long an answer may take to begin, from the last part of the request on.
    pub answer: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_of_address: 2_000,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            answer: Duration::from_secs(120),
        }
    }
}
