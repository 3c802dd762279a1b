//! What can happen to a campaign. Field and variant names are forever; see `tests/golden/campaign`.

use std::collections::BTreeMap;

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CampaignType, Mode, Phase, PhaseConfig, Pinned, RunKind};
use crate::{
    ids::{CampaignId, FileId, RunId, ScoringProfileId, UserId},
    names,
};

/// Counts of a run by what came of its items, such as `processed`, `ok`, `NXDOMAIN`.
pub type Tallies = BTreeMap<String, u64>;

/// Why a run ended without doing all its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// Somebody stopped it.
    Stopped,
    /// It could not go on.
    Error,
}

impl FailureCause {
    /// Returns the cause's name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// An event of a campaign's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "events are written and read one at a time; boxing would cost an allocation for each"
)]
pub enum Event {
    /// The campaign exists.
    Created {
        /// Whose it is.
        owner: UserId,
        /// Which phases it has.
        #[serde(default, skip_serializing_if = "CampaignType::is_full")]
        campaign_type: CampaignType,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// What its users want to remember of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
        /// Words that its users find it by.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        /// Whether phases follow each other by themselves.
        mode: Mode,
        /// The configuration object as the client sent it; what it says is also recorded by `PhaseConfigured`.
        #[serde(default)]
        configuration: Value,
        /// How many names the campaign may have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_domains: Option<u64>,
    },
    /// Details were changed; absent fields stay.
    DetailsChanged {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The new configuration object.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        configuration: Option<Value>,
        /// The new notes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
        /// The new tags, all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tags: Option<Vec<String>>,
    },
    /// The way from phase to phase was changed.
    ModeChanged {
        /// The new mode.
        mode: Mode,
    },
    /// A phase was configured for its next run.
    PhaseConfigured {
        /// What was set.
        config: PhaseConfig,
    },
    /// A chunk of a list of names was taken in.
    DomainsImported {
        /// The list.
        file_id: FileId,
        /// SHA-256 of the whole list, hex.
        sha256: String,
        /// What the list is called by whoever sent it as a file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The ordinal of the chunk's first name in the campaign.
        first_ordinal: u64,
        /// The names, legal and new to the campaign.
        names: Vec<String>,
        /// The line of the list that each name stands on, from 1; empty where they came in no lines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<u64>,
    },
    /// Names that passed every check of another campaign were taken in.
    DomainsTaken {
        /// The discovery run.
        run_id: RunId,
        /// The other campaign.
        source: CampaignId,
        /// The ordinal in the other campaign up to which names were looked at.
        to_ordinal: u64,
        /// The ordinal of the chunk's first name in this campaign.
        first_ordinal: u64,
        /// The names, new to this campaign.
        names: Vec<String>,
    },
    /// Names of a range of offsets were generated. The names are a pure function of these fields.
    DomainsGenerated {
        /// The discovery run.
        run_id: RunId,
        /// What is enumerated.
        pattern: names::Pattern,
        /// Which version of the generator makes the names.
        generator_version: u32,
        /// The first offset.
        start: u64,
        /// How many offsets.
        count: u64,
        /// The ordinal of the first name in the campaign.
        first_ordinal: u64,
        /// How many of the offsets are legal names.
        names: u64,
    },
    /// A run began.
    PhaseStarted {
        /// The phase.
        phase: Phase,
        /// The run.
        run_id: RunId,
        /// The run's number within the phase, from 1.
        run_number: u32,
        /// Everything that the run works with.
        pinned: Pinned,
        /// Whether the end of the phase before started it.
        #[serde(default)]
        auto: bool,
        /// Which domains the run works on.
        #[serde(default, skip_serializing_if = "RunKind::is_full")]
        kind: RunKind,
        /// Phases up to this one follow by themselves, whatever the mode says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<Phase>,
    },
    /// No new work of the run is handed out.
    PhasePaused {
        /// The phase.
        phase: Phase,
        /// The run.
        run_id: RunId,
    },
    /// Work of the run is handed out again.
    PhaseResumed {
        /// The phase.
        phase: Phase,
        /// The run.
        run_id: RunId,
    },
    /// The run did all its work.
    PhaseCompleted {
        /// The phase.
        phase: Phase,
        /// The run.
        run_id: RunId,
        /// What came of its items.
        tallies: Tallies,
    },
    /// The run ended without doing all its work.
    PhaseFailed {
        /// The phase.
        phase: Phase,
        /// The run.
        run_id: RunId,
        /// Why.
        cause: FailureCause,
        /// In words.
        message: String,
    },
    /// The phase that is due in full sequence could not start by itself; it is tried again.
    PhaseStartRefused {
        /// The phase.
        phase: Phase,
        /// Why, in words.
        message: String,
    },
    /// The run that completed was the last of the campaign: every phase is completed. The status is computed from the
    /// phases all the same; this event announces it, with a place of its own in the log.
    Completed {},
    /// The whole campaign was stopped by command.
    Stopped {},
    /// The campaign was made with what another one is configured with.
    Duplicated {
        /// The other one.
        source: CampaignId,
    },
    /// The analysis works with this scoring profile from its next run on.
    ScoringProfileAssigned {
        /// The profile.
        scoring_profile: ScoringProfileId,
    },
    /// The run of the analysis that completed was one with other weights: every score is that of the new ones.
    Rescored {
        /// The run.
        run_id: RunId,
    },
    /// The campaign begins anew after its names: the start of the first of these phases comes with it, the others
    /// follow.
    Restarted {
        /// The phases that run anew, in the order of execution.
        phases: Vec<Phase>,
    },
    /// Counters of the campaign's domains that were not the recount of their rows were put right.
    CountersReconciled {
        /// How many counters were wrong.
        drift_count: u64,
        /// How many of them were put right.
        corrections: u64,
    },
    /// The campaign was deleted; its history stays.
    Deleted {},
}

impl Event {
    /// Returns the event's type, as the log names it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "Created",
            Self::DetailsChanged { .. } => "DetailsChanged",
            Self::ModeChanged { .. } => "ModeChanged",
            Self::PhaseConfigured { .. } => "PhaseConfigured",
            Self::DomainsImported { .. } => "DomainsImported",
            Self::DomainsTaken { .. } => "DomainsTaken",
            Self::DomainsGenerated { .. } => "DomainsGenerated",
            Self::PhaseStarted { .. } => "PhaseStarted",
            Self::PhasePaused { .. } => "PhasePaused",
            Self::PhaseResumed { .. } => "PhaseResumed",
            Self::PhaseCompleted { .. } => "PhaseCompleted",
            Self::PhaseFailed { .. } => "PhaseFailed",
            Self::PhaseStartRefused { .. } => "PhaseStartRefused",
            Self::Completed {} => "Completed",
            Self::Stopped {} => "Stopped",
            Self::Duplicated { .. } => "Duplicated",
            Self::ScoringProfileAssigned { .. } => "ScoringProfileAssigned",
            Self::Rescored { .. } => "Rescored",
            Self::Restarted { .. } => "Restarted",
            Self::CountersReconciled { .. } => "CountersReconciled",
            Self::Deleted {} => "Deleted",
        }
    }
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// The aggregate id of a campaign's stream.
#[must_use]
pub fn stream_id(campaign_id: CampaignId) -> String {
    campaign_id.to_string()
}
