//! Events are forever: every event type has a recorded payload that must still decode, and encode to the same again.
//!
//! `tests/golden/<aggregate>/<Event>.v<version>.json` is a payload as the log holds it. A file is added with each new
//! event type or version and never changed afterwards; for fields that were added to a version there is another file,
//! `<Event>.v<version>.<what for>.json`. A new aggregate is added to [`aggregates`] below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use aggregates::{
    Metadata, campaign, domain, keyword_set, pattern, persona, proxy, proxy_pool, scoring_profile,
    settings, suppression, user,
};
use cqrs_es::{Aggregate, DomainEvent};
use serde_json::Value;

/// An aggregate's type, and the check of its folder.
type Entry = (&'static str, fn(&Path));

/// Every aggregate whose events are in the log.
fn aggregates() -> Vec<Entry> {
    fn entry<A: Aggregate>() -> Entry {
        (A::TYPE, check::<A::Event>)
    }
    vec![
        entry::<campaign::Campaign>(),
        entry::<domain::Domain>(),
        entry::<keyword_set::KeywordSet>(),
        entry::<pattern::Pattern>(),
        entry::<persona::Persona>(),
        entry::<proxy::Proxy>(),
        entry::<proxy_pool::ProxyPool>(),
        entry::<scoring_profile::ScoringProfile>(),
        entry::<settings::Settings>(),
        entry::<suppression::Entry>(),
        entry::<user::User>(),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Lists the variants of an event as it decodes them, from what the decoder says to one that it does not know.
fn variants<E: DomainEvent>() -> BTreeSet<String> {
    let unknown = serde_json::json!({ "no such event": {} });
    let message = serde_json::from_value::<E>(unknown)
        .expect_err("the event is unknown")
        .to_string();
    let (_, expected) = message
        .split_once("expected")
        .expect("the decoder lists what it knows");
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn check<E: DomainEvent>(folder: &Path) {
    let mut recorded = BTreeSet::new();
    for file in names_in(folder) {
        let path = folder.join(&file);
        let (event_type, version) = file
            .strip_suffix(".json")
            .and_then(|name| name.split_once(".v"))
            .unwrap_or_else(|| panic!("{}: not <Event>.v<version>.json", path.display()));
        let version = version.split('.').next().unwrap();
        let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let event: E = serde_json::from_value(json.clone())
            .unwrap_or_else(|error| panic!("{} no longer decodes: {error}", path.display()));
        assert_eq!(event.event_type(), event_type, "{}", path.display());
        if event.event_version() == version {
            let again = serde_json::to_value(&event).unwrap();
            assert_eq!(again, json, "{} encodes differently", path.display());
            recorded.insert(event_type.to_owned());
        }
    }
    assert_eq!(
        recorded,
        variants::<E>(),
        "{}: every event needs its present version recorded",
        folder.display()
    );
}

#[test]
fn every_recorded_event_decodes_and_encodes_as_it_was() {
    for (aggregate, check) in aggregates() {
        check(&root().join(aggregate));
    }
}

/// `tests/metadata` has what goes with events, as the log holds it; its files are as lasting as those of events.
#[test]
fn recorded_metadata_decodes_and_encodes_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metadata");
    for file in names_in(&folder) {
        let json: Value = serde_json::from_slice(&fs::read(folder.join(&file)).unwrap()).unwrap();
        let map: HashMap<String, String> = serde_json::from_value(json.clone()).unwrap();
        let metadata = Metadata::from_map(map);
        assert_eq!(
            serde_json::to_value(metadata.to_map()).unwrap(),
            json,
            "{file}"
        );
    }
}

#[test]
fn every_folder_belongs_to_an_aggregate() {
    let known: BTreeSet<String> = aggregates()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(names_in(&root()), known);
}

#[test]
fn events_name_no_secrets() {
    let suspicious = [
        "password\"",
        "password_hash",
        "token",
        "secret",
        "credential",
        "\"key\"",
    ];
    for aggregate in names_in(&root()) {
        let folder = root().join(aggregate);
        for file in names_in(&folder) {
            let json: Value =
                serde_json::from_slice(&fs::read(folder.join(&file)).unwrap()).unwrap();
            // That a secret was changed may be told: what the event is called is not what it holds.
            let (_, fields) = json.as_object().unwrap().iter().next().unwrap();
            let text = fields.to_string().to_lowercase();
            for word in suspicious {
                assert!(!text.contains(word), "{file} has a field {word}");
            }
        }
    }
}
