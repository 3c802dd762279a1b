//! What `docs/invariants.md` says is held by a test is held by a test that is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The sections that the document must have.
const SECTIONS: [&str; 8] = [
    "Counters and derived state",
    "Pause, resume, stop and restart",
    "Concurrency and identity",
    "Streams to clients",
    "Access",
    "The log as it was recorded",
    "Whom we bother",
    "Failing parts",
];

/// The fewest rows of a section.
const FEW: usize = 4;

/// A row: what must hold, the tests, the mechanism.
type Row = [String; 3];

/// Reads the tables of the document by their headings.
fn sections() -> Vec<(String, Vec<Row>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/invariants.md");
    let text = fs::read_to_string(path).expect("the document is there");
    let mut sections: Vec<(String, Vec<Row>)> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push((heading.to_owned(), Vec::new()));
        }
        let Some(cells) = line
            .strip_prefix("| ")
            .and_then(|line| line.strip_suffix(" |"))
        else {
            continue;
        };
        let cells: Vec<String> = cells
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect();
        if cells[0] == "What must hold" {
            continue;
        }
        let row: Row = cells
            .try_into()
            .unwrap_or_else(|cells| panic!("three cells: {cells:?}"));
        let (_, rows) = sections.last_mut().expect("a row below a heading");
        rows.push(row);
    }
    sections
}

/// The texts in backticks of a cell.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// How rows call the tests of a source file: the crate, the modules by their files, then the function.
fn prefix(file: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    let of_shell = ["src", "tests", "benches"].contains(&parts[0]);
    let room = if of_shell {
        "domainflow"
    } else {
        parts.remove(0)
    };
    // The directory of a test target says nothing: `tests/it/control.rs` is `control`.
    let skipped = if parts[0] == "tests" { 2 } else { 1 };
    parts.drain(..skipped.min(parts.len()));
    parts.retain(|part| !["mod", "lib", "main", "tests"].contains(part));
    parts.insert(0, room);
    parts.join("::")
}

/// Every test of the source tree, by the name that rows call it.
pub fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    let mut tests = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            attributed |= line == "#[test]" || line.starts_with("#[tokio::test");
            assert_ne!(line, "#[ignore]", "{}", file.display());
            let line = line.strip_prefix("async ").unwrap_or(line);
            let Some(name) = line.strip_prefix("fn ").filter(|_| attributed) else {
                continue;
            };
            attributed = false;
            let end = name.find('(').unwrap_or(name.len());
            tests.insert(format!("{}::{}", prefix(&file), &name[..end]));
        }
    }
    tests
}

#[test]
fn every_row_names_tests_that_are_there_and_says_by_which_mechanism() {
    let (sections, tests) = (sections(), tests());
    let headings: Vec<&str> = sections
        .iter()
        .map(|(heading, _)| heading.as_str())
        .collect();
    assert_eq!(headings, SECTIONS);
    let mut faults = Vec::new();
    for (heading, rows) in &sections {
        if rows.len() < FEW {
            faults.push(format!("{heading}: {} rows", rows.len()));
        }
        for [what, held_by, mechanism] in rows {
            let named = quoted(held_by);
            if what.is_empty() || mechanism.is_empty() || named.is_empty() {
                faults.push(format!("{heading}: {what:?} lacks a test or a mechanism"));
            }
            for name in named {
                if !tests.contains(name) {
                    faults.push(format!("{heading}: there is no test {name}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
