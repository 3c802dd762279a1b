//! Bulk DNS: tells for any number of domains whether they have an address, and keeps the evidence.
//!
//! A campaign's workers share one [`Engine`] per configuration and call [`Engine::check`] for each domain. The
//! engine knows neither campaigns nor events; plain types go in and come out.
//!
//! How it works: a few long-lived, connected UDP sockets per resolver carry many queries at once (`socket`);
//! one timing wheel per socket, turned by one task, ends those that stay without an answer (`wheel`); a
//! question is put to other resolvers until one decides it (`ask`), chosen by strategy and health
//! (`pick`, `health`) and paced (`pace`, `limits`, `zone`). Resolvers over TLS and HTTPS
//! have a long-lived connection in place of sockets (`over_tls`, `over_https`). Only the parts of messages that matter are read
//! (`message`), which is most of why a lookup costs a few microseconds.
//!
//! Invariants: no more queries in flight than configured, no faster than configured, whatever fails; every
//! check ends with exactly one outcome and a reason; an answer counts only if its sender, id and question match.

mod ask;
mod check;
mod config;
mod endpoint;
mod engine;
mod error;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod health;
mod limits;
mod message;
mod name;
mod name_servers;
mod over_https;
mod over_tls;
mod pace;
mod pick;
mod rdata;
mod record;
mod report;
mod resolver;
mod servers;
mod socket;
mod tcp;
mod trust;
mod upstream;
mod wheel;
mod wildcard;
mod zone;

#[cfg(test)]
mod tests;

pub use config::{Config, MAX_ATTEMPTS, MAX_IN_FLIGHT, MAX_RESOLVERS, Rate, Strategy};
pub use endpoint::{Endpoint, Host};
pub use engine::{Engine, ResolverHealth};
pub use error::Error;
#[cfg(fuzzing)]
pub use fuzzing::read_message;
pub use health::{Condition, Tally};
pub use limits::Limits;
pub use record::{Record, RecordType};
pub use report::{Outcome, Reason, Report};
pub use resolver::Resolver;
