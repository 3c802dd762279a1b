//! The words that the wire has for states and kinds, for the document: most fields are texts that the rules spell, and
//! here stands which texts these can be. Where the rules list them, the document lists what the rules do.

use super::audit::words::resource_types;
use aggregates::{
    campaign::{CampaignType, Mode, Phase, PhaseState},
    domain::{DnsReason, HttpReason},
    lead,
};
use projections::campaigns::TypedStatus;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type},
};

/// A text, a number or a truth value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Primitive {}

impl PartialSchema for Primitive {
    fn schema() -> RefOr<Schema> {
        [Type::String, Type::Number, Type::Boolean]
            .into_iter()
            .fold(OneOfBuilder::new(), |forms, form| {
                forms.item(ObjectBuilder::new().schema_type(form))
            })
            .into()
    }
}

impl ToSchema for Primitive {}

/// Declares types that stand in the document for texts of a fixed choice.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident = $words:expr;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some($words))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    /// How a campaign stands.
    CampaignStatus = ["draft", "running", "paused", "completed", "failed", "cancelled"];
    /// How a campaign stands, or that it is put away.
    CampaignStateEnum = ["draft", "running", "paused", "completed", "failed", "cancelled", "archived"];
    /// A type of campaign, as paths name it.
    TypeInPath = [CampaignType::Generation, CampaignType::Dns, CampaignType::Http, CampaignType::Lead].map(CampaignType::name);
    /// A type of campaign that checks names which it is given, as paths name it.
    CheckingTypeInPath = [CampaignType::Dns, CampaignType::Http].map(CampaignType::name);
    /// The type of campaign that makes leads, as paths name it.
    LeadTypeInPath = [CampaignType::Lead.name()];
    /// A type of campaign.
    TypedCampaignType = ["Domain Generation", "DNS Validation", "HTTP Validation", "Lead Generation"];
    /// How a typed campaign stands.
    TypedStatusEnum = TypedStatus::ALL.map(TypedStatus::name);
    /// What typed campaigns can be sorted by; `-` before it sorts the largest first.
    TypedSortEnum = [
        "createdAt", "-createdAt", "updatedAt", "-updatedAt", "campaignName", "-campaignName", "status", "-status",
    ];
    /// How the check of a domain stands.
    ValidationStatusEnum = ["pending", "processing", "done", "failed", "retried", "skipped"];
    /// How the making of a name stands.
    GenerationStatusEnum = ["pending", "generated", "skipped", "error"];
    /// How the making of a lead stands.
    ExtractionStatusEnum = ["pending", "processing", "done", "error"];
    /// How a campaign goes from phase to phase.
    CampaignModeEnum = [Mode::FullSequence, Mode::StepByStep].map(Mode::name);
    /// A phase.
    CampaignPhaseEnum = Phase::ALL.map(Phase::name);
    /// A phase, also by the name of its engine.
    PhaseInPath = Phase::ALL.map(Phase::name).into_iter()
        .chain(["domain_generation", "dns_validation", "http_keyword_validation"]);
    /// A phase by what it works on.
    ControlPhase = ["generation", "dns", "http", "analysis", "leads"];
    /// Where a phase stands.
    PhaseStatus = PhaseState::ALL.map(PhaseState::name);
    /// Where a phase stands, in the words of executions.
    ExecutionStatusEnum = ["not_started", "ready", "configured", "in_progress", "paused", "completed", "failed"];
    /// What an entry of the timeline means for its phase.
    TimelineStatus = ["pending", "running", "completed", "failed"];
    /// The one reason of a lead decision.
    DomainRejectionReasonEnum = lead::Reason::ALL.map(lead::Reason::name);
    /// How a check came out.
    CheckStatus = ["pending", "ok", "error", "timeout"];
    /// Why DNS failed.
    DnsReasonEnum = DnsReason::ALL.iter().map(|reason| reason.name());
    /// Why HTTP failed.
    HttpReasonEnum = HttpReason::ALL.iter().map(|reason| reason.name());
    /// What domains can be sorted by.
    DomainSort = ["richness_score", "microcrawl_gain", "keywords_unique"];
    /// In which direction domains are sorted.
    SortDirection = ["asc", "desc"];
    /// A kind of thing that the audit trail tells of.
    ResourceType = resource_types();
    /// A page of entries, or a download of all of them.
    EntriesFormat = ["json", "csv", "ndjson"];
    /// Whether a page has what looks like a trick.
    WarningsFilter = ["has", "none"];
    /// How much of a score there is.
    ScoreState = ["complete", "partial", "degraded"];
    /// Why there is no score.
    NoScore = ["feature_vector_missing", "profile_not_found", "analysis_pending", "domain_not_found", "internal_error"];
    /// Whether a component of a score could be worked out.
    ComponentState = ["ok", "unavailable", "error"];
    /// Why it could not.
    ComponentReason = ["field_missing", "computation_failed", "data_pending"];
    /// How far a campaign came with the names of a pattern.
    LineageCompleteness = ["pending", "partial", "complete", "degraded"];
    /// Which part of a name varies.
    VariablePart = ["prefix_variable", "suffix_variable", "both_variable"];
    /// Which part of a name varies, in short.
    ShortVariablePart = ["prefix", "suffix", "both"];
    /// The server works.
    HealthStatus = ["ok"];
    /// The answer to a ping.
    Pong = ["pong"];
    /// Why the rules of phases refuse a command.
    ControlCode = [
        "INVALID_PHASE_TRANSITION", "RERUN_PRECONDITION_FAILED", "NO_CONTROL_PHASE", "EXPECTED_STATE_MISMATCH",
    ];
}
