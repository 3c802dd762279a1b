//! Changes the way from phase to phase, also while a phase runs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Campaign, Error, Event};

/// How a campaign goes from phase to phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The next phase starts by itself.
    FullSequence,
    /// The user starts each phase.
    #[default]
    StepByStep,
}

impl Mode {
    /// Returns the mode's name on the wire and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullSequence => "full_sequence",
            Self::StepByStep => "step_by_step",
        }
    }
}

/// A text that names no mode.
#[derive(Debug, thiserror::Error)]
#[error("unknown mode, expected full_sequence or step_by_step")]
pub struct UnknownMode;

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "full_sequence" => Ok(Self::FullSequence),
            "step_by_step" => Ok(Self::StepByStep),
            _ => Err(UnknownMode),
        }
    }
}

/// Sets the mode.
#[derive(Clone, Copy, Debug)]
pub struct ChangeMode {
    /// The new mode.
    pub mode: Mode,
}

impl ChangeMode {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        if campaign.mode == self.mode {
            return Ok(Vec::new());
        }
        Ok(vec![Event::ModeChanged { mode: self.mode }])
    }
}
