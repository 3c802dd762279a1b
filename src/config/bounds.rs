//! What clients may cost a server by being many or slow.

use std::time::Duration;

use clap::Args;

use super::duration::duration;
use crate::http::Bounds;

/// What clients may cost a server by being many or slow.
#[derive(Args, Clone, Copy, Debug)]
pub struct BoundArgs {
    /// Connections at once, those of streams among them; whoever comes then waits
    #[arg(long, env = "DOMAINFLOW_CONNECTIONS", value_name = "NUMBER", default_value_t = Bounds::default().connections, value_parser = at_least_one)]
    pub connections: usize,
    /// Connections at once of one address that is no trusted proxy; those beyond them are closed
    #[arg(long, env = "DOMAINFLOW_ADDRESS_CONNECTIONS", value_name = "NUMBER", default_value_t = Bounds::default().connections_of_address, value_parser = at_least_one)]
    pub address_connections: usize,
    /// How long a client may take to send the head of a request
    #[arg(long, env = "DOMAINFLOW_HEAD_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub head_timeout: Duration,
    /// How long the next part of a request's body may take to come
    #[arg(long, env = "DOMAINFLOW_BODY_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub body_timeout: Duration,
    /// How long all of a request's body may take to come
    #[arg(long, env = "DOMAINFLOW_WHOLE_BODY_TIMEOUT", value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub whole_body_timeout: Duration,
    /// How long an answer may take to begin
    #[arg(long, env = "DOMAINFLOW_ANSWER_TIMEOUT", value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub answer_timeout: Duration,
    /// How long an answer waits for its client to read on
    #[arg(long, env = "DOMAINFLOW_READING_TIMEOUT", value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub reading_timeout: Duration,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a whole number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

impl Default for BoundArgs {
    fn default() -> Self {
        let bounds = Bounds::default();
        Self {
            connections: bounds.connections,
            address_connections: bounds.connections_of_address,
            head_timeout: bounds.head,
            body_timeout: bounds.body,
            whole_body_timeout: bounds.whole_body,
            answer_timeout: bounds.answer,
            reading_timeout: bounds.reading,
        }
    }
}

impl BoundArgs {
    pub(super) const fn bounds(&self) -> Bounds {
        Bounds {
            connections: self.connections,
            connections_of_address: self.address_connections,
            head: self.head_timeout,
            body: self.body_timeout,
            whole_body: self.whole_body_timeout,
            answer: self.answer_timeout,
            reading: self.reading_timeout,
        }
    }
}
