//! The configuration object of a campaign: what a user says about several phases at once.

use aggregates::{
    campaign::{PhaseConfig, Source},
    ids::{PersonaId, UserId},
    names::{Kind, Pattern},
};
use event_store::Database;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    in_range,
    listed::{MOST_LISTED, distinct_names},
    pattern::{Fields, Names, build, count},
    personas,
    phase::distinct,
    read,
};
use crate::http::Error;

/// The most names that `maxDomains` may allow.
const MOST_DOMAINS: u64 = 1_000_000;
/// The longest `projectionEstimate`, bytes of its JSON.
const LONGEST_ESTIMATE: usize = 16 << 10;
/// The longest configuration object without the names that it lists, bytes of its JSON: what can be said of two thousand
/// top-level domains and some hundred keyword sets.
const LONGEST: usize = 64 << 10;

const NAMES: Names = Names {
    place: "configuration.patternConfig.",
    kind: "type",
    constant: "constant",
    charset: "charset",
    tld: "tlds",
};

/// What can be set for a campaign.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignConfiguration {
    /// The most names that the campaign may have, 1 to 1,000,000.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub max_domains: Option<u64>,
    /// Which phases are wanted.
    pub phases: Option<PhaseSwitches>,
    /// Where the names come from, and what the phases after that work with.
    pub pattern_config: Option<PatternConfig>,
}

/// Which phases are wanted. A phase that is switched on is configured; no phase can be left out.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSwitches {
    discovery: Option<DiscoverySwitch>,
    validation: Option<ValidationSwitch>,
    extraction: Option<ExtractionSwitch>,
    analysis: Option<AnalysisSwitch>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DiscoverySwitch {
    enabled: Option<bool>,
    /// Only 1: names are not looked for on other sites.
    #[schema(minimum = 1, maximum = 10)]
    max_depth: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidationSwitch {
    enabled: Option<bool>,
    dns_validation: Option<bool>,
    http_validation: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExtractionSwitch {
    enabled: Option<bool>,
    keyword_set_ids: Option<Vec<Uuid>>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnalysisSwitch {
    enabled: Option<bool>,
    /// Only false: results are exported, not reported.
    generate_reports: Option<bool>,
}

/// How the variable part of a pattern is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PatternType {
    Constant,
    Variable,
    #[serde(alias = "prefix")]
    PrefixVariable,
    #[serde(alias = "suffix")]
    SuffixVariable,
    #[serde(alias = "both")]
    BothVariable,
}

/// Where the names come from, and what the phases after that work with.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatternConfig {
    /// How a pattern varies. Beside `targetDomains`, and where nothing else speaks of names, it says nothing.
    #[serde(rename = "type")]
    kind: Option<PatternType>,
    constant: Option<String>,
    #[schema(maximum = 64)]
    prefix_variable_length: Option<u32>,
    #[schema(maximum = 64)]
    suffix_variable_length: Option<u32>,
    #[schema(maximum = 64)]
    variable_length: Option<u32>,
    charset: Option<String>,
    /// Names in place of a pattern, at most 10,000; longer lists are uploaded.
    target_domains: Option<Vec<String>>,
    /// Top-level domains, `com` where absent.
    tlds: Option<Vec<String>>,
    keyword_set_ids: Option<Vec<Uuid>>,
    /// At most one DNS and one HTTP persona.
    persona_ids: Option<Vec<Uuid>>,
    /// Only 0: further pages are followed from pages that give little, not to a depth.
    #[schema(maximum = 5)]
    crawl_depth: Option<u64>,
    /// A figure that the client worked out for itself, at most 16 KiB; kept with the configuration and answered, decides
    /// nothing.
    #[schema(value_type = Option<Object>)]
    projection_estimate: Option<serde_json::Map<String, Value>>,
}

/// What a configuration object comes to.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The most names that the campaign may have.
    pub max_domains: Option<u64>,
    /// The configurations of phases.
    pub phases: Vec<PhaseConfig>,
    /// The names that were listed.
    pub names: Option<Vec<String>>,
}

/// Reads a configuration object of `owner`'s. Whether what it refers to may be used is asked afterwards, by pinning it.
///
/// # Errors
/// 422 naming the setting that is unknown, out of range, contradicts another, or cannot be honoured.
pub async fn plan(
    database: &Database,
    owner: UserId,
    configuration: &Value,
) -> Result<Planned, Error> {
    let settings: CampaignConfiguration = read(configuration, "configuration")?;
    refuse_what_is_too_long(configuration, &settings)?;
    let max_domains = settings
        .max_domains
        .map(|most| in_range("configuration.maxDomains", most, 1..=MOST_DOMAINS))
        .transpose()?;
    let switches = settings.phases.unwrap_or_default();
    refuse_what_cannot_be_honoured(&switches)?;
    let pattern = settings.pattern_config.unwrap_or_default();
    in_range(
        "configuration.patternConfig.crawlDepth",
        pattern.crawl_depth.unwrap_or(0),
        0..=0,
    )
    .map_err(|_| {
        Error::unprocessable(
            "configuration.patternConfig.crawlDepth",
            "sites are not crawled to a depth, only 0 is possible",
        )
    })?;
    let listed = pattern.persona_ids.as_deref().unwrap_or_default();
    let personas = personas::by_kind(
        database,
        owner,
        listed,
        "configuration.patternConfig.personaIds",
    )
    .await?;
    let keyword_sets = keyword_sets(&pattern, &switches)?;

    let mut planned = Planned {
        max_domains,
        ..Planned::default()
    };
    discovery(&pattern, &switches, &mut planned)?;
    if switches.wants_validation() || personas.dns.is_some() {
        planned.phases.push(PhaseConfig::Validation {
            dns_persona: personas.dns,
            record_types: Vec::new(),
        });
    }
    if switches.wants_extraction() || keyword_sets.is_some() || personas.http.is_some() {
        planned
            .phases
            .push(extraction(personas.http, personas.dns, keyword_sets));
    }
    if switches
        .analysis
        .as_ref()
        .and_then(|analysis| analysis.enabled)
        == Some(true)
    {
        planned.phases.push(PhaseConfig::Analysis {
            scoring_profile: None,
        });
    }
    Ok(planned)
}

fn extraction(
    http_persona: Option<PersonaId>,
    dns_persona: Option<PersonaId>,
    keyword_sets: Option<Vec<Uuid>>,
) -> PhaseConfig {
    PhaseConfig::Extraction {
        http_persona,
        dns_persona,
        proxy_pool: None,
        keyword_sets: keyword_sets.map(distinct).unwrap_or_default(),
        keywords: Vec::new(),
    }
}

impl PhaseSwitches {
    fn wants_validation(&self) -> bool {
        self.validation.as_ref().is_some_and(|validation| {
            validation.enabled == Some(true) || validation.dns_validation == Some(true)
        })
    }

    fn wants_extraction(&self) -> bool {
        let enabled = self
            .extraction
            .as_ref()
            .and_then(|extraction| extraction.enabled);
        let fetched = self
            .validation
            .as_ref()
            .and_then(|validation| validation.http_validation);
        enabled == Some(true) || fetched == Some(true)
    }
}

/// Everything that is said is kept and answered again, so it is bounded, whether it decides something or not. The names of a
/// list have a bound of their own.
fn refuse_what_is_too_long(
    configuration: &Value,
    settings: &CampaignConfiguration,
) -> Result<(), Error> {
    let pattern = settings.pattern_config.as_ref();
    let estimate = pattern.and_then(|pattern| pattern.projection_estimate.as_ref());
    let refuse = |field: &str, limit: usize, what: &str| {
        let message = format!("is longer than {} KiB{what}", limit >> 10);
        Err(Error::unprocessable(field, message))
    };
    if estimate.map_or(Ok(0), length)? > LONGEST_ESTIMATE {
        let field = NAMES.field("projectionEstimate");
        return refuse(&field, LONGEST_ESTIMATE, "");
    }
    let listed = configuration.pointer("/patternConfig/targetDomains");
    let besides = length(configuration)?.saturating_sub(listed.map_or(Ok(0), length)?);
    if besides > LONGEST {
        return refuse("configuration", LONGEST, " without its targetDomains");
    }
    Ok(())
}

/// Measures a text in JSON, bytes.
fn length(value: &impl Serialize) -> Result<usize, Error> {
    Ok(serde_json::to_vec(value).map_err(Error::internal)?.len())
}

/// Phases follow each other and none can be left out, so switching one off is refused.
fn refuse_what_cannot_be_honoured(switches: &PhaseSwitches) -> Result<(), Error> {
    let off = |enabled: Option<bool>| enabled == Some(false);
    let discovery = switches.discovery.clone().unwrap_or_default();
    let validation = switches.validation.clone().unwrap_or_default();
    let extraction = switches.extraction.clone().unwrap_or_default();
    let analysis = switches.analysis.clone().unwrap_or_default();
    let skipped = "no phase can be left out; start phases one by one in the mode step_by_step";
    let refusals = [
        ("discovery.enabled", off(discovery.enabled), skipped),
        (
            "discovery.maxDepth",
            discovery.max_depth.is_some_and(|depth| depth != 1),
            "names are not looked for on other sites, only 1 is possible",
        ),
        ("validation.enabled", off(validation.enabled), skipped),
        (
            "validation.dnsValidation",
            off(validation.dns_validation),
            skipped,
        ),
        (
            "validation.httpValidation",
            off(validation.http_validation),
            skipped,
        ),
        ("extraction.enabled", off(extraction.enabled), skipped),
        ("analysis.enabled", off(analysis.enabled), skipped),
        (
            "analysis.generateReports",
            analysis.generate_reports == Some(true),
            "reports are not made, results are exported",
        ),
    ];
    match refusals.into_iter().find(|(_, refused, _)| *refused) {
        Some((field, _, why)) => Err(Error::unprocessable(
            format!("configuration.phases.{field}"),
            why,
        )),
        None => Ok(()),
    }
}

fn keyword_sets(
    pattern: &PatternConfig,
    switches: &PhaseSwitches,
) -> Result<Option<Vec<Uuid>>, Error> {
    let of_phase = switches
        .extraction
        .as_ref()
        .and_then(|extraction| extraction.keyword_set_ids.as_ref());
    match (of_phase, pattern.keyword_set_ids.as_ref()) {
        (Some(one), Some(other)) if one != other => Err(Error::unprocessable(
            "configuration.patternConfig.keywordSetIds",
            "differs from configuration.phases.extraction.keywordSetIds",
        )),
        (one, other) => Ok(one.or(other).filter(|ids| !ids.is_empty()).cloned()),
    }
}

/// Reads where the names come from: a list, a pattern, or nothing said yet. Clients of the contract send `type` with
/// whatever they say of patterns, so by itself it asks for no names.
fn discovery(
    pattern: &PatternConfig,
    switches: &PhaseSwitches,
    planned: &mut Planned,
) -> Result<(), Error> {
    let parts = [
        ("constant", pattern.constant.is_some()),
        (
            "prefixVariableLength",
            pattern.prefix_variable_length.is_some(),
        ),
        (
            "suffixVariableLength",
            pattern.suffix_variable_length.is_some(),
        ),
        ("variableLength", pattern.variable_length.is_some()),
        ("charset", pattern.charset.is_some()),
        ("tlds", pattern.tlds.is_some()),
    ];
    let part = parts
        .into_iter()
        .find(|(_, given)| *given)
        .map(|(field, _)| field);
    let source = match (&pattern.target_domains, part) {
        (Some(_), Some(field)) => {
            return Err(Error::unprocessable(
                NAMES.field(field),
                "has no effect beside targetDomains",
            ));
        }
        (Some(targets), None) => {
            let most = planned
                .max_domains
                .and_then(|most| usize::try_from(most).ok())
                .map_or(MOST_LISTED, |most| most.min(MOST_LISTED));
            let field = NAMES.field("targetDomains");
            planned.names = Some(distinct_names(targets, most, &field)?);
            Source::Import
        }
        (None, Some(_)) => {
            let pattern = pattern_of(pattern)?;
            let count = count(
                &pattern,
                None,
                planned.max_domains,
                "configuration.maxDomains",
            )?;
            Source::Pattern { pattern, count }
        }
        (None, None) => {
            let switched_on = switches
                .discovery
                .as_ref()
                .and_then(|discovery| discovery.enabled);
            return match switched_on {
                Some(true) => Err(Error::unprocessable(
                    "configuration.patternConfig",
                    "says neither a pattern nor targetDomains, but discovery is switched on",
                )),
                _ => Ok(()),
            };
        }
    };
    planned.phases.push(PhaseConfig::Discovery { source });
    Ok(())
}

fn pattern_of(given: &PatternConfig) -> Result<Pattern, Error> {
    let lengths = [
        ("prefixVariableLength", given.prefix_variable_length),
        ("suffixVariableLength", given.suffix_variable_length),
        ("variableLength", given.variable_length),
    ];
    let variable = lengths
        .into_iter()
        .find(|(_, length)| length.unwrap_or(0) > 0);
    let charset = given.charset.as_deref().unwrap_or_default();
    match (given.kind, variable) {
        (Some(PatternType::Constant), Some((field, _))) => {
            return Err(Error::unprocessable(
                NAMES.field(field),
                "a constant pattern has no variable part",
            ));
        }
        (_, None) if !charset.is_empty() => {
            return Err(Error::unprocessable(
                NAMES.field("charset"),
                "has no effect: the pattern has no variable part",
            ));
        }
        (Some(kind), None) if kind != PatternType::Constant => {
            return Err(Error::unprocessable(
                NAMES.field("type"),
                "the pattern has no variable part: set prefixVariableLength or suffixVariableLength",
            ));
        }
        _ => {}
    }
    let fields = Fields {
        kind: match given.kind {
            Some(PatternType::PrefixVariable | PatternType::Constant) => Some(Kind::Prefix),
            Some(PatternType::SuffixVariable) => Some(Kind::Suffix),
            Some(PatternType::BothVariable) => Some(Kind::Both),
            Some(PatternType::Variable) | None => None,
        },
        constant: given.constant.clone(),
        prefix_length: given.prefix_variable_length,
        suffix_length: given.suffix_variable_length,
        variable_length: given.variable_length,
        charset: given.charset.clone(),
        tlds: given.tlds.clone(),
        dictionary: None,
    };
    build(fields, &NAMES)
}
