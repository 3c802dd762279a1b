//! Holds the OpenAPI document against the contract and tells every difference.
//!
//! An answer may promise more than the contract and a request may not ask for more: a field that the contract lets an
//! answer leave out may be said to be always there, and a number there may have bounds. Everything else is to be equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::notation::{Contract, Field, Operation, Scalar, Type};

/// Who writes what is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    ByUs,
    ByClients,
}

/// A comparison under way.
pub struct Comparison<'a> {
    contract: &'a Contract,
    document: &'a Value,
    /// What differs, one line each, beginning with where.
    pub differences: BTreeSet<String>,
    /// Fields, parameters and operations that the contract does not have.
    pub additions: BTreeSet<String>,
    /// Operations of the contract that the document does not have.
    pub missing: BTreeSet<String>,
    seen: BTreeSet<(String, String, Written)>,
}

impl<'a> Comparison<'a> {
    /// Compares all operations, and with them every type that they use.
    pub fn of(contract: &'a Contract, document: &'a Value) -> Self {
        let mut comparison = Self {
            contract,
            document,
            differences: BTreeSet::new(),
            additions: BTreeSet::new(),
            missing: BTreeSet::new(),
            seen: BTreeSet::new(),
        };
        let built = operations(document);
        for (key, wanted) in &contract.operations {
            match built.get(key) {
                Some(found) => comparison.operation(key, wanted, found),
                None => {
                    comparison.missing.insert(key.clone());
                }
            }
        }
        for key in built
            .keys()
            .filter(|key| !contract.operations.contains_key(*key))
        {
            comparison.additions.insert(key.clone());
        }
        comparison
    }

    fn operation(&mut self, key: &str, wanted: &Operation, found: &Value) {
        self.parameters(key, wanted, found);
        let body = &found["requestBody"];
        self.part(
            &format!("{key} body"),
            wanted.body.as_ref(),
            body,
            Written::ByClients,
        );
        if wanted.body.is_some() && body["required"] != true {
            self.differs(&format!("{key} body"), "is not required");
        }
        let answers = found["responses"].as_object().expect("responses");
        for status in answers.keys().filter(|status| status.starts_with('2')) {
            if *status != wanted.status {
                self.differs(key, &format!("answers {status}, not {}", wanted.status));
            }
        }
        self.part(
            &format!("{key} {}", wanted.status),
            wanted.answer.as_ref(),
            &found["responses"][&wanted.status],
            Written::ByUs,
        );
        for (status, answer) in answers
            .iter()
            .filter(|(status, _)| !status.starts_with('2'))
        {
            let refusal = Type::Named("Refusal".to_owned());
            self.part(
                &format!("{key} {status}"),
                Some(&refusal),
                answer,
                Written::ByUs,
            );
        }
        for status in &wanted.errors {
            if !answers.contains_key(status) {
                self.differs(key, &format!("does not say that it answers {status}"));
            }
        }
    }

    /// Compares a body or an answer. A stream's events are texts whatever its media type is.
    fn part(&mut self, at: &str, wanted: Option<&Type>, found: &Value, written: Written) {
        let schema = found["content"]
            .as_object()
            .and_then(|content| content.values().next())
            .map(|content| &content["schema"]);
        match (wanted, schema) {
            (Some(wanted), Some(found)) => self.compare(at, wanted, found, written),
            (Some(_), None) => self.differs(at, "has no schema"),
            (None, Some(_)) => self.differs(at, "has a schema"),
            (None, None) => {}
        }
    }

    fn parameters(&mut self, key: &str, wanted: &Operation, found: &Value) {
        let none = Vec::new();
        let mut found: BTreeMap<(String, String), &Value> = found["parameters"]
            .as_array()
            .unwrap_or(&none)
            .iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().expect("a text").to_owned();
                ((text("in"), text("name")), one)
            })
            .collect();
        let in_path = key.split(['{', '}']).skip(1).step_by(2);
        let in_path = in_path.map(|name| ("path", name, true, &self.contract.paths[name]));
        let others = wanted
            .parameters
            .iter()
            .map(|one| (one.place, one.name.as_str(), one.required, &one.of));
        for (place, name, required, of) in in_path.chain(others).collect::<Vec<_>>() {
            let at = format!("{key} {place} {name}");
            let Some(found) = found.remove(&(place.to_owned(), name.to_owned())) else {
                self.differs(&at, "is missing");
                continue;
            };
            if found["required"].as_bool().unwrap_or(false) != required {
                self.differs(&at, &format!("is not as required as wanted: {required}"));
            }
            self.compare(&at, of, &found["schema"], Written::ByClients);
        }
        for (place, name) in found.keys() {
            self.additions.insert(match place.as_str() {
                "header" => format!("header {name}"),
                _ => format!("{key} {place} {name}"),
            });
        }
    }

    fn compare(&mut self, at: &str, wanted: &Type, found: &Value, written: Written) {
        if let Type::Named(name) = wanted {
            if self.seen.insert((name.clone(), found.to_string(), written)) {
                let of = self.contract.types.get(name).expect(name);
                self.compare(name, of, found, written);
            }
            return;
        }
        if *wanted == Type::Any {
            return;
        }
        let found = self.resolved(found);
        if found["type"]
            .as_array()
            .is_some_and(|types| types.contains(&"null".into()))
            || alternatives(found).is_some_and(|of| of.iter().any(|one| one["type"] == "null"))
        {
            self.differs(at, "may be null");
            return;
        }
        if !["type", "oneOf", "anyOf"]
            .iter()
            .any(|word| found.get(word).is_some())
        {
            self.differs(at, "may be anything");
            return;
        }
        match wanted {
            Type::Scalar(scalar) => self.scalar(at, scalar, found, written),
            Type::Enum(values) => self.values(at, values, found),
            Type::Open => self.typed(at, "object", found),
            Type::List(of) => {
                self.typed(at, "array", found);
                self.compare(&format!("{at}[]"), of, &found["items"], written);
            }
            Type::Map(of) => self.map(at, of, found, written),
            Type::Object(fields) => self.object(at, fields, found, written),
            Type::Both(parts) => {
                let fields = parts.iter().flat_map(|part| self.fields(part)).collect();
                self.object(at, &fields, found, written);
            }
            Type::OneOf(parts) => self.one_of(at, parts, found, written),
            Type::Any | Type::Named(_) => {}
        }
    }

    fn scalar(&mut self, at: &str, wanted: &Scalar, found: &Value, written: Written) {
        self.typed(at, &wanted.kind, found);
        let narrower = written == Written::ByUs;
        if found["enum"].is_array() && !narrower {
            self.differs(at, "takes only some values");
        }
        // How many bits a reader takes for a number is not on the wire, except where the contract says so.
        let format = found["format"].as_str();
        let bits = |format: &str| matches!(format, "int32" | "int64" | "float" | "double");
        match (wanted.format.as_deref(), format) {
            (Some("float"), Some("float" | "double")) => {}
            (Some(wanted), _) if format != Some(wanted) => {
                self.differs(at, &format!("has the format {format:?}, not {wanted}"));
            }
            (None, Some(format)) if !bits(format) && !narrower => {
                self.differs(at, &format!("has the format {format}"));
            }
            _ => {}
        }
        for bound in ["minimum", "maximum", "minLength", "maxLength", "default"] {
            let found = found.get(bound).map(Value::to_string);
            let wanted = wanted.bounds.get(bound);
            if found.as_ref() != wanted && (wanted.is_some() || !narrower) {
                self.differs(at, &format!("has {bound} {found:?}, not {wanted:?}"));
            }
        }
    }

    fn values(&mut self, at: &str, wanted: &[String], found: &Value) {
        self.typed(at, "string", found);
        let found: BTreeSet<&str> = found["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        if found != wanted {
            self.differs(at, &format!("has the values {found:?}, not {wanted:?}"));
        }
    }

    fn map(&mut self, at: &str, of: &Type, found: &Value, written: Written) {
        self.typed(at, "object", found);
        match found.get("additionalProperties") {
            Some(values) => self.compare(&format!("{at}.*"), of, values, written),
            None if *of == Type::Any => {}
            None => self.differs(at, "does not say what its values are"),
        }
    }

    fn object(
        &mut self,
        at: &str,
        wanted: &BTreeMap<String, Field>,
        found: &Value,
        written: Written,
    ) {
        self.typed(at, "object", found);
        let required: BTreeSet<&str> = found["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, field) in wanted {
            let at = format!("{at}.{name}");
            let Some(found) = found["properties"].get(name) else {
                self.differs(&at, "is missing");
                continue;
            };
            match (field.required, required.contains(name.as_str())) {
                (true, false) => self.differs(&at, "may be left out"),
                (false, true) if written == Written::ByClients => {
                    self.differs(&at, "may not be left out");
                }
                _ => {}
            }
            self.compare(&at, &field.of, found, written);
        }
        let found = found["properties"].as_object().into_iter().flatten();
        for (name, _) in found.filter(|(name, _)| !wanted.contains_key(*name)) {
            self.additions.insert(format!("{at}.{name}"));
            if written == Written::ByClients && required.contains(name.as_str()) {
                self.differs(&format!("{at}.{name}"), "may not be left out");
            }
        }
    }

    /// Every form that is found must be one that is wanted, and clients may use every one that is wanted.
    fn one_of(&mut self, at: &str, wanted: &[Type], found: &Value, written: Written) {
        let single = [found.clone()];
        let found = alternatives(found).map_or(&single[..], Vec::as_slice);
        let mut met = BTreeSet::new();
        for one in found {
            let tried: Vec<_> = wanted
                .iter()
                .map(|want| self.tried(at, want, one, written))
                .collect();
            match tried.iter().position(|tried| tried.differences.is_empty()) {
                Some(place) => {
                    met.insert(place);
                    self.additions.extend(tried[place].additions.clone());
                }
                None => {
                    let closest = tried.iter().min_by_key(|tried| tried.differences.len());
                    let closest = closest.expect("a form").differences.clone();
                    self.differences.extend(closest);
                }
            }
        }
        if written == Written::ByClients && met.len() < wanted.len() {
            self.differs(at, "does not take every form");
        }
    }

    fn tried(&self, at: &str, wanted: &Type, found: &Value, written: Written) -> Self {
        let mut trial = Self {
            differences: BTreeSet::new(),
            additions: BTreeSet::new(),
            missing: BTreeSet::new(),
            seen: BTreeSet::new(),
            ..*self
        };
        trial.compare(at, wanted, found, written);
        trial
    }

    fn fields(&self, of: &Type) -> BTreeMap<String, Field> {
        match of {
            Type::Object(fields) => fields.clone(),
            Type::Named(name) => self.fields(&self.contract.types[name]),
            other => panic!("has no fields: {other:?}"),
        }
    }

    fn typed(&mut self, at: &str, wanted: &str, found: &Value) {
        if found["type"] != wanted {
            self.differs(at, &format!("has the type {}, not {wanted}", found["type"]));
        }
    }

    fn differs(&mut self, at: &str, how: &str) {
        self.differences.insert(format!("{at} {how}"));
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.resolved(
                self.document
                    .pointer(name.trim_start_matches('#'))
                    .expect(name),
            ),
            None => schema,
        }
    }
}

/// Lists a document's operations by method and path without the base, those of the
/// interface that the contract is about.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(path) = path.strip_prefix(domainflow::http::router::BASE) else {
            continue;
        };
        for (method, operation) in item.as_object().expect("operations") {
            operations.insert(format!("{} {path}", method.to_uppercase()), operation);
        }
    }
    operations
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"]
        .as_array()
        .or_else(|| schema["anyOf"].as_array())
}
