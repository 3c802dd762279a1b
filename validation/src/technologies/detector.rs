//! Compiling rules, and finding the technologies of a page.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::definition::{Definition, Place};
use super::pattern::{Match, Pattern};
use super::{BUNDLED, Error, MAX_FOUND, MAX_TECHNOLOGIES, Site, Technology, parse};

/// Finds of literals that are looked at on one page. Honest pages stay far below; it bounds what a file whose literals lie inside one
/// another makes of a page that repeats them.
const MAX_FINDS: usize = 200_000;
/// Up to this many bytes of literals the automaton is a table with one look-up a byte; above, it is a smaller, slower form.
const TABLE_BYTES: usize = 64 << 10;
/// Longest text that is told as evidence, in characters.
const MAX_EVIDENCE: usize = 80;

/// Finds all technologies of a fixed list of rules.
pub struct Technologies {
    known: Vec<Known>,
    rules: Vec<Compiled>,
    /// The literals of the rules that many texts are searched for; pattern `n` of it is rule `searched[n]`.
    search: AhoCorasick,
    searched: Vec<usize>,
    /// The rules of each header and each meta element.
    named: HashMap<(Place, String), Vec<usize>>,
}

/// A technology.
struct Known {
    name: String,
    category: String,
    /// The technologies that are there where it is, by position.
    implies: Vec<usize>,
}

struct Compiled {
    technology: usize,
    place: Place,
    pattern: Pattern,
}

/// What one page has shown so far, by technology.
#[derive(Default)]
struct Shown {
    found: BTreeMap<usize, (Option<String>, String)>,
    finds: usize,
}

impl Technologies {
    /// Compiles the rules that are part of the program.
    ///
    /// # Errors
    /// None that a test would not have found.
    pub fn bundled() -> Result<Self, Error> {
        Self::with(&[])
    }

    /// Compiles the rules that are part of the program and those of further files, given by name and content. A technology
    /// of a later file takes the place of one of the same name.
    ///
    /// # Errors
    /// Names the file, the line and the field that cannot be honoured.
    pub fn with(files: &[(String, String)]) -> Result<Self, Error> {
        let mut all: Vec<(String, Definition)> = Vec::new();
        let own = BUNDLED.iter().copied();
        let added = files.iter().map(|(name, text)| (&**name, &**text));
        for (file, text) in own.chain(added) {
            for definition in parse::parse(file, text)? {
                all.retain(|(_, known)| known.name != definition.name);
                if all.len() >= MAX_TECHNOLOGIES {
                    return Err(Error {
                        file: file.to_owned(),
                        line: definition.line,
                        field: "technology".to_owned(),
                        why: format!("there are more than {MAX_TECHNOLOGIES} in all files"),
                    });
                }
                all.push((file.to_owned(), definition));
            }
        }
        Self::compile(all)
    }

    fn compile(all: Vec<(String, Definition)>) -> Result<Self, Error> {
        let positions: HashMap<String, usize> = all
            .iter()
            .enumerate()
            .map(|(at, (_, definition))| (definition.name.clone(), at))
            .collect();
        let mut compiled = Self {
            known: Vec::with_capacity(all.len()),
            rules: Vec::new(),
            search: search(&[])?,
            searched: Vec::new(),
            named: HashMap::new(),
        };
        let mut literals = Vec::new();
        for (technology, (file, definition)) in all.into_iter().enumerate() {
            let mut implies = Vec::new();
            for (name, line) in definition.implies {
                let Some(position) = positions.get(&name) else {
                    return Err(Error {
                        file,
                        line,
                        field: "implies".to_owned(),
                        why: format!("no technology is called {name:?}"),
                    });
                };
                implies.push(*position);
            }
            compiled.known.push(Known {
                name: definition.name,
                category: definition.category,
                implies,
            });
            for rule in definition.rules {
                let position = compiled.rules.len();
                if rule.place.is_named() {
                    let of_name = compiled.named.entry((rule.place, rule.name)).or_default();
                    of_name.push(position);
                } else {
                    literals.push(rule.pattern.literal().to_owned());
                    compiled.searched.push(position);
                }
                compiled.rules.push(Compiled {
                    technology,
                    place: rule.place,
                    pattern: rule.pattern,
                });
            }
        }
        compiled.search = search(&literals)?;
        Ok(compiled)
    }

    /// Counts the technologies.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Finds the technologies of a site in the order of their names, at most [`MAX_FOUND`].
    pub fn detect(&self, site: &Site<'_>) -> Vec<Technology> {
        let mut shown = Shown::default();
        for (name, value) in site.headers {
            self.look_up(Place::Header, name, value, &mut shown);
        }
        for (name, content) in &site.page.signs.metas {
            self.look_up(Place::Meta, name, content, &mut shown);
        }
        for (place, texts) in [
            (Place::Cookie, site.cookies),
            (Place::Script, &site.page.scripts),
            (Place::Link, &site.page.signs.links),
        ] {
            for text in texts {
                self.search(place, text, &mut shown);
            }
        }
        self.search(Place::Markup, &site.page.signs.markup, &mut shown);
        self.imply(&mut shown);
        self.tell(shown)
    }

    /// Tries the rules of a header or a meta element.
    fn look_up(&self, place: Place, name: &str, value: &str, shown: &mut Shown) {
        let key = (place, name.to_owned());
        for position in self.named.get(&key).into_iter().flatten() {
            let Some(rule) = self.rules.get(*position) else {
                continue;
            };
            if let Some(found) = rule.pattern.find(value) {
                let what = match rule.pattern.is_empty() {
                    true => "",
                    false => found.text,
                };
                shown.add(rule.technology, found.version, || {
                    evidence(place, name, what)
                });
            }
        }
    }

    /// Searches a text for the rules of its place.
    fn search(&self, place: Place, text: &str, shown: &mut Shown) {
        for find in self.search.find_overlapping_iter(text) {
            if shown.finds >= MAX_FINDS {
                return;
            }
            shown.finds += 1;
            let position = self.searched.get(find.pattern().as_usize());
            let Some(rule) = position.and_then(|position| self.rules.get(*position)) else {
                continue;
            };
            if rule.place != place || shown.knows(rule) {
                continue;
            }
            if let Some(Match { text, version }) = rule.pattern.match_at(text, find.start()) {
                shown.add(rule.technology, version, || evidence(place, "", text));
            }
        }
    }

    /// Adds what the technologies that were found imply, and what that implies.
    fn imply(&self, shown: &mut Shown) {
        let mut next: Vec<usize> = shown.found.keys().copied().collect();
        while let Some(technology) = next.pop() {
            let Some(known) = self.known.get(technology) else {
                continue;
            };
            for implied in &known.implies {
                if !shown.found.contains_key(implied) {
                    shown.add(*implied, None, || format!("implied by {}", known.name));
                    next.push(*implied);
                }
            }
        }
    }

    fn tell(&self, shown: Shown) -> Vec<Technology> {
        let mut found: Vec<Technology> = shown
            .found
            .into_iter()
            .filter_map(|(technology, (version, evidence))| {
                let known = self.known.get(technology)?;
                Some(Technology {
                    name: known.name.clone(),
                    category: known.category.clone(),
                    version,
                    evidence,
                })
            })
            .collect();
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        found.truncate(MAX_FOUND);
        found
    }
}

impl Shown {
    /// Tells whether a rule has nothing to add.
    fn knows(&self, rule: &Compiled) -> bool {
        self.found
            .get(&rule.technology)
            .is_some_and(|(version, _)| version.is_some() || !rule.pattern.has_version())
    }

    /// Keeps what was found first, unless something that shows a version comes later.
    fn add(&mut self, technology: usize, version: Option<&str>, evidence: impl Fn() -> String) {
        let new = || (version.map(str::to_owned), evidence());
        let entry = self.found.entry(technology);
        entry
            .and_modify(|known| {
                if known.0.is_none() && version.is_some() {
                    *known = new();
                }
            })
            .or_insert_with(new);
    }
}

impl fmt::Debug for Technologies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Technologies({})", self.known.len())
    }
}

fn search(literals: &[String]) -> Result<AhoCorasick, Error> {
    let bytes: usize = literals.iter().map(String::len).sum();
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .kind((bytes <= TABLE_BYTES).then_some(AhoCorasickKind::DFA))
        .build(literals)
        .map_err(|error| Error {
            file: "all files".to_owned(),
            line: 0,
            field: "rules".to_owned(),
            why: format!("are too large together: {error}"),
        })
}

/// Says what was found where, on one line.
fn evidence(place: Place, name: &str, text: &str) -> String {
    let mut line = place.to_string();
    if !name.is_empty() {
        line.push(' ');
        line.push_str(name);
    }
    if !text.is_empty() {
        line.push_str(": ");
        line.extend(text.chars().take(MAX_EVIDENCE));
    }
    line
}
