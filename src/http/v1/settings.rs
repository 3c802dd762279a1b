//! What users may set for typed campaigns, read strictly and turned into configurations of phases.
//!
//! The settings are kept as they were sent, so that a change of some leaves the others as they are. The invariant is that
//! of the other interface: a setting either takes effect or is refused by its name with 422.

use aggregates::{
    campaign::{CampaignType, PhaseConfig, Source},
    ids::{CampaignId, PersonaId, ProxyPoolId, ScoringProfileId},
    lead::Thresholds,
    names::Kind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::{
    Error,
    campaigns::settings::{
        Fields, MOST_LISTED, Names, build, count, distinct, distinct_names, read, record_types,
    },
};

/// The most campaigns that names are taken from.
const MOST_INPUTS: usize = 100;
/// How a request says that nothing in particular is wanted.
const DEFAULT: &str = "default";
/// No proxies.
pub(super) const DIRECT: &str = "direct";

const NAMES: Names = Names {
    place: "",
    kind: "pattern",
    constant: "constantPart",
    charset: "charSet",
    tld: "tlds",
};

/// How names are made of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) enum GenerationStrategy {
    /// Every combination of characters.
    #[default]
    #[serde(rename = "brute-force")]
    BruteForce,
    /// Words in place of the variable characters.
    #[serde(rename = "dictionary")]
    Dictionary,
}

/// Where a campaign's names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SourceMode {
    /// A file that is sent.
    Upload,
    /// Names in the request.
    Direct,
    /// Other campaigns.
    Campaigns,
}

impl SourceMode {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Direct => "direct",
            Self::Campaigns => "campaigns",
        }
    }
}

/// What can be set for a campaign that generates names.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GenerationSettings {
    /// `prefix_variable`, `suffix_variable` or `both_variable`; found from the lengths where absent.
    #[schema(value_type = Option<crate::http::vocabulary::VariablePart>)]
    pattern: Option<String>,
    /// The part that every name shares.
    constant_part: Option<String>,
    /// Variable characters before it, 0 to 64.
    #[schema(maximum = 64)]
    prefix_variable_length: Option<u32>,
    /// Variable characters after it, 0 to 64.
    #[schema(maximum = 64)]
    suffix_variable_length: Option<u32>,
    /// The variable characters, in their order.
    char_set: Option<String>,
    /// Top-level domains, `com` where absent.
    tlds: Option<Vec<String>>,
    /// How many offsets are taken; all that are left where absent.
    target_domains_to_generate: Option<u64>,
    /// How names are made; `brute-force` where absent.
    generation_strategy: Option<GenerationStrategy>,
    /// The words of the strategy `dictionary`.
    dictionary: Option<Vec<String>>,
    /// Only true: no name is given to two campaigns of a pattern, and none twice to one.
    enforce_uniqueness: Option<bool>,
    /// Only true: a run goes on where it ended.
    resume_flag: Option<bool>,
    /// Only `direct`: names are made without a network.
    proxy_assignment_id: Option<String>,
}

/// What can be set for a campaign that checks names over DNS.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DnsSettings {
    /// Where the names come from; found from the other fields where absent.
    source_mode: Option<SourceMode>,
    /// Names, at most 10,000; longer lists are uploaded.
    domains: Option<Vec<String>>,
    /// Campaigns whose names are taken: of those that check names the ones that passed.
    input_campaign_ids: Option<Vec<Uuid>>,
    /// How DNS is asked: a persona's id, or `default`.
    dns_persona_id: Option<String>,
    /// Record types to ask for beyond addresses, such as `MX`.
    record_types: Option<Vec<String>>,
    /// Only `direct`: DNS is asked without proxies.
    proxy_assignment_id: Option<String>,
}

/// What can be set for a campaign that fetches names over HTTP.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HttpSettings {
    /// Where the names come from; found from the other fields where absent.
    source_mode: Option<SourceMode>,
    /// Names, at most 10,000; longer lists are uploaded.
    domains: Option<Vec<String>>,
    /// Campaigns whose names are taken: of those that check names the ones that passed.
    input_campaign_ids: Option<Vec<Uuid>>,
    /// How pages are fetched: a persona's id, or `default`.
    http_persona_id: Option<String>,
    /// How the addresses of names are found: a persona's id, or `default`.
    dns_persona_id: Option<String>,
    /// `direct` or a proxy pool's id.
    proxy_assignment_id: Option<String>,
}

/// What can be set for a campaign that makes leads of what other campaigns found.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LeadSettings {
    /// Campaigns whose names and results are taken: of those that check names the ones that passed. Pages count as
    /// fetched where they were searched by the same keyword rules.
    input_campaign_ids: Option<Vec<Uuid>>,
    /// The keyword sets whose rules apply.
    keyword_set_ids: Option<Vec<Uuid>>,
    /// How pages are fetched: a persona's id, or `default`.
    http_persona_id: Option<String>,
    /// How the addresses of names are found: a persona's id, or `default`.
    dns_persona_id: Option<String>,
    /// The weights of scores; the default weights where absent.
    scoring_profile_id: Option<Uuid>,
    /// `direct` or a proxy pool's id.
    proxy_assignment_id: Option<String>,
}

/// What the settings of a campaign come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    /// The configurations of its phases.
    pub(super) phases: Vec<PhaseConfig>,
    /// The names that were listed.
    pub(super) names: Option<Vec<String>>,
    /// The settings as they are kept: without the names.
    pub(super) kept: Map<String, Value>,
}

/// Reads the settings of a typed campaign. Whether what they refer to may be used is asked afterwards, by pinning it.
///
/// # Errors
/// 422 naming the setting that is unknown for the type, out of range, contradicts another, or cannot be honoured.
pub(super) fn plan(
    campaign_type: CampaignType,
    settings: Map<String, Value>,
) -> Result<Planned, Error> {
    let value = Value::Object(settings);
    let checks = match campaign_type {
        CampaignType::Generation => Checks::without_source(generation(read(&value, "")?)?),
        CampaignType::Dns => dns(read(&value, "")?)?,
        CampaignType::Http => http(read(&value, "")?)?,
        CampaignType::Lead => Checks::without_source(lead(read(&value, "")?)?),
        CampaignType::Full => Checks::default(),
    };
    let Value::Object(mut kept) = value else {
        return Ok(Planned::default());
    };
    kept.remove("domains");
    if let Some(mode) = checks.mode {
        kept.insert("sourceMode".to_owned(), Value::from(mode.name()));
    }
    Ok(Planned {
        phases: checks.phases,
        names: checks.names,
        kept,
    })
}

/// What the settings of a type come to.
#[derive(Default)]
struct Checks {
    phases: Vec<PhaseConfig>,
    mode: Option<SourceMode>,
    names: Option<Vec<String>>,
}

impl Checks {
    fn without_source(phases: Vec<PhaseConfig>) -> Self {
        Self {
            phases,
            ..Self::default()
        }
    }
}

fn generation(settings: GenerationSettings) -> Result<Vec<PhaseConfig>, Error> {
    direct_only(settings.proxy_assignment_id.as_deref())?;
    let only_true = [
        (
            "enforceUniqueness",
            settings.enforce_uniqueness,
            "ranges of one pattern never overlap, whoever asks for them",
        ),
        (
            "resumeFlag",
            settings.resume_flag,
            "every run goes on where it ended",
        ),
    ];
    for (field, given, why) in only_true {
        if given == Some(false) {
            return Err(Error::unprocessable(field, format!("must be true: {why}")));
        }
    }
    let by_words =
        settings.generation_strategy.unwrap_or_default() == GenerationStrategy::Dictionary;
    match (by_words, settings.dictionary.is_some()) {
        (true, false) => {
            return Err(Error::unprocessable(
                "dictionary",
                "the strategy dictionary needs its words",
            ));
        }
        (false, true) => {
            return Err(Error::unprocessable(
                "dictionary",
                "has no effect without the strategy dictionary",
            ));
        }
        _ => {}
    }
    let kind = settings.pattern.as_deref().map(kind).transpose()?;
    let pattern = build(
        Fields {
            kind,
            constant: settings.constant_part,
            prefix_length: settings.prefix_variable_length,
            suffix_length: settings.suffix_variable_length,
            variable_length: None,
            charset: settings.char_set,
            tlds: settings.tlds,
            dictionary: settings.dictionary,
        },
        &NAMES,
    )?;
    let wanted = settings.target_domains_to_generate;
    let count = count(&pattern, wanted, None, "targetDomainsToGenerate")?;
    Ok(vec![PhaseConfig::Discovery {
        source: Source::Pattern { pattern, count },
    }])
}

/// Reads a kind of pattern, also with a blank as the requirements write it.
fn kind(text: &str) -> Result<Kind, Error> {
    text.replace(' ', "_")
        .parse()
        .map_err(|error: aggregates::names::Error| Error::unprocessable("pattern", error.reason()))
}

fn dns(settings: DnsSettings) -> Result<Checks, Error> {
    direct_only(settings.proxy_assignment_id.as_deref())?;
    let (source, mode) = source(
        settings.source_mode,
        settings.domains.is_some(),
        settings.input_campaign_ids.as_deref(),
    )?;
    let phases = vec![
        PhaseConfig::Discovery { source },
        PhaseConfig::Validation {
            dns_persona: persona("dnsPersonaId", settings.dns_persona_id.as_deref())?,
            record_types: record_types(&settings.record_types.unwrap_or_default(), "recordTypes")?,
        },
    ];
    Ok(Checks {
        phases,
        mode: Some(mode),
        names: listed(settings.domains)?,
    })
}

fn http(settings: HttpSettings) -> Result<Checks, Error> {
    let proxy_pool = assigned(settings.proxy_assignment_id.as_deref())?;
    let (source, mode) = source(
        settings.source_mode,
        settings.domains.is_some(),
        settings.input_campaign_ids.as_deref(),
    )?;
    let dns_persona = persona("dnsPersonaId", settings.dns_persona_id.as_deref())?;
    let phases = vec![
        PhaseConfig::Discovery { source },
        PhaseConfig::Validation {
            dns_persona,
            record_types: Vec::new(),
        },
        PhaseConfig::Extraction {
            http_persona: persona("httpPersonaId", settings.http_persona_id.as_deref())?,
            dns_persona,
            proxy_pool,
            keyword_sets: Vec::new(),
            keywords: Vec::new(),
        },
    ];
    Ok(Checks {
        phases,
        mode: Some(mode),
        names: listed(settings.domains)?,
    })
}

fn lead(settings: LeadSettings) -> Result<Vec<PhaseConfig>, Error> {
    let proxy_pool = assigned(settings.proxy_assignment_id.as_deref())?;
    let campaigns = inputs(settings.input_campaign_ids.as_deref().unwrap_or_default())?;
    let dns_persona = persona("dnsPersonaId", settings.dns_persona_id.as_deref())?;
    let sets = settings.keyword_set_ids.unwrap_or_default();
    Ok(vec![
        PhaseConfig::Discovery {
            source: Source::Campaigns { campaigns },
        },
        PhaseConfig::Validation {
            dns_persona,
            record_types: Vec::new(),
        },
        PhaseConfig::Extraction {
            http_persona: persona("httpPersonaId", settings.http_persona_id.as_deref())?,
            dns_persona,
            proxy_pool,
            keyword_sets: distinct(sets),
            keywords: Vec::new(),
        },
        PhaseConfig::Analysis {
            scoring_profile: settings.scoring_profile_id.map(ScoringProfileId),
        },
        PhaseConfig::Enrichment {
            thresholds: Thresholds::default(),
        },
    ])
}

/// Finds where names come from, and refuses what contradicts it.
fn source(
    mode: Option<SourceMode>,
    lists: bool,
    ids: Option<&[Uuid]>,
) -> Result<(Source, SourceMode), Error> {
    let found = match (lists, ids.is_some()) {
        (true, true) => {
            return Err(Error::unprocessable(
                "inputCampaignIds",
                "names are either listed or taken from campaigns",
            ));
        }
        (true, false) => SourceMode::Direct,
        (false, true) => SourceMode::Campaigns,
        // A list that was given before is not sent again with a change of something else.
        (false, false) if mode == Some(SourceMode::Direct) => SourceMode::Direct,
        (false, false) => SourceMode::Upload,
    };
    match mode {
        Some(mode) if mode != found => Err(Error::unprocessable(
            "sourceMode",
            format!(
                "is {}, and the other fields say {}",
                mode.name(),
                found.name()
            ),
        )),
        _ => match ids {
            Some(ids) => {
                let campaigns = inputs(ids)?;
                Ok((Source::Campaigns { campaigns }, found))
            }
            None => Ok((Source::Import, found)),
        },
    }
}

fn inputs(ids: &[Uuid]) -> Result<Vec<CampaignId>, Error> {
    if !(1..=MOST_INPUTS).contains(&ids.len()) {
        return Err(Error::unprocessable(
            "inputCampaignIds",
            format!("must be 1 to {MOST_INPUTS} campaigns"),
        ));
    }
    let mut inputs: Vec<CampaignId> = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().map(|id| CampaignId(*id)).enumerate() {
        if inputs.contains(&id) {
            return Err(Error::unprocessable(
                format!("inputCampaignIds[{at}]"),
                "is there twice",
            ));
        }
        inputs.push(id);
    }
    Ok(inputs)
}

fn listed(domains: Option<Vec<String>>) -> Result<Option<Vec<String>>, Error> {
    domains
        .map(|names| distinct_names(&names, MOST_LISTED, "domains"))
        .transpose()
}

/// Reads a persona's id; `default` stands for none.
fn persona(field: &str, given: Option<&str>) -> Result<Option<PersonaId>, Error> {
    match given {
        None | Some(DEFAULT) => Ok(None),
        Some(id) => match id.parse() {
            Ok(id) => Ok(Some(PersonaId(id))),
            Err(_) => Err(Error::unprocessable(
                field,
                format!("must be the id of a persona, or {DEFAULT}"),
            )),
        },
    }
}

/// Says how a persona is written.
pub(super) fn persona_text(persona: Option<PersonaId>) -> String {
    persona.map_or_else(|| DEFAULT.to_owned(), |id| id.to_string())
}

/// The field that assigns a pool.
pub(super) const ASSIGNMENT: &str = "proxyAssignmentId";

/// Reads which pool pages are fetched through, where they are not fetched directly.
fn assigned(given: Option<&str>) -> Result<Option<ProxyPoolId>, Error> {
    match given {
        None | Some(DIRECT) => Ok(None),
        Some(id) => id.parse().map(|id| Some(ProxyPoolId(id))).map_err(|_| {
            let message = format!("must be the id of a proxy pool, or {DIRECT}");
            Error::unprocessable(ASSIGNMENT, message)
        }),
    }
}

/// Says how an assignment is written.
pub(super) fn assignment_text(pool: Option<ProxyPoolId>) -> String {
    pool.map_or_else(|| DIRECT.to_owned(), |id| id.to_string())
}

/// Refuses a pool where no pages are fetched.
fn direct_only(given: Option<&str>) -> Result<(), Error> {
    match assigned(given)? {
        None => Ok(()),
        Some(_) => Err(Error::unprocessable(
            ASSIGNMENT,
            format!("must be {DIRECT}: campaigns of this type fetch no pages"),
        )),
    }
}
