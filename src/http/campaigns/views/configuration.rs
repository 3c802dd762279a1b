//! Phase configurations in the words that `configure` takes, so that an answer can be sent back.

use aggregates::{
    campaign::{PhaseConfig, Source},
    names::Pattern,
};
use serde_json::{Map, Value, json};

/// Spells a stored phase configuration as the wire does; nothing where it does not decode.
#[must_use]
pub fn wire_config(stored: &Value) -> Option<Value> {
    let config: PhaseConfig = serde_json::from_value(stored.clone()).ok()?;
    Some(match config {
        PhaseConfig::Discovery {
            source: Source::Import,
        } => json!({"source": "import"}),
        PhaseConfig::Discovery {
            source: Source::Campaigns { campaigns },
        } => json!({"source": "campaigns", "campaignIds": campaigns}),
        PhaseConfig::Discovery {
            source: Source::Pattern { pattern, count },
        } => discovery(&pattern, count),
        PhaseConfig::Validation {
            dns_persona,
            record_types,
        } => without_nulls(json!({"dnsPersonaId": dns_persona, "recordTypes": record_types})),
        PhaseConfig::Extraction {
            http_persona,
            dns_persona,
            proxy_pool,
            keyword_sets,
            keywords,
        } => without_nulls(json!({
            "httpPersonaId": http_persona,
            "dnsPersonaId": dns_persona,
            "proxyPoolId": proxy_pool,
            "keywordSetIds": keyword_sets,
            "keywords": keywords,
        })),
        PhaseConfig::Analysis { scoring_profile } => {
            without_nulls(json!({"scoringProfileId": scoring_profile}))
        }
        PhaseConfig::Enrichment { thresholds } => json!({"thresholds": {
            "parkedConfidence": thresholds.parked_confidence,
            "requireStructuralSignals": thresholds.require_structural_signals,
            "matchScore": thresholds.match_score,
            "minBytes": thresholds.min_bytes,
            "borderlineScore": thresholds.borderline_score,
        }}),
    })
}

fn discovery(pattern: &Pattern, count: Option<u64>) -> Value {
    let mut fields = Map::new();
    fields.insert("patternType".to_owned(), json!(pattern.kind()));
    fields.insert("constantString".to_owned(), json!(pattern.constant()));
    match pattern.dictionary() {
        Some(words) => {
            fields.insert("dictionary".to_owned(), json!(words));
        }
        None => {
            fields.insert(
                "prefixVariableLength".to_owned(),
                json!(pattern.prefix_length()),
            );
            fields.insert(
                "suffixVariableLength".to_owned(),
                json!(pattern.suffix_length()),
            );
            fields.insert("characterSet".to_owned(), json!(pattern.charset()));
        }
    }
    fields.insert("tlds".to_owned(), json!(pattern.tlds()));
    if let Some(count) = count {
        fields.insert("numDomainsToGenerate".to_owned(), json!(count));
    }
    Value::Object(fields)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => other,
    }
}
