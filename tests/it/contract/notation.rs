//! Reads `tests/contract/v2.txt`; the head of that file says how it is written.

use std::collections::BTreeMap;

/// What existing clients know.
#[derive(Default)]
pub struct Contract {
    pub operations: BTreeMap<String, Operation>,
    /// What the parameters of paths are, by name.
    pub paths: BTreeMap<String, Type>,
    pub types: BTreeMap<String, Type>,
}

/// One operation; its key in [`Contract::operations`] is method and path.
pub struct Operation {
    pub parameters: Vec<Parameter>,
    pub body: Option<Type>,
    pub status: String,
    /// What is answered with that status; nothing for 204.
    pub answer: Option<Type>,
    pub errors: Vec<String>,
}

/// A parameter of the query, or a header.
pub struct Parameter {
    pub place: &'static str,
    pub name: String,
    pub required: bool,
    pub of: Type,
}

/// A type of the contract.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Any,
    /// An object of whatever fields.
    Open,
    Scalar(Scalar),
    Enum(Vec<String>),
    List(Box<Self>),
    Map(Box<Self>),
    Object(BTreeMap<String, Field>),
    OneOf(Vec<Self>),
    Both(Vec<Self>),
    Named(String),
}

/// A text, a number or a truth value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scalar {
    pub kind: String,
    pub format: Option<String>,
    /// JSON Schema's words for bounds and default, and their values.
    pub bounds: BTreeMap<&'static str, String>,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub required: bool,
    pub of: Type,
}

impl Contract {
    /// Reads the facts; a line that does not read ends the test with it.
    pub fn parse(text: &str) -> Self {
        let mut contract = Self::default();
        let mut open: Option<String> = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(field) = line.strip_prefix("  ") {
                let owner = open.as_ref().expect("a field stands below its type");
                let Some(Type::Object(fields)) = contract.types.get_mut(owner) else {
                    panic!("{owner} has no fields: {line}")
                };
                let (name, of) = field.split_once(": ").expect(line);
                let (name, required) = starred(name);
                fields.insert(
                    name,
                    Field {
                        required,
                        of: Type::parse(of),
                    },
                );
                continue;
            }
            match line.split_once(' ') {
                Some(("type", named)) => {
                    let (name, of) = named.split_once(" = ").map_or_else(
                        || (named, Type::Object(BTreeMap::new())),
                        |(name, of)| (name, Type::parse(of)),
                    );
                    contract.types.insert(name.to_owned(), of);
                    open = Some(name.to_owned());
                }
                Some(("path", parameter)) => {
                    let (name, of) = parameter.split_once(": ").expect(line);
                    contract.paths.insert(name.to_owned(), Type::parse(of));
                }
                Some(_) => {
                    let (key, operation) = Operation::parse(line);
                    assert!(
                        contract.operations.insert(key, operation).is_none(),
                        "{line}"
                    );
                }
                None => assert!(line.is_empty(), "{line}"),
            }
        }
        contract
    }
}

impl Operation {
    fn parse(line: &str) -> (String, Self) {
        let (asked, answered) = line.split_once(" -> ").expect(line);
        let (asked, body) = cut(asked, " < ");
        let (key, parameters) = cut(asked, " ? ");
        let (success, errors) = cut(answered, " | ");
        let (status, answer) = cut(success, " ");
        let operation = Self {
            parameters: parameters
                .into_iter()
                .flat_map(|all| all.split("; "))
                .map(Parameter::parse)
                .collect(),
            body: body.map(Type::parse),
            status: status.to_owned(),
            answer: answer.map(Type::parse),
            errors: errors
                .into_iter()
                .flat_map(str::split_whitespace)
                .map(str::to_owned)
                .collect(),
        };
        (key.to_owned(), operation)
    }
}

impl Parameter {
    fn parse(text: &str) -> Self {
        let (place, text) = text
            .strip_prefix("header ")
            .map_or(("query", text), |text| ("header", text));
        let (name, of) = text.split_once(": ").expect(text);
        let (name, required) = starred(name);
        Self {
            place,
            name,
            required,
            of: Type::parse(of),
        }
    }
}

impl Type {
    /// Reads a type; all of the text must be one.
    pub fn parse(text: &str) -> Self {
        let mut rest = text;
        let read = union(&mut rest);
        assert!(rest.is_empty(), "left of {text}: {rest}");
        read
    }
}

/// Reads `A & B`.
fn union(rest: &mut &str) -> Type {
    let mut parts = vec![listed(rest)];
    while eat(rest, " & ") {
        parts.push(listed(rest));
    }
    one_or(parts, Type::Both)
}

/// Reads a type and the `[]` after it.
fn listed(rest: &mut &str) -> Type {
    let mut read = single(rest);
    while eat(rest, "[]") {
        read = Type::List(Box::new(read));
    }
    read
}

fn single(rest: &mut &str) -> Type {
    if eat(rest, "enum{") {
        return Type::Enum(until(rest, '}').split(',').map(str::to_owned).collect());
    }
    if eat(rest, "map<") {
        let of = union(rest);
        expect(rest, ">");
        return Type::Map(Box::new(of));
    }
    if eat(rest, "(") {
        let mut parts = vec![union(rest)];
        while eat(rest, " | ") {
            parts.push(union(rest));
        }
        expect(rest, ")");
        return one_or(parts, Type::OneOf);
    }
    if eat(rest, "{") {
        return object(rest);
    }
    match word(rest) {
        "any" => Type::Any,
        "object" => Type::Open,
        kind @ ("string" | "integer" | "number" | "boolean") => Type::Scalar(scalar(kind, rest)),
        name => {
            assert!(!name.is_empty(), "no type: {rest}");
            Type::Named(name.to_owned())
        }
    }
}

fn object(rest: &mut &str) -> Type {
    let mut fields = BTreeMap::new();
    while !eat(rest, "}") {
        eat(rest, ", ");
        let name = word(rest).to_owned();
        let required = !eat(rest, "?");
        expect(rest, ": ");
        let of = union(rest);
        fields.insert(name, Field { required, of });
    }
    Type::Object(fields)
}

fn scalar(kind: &str, rest: &mut &str) -> Scalar {
    let format = eat(rest, ":").then(|| word(rest).to_owned());
    let mut bounds = BTreeMap::new();
    if eat(rest, "(") {
        let inside = until(rest, ')').replace("default ", "default=");
        for bound in inside.split(' ') {
            let (key, value) = [
                ("len>=", "minLength"),
                ("len<=", "maxLength"),
                (">=", "minimum"),
                ("<=", "maximum"),
                ("default=", "default"),
            ]
            .into_iter()
            .find_map(|(sign, key)| Some((key, bound.strip_prefix(sign)?)))
            .expect(bound);
            bounds.insert(key, value.to_owned());
        }
    }
    Scalar {
        kind: kind.to_owned(),
        format,
        bounds,
    }
}

fn one_or(mut parts: Vec<Type>, many: fn(Vec<Type>) -> Type) -> Type {
    if parts.len() > 1 {
        many(parts)
    } else {
        parts.remove(0)
    }
}

fn cut<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(at)
        .map_or((text, None), |(first, second)| (first, Some(second)))
}

fn starred(name: &str) -> (String, bool) {
    let bare = name.trim_end_matches('*');
    (bare.to_owned(), bare != name)
}

fn eat(rest: &mut &str, what: &str) -> bool {
    match rest.strip_prefix(what) {
        Some(left) => {
            *rest = left;
            true
        }
        None => false,
    }
}

fn expect(rest: &mut &str, what: &str) {
    assert!(eat(rest, what), "no {what} before {rest}");
}

fn until<'a>(rest: &mut &'a str, end: char) -> &'a str {
    let (inside, left) = rest.split_once(end).expect("an end");
    *rest = left;
    inside
}

/// Takes a name or a format from the front.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .unwrap_or(rest.len());
    let (word, left) = rest.split_at(end);
    *rest = left;
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_an_operation_with_all_that_it_says() {
        let line = "POST /a/{id} ? n*: integer(>=1 <=9 default 5); header X-K: string(len<=4) \
                    < {a: A[], b?: map<(string | number)>} -> 201 B & {c: any} | 400 404";
        let contract = Contract::parse(line);
        let operation = &contract.operations["POST /a/{id}"];
        let [n, key] = &operation.parameters[..] else {
            panic!("two parameters")
        };
        assert_eq!((n.place, n.name.as_str(), n.required), ("query", "n", true));
        let Type::Scalar(integer) = &n.of else {
            panic!("{:?}", n.of)
        };
        assert_eq!(integer.bounds["maximum"], "9");
        assert_eq!(integer.bounds["default"], "5");
        assert_eq!((key.place, key.required), ("header", false));
        let Some(Type::Object(fields)) = &operation.body else {
            panic!("{:?}", operation.body)
        };
        assert!(fields["a"].required && !fields["b"].required);
        assert_eq!(
            fields["a"].of,
            Type::List(Box::new(Type::Named("A".to_owned())))
        );
        assert!(matches!(&fields["b"].of, Type::Map(of) if matches!(**of, Type::OneOf(_))));
        assert_eq!(operation.status, "201");
        assert!(matches!(&operation.answer, Some(Type::Both(parts)) if parts.len() == 2));
        assert_eq!(operation.errors, ["400", "404"]);
    }
}
