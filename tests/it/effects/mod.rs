//! Each field that users may set has a test that sees what it does: to the packets and requests that others get, or, of what
//! is a word to the owner alone, in what he is answered.
//!
//! Which fields there are is not written here: those of personas, proxies and pools are read from the OpenAPI document, and
//! the settings of phases from the refusal of one that does not exist. A field without a line in the table fails the test, and
//! so does a line whose test is gone.

mod discovery;
mod personas;
mod phases;
mod pools;
mod proxies;
mod table;

use std::collections::BTreeSet;

use aggregates::campaign::Phase;
use serde_json::{Value, json};

use self::table::EFFECTS;
use crate::{
    campaigns::create,
    invariants,
    support::server::{Client, TestApp},
};

/// The bodies by which users set something about personas, proxies, pools and phases, and administrators about everything.
const BODIES: [&str; 13] = [
    "CreatePersonaRequest",
    "UpdatePersonaRequest",
    "PersonaConfigHttp",
    "PersonaConfigDns",
    "CreateProxyRequestAPI",
    "UpdateProxyRequestAPI",
    "ProxyPoolRequest",
    "AddProxyRequest",
    "PhaseConfigurationRequest",
    "PolitenessRequest",
    "ReconciliationRequest",
    "RequestLimitRequest",
    "StealthRequest",
];

/// Follows a reference, also one that may be left out.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.trim_start_matches('#');
        return document.pointer(place).expect("what is referred to");
    }
    match schema["oneOf"].as_array().map(Vec::as_slice) {
        Some([only]) => resolved(document, only),
        _ => schema,
    }
}

/// Collects the fields of a schema, those of objects inside included.
fn fields_of(document: &Value, at: &str, schema: &Value, fields: &mut BTreeSet<String>) {
    let properties = resolved(document, schema)["properties"].as_object();
    for (name, inside) in properties.into_iter().flatten() {
        let place = format!("{at}.{name}");
        fields_of(document, &place, inside, fields);
        fields.insert(place);
    }
}

/// Asks which settings a phase has, by one that it has not.
async fn settings_of(
    client: &Client,
    path: &str,
    phase: Phase,
    inside: Option<&str>,
) -> Vec<String> {
    let (configuration, field) = match inside {
        None => (json!({"nothing": 1}), "configuration.nothing".to_owned()),
        Some(object) => (
            json!({object: {"nothing": 1}}),
            format!("configuration.{object}.nothing"),
        ),
    };
    let configure = client.post(&format!("{path}/phases/{phase}/configure"));
    let configure = configure.json(&json!({"configuration": configuration}));
    let refusal = configure.send().await.says(422, &field);
    // «unknown field `nothing`, expected one of `source`, `patternType`, …»
    let (_, expected) = refusal.split_once("expected").expect("what there is");
    let names = expected.split('`').skip(1).step_by(2);
    let place = inside.map_or_else(|| phase.to_string(), |object| format!("{phase}.{object}"));
    names.map(|name| format!("{place}.{name}")).collect()
}

#[tokio::test]
async fn every_field_that_can_be_set_has_a_test_that_sees_its_effect() {
    let document = serde_json::to_value(domainflow::http::openapi()).unwrap();
    let mut fields = BTreeSet::new();
    for body in BODIES {
        let schema = &document["components"]["schemas"][body];
        let before = fields.len();
        fields_of(&document, body, schema, &mut fields);
        assert!(fields.len() > before, "{body} has fields");
    }
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "x"})).await;
    for phase in Phase::ALL {
        fields.extend(settings_of(&ann, &path, phase, None).await);
    }
    fields.extend(settings_of(&ann, &path, Phase::Enrichment, Some("thresholds")).await);
    app.stop().await;

    let tests = invariants::tests();
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (places, test) in EFFECTS {
        if !tests.contains(*test) {
            faults.push(format!("there is no test {test}"));
        }
        seen.extend(places.split_whitespace().map(str::to_owned));
    }
    faults.extend(
        fields
            .difference(&seen)
            .map(|field| format!("nothing sees what {field} does")),
    );
    faults.extend(
        seen.difference(&fields)
            .map(|field| format!("there is no field {field}")),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
