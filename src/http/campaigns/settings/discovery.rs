//! Settings of the discovery phase.

use aggregates::{
    campaign::{PhaseConfig, Source},
    names::Kind,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    pattern::{Fields, Names, build, count},
    read,
};
use crate::http::Error;

const PLACE: &str = "configuration";

const NAMES: Names = Names {
    place: "configuration.",
    kind: "patternType",
    constant: "constantString",
    charset: "characterSet",
    tld: "tld",
};

/// Where the names come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NameSource {
    /// A pattern.
    #[default]
    Pattern,
    /// Lists that are uploaded.
    Import,
}

/// What can be set for discovery.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DiscoverySettings {
    source: Option<NameSource>,
    #[serde(alias = "type")]
    pattern_type: Option<Kind>,
    #[serde(alias = "constant")]
    constant_string: Option<String>,
    prefix_variable_length: Option<u32>,
    suffix_variable_length: Option<u32>,
    variable_length: Option<u32>,
    #[serde(alias = "charset")]
    character_set: Option<String>,
    tld: Option<String>,
    tlds: Option<Vec<String>>,
    dictionary: Option<Vec<String>>,
    #[serde(alias = "numDomains")]
    num_domains_to_generate: Option<u64>,
}

/// Reads the settings of discovery for a campaign that may have `max_domains` names.
pub(super) fn config(
    configuration: &Value,
    max_domains: Option<u64>,
) -> Result<PhaseConfig, Error> {
    let settings: DiscoverySettings = read(configuration, PLACE)?;
    if settings.source == Some(NameSource::Import) {
        return import(settings);
    }
    if settings.tld.is_some() && settings.tlds.is_some() {
        return Err(Error::unprocessable(
            "configuration.tld",
            "give either tld or tlds",
        ));
    }
    let variable = [
        settings.prefix_variable_length,
        settings.suffix_variable_length,
        settings.variable_length,
    ];
    let charset = settings.character_set.as_deref().unwrap_or_default();
    if !charset.is_empty()
        && variable.iter().all(|length| length.unwrap_or(0) == 0)
        && settings.dictionary.is_none()
    {
        return Err(Error::unprocessable(
            "configuration.characterSet",
            "has no effect: the pattern has no variable part, set prefixVariableLength or suffixVariableLength",
        ));
    }
    let pattern = build(
        Fields {
            kind: settings.pattern_type,
            constant: settings.constant_string,
            prefix_length: settings.prefix_variable_length,
            suffix_length: settings.suffix_variable_length,
            variable_length: settings.variable_length,
            charset: settings.character_set,
            tlds: settings.tlds.or_else(|| Some(vec![settings.tld?])),
            dictionary: settings.dictionary,
        },
        &NAMES,
    )?;
    let field = "configuration.numDomainsToGenerate";
    let count = count(
        &pattern,
        settings.num_domains_to_generate,
        max_domains,
        field,
    )?;
    Ok(PhaseConfig::Discovery {
        source: Source::Pattern { pattern, count },
    })
}

fn import(settings: DiscoverySettings) -> Result<PhaseConfig, Error> {
    let beside = [
        ("patternType", settings.pattern_type.is_some()),
        ("constantString", settings.constant_string.is_some()),
        (
            "prefixVariableLength",
            settings.prefix_variable_length.is_some(),
        ),
        (
            "suffixVariableLength",
            settings.suffix_variable_length.is_some(),
        ),
        ("variableLength", settings.variable_length.is_some()),
        ("characterSet", settings.character_set.is_some()),
        ("tld", settings.tld.is_some()),
        ("tlds", settings.tlds.is_some()),
        ("dictionary", settings.dictionary.is_some()),
        (
            "numDomainsToGenerate",
            settings.num_domains_to_generate.is_some(),
        ),
    ];
    match beside.into_iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(Error::unprocessable(
            format!("{PLACE}.{field}"),
            "has no effect where names are imported",
        )),
        None => Ok(PhaseConfig::Discovery {
            source: Source::Import,
        }),
    }
}
