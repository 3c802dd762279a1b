//! A typed campaign as it is answered.

use aggregates::{
    Actor,
    campaign::{CampaignType, Phase, PhaseConfig, Source},
    names::{Kind, Pattern},
};
use chrono::{DateTime, Utc};
use projections::{
    audit::Entry,
    campaigns::{Campaign, Overall, Typed, Upload},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    BASE,
    settings::{GenerationStrategy, SourceMode, assignment_text, persona_text},
};
use crate::http::vocabulary;

/// A campaign of one of the four types, with the fields of its type.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypedCampaign {
    /// Its id.
    campaign_id: Uuid,
    /// Its name.
    campaign_name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What it does.
    #[schema(value_type = vocabulary::TypedCampaignType)]
    campaign_type: &'static str,
    /// How it stands.
    #[schema(value_type = vocabulary::TypedStatusEnum)]
    status: &'static str,
    /// Why the last run that ended early did, or why the next phase cannot start by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Who created it.
    created_by: Uuid,
    /// Whose it is.
    owner_id: Uuid,
    /// What its users want to remember of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    /// Words that its users find it by.
    tags: Vec<String>,
    /// How far it has come, 0 to 100.
    progress: f64,
    /// Domains that it is done with.
    processed_domains_count: u64,
    /// Where its results are downloaded.
    result_file_path: String,
    /// What happened to it last, the newest first, 50 entries at most.
    audit_log: Vec<AuditEntry>,
    /// `direct`, or the proxy pool that pages are fetched through.
    proxy_assignment_id: String,
    /// Of generation: which part of a name varies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::VariablePart>)]
    pattern: Option<Kind>,
    /// Of generation: the part that every name shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    constant_part: Option<String>,
    /// Of generation: variable characters before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_variable_length: Option<u32>,
    /// Of generation: variable characters after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    suffix_variable_length: Option<u32>,
    /// Of generation: the variable characters, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    char_set: Option<String>,
    /// Of generation: top-level domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    tlds: Option<Vec<String>>,
    /// Of generation: how many names the pattern has; above 2^53 to the nearest that a double holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_theoretical_domains: Option<f64>,
    /// Of generation: how many offsets are taken; all that are left where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_domains_to_generate: Option<u64>,
    /// Of generation: how names are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_strategy: Option<GenerationStrategy>,
    /// Of generation: the words of the strategy `dictionary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dictionary: Option<Vec<String>>,
    /// Of generation: no name is given to two campaigns of a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    enforce_uniqueness: Option<bool>,
    /// Of generation: a run goes on where it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_flag: Option<bool>,
    /// Of DNS and HTTP: where the names come from: the id of the last file, `upload` before there is one, `direct`, or the
    /// ids of campaigns with blanks between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_input_source: Option<String>,
    /// Of DNS and HTTP: where the names come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_mode: Option<SourceMode>,
    /// Of DNS and HTTP: names that it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_number_of_domains: Option<i64>,
    /// Of DNS and HTTP: the files that it was given, the oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_history: Option<Vec<UploadEvent>>,
    /// Campaigns whose names are taken, and of lead campaigns whose results are.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_campaign_ids: Option<Vec<Uuid>>,
    /// Of DNS, HTTP and lead: how DNS is asked: a persona's id, or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_persona_id: Option<String>,
    /// Of HTTP and lead: how pages are fetched: a persona's id, or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_persona_id: Option<String>,
    /// Of lead: the keyword sets whose rules apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    keyword_set_ids: Option<Vec<Uuid>>,
    /// Of lead: the weights of scores; the default weights where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    scoring_profile_id: Option<Uuid>,
}

/// One thing that happened to a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntry {
    /// What happened, as the event is called.
    action: String,
    /// The user, or who it was where it was none.
    user_id: String,
    /// When.
    timestamp: DateTime<Utc>,
    /// The same in a sentence.
    description: String,
}

/// A file that a campaign was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UploadEvent {
    /// What it is called.
    filename: String,
    /// Names it in the campaign's history.
    file_id: Uuid,
    /// When it was taken in.
    uploaded_at: DateTime<Utc>,
    /// Who sent it.
    uploaded_by: String,
}

/// Says what a type does, as the requirements call it.
pub(super) const fn type_name(campaign_type: CampaignType) -> &'static str {
    match campaign_type {
        CampaignType::Full => "Full Campaign",
        CampaignType::Generation => "Domain Generation",
        CampaignType::Dns => "DNS Validation",
        CampaignType::Http => "HTTP Validation",
        CampaignType::Lead => "Lead Generation",
    }
}

impl TypedCampaign {
    /// Makes the view of a campaign with what is shown beside it.
    pub(super) fn of(typed: &Typed) -> Self {
        let campaign = &typed.overview.campaign;
        let overall = Overall::of(campaign, &typed.overview.counts);
        let id = campaign.campaign_id;
        Self {
            campaign_id: id.0,
            campaign_name: campaign.name.clone(),
            description: campaign.description.clone(),
            campaign_type: type_name(campaign.campaign_type),
            status: campaign.typed_status().name(),
            error_details: campaign.error().map(str::to_owned),
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            created_by: campaign.owner.0,
            owner_id: campaign.owner.0,
            notes: campaign.notes.clone(),
            tags: campaign.tags.clone(),
            progress: overall.percent,
            processed_domains_count: processed(typed),
            result_file_path: format!(
                "{BASE}/campaigns/{}/{id}/results",
                campaign.campaign_type.name()
            ),
            audit_log: typed.entries.iter().map(AuditEntry::of).collect(),
            proxy_assignment_id: assignment_text(match config(campaign, Phase::Extraction) {
                Some(PhaseConfig::Extraction { proxy_pool, .. }) => proxy_pool,
                _ => None,
            }),
            ..Self::of_type(typed)
        }
    }

    /// Makes the fields of a campaign's type.
    fn of_type(typed: &Typed) -> Self {
        let campaign = &typed.overview.campaign;
        let source = match config(campaign, Phase::Discovery) {
            Some(PhaseConfig::Discovery { source }) => source,
            _ => Source::Import,
        };
        match (campaign.campaign_type, source) {
            (CampaignType::Lead, source) => Self::of_lead(campaign, &source),
            (_, Source::Pattern { pattern, count }) => Self::of_generation(&pattern, count),
            (_, source) => Self::of_checks(typed, &source),
        }
    }

    fn of_generation(pattern: &Pattern, count: Option<u64>) -> Self {
        Self {
            pattern: Some(pattern.kind()),
            constant_part: Some(pattern.constant().to_owned()),
            prefix_variable_length: Some(pattern.prefix_length()),
            suffix_variable_length: Some(pattern.suffix_length()),
            char_set: Some(pattern.charset().to_owned()),
            tlds: Some(pattern.tlds().to_vec()),
            max_theoretical_domains: Some(pattern.total() as f64),
            target_domains_to_generate: count,
            generation_strategy: Some(match pattern.dictionary() {
                Some(_) => GenerationStrategy::Dictionary,
                None => GenerationStrategy::BruteForce,
            }),
            dictionary: pattern.dictionary().map(<[String]>::to_vec),
            enforce_uniqueness: Some(true),
            resume_flag: Some(true),
            ..Self::default()
        }
    }

    fn of_checks(typed: &Typed, source: &Source) -> Self {
        let campaign = &typed.overview.campaign;
        let uploads = &typed.uploads;
        let last_file = uploads.iter().rev().find(|one| one.filename.is_some());
        let inputs = inputs(source);
        let kept = campaign.configuration.get("sourceMode").cloned();
        let mode = kept
            .and_then(|mode| serde_json::from_value(mode).ok())
            .unwrap_or(SourceMode::Upload);
        let from = match (&inputs, last_file) {
            (Some(ids), _) => {
                let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
                ids.join(" ")
            }
            (None, Some(file)) => file.file_id.to_string(),
            (None, None) => mode.name().to_owned(),
        };
        let dns_persona = match config(campaign, Phase::Validation) {
            Some(PhaseConfig::Validation { dns_persona, .. }) => dns_persona,
            _ => None,
        };
        let http_persona_id = match config(campaign, Phase::Extraction) {
            Some(PhaseConfig::Extraction { http_persona, .. }) => Some(persona_text(http_persona)),
            _ => None,
        };
        Self {
            domain_input_source: Some(from),
            source_mode: Some(mode),
            input_campaign_ids: inputs,
            initial_number_of_domains: Some(campaign.names),
            dns_persona_id: Some(persona_text(dns_persona)),
            http_persona_id,
            upload_history: Some(uploads.iter().filter_map(UploadEvent::of).collect()),
            ..Self::default()
        }
    }

    fn of_lead(campaign: &Campaign, source: &Source) -> Self {
        let (http_persona, dns_persona, sets) = match config(campaign, Phase::Extraction) {
            Some(PhaseConfig::Extraction {
                http_persona,
                dns_persona,
                keyword_sets,
                ..
            }) => (http_persona, dns_persona, keyword_sets),
            _ => (None, None, Vec::new()),
        };
        let scoring_profile = match config(campaign, Phase::Analysis) {
            Some(PhaseConfig::Analysis { scoring_profile }) => scoring_profile,
            _ => None,
        };
        Self {
            input_campaign_ids: inputs(source),
            keyword_set_ids: Some(sets.iter().map(|id| id.0).collect()),
            http_persona_id: Some(persona_text(http_persona)),
            dns_persona_id: Some(persona_text(dns_persona)),
            scoring_profile_id: scoring_profile.map(|id| id.0),
            ..Self::default()
        }
    }
}

/// Counts the domains that a campaign is done with: those that came through its last check, and those that failed one.
fn processed(typed: &Typed) -> u64 {
    let counts = &typed.overview.counts;
    let failed = |checked: &dyn Fn(&str) -> u64| checked("error") + checked("timeout");
    let dns_failed = failed(&|status| counts.dns(status));
    match typed.overview.campaign.campaign_type {
        CampaignType::Generation => counts.generated,
        CampaignType::Dns => counts.dns("ok") + dns_failed,
        CampaignType::Http => {
            counts.http("ok") + failed(&|status| counts.http(status)) + dns_failed
        }
        CampaignType::Lead | CampaignType::Full => {
            counts.generated.saturating_sub(counts.lead("pending"))
        }
    }
}

/// Reads how a phase is configured.
fn config(campaign: &Campaign, phase: Phase) -> Option<PhaseConfig> {
    let stored = campaign.phase(phase).config?;
    serde_json::from_value(stored).ok()
}

fn inputs(source: &Source) -> Option<Vec<Uuid>> {
    match source {
        Source::Campaigns { campaigns } => Some(campaigns.iter().map(|id| id.0).collect()),
        Source::Import | Source::Pattern { .. } => None,
    }
}

/// Names who did something: a user by his id, others as the audit trail does.
fn who(actor: &str) -> String {
    match actor.parse() {
        Ok(Actor::User(user)) => user.to_string(),
        _ => actor.to_owned(),
    }
}

impl AuditEntry {
    fn of(entry: &Entry) -> Self {
        let of_phase = entry.details.get("phase").and_then(Value::as_str);
        let why = entry.details.get("message").and_then(Value::as_str);
        let names = entry.details.get("names").and_then(Value::as_u64);
        let mut description = in_words(&entry.action);
        if let Some(phase) = of_phase {
            description = format!("{description}: {phase}");
        }
        if let Some(names) = names {
            description = format!("{description}: {names} names");
        }
        if let Some(why) = why {
            description = format!("{description} ({why})");
        }
        Self {
            action: entry.action.clone(),
            user_id: who(&entry.actor),
            timestamp: entry.recorded_at,
            description,
        }
    }
}

/// Writes the name of an event as words: `PhaseStarted` as `phase started`.
fn in_words(action: &str) -> String {
    let mut words = String::with_capacity(action.len() + 4);
    for (at, letter) in action.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

impl UploadEvent {
    fn of(upload: &Upload) -> Option<Self> {
        Some(Self {
            filename: upload.filename.clone()?,
            file_id: upload.file_id.0,
            uploaded_at: upload.uploaded_at,
            uploaded_by: who(&upload.uploaded_by),
        })
    }
}
