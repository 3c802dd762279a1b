//! Why weights were refused.

use super::Component;

/// A set of weights that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No component has this name.
    #[error("unknown weight {0:?}: there are {names}", names = Component::ALL.map(Component::name).join(", "))]
    UnknownWeight(String),
    /// A weight that is negative, infinite or not a number.
    #[error("weight {0:?} must be a finite number of at least 0")]
    NotAWeight(String),
    /// Nothing to divide by: no weights, or all of them 0.
    #[error("at least one weight must be greater than 0")]
    NoWeight,
}

impl Error {
    /// Names the field that is to blame: `weights`, or `weights.<name>`.
    #[must_use]
    pub fn field(&self) -> String {
        match self {
            Self::UnknownWeight(name) | Self::NotAWeight(name) => format!("weights.{name}"),
            Self::NoWeight => "weights".to_owned(),
        }
    }
}
