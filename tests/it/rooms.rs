//! What a room may know is what its manifest names.

use std::collections::{BTreeMap, BTreeSet};

/// Each room with the rooms that it may know. The shell may know all of them.
const MAY_KNOW: [(&str, &[&str]); 8] = [
    ("aggregates", &[]),
    ("event_store", &["aggregates", "transparency"]),
    ("private_postgres", &[]),
    ("projections", &["aggregates", "event_store"]),
    (
        "replay",
        &["aggregates", "event_store", "projections", "transparency"],
    ),
    ("sandbox", &[]),
    ("transparency", &[]),
    ("validation", &[]),
];

/// What the rules of the business must not be able to do: tell the time or draw lots by themselves, and any input or
/// output.
const NOT_FOR_AGGREGATES: [&str; 6] = ["axum", "rand", "reqwest", "sqlx", "tokio", "tracing"];

/// What the tests and benchmarks of every room may use besides: rooms that know no other, so that no circle arises.
const FOR_TESTS: [&str; 2] = ["private_postgres", "sandbox"];

/// The names that each package of the workspace depends on, in dependencies of a kind; nothing stands for what it needs
/// outside its tests.
fn dependencies(kind: Option<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo answers JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a name").to_owned();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .map(|package| {
            let all = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter();
            let used = all.filter(|dependency| dependency["kind"].as_str() == kind);
            (
                text(&package["name"]),
                used.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

#[test]
fn every_room_knows_only_the_rooms_that_it_may() {
    let dependencies = dependencies(None);
    let rooms: BTreeSet<&str> = MAY_KNOW.iter().map(|(room, _)| *room).collect();
    let found: BTreeSet<&str> = dependencies
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "domainflow")
        .collect();
    assert_eq!(
        found, rooms,
        "a room that this test does not know, or one that is gone"
    );
    for (room, may_know) in MAY_KNOW {
        let known = dependencies[room]
            .iter()
            .map(String::as_str)
            .filter(|name| rooms.contains(name));
        let forbidden: Vec<&str> = known.filter(|name| !may_know.contains(name)).collect();
        assert!(forbidden.is_empty(), "{room} knows {forbidden:?}");
        assert!(
            !dependencies[room].contains("domainflow"),
            "{room} knows the shell"
        );
    }
}

#[test]
fn tests_of_a_room_know_besides_only_the_rooms_that_are_for_tests() {
    for (room, used) in dependencies(Some("dev")) {
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == room) else {
            continue;
        };
        let rooms = MAY_KNOW.iter().map(|(name, _)| *name);
        let forbidden: Vec<&str> = rooms
            .filter(|name| used.contains(*name))
            .filter(|name| !may_know.contains(name) && !FOR_TESTS.contains(name))
            .collect();
        assert!(
            forbidden.is_empty(),
            "the tests of {room} know {forbidden:?}"
        );
    }
    for room in FOR_TESTS {
        assert!(MAY_KNOW.contains(&(room, &[])), "{room} knows others");
    }
}

#[test]
fn the_rules_can_do_no_input_or_output() {
    let dependencies = dependencies(None);
    let forbidden: Vec<&str> = NOT_FOR_AGGREGATES
        .into_iter()
        .filter(|name| dependencies["aggregates"].contains(*name))
        .collect();
    assert!(forbidden.is_empty(), "aggregates depend on {forbidden:?}");
    let forbidden: Vec<&str> = NOT_FOR_AGGREGATES
        .into_iter()
        .filter(|name| dependencies["transparency"].contains(*name))
        .collect();
    assert!(
        forbidden.is_empty(),
        "transparency depends on {forbidden:?}"
    );
    let engines = &dependencies["validation"];
    for name in ["sqlx", "cqrs-es", "axum"] {
        assert!(!engines.contains(name), "the engines depend on {name}");
    }
}
