//! Fetching a domain's page, safely.
//!
//! A worker makes one [`Fetcher`] for a configuration (a persona pinned by a run) and calls [`Fetcher::fetch`] for every
//! domain; what comes back is a [`Report`], never an error. Five things always hold:
//!
//! - Nothing is sent to an address that [`AllowedRanges`] does not allow. Every hop of a redirect is resolved and checked
//!   again, and the connection is pinned to the addresses that were checked, so that a second answer of the DNS cannot
//!   replace the first. Environment proxies are never used.
//! - With a [`Pool`], everything goes through its proxies, by the same checks and the same code. A failure says whose it is
//!   ([`Blame`]), and the proxy's is never taken for the site's.
//! - Sites are asked no faster than [`Politeness`] lets them be, where the configuration has one. What is waited for that is
//!   not the site's time.
//! - A fetch costs a bounded amount of time and memory, whatever the server sends.
//! - A failure has one [`Reason`]; a success has none; a deadline is always [`Reason::Timeout`].

mod attempts;
mod client;
mod config;
mod connect;
mod cookies;
mod fault;
mod fetcher;
mod pace;
pub mod politeness;
mod proxy;
mod ranges;
mod report;
mod steps;
#[cfg(test)]
mod tests;
mod visit;

pub use config::{Config, Cookies, Error, Rate, TlsVersion};
pub use fault::{Blame, Fault, Reason};
pub use fetcher::{Fetcher, NamingServers, Resolve, Resolving, Target, Unresolved};
pub use politeness::Politeness;
pub use proxy::{
    Credentials, Error as ProxyError, Guard, Health, HealthChange, Member, Pool, PoolConfig,
    PoolError, Probe, Protocol, Proxy, ProxyId, Strategy,
};
pub use ranges::{AllowedRanges, Range, RangeError};
pub use report::{KEPT_HEADERS, Outcome, Report};
pub use steps::Step;
