//! How much one may ask for.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Error, reconciliation::outside};

/// How much one may ask of a node, as far as it is set; what is absent is as each node was started with, and 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLimits {
    /// Requests a second of a user, of an API key, and of an address without either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Log-ins a minute from an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_ins_per_minute: Option<u32>,
    /// Log-ins a minute to an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_log_ins_per_minute: Option<u32>,
}

impl RequestLimits {
    /// Any of them; 0 is no limit.
    pub const LIMIT: RangeInclusive<u32> = 0..=1_000_000;

    /// Checks what is set.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<(), Error> {
        for (field, limit) in [
            ("requestsPerSecond", self.requests_per_second),
            ("logInsPerMinute", self.log_ins_per_minute),
            ("accountLogInsPerMinute", self.account_log_ins_per_minute),
        ] {
            if limit.is_some_and(|limit| !Self::LIMIT.contains(&limit)) {
                return Err(outside(field, &Self::LIMIT));
            }
        }
        Ok(())
    }
}
