//! What a user sets for each phase, by reference: personas, keyword sets and profiles are named, not copied.

use serde::{Deserialize, Serialize};

use super::Phase;
use crate::{
    ids::{CampaignId, KeywordSetId, PersonaId, ProxyId, ProxyPoolId, RunId, ScoringProfileId},
    keyword_set, lead, names, proxy, proxy_pool,
};

/// Where the names of a campaign come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// Offsets of a pattern.
    Pattern {
        /// What is enumerated.
        pattern: names::Pattern,
        /// How many offsets a run takes; all that are left where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
    /// Lists that users import.
    Import,
    /// The names that passed every check of these campaigns, in this order; a name that several have is taken once.
    Campaigns {
        /// The campaigns, of the same owner.
        campaigns: Vec<CampaignId>,
    },
}

/// A campaign that names are taken from, as it stood when the taking began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The last check that it had made of all its names; names that passed it are taken.
    pub checked: Phase,
    /// The last run of each of its phases; another one would change what passed.
    pub runs: Vec<RunId>,
}

/// A run of another campaign, whose results are taken over where it has one of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TakenRun {
    /// The other campaign.
    pub campaign_id: CampaignId,
    /// Its run.
    pub run_id: RunId,
}

/// The configuration of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum PhaseConfig {
    /// Names.
    Discovery {
        /// Where they come from.
        source: Source,
    },
    /// DNS.
    Validation {
        /// How DNS is asked; the program's default persona where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dns_persona: Option<PersonaId>,
        /// Record types to ask for beyond addresses, such as `MX`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        record_types: Vec<String>,
    },
    /// HTTP and keywords.
    Extraction {
        /// How pages are fetched; the program's default persona where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_persona: Option<PersonaId>,
        /// How names met on the way (redirects) are resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dns_persona: Option<PersonaId>,
        /// Which proxies are used; none where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proxy_pool: Option<ProxyPoolId>,
        /// Keyword sets whose rules apply.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keyword_sets: Vec<KeywordSetId>,
        /// Keywords without a set, matched case-insensitively.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keywords: Vec<String>,
    },
    /// Scores.
    Analysis {
        /// The weights; the default weights where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scoring_profile: Option<ScoringProfileId>,
    },
    /// Leads.
    Enrichment {
        /// The thresholds of the decision.
        #[serde(default)]
        thresholds: lead::Thresholds,
    },
}

impl PhaseConfig {
    /// Returns the phase that is configured.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Discovery { .. } => Phase::Discovery,
            Self::Validation { .. } => Phase::Validation,
            Self::Extraction { .. } => Phase::Extraction,
            Self::Analysis { .. } => Phase::Analysis,
            Self::Enrichment { .. } => Phase::Enrichment,
        }
    }
}

/// A pool of proxies as it was when a run started. What the proxies are told of who asks is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxies {
    /// The pool.
    pub pool_id: ProxyPoolId,
    /// Which proxy is taken next.
    pub strategy: proxy_pool::Strategy,
    /// How many other proxies are tried for a page after one failed.
    pub max_retries: u32,
    /// How long a page may take through one proxy, seconds.
    pub timeout_seconds: u32,
    /// The proxies, in the order of the pool.
    pub members: Vec<PinnedProxy>,
}

/// A proxy as it was when a run started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedProxy {
    /// The proxy.
    pub proxy_id: ProxyId,
    /// How it is spoken to.
    pub protocol: proxy::Protocol,
    /// Where it listens.
    pub endpoint: proxy::Endpoint,
    /// Its chances under `weighted`, against those of the others.
    pub weight: u32,
}

/// Everything that a run works with, copied when it starts, so that nothing changes under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a run, moved a few times; boxing would only blur it"
)]
pub enum Pinned {
    /// Names.
    Discovery {
        /// Where they come from.
        source: Source,
        /// The pattern's hash, which is its stream's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern_hash: Option<String>,
        /// The campaigns that names are taken from, in their order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inputs: Vec<Input>,
    },
    /// DNS.
    Validation {
        /// The persona that was named, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dns_persona: Option<PersonaId>,
        /// Its configuration at the start of the run, or the program's default.
        dns: crate::persona::DnsConfig,
        /// Record types to ask for beyond addresses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        record_types: Vec<String>,
        /// Runs of other campaigns whose successful results are taken over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken: Vec<TakenRun>,
    },
    /// HTTP and keywords.
    Extraction {
        /// The persona that was named, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_persona: Option<PersonaId>,
        /// Its configuration at the start of the run, or the program's default.
        http: crate::persona::HttpConfig,
        /// How names met on the way are resolved.
        dns: crate::persona::DnsConfig,
        /// Every rule of the run, of the sets and of the phase's own keywords.
        rules: Vec<keyword_set::Rule>,
        /// Runs of other campaigns with the same rules, whose successful results are taken over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken: Vec<TakenRun>,
        /// The pool that pages are fetched through; they are fetched directly where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proxies: Option<Proxies>,
    },
    /// Scores.
    Analysis {
        /// The profile that was named, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scoring_profile: Option<ScoringProfileId>,
        /// Its weights, normalised to sum 1.
        weights: std::collections::BTreeMap<String, f64>,
    },
    /// Leads.
    Enrichment {
        /// The thresholds of the decision.
        thresholds: lead::Thresholds,
    },
}

impl Pinned {
    /// Returns the phase that the run belongs to.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Discovery { .. } => Phase::Discovery,
            Self::Validation { .. } => Phase::Validation,
            Self::Extraction { .. } => Phase::Extraction,
            Self::Analysis { .. } => Phase::Analysis,
            Self::Enrichment { .. } => Phase::Enrichment,
        }
    }
}
