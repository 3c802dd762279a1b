//! How a pool works with its proxies.

use serde::{Deserialize, Serialize};

use super::{Error, Strategy};

/// How a pool works with its proxies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether phases may use the pool.
    pub enabled: bool,
    /// Which proxy is taken next.
    pub strategy: Strategy,
    /// Whether its proxies are checked by themselves.
    pub health_check_enabled: bool,
    /// How long after a check of a proxy the next one is due, seconds.
    pub health_check_interval_seconds: u32,
    /// How many other proxies are tried for a page after one failed.
    pub max_retries: u32,
    /// How long a proxy may take to connect to a site, and for the whole of a check, seconds.
    pub timeout_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            strategy: Strategy::default(),
            health_check_enabled: false,
            health_check_interval_seconds: 300,
            max_retries: 2,
            timeout_seconds: 10,
        }
    }
}

impl Settings {
    /// The shortest and the longest time between two checks, seconds.
    pub const INTERVALS: (u32, u32) = (5, 86_400);
    /// The most other proxies that are tried for a page.
    pub const MOST_RETRIES: u32 = 10;
    /// The shortest and the longest time that a proxy may take, seconds.
    pub const TIMEOUTS: (u32, u32) = (1, 120);

    pub(super) fn validate(&self) -> Result<(), Error> {
        let (least, most) = Self::INTERVALS;
        within(
            "healthCheckIntervalSeconds",
            self.health_check_interval_seconds,
            least,
            most,
        )?;
        within("maxRetries", self.max_retries, 0, Self::MOST_RETRIES)?;
        let (least, most) = Self::TIMEOUTS;
        within("timeoutSeconds", self.timeout_seconds, least, most)
    }
}

pub(super) fn within(field: &'static str, value: u32, least: u32, most: u32) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let message = format!("{value} is not between {least} and {most}");
    Err(Error::invalid(field, message))
}
