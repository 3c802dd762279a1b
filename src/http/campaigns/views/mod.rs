//! Views: campaigns as the wire shows them, made from the read models. Names and types are those of the contract.

mod campaign;
mod configuration;
mod domain;
mod domains;
mod execution;
mod history;
mod names;
mod phase;
mod score;

pub use self::{
    campaign::{CampaignProgress, CampaignResponse, CampaignState},
    configuration::wire_config,
    domain::{DomainAnalysisFeatures, DomainListItem},
    domains::{CampaignDomainsListResponse, ExtendedPageInfo, SortOrder},
    execution::{
        CampaignStateWithExecutions, EnrichedCampaignResponse, PhaseExecution, execution_status,
    },
    names::{CampaignRestartPhaseEnum, IdleState},
    phase::{PhaseProgress, PhaseRuntimeControls, PhaseStatusResponse},
    score::DomainScoreBreakdownResponse,
};

pub(in crate::http) use self::history::{
    DomainHistoryEntry, DomainHistoryResponse, DomainOrigin, DomainRun, HistoryResponse,
};

/// Turns a score of 0 to 1, which has three decimals, into the scale of the wire, 0 to 100.
pub(crate) fn on_the_wire(score: f64) -> f64 {
    (score * 1_000.0).round() / 10.0
}
