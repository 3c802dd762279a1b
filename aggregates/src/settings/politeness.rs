//! How often sites are asked.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Error, reconciliation::outside};

/// How often a node asks sites over HTTP, in requests a second, as far as it is set; what is absent is as each node was started
/// with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Politeness {
    /// Of a registrable domain, all of its names together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_rate: Option<f64>,
    /// Of an address, all sites there together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_rate: Option<f64>,
    /// Of all sites together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl Politeness {
    /// Requests a second of one domain or address.
    pub const OF_ONE: RangeInclusive<f64> = 0.001..=1_000.0;
    /// Requests a second of all.
    pub const OF_ALL: RangeInclusive<f64> = 0.1..=100_000.0;

    /// Checks what is set.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<(), Error> {
        for (field, rate, range) in [
            ("domainRequestsPerSecond", self.domain_rate, Self::OF_ONE),
            ("addressRequestsPerSecond", self.address_rate, Self::OF_ONE),
            ("requestsPerSecond", self.rate, Self::OF_ALL),
        ] {
            if rate.is_some_and(|rate| !range.contains(&rate)) {
                return Err(outside(field, &range));
            }
        }
        Ok(())
    }
}
