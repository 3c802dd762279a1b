//! A campaign put together from what a read model knows of it, so that the rules can be asked about a row.

use super::{Campaign, CampaignType, Mode, PhaseConfig, PhaseRecord, PhaseState, RunKind};
use crate::ids::{RunId, UserId};

/// What a read model knows of a campaign.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Whose it is.
    pub owner: UserId,
    /// Which phases it has.
    pub campaign_type: CampaignType,
    /// How it goes from phase to phase.
    pub mode: Mode,
    /// How many names it may have.
    pub max_domains: Option<u64>,
    /// How many names it has.
    pub names: u64,
    /// Stopped by command, and not started since.
    pub stopped: bool,
    /// State, configuration, last run and its number of each phase, in the order of execution.
    pub phases: [(PhaseState, Option<PhaseConfig>, Option<RunId>, u32); 5],
}

impl Campaign {
    /// Puts a campaign together for questions such as [`Campaign::can_start`]; commands are decided from the log.
    #[must_use]
    pub fn restore(known: Restored) -> Self {
        Self {
            owner: Some(known.owner),
            campaign_type: known.campaign_type,
            mode: known.mode,
            max_domains: known.max_domains,
            names: known.names,
            stopped: known.stopped,
            phases: known
                .phases
                .map(|(state, config, run, run_number)| PhaseRecord {
                    state,
                    config,
                    run,
                    run_number,
                    kind: RunKind::Full,
                    refusal: None,
                    reconfigured: false,
                }),
            ..Self::default()
        }
    }
}
