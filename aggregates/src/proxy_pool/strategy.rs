//! Which proxy of a pool is taken next.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which proxy of a pool is taken next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, with equal chances.
    Random,
    /// Any, with chances by weight.
    Weighted,
    /// The first, in the order in which they were added, as long as it works.
    Failover,
}

impl Strategy {
    /// Every strategy, as the wire lists them.
    pub const ALL: [Self; 4] = [
        Self::RoundRobin,
        Self::Random,
        Self::Weighted,
        Self::Failover,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::Random => "random",
            Self::Weighted => "weighted",
            Self::Failover => "failover",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be round_robin, random, weighted or failover")]
pub struct UnknownStrategy;

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == text)
            .ok_or(UnknownStrategy)
    }
}
