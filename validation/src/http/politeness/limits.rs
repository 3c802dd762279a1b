//! How much is asked of whom, and who is asked without a limit.

use std::net::IpAddr;
use std::str::FromStr;

use crate::http::ranges::Range;

/// How much is asked of one domain or one address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Connections at once.
    pub connections: u16,
    /// Requests a second, evenly spaced.
    pub per_second: f64,
}

/// How much is asked of whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Of a registrable domain, all of its names together.
    pub domain: Bound,
    /// Of an address, or of an IPv6 network of 64 bits, which is one host's: all sites there together.
    pub address: Bound,
    /// Requests a second of the whole process.
    pub per_second: f64,
}

/// The rates among the limits: requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of a registrable domain.
    pub domain: f64,
    /// Of an address.
    pub address: f64,
    /// Of the whole process.
    pub all: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            domain: Bound {
                connections: 1,
                per_second: 1.0,
            },
            address: Bound {
                connections: 4,
                per_second: 5.0,
            },
            per_second: 2_000.0,
        }
    }
}

/// Who is asked without a limit: one's own servers, by the operator's word.
#[derive(Debug, Clone, Default)]
pub struct Exempt {
    blocks: Vec<(String, Range)>,
    suffixes: Vec<String>,
}

/// A text that is neither a block of addresses nor the end of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a block of addresses such as 10.1.0.0/16 nor the end of names such as example.com"
)]
pub struct BadExemption(String);

impl Exempt {
    /// Adds a block of addresses, or the end of names.
    ///
    /// # Errors
    /// For a text that is neither.
    pub fn add(&mut self, text: &str) -> Result<(), BadExemption> {
        let bad = || BadExemption(text.to_owned());
        let text = text.trim();
        if text.contains('/') || text.parse::<IpAddr>().is_ok() {
            let range = Range::from_str(text).map_err(|_| bad())?;
            self.blocks.push((text.to_owned(), range));
            return Ok(());
        }
        let bare = text.strip_prefix("*.").unwrap_or(text).trim_matches('.');
        let name = idna::domain_to_ascii_strict(bare).map_err(|_| bad())?;
        if name.is_empty() {
            return Err(bad());
        }
        self.suffixes.push(name);
        Ok(())
    }

    /// Lists what was added, blocks first.
    pub fn list(&self) -> impl Iterator<Item = &str> {
        let blocks = self.blocks.iter().map(|(text, _)| text.as_str());
        blocks.chain(self.suffixes.iter().map(String::as_str))
    }

    /// Tells whether a host at an address is asked without a limit.
    pub(super) fn covers(&self, host: &str, address: Option<IpAddr>) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_below = |suffix: &String| {
            host.strip_suffix(suffix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let holds = |address| self.blocks.iter().any(|(_, range)| range.contains(address));
        address.is_some_and(holds) || self.suffixes.iter().any(is_below)
    }
}
