//! Settings of one phase, as `POST /campaigns/{id}/phases/{phase}/configure` takes them.

use aggregates::{
    campaign::{Phase, PhaseConfig},
    ids::{KeywordSetId, PersonaId, ProxyPoolId, ScoringProfileId, UserId},
    keyword_set::MAX_RULES,
    lead::Thresholds,
};
use event_store::Database;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validation::dns::RecordType;

use super::{discovery, personas, read};
use crate::{commands::pin, http::Error, work::usable};

const PLACE: &str = "configuration";

/// A phase's settings and what it refers to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseConfigurationRequest {
    /// The settings of the phase; an unknown one is refused by its name.
    #[schema(value_type = Object)]
    pub configuration: serde_json::Map<String, Value>,
    /// The personas of the phase.
    pub persona_ids: Option<PersonaIds>,
    /// The proxies that pages are fetched through.
    pub proxy_pool_id: Option<Uuid>,
    /// The keyword sets whose rules apply.
    pub keyword_set_ids: Option<Vec<Uuid>>,
}

/// The personas of a phase.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonaIds {
    /// How pages are fetched.
    pub http_persona_id: Option<Uuid>,
    /// How DNS is asked.
    pub dns_persona_id: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidationSettings {
    record_types: Option<Vec<String>>,
    dns_persona_id: Option<Uuid>,
    persona_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExtractionSettings {
    #[serde(alias = "adHocKeywords")]
    keywords: Option<Vec<String>>,
    keyword_set_ids: Option<Vec<Uuid>>,
    http_persona_id: Option<Uuid>,
    dns_persona_id: Option<Uuid>,
    persona_ids: Option<Vec<Uuid>>,
    proxy_pool_id: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnalysisSettings {
    scoring_profile_id: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnrichmentSettings {
    thresholds: Option<Thresholds>,
}

/// Reads the settings of a phase of `owner`'s campaign, which may have `max_domains` names. Whether what they refer to
/// may be used is asked afterwards, by pinning it.
///
/// # Errors
/// 422 naming the setting that is unknown, out of range, or without effect in this phase.
pub async fn phase_config(
    database: &Database,
    owner: UserId,
    max_domains: Option<u64>,
    phase: Phase,
    request: PhaseConfigurationRequest,
) -> Result<PhaseConfig, Error> {
    refuse_what_has_no_effect(phase, &request)?;
    let personas = request.persona_ids.unwrap_or_default();
    let settings = Value::Object(request.configuration);
    Ok(match phase {
        Phase::Discovery => discovery::config(&settings, max_domains)?,
        Phase::Validation => {
            let settings: ValidationSettings = read(&settings, PLACE)?;
            let listed = listed(database, owner, settings.persona_ids.as_deref()).await?;
            if listed.http.is_some() {
                return Err(Error::unprocessable(
                    "configuration.personaIds",
                    "validation fetches no pages",
                ));
            }
            let dns = [
                personas.dns_persona_id,
                settings.dns_persona_id,
                listed.dns.map(|id| id.0),
            ];
            PhaseConfig::Validation {
                dns_persona: one("personaIds.dnsPersonaId", dns)?.map(PersonaId),
                record_types: record_types(
                    &settings.record_types.unwrap_or_default(),
                    "configuration.recordTypes",
                )?,
            }
        }
        Phase::Extraction => {
            let settings: ExtractionSettings = read(&settings, PLACE)?;
            let listed = listed(database, owner, settings.persona_ids.as_deref()).await?;
            let dns = [
                personas.dns_persona_id,
                settings.dns_persona_id,
                listed.dns.map(|id| id.0),
            ];
            let http = [
                personas.http_persona_id,
                settings.http_persona_id,
                listed.http.map(|id| id.0),
            ];
            PhaseConfig::Extraction {
                http_persona: one("personaIds.httpPersonaId", http)?.map(PersonaId),
                dns_persona: one("personaIds.dnsPersonaId", dns)?.map(PersonaId),
                proxy_pool: one(
                    "proxyPoolId",
                    [request.proxy_pool_id, settings.proxy_pool_id],
                )?
                .map(ProxyPoolId),
                keyword_sets: one(
                    "keywordSetIds",
                    [request.keyword_set_ids, settings.keyword_set_ids],
                )?
                .map(distinct)
                .unwrap_or_default(),
                keywords: keywords(settings.keywords.unwrap_or_default())?,
            }
        }
        Phase::Analysis => {
            let settings: AnalysisSettings = read(&settings, PLACE)?;
            PhaseConfig::Analysis {
                scoring_profile: settings.scoring_profile_id.map(ScoringProfileId),
            }
        }
        Phase::Enrichment => {
            let settings: EnrichmentSettings = read(&settings, PLACE)?;
            let thresholds = settings.thresholds.unwrap_or_default();
            thresholds.validate().map_err(|error| {
                let field = camel_case(error.field());
                let message = error.to_string();
                let message: Vec<_> = message.split(' ').map(camel_case).collect();
                Error::unprocessable(
                    format!("configuration.thresholds.{field}"),
                    message.join(" "),
                )
            })?;
            PhaseConfig::Enrichment { thresholds }
        }
    })
}

fn refuse_what_has_no_effect(
    phase: Phase,
    request: &PhaseConfigurationRequest,
) -> Result<(), Error> {
    let personas = request.persona_ids.unwrap_or_default();
    let asks_dns = matches!(phase, Phase::Validation | Phase::Extraction);
    let fetches = phase == Phase::Extraction;
    let given = [
        (
            "personaIds.dnsPersonaId",
            personas.dns_persona_id.is_some() && !asks_dns,
        ),
        (
            "personaIds.httpPersonaId",
            personas.http_persona_id.is_some() && !fetches,
        ),
        ("proxyPoolId", request.proxy_pool_id.is_some() && !fetches),
        (
            "keywordSetIds",
            request
                .keyword_set_ids
                .as_ref()
                .is_some_and(|ids| !ids.is_empty())
                && !fetches,
        ),
    ];
    match given
        .into_iter()
        .find(|(_, without_effect)| *without_effect)
    {
        Some((field, _)) => Err(Error::unprocessable(
            field,
            format!("has no effect in {phase}"),
        )),
        None => Ok(()),
    }
}

async fn listed(
    database: &Database,
    owner: UserId,
    ids: Option<&[Uuid]>,
) -> Result<personas::Personas, Error> {
    personas::by_kind(
        database,
        owner,
        ids.unwrap_or_default(),
        "configuration.personaIds",
    )
    .await
}

/// Takes what was given in one of several places; the same thing twice is fine, two different things are not.
fn one<T: PartialEq, const N: usize>(
    field: &str,
    places: [Option<T>; N],
) -> Result<Option<T>, Error> {
    let mut given = places.into_iter().flatten();
    let first = given.next();
    match given.find(|other| Some(other) != first.as_ref()) {
        Some(_) => Err(Error::unprocessable(
            field,
            "is given twice and differently",
        )),
        None => Ok(first),
    }
}

pub(in crate::http) fn distinct(ids: Vec<Uuid>) -> Vec<KeywordSetId> {
    let mut kept = Vec::with_capacity(ids.len());
    for id in ids.into_iter().map(KeywordSetId) {
        if !kept.contains(&id) {
            kept.push(id);
        }
    }
    kept
}

/// Reads record types, each once.
///
/// # Errors
/// 422 naming the element that is none.
pub(in crate::http) fn record_types(given: &[String], field: &str) -> Result<Vec<String>, Error> {
    let mut kept = Vec::new();
    for (at, text) in given.iter().enumerate() {
        let known: RecordType = text.parse().map_err(|_| {
            let field = format!("{field}[{at}]");
            Error::unprocessable(field, "is none of A, AAAA, CNAME, MX, NS, TXT, SOA, CAA")
        })?;
        if !kept.contains(&known) {
            kept.push(known);
        }
    }
    Ok(kept.into_iter().map(|known| known.to_string()).collect())
}

fn keywords(given: Vec<String>) -> Result<Vec<String>, Error> {
    if given.len() > MAX_RULES {
        let message = format!("has {} keywords, {MAX_RULES} are allowed", given.len());
        return Err(Error::unprocessable("configuration.keywords", message));
    }
    let mut kept: Vec<String> = Vec::with_capacity(given.len());
    for (at, keyword) in given.into_iter().enumerate() {
        let keyword = keyword.trim();
        usable::rules(&[pin::ad_hoc(keyword)]).map_err(|unusable| {
            let field = format!("configuration.keywords[{at}]");
            Error::unprocessable(field, unusable.message)
        })?;
        if !kept.iter().any(|known| known == keyword) {
            kept.push(keyword.to_owned());
        }
    }
    Ok(kept)
}

/// Spells a field of a settings struct as the wire does.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut spelled = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        spelled.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        spelled.push_str(letters.as_str());
    }
    spelled
}
