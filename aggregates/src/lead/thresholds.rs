//! The figures that a lead decision turns on.

use serde::{Deserialize, Serialize};

/// The thresholds of a campaign's lead decision; what is not given has its default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// The confidence from which a domain counts as parked, 0 to 1.
    #[serde(alias = "parkedConfidence")]
    pub parked_confidence: f64,
    /// Whether a page without structural signals is turned down.
    #[serde(alias = "requireStructuralSignals")]
    pub require_structural_signals: bool,
    /// The score from which a page of any size is a lead, 0 to 1.
    #[serde(alias = "matchScore")]
    pub match_score: f64,
    /// The size below which only [`Self::match_score`] makes a lead, bytes.
    #[serde(alias = "minBytes")]
    pub min_bytes: u64,
    /// The score from which a page of at least [`Self::min_bytes`] is a lead, 0 to 1.
    #[serde(alias = "borderlineScore")]
    pub borderline_score: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            parked_confidence: 0.45,
            require_structural_signals: true,
            match_score: 0.27,
            min_bytes: 1024,
            borderline_score: 0.24,
        }
    }
}

/// A threshold that decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A score or confidence outside 0 to 1.
    #[error("{0} must lie between 0 and 1")]
    OutOfRange(&'static str),
    /// The borderline lies above the score that suffices alone, so that it could never apply.
    #[error("borderline_score must not be greater than match_score")]
    Crossed,
}

impl Error {
    /// Names the field that is to blame.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange(field) => field,
            Self::Crossed => "borderline_score",
        }
    }
}

impl Thresholds {
    /// Checks that every threshold can take effect.
    ///
    /// # Errors
    /// Names the first threshold outside 0 to 1, or a borderline above the match score.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value) in [
            ("parked_confidence", self.parked_confidence),
            ("match_score", self.match_score),
            ("borderline_score", self.borderline_score),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::OutOfRange(field));
            }
        }
        if self.borderline_score > self.match_score {
            return Err(Error::Crossed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_has_its_default() {
        let given: Thresholds = serde_json::from_str(r#"{"matchScore": 0.5}"#).unwrap();
        assert_eq!(
            given,
            Thresholds {
                match_score: 0.5,
                ..Thresholds::default()
            }
        );
        assert!(serde_json::from_str::<Thresholds>(r#"{"matchscore": 0.5}"#).is_err());
    }

    #[test]
    fn a_threshold_that_decides_nothing_is_refused() {
        assert_eq!(Thresholds::default().validate(), Ok(()));
        for (thresholds, field) in [
            (
                Thresholds {
                    parked_confidence: 1.1,
                    ..Thresholds::default()
                },
                "parked_confidence",
            ),
            (
                Thresholds {
                    match_score: f64::NAN,
                    ..Thresholds::default()
                },
                "match_score",
            ),
            (
                Thresholds {
                    borderline_score: -0.1,
                    ..Thresholds::default()
                },
                "borderline_score",
            ),
            (
                Thresholds {
                    borderline_score: 0.3,
                    ..Thresholds::default()
                },
                "borderline_score",
            ),
        ] {
            assert_eq!(thresholds.validate().unwrap_err().field(), field);
        }
    }
}
