//! A campaign as a whole.

use crate::http::vocabulary;
use chrono::{DateTime, Utc};
use projections::campaigns::{Campaign, Listed, Overall};
use projections::domains::Counts;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

/// A campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignResponse {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `draft`, `running`, `paused`, `completed`, `failed` or `cancelled`.
    #[schema(value_type = vocabulary::CampaignStatus)]
    pub status: &'static str,
    /// The configuration object as it was sent; in lists, of one above 16 KiB those members alone that have at most
    /// 1 KiB.
    #[schema(value_type = Object)]
    pub configuration: Configuration,
    /// The phase that is under way or comes next.
    #[schema(value_type = vocabulary::CampaignPhaseEnum)]
    pub current_phase: &'static str,
    /// How far it has come.
    pub progress: CampaignProgress,
    /// How it goes from phase to phase: `full_sequence` or `step_by_step`.
    #[schema(value_type = vocabulary::CampaignModeEnum)]
    pub mode: &'static str,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When its first run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When its last phase completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
}

/// A configuration object, taken apart or as the text that the database has.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Configuration {
    /// Taken apart.
    Whole(Value),
    /// As a text, which takes a sixteenth of the room.
    Text(Box<RawValue>),
}

/// How far a campaign has come.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignProgress {
    /// Domains.
    pub total_domains: u64,
    /// Domains that were checked.
    pub processed_domains: u64,
    /// Checked domains that passed every check so far.
    pub successful_domains: u64,
    /// Checked domains that failed one.
    pub failed_domains: u64,
    /// The mean of the five phases, 0 to 100.
    pub percent_complete: f64,
}

impl CampaignResponse {
    /// Makes the view of a campaign and its counters.
    #[must_use]
    pub fn of(campaign: &Campaign, counts: &Counts) -> Self {
        let configuration = Configuration::Whole(campaign.configuration.clone());
        Self::new(campaign, configuration, Overall::of(campaign, counts))
    }

    fn new(campaign: &Campaign, configuration: Configuration, overall: Overall) -> Self {
        let status = campaign.status();
        let completed = status == aggregates::campaign::Status::Completed;
        Self {
            id: campaign.campaign_id.0,
            name: campaign.name.clone(),
            description: campaign.description.clone(),
            status: status.name(),
            configuration,
            current_phase: campaign.current_phase().name(),
            progress: overall.into(),
            mode: campaign.mode.name(),
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            started_at: campaign
                .phases
                .iter()
                .filter_map(|phase| phase.started_at)
                .min(),
            completed_at: campaign
                .phases
                .iter()
                .filter_map(|phase| phase.completed_at)
                .max()
                .filter(|_| completed),
        }
    }
}

impl From<Listed> for CampaignResponse {
    fn from(listed: Listed) -> Self {
        let configuration = Configuration::Text(listed.configuration);
        Self::new(&listed.campaign, configuration, listed.overall)
    }
}

impl From<Overall> for CampaignProgress {
    fn from(overall: Overall) -> Self {
        Self {
            total_domains: overall.total,
            processed_domains: overall.processed,
            successful_domains: overall.successful,
            failed_domains: overall.failed,
            percent_complete: overall.percent,
        }
    }
}

/// The state of a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignState {
    /// The campaign.
    pub campaign_id: Uuid,
    /// How it stands.
    #[schema(value_type = vocabulary::CampaignStateEnum)]
    pub current_state: &'static str,
    /// How it goes from phase to phase.
    #[schema(value_type = vocabulary::CampaignModeEnum)]
    pub mode: &'static str,
    /// The configuration object as it was sent.
    #[schema(value_type = HashMap<String, Value>)]
    pub configuration: Value,
    /// The sequence of the campaign's last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Campaign> for CampaignState {
    fn from(campaign: &Campaign) -> Self {
        Self {
            campaign_id: campaign.campaign_id.0,
            current_state: campaign.status().name(),
            mode: campaign.mode.name(),
            configuration: campaign.configuration.clone(),
            version: campaign.version,
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
        }
    }
}
