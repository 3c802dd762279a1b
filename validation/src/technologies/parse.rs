//! Reading rule files. `docs/technologies.md` describes the format.

use super::definition::{Definition, Place, Rule};
use super::pattern::Pattern;
use super::{Error, MAX_FILE_BYTES, MAX_TECHNOLOGIES};
use crate::http::KEPT_HEADERS;

/// Longest name of a technology or a category, in characters.
const MAX_NAME: usize = 60;
/// Shortest literal that tells anything where many texts are searched for it, in bytes.
const MIN_LITERAL: usize = 3;

/// Reads a rule file; `file` is what errors call it.
///
/// # Errors
/// Names the first line that cannot be honoured, and its field.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Definition>, Error> {
    let mut parser = Parser {
        file,
        line: 1,
        done: Vec::new(),
        open: None,
    };
    if text.len() > MAX_FILE_BYTES {
        let why = format!("is longer than {MAX_FILE_BYTES} bytes");
        return Err(parser.error("file", why));
    }
    for (index, line) in text.lines().enumerate() {
        parser.line = index + 1;
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            parser.take(line)?;
        }
    }
    parser.close()?;
    Ok(parser.done)
}

struct Parser<'f> {
    file: &'f str,
    line: usize,
    done: Vec<Definition>,
    open: Option<Definition>,
}

impl Parser<'_> {
    fn error(&self, field: &str, why: impl Into<String>) -> Error {
        Error {
            file: self.file.to_owned(),
            line: self.line,
            field: field.to_owned(),
            why: why.into(),
        }
    }

    fn take(&mut self, line: &str) -> Result<(), Error> {
        let Some((field, value)) = line.split_once(':') else {
            return Err(self.error(line, "a line is `field: value`"));
        };
        let (field, value) = (field.trim(), value.trim());
        match field {
            "technology" => {
                self.close()?;
                self.begin(value)
            }
            "category" => self.category(value),
            "implies" => self.implies(value),
            "example" => self.example(value),
            _ => self.rule(field, value),
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), Error> {
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control)
        {
            let why = format!("a name has 1 to {MAX_NAME} characters");
            return Err(self.error("technology", why));
        }
        if self.done.len() >= MAX_TECHNOLOGIES {
            let why = format!("a file has at most {MAX_TECHNOLOGIES} technologies");
            return Err(self.error("technology", why));
        }
        if let Some(first) = self.done.iter().find(|known| known.name == name) {
            let why = format!("{name} is described on line {} already", first.line);
            return Err(self.error("technology", why));
        }
        self.open = Some(Definition {
            name: name.to_owned(),
            category: String::new(),
            implies: Vec::new(),
            rules: Vec::new(),
            line: self.line,
        });
        Ok(())
    }

    /// Ends the technology that is open.
    fn close(&mut self) -> Result<(), Error> {
        let Some(definition) = self.open.take() else {
            return Ok(());
        };
        let lacks = match &definition {
            bare if bare.category.is_empty() => Some(("category", "has none")),
            bare if bare.rules.is_empty() => Some(("technology", "has no rule to tell it by")),
            _ => None,
        };
        if let Some((field, why)) = lacks {
            self.line = definition.line;
            return Err(self.error(field, format!("{} {why}", definition.name)));
        }
        self.done.push(definition);
        Ok(())
    }

    fn within(&mut self, field: &str) -> Result<&mut Definition, Error> {
        let error = self.error(field, "stands before the first `technology:`");
        self.open.as_mut().ok_or(error)
    }

    fn category(&mut self, value: &str) -> Result<(), Error> {
        let good = (1..=MAX_NAME).contains(&value.len())
            && value
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let bad = self.error(
            "category",
            "a category is lower-case letters, digits and hyphens",
        );
        let twice = self.error("category", "there is one already");
        let definition = self.within("category")?;
        if !good {
            return Err(bad);
        }
        if !definition.category.is_empty() {
            return Err(twice);
        }
        value.clone_into(&mut definition.category);
        Ok(())
    }

    fn implies(&mut self, value: &str) -> Result<(), Error> {
        let line = self.line;
        let empty = self.error("implies", "names no technology");
        let definition = self.within("implies")?;
        if value.is_empty() {
            return Err(empty);
        }
        definition.implies.push((value.to_owned(), line));
        Ok(())
    }

    fn rule(&mut self, field: &str, value: &str) -> Result<(), Error> {
        let (word, name) = match field.split_once(char::is_whitespace) {
            Some((word, name)) => (word, name.trim()),
            None => (field, ""),
        };
        let Some(place) = Place::ALL.into_iter().find(|place| place.word() == word) else {
            let why = "is no field: there are technology, category, implies, example, header NAME, cookie, meta NAME, script, \
                       link and markup";
            return Err(self.error(field, why));
        };
        if place.is_named() == name.is_empty() {
            let why = match place.is_named() {
                true => format!("says which one: `{place} NAME: …`"),
                false => "takes no name".to_owned(),
            };
            return Err(self.error(field, why));
        }
        let name = name.to_ascii_lowercase();
        if place == Place::Header && !KEPT_HEADERS.contains(&name.as_str()) {
            let why = format!(
                "this header is not kept of an answer; those are {}",
                KEPT_HEADERS.join(", ")
            );
            return Err(self.error(field, why));
        }
        let pattern = Pattern::parse(value).map_err(|why| self.error(field, why))?;
        if !place.is_named() && pattern.literal().len() < MIN_LITERAL {
            let why = format!("begins with a text of at least {MIN_LITERAL} bytes");
            return Err(self.error(field, why));
        }
        let line = self.line;
        self.within(field)?.rules.push(Rule {
            place,
            name,
            pattern,
            line,
        });
        Ok(())
    }

    /// Tries an example on the rule above it.
    fn example(&self, source: &str) -> Result<(), Error> {
        let (value, version) = split_example(source);
        let Some(rule) = self.open.as_ref().and_then(|open| open.rules.last()) else {
            return Err(self.error("example", "stands before the first rule of a technology"));
        };
        let Some(found) = rule.pattern.find(value) else {
            let why = format!("the rule of line {} does not match it", rule.line);
            return Err(self.error("example", why));
        };
        if version.is_some() && found.version != version {
            let why = format!(
                "the rule of line {} finds {} in it",
                rule.line,
                found.version.unwrap_or("no version")
            );
            return Err(self.error("example", why));
        }
        Ok(())
    }
}

/// Splits an example into the value and the version that is to be found in it.
pub(super) fn split_example(source: &str) -> (&str, Option<&str>) {
    match source.rsplit_once(" -> ") {
        Some((value, version)) => (value.trim(), Some(version.trim())),
        None => (source, None),
    }
}
