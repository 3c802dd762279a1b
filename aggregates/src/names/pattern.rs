//! What a campaign enumerates: the parts of the names, checked once and then immutable.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    Error,
    domain_name::labels_to_wire,
    label::{MAX_LABEL, MAX_NAME, canonical_piece},
};

/// The greatest length of one variable part.
pub const MAX_VARIABLE_LENGTH: u32 = 64;
/// The most top-level domains of one pattern.
pub const MAX_TLDS: usize = 2_000;
/// The most words of a dictionary.
pub const MAX_DICTIONARY_WORDS: usize = 10_000;

/// Where the variable part stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// VAR + CONST + TLD.
    #[default]
    #[serde(rename = "prefix_variable", alias = "prefix")]
    Prefix,
    /// CONST + VAR + TLD.
    #[serde(rename = "suffix_variable", alias = "suffix")]
    Suffix,
    /// VAR + CONST + VAR + TLD, the two parts being one numeral.
    #[serde(rename = "both_variable", alias = "both")]
    Both,
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "prefix" | "prefix_variable" => Ok(Self::Prefix),
            "suffix" | "suffix_variable" => Ok(Self::Suffix),
            "both" | "both_variable" => Ok(Self::Both),
            other => Err(Error::new(
                "kind",
                format!("{other:?} is none of prefix_variable, suffix_variable, both_variable"),
            )),
        }
    }
}

/// A pattern as somebody asks for it, unchecked; [`Pattern::parse`] turns it into what is enumerated.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Where the variable part stands.
    pub kind: Kind,
    /// The part that every name shares; may be empty.
    pub constant: String,
    /// Characters before the constant, 0..=64.
    pub prefix_length: u32,
    /// Characters after the constant, 0..=64.
    pub suffix_length: u32,
    /// The length of the only variable part, for callers that do not say prefix or suffix; not for [`Kind::Both`].
    pub variable_length: Option<u32>,
    /// The digits of the numeral, in their order; repeated characters count once.
    pub charset: String,
    /// Top-level domains, with or without a leading dot; each may have several labels (`co.uk`).
    pub tlds: Vec<String>,
    /// Words in place of the variable characters; lengths and charset must then be left out.
    pub dictionary: Option<Vec<String>>,
}

/// A pattern that can be enumerated: canonical spelling, no duplicates, a total that was checked.
///
/// Decoding from the log trusts what [`Pattern::parse`] once accepted; whatever is decoded, the generator yields only
/// legal names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    kind: Kind,
    #[serde(default)]
    constant: String,
    #[serde(default)]
    prefix_length: u32,
    #[serde(default)]
    suffix_length: u32,
    #[serde(default)]
    charset: String,
    tlds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dictionary: Option<Vec<String>>,
}

impl Pattern {
    /// Checks a pattern and brings it into its canonical spelling.
    ///
    /// # Errors
    /// Names the field that cannot be honoured: a length that has no place in this kind or passes 64, a character that
    /// no host name has, no top-level domain, a pattern of which every name would be too long or illegal, a total beyond
    /// `u128`.
    pub fn parse(spec: Spec) -> Result<Self, Error> {
        let constant = canonical_piece(&spec.constant)
            .ok_or_else(|| Error::new("constant", "has characters that no host name can have"))?;
        let (prefix_length, suffix_length) = lengths(&spec)?;
        let by_one_length = spec.variable_length.is_some();
        let (charset, dictionary) = match spec.dictionary {
            None => (charset(&spec.charset, prefix_length + suffix_length)?, None),
            Some(words) => {
                refuse_beside_a_dictionary(&spec.charset, prefix_length, suffix_length)?;
                (String::new(), Some(dictionary(words)?))
            }
        };
        let pattern = Self {
            kind: spec.kind,
            constant,
            prefix_length,
            suffix_length,
            charset,
            tlds: tlds(spec.tlds)?,
            dictionary,
        };
        pattern.check_size(by_one_length)?;
        pattern.check_emptiness()?;
        Ok(pattern)
    }

    /// Counts the offsets, the illegal combinations among them included.
    #[must_use]
    pub fn total(&self) -> u128 {
        self.checked_total().unwrap_or(u128::MAX)
    }

    /// Says where the variable part stands.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Borrows the part that every name shares.
    #[must_use]
    pub fn constant(&self) -> &str {
        &self.constant
    }

    /// Counts the variable characters before the constant.
    #[must_use]
    pub fn prefix_length(&self) -> u32 {
        self.prefix_length
    }

    /// Counts the variable characters after the constant.
    #[must_use]
    pub fn suffix_length(&self) -> u32 {
        self.suffix_length
    }

    /// Borrows the digits of the numeral, each once, in their order.
    #[must_use]
    pub fn charset(&self) -> &str {
        &self.charset
    }

    /// Borrows the top-level domains, without dots in front, each once.
    #[must_use]
    pub fn tlds(&self) -> &[String] {
        &self.tlds
    }

    /// Borrows the words, for the dictionary strategy.
    #[must_use]
    pub fn dictionary(&self) -> Option<&[String]> {
        self.dictionary.as_deref()
    }

    /// Lists the digits of the numeral in their order: characters, or words.
    pub(super) fn symbols(&self) -> Vec<&str> {
        match &self.dictionary {
            Some(words) => words.iter().map(String::as_str).collect(),
            None => self.charset.split_inclusive(|_| true).collect(),
        }
    }

    /// Counts the digits before and after the constant.
    pub(super) fn digits(&self) -> (usize, usize) {
        if self.dictionary.is_some() {
            let before = usize::from(self.kind != Kind::Suffix);
            let after = usize::from(self.kind != Kind::Prefix);
            return (before, after);
        }
        let length = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
        (length(self.prefix_length), length(self.suffix_length))
    }

    fn checked_total(&self) -> Option<u128> {
        let base = match &self.dictionary {
            Some(words) => words.len(),
            None => self.charset.chars().count(),
        };
        let (before, after) = self.digits();
        let exponent = u32::try_from(before.checked_add(after)?).ok()?;
        u128::try_from(base)
            .ok()?
            .checked_pow(exponent)?
            .checked_mul(u128::try_from(self.tlds.len()).ok()?)
    }

    /// Refuses what would enumerate nothing: too many combinations to count, or only names that are too long.
    fn check_size(&self, by_one_length: bool) -> Result<(), Error> {
        if self.checked_total().is_none() {
            return Err(Error::new(
                "charset",
                "more combinations than can be counted (2^128)",
            ));
        }
        if self.dictionary.is_none() {
            let (before, after) = self.digits();
            let shortest = before + after + self.constant.chars().count();
            if shortest == 0 {
                return Err(Error::new(
                    "constant",
                    "a name needs a constant or a variable part",
                ));
            }
            if shortest > MAX_LABEL {
                let field = match self.kind {
                    _ if self.constant.chars().count() > MAX_LABEL => "constant",
                    _ if by_one_length => "variable_length",
                    Kind::Suffix => "suffix_length",
                    Kind::Both if before == 0 => "suffix_length",
                    Kind::Prefix | Kind::Both => "prefix_length",
                };
                return Err(Error::new(
                    field,
                    format!("every label would have {shortest} characters; 63 are allowed"),
                ));
            }
            if let Some(at) = self
                .tlds
                .iter()
                .position(|tld| shortest + 1 + tld.len() > MAX_NAME)
            {
                return Err(Error::new(
                    format!("tlds[{at}]"),
                    "every name would be longer than 253 bytes",
                ));
            }
        }
        Ok(())
    }
}

/// Resolves the three ways of giving a length into characters before and after the constant.
fn lengths(spec: &Spec) -> Result<(u32, u32), Error> {
    let only = |named: u32, field: &str, other: u32, other_field: &str| {
        if other > 0 {
            return Err(Error::new(
                other_field,
                "this kind has no such variable part",
            ));
        }
        match spec.variable_length {
            Some(length) if named > 0 && named != length => Err(Error::new(
                "variable_length",
                format!("contradicts {field}"),
            )),
            Some(length) => Ok(length),
            None => Ok(named),
        }
    };
    let (before, after) = match spec.kind {
        Kind::Prefix => (
            only(
                spec.prefix_length,
                "prefix_length",
                spec.suffix_length,
                "suffix_length",
            )?,
            0,
        ),
        Kind::Suffix => (
            0,
            only(
                spec.suffix_length,
                "suffix_length",
                spec.prefix_length,
                "prefix_length",
            )?,
        ),
        Kind::Both if spec.variable_length.is_some_and(|length| length > 0) => {
            return Err(Error::new(
                "variable_length",
                "two variable parts need prefix_length and suffix_length",
            ));
        }
        Kind::Both => (spec.prefix_length, spec.suffix_length),
    };
    for (length, field) in [(before, "prefix_length"), (after, "suffix_length")] {
        if length > MAX_VARIABLE_LENGTH {
            let field = spec.variable_length.map_or(field, |_| "variable_length");
            return Err(Error::new(field, "0 to 64 characters are allowed"));
        }
    }
    Ok((before, after))
}

/// Lowers the characters and keeps each once, in the order given.
fn charset(given: &str, variable: u32) -> Result<String, Error> {
    if variable == 0 {
        return Ok(String::new());
    }
    let mut kept = String::new();
    for character in given.to_lowercase().chars() {
        // A character that needs a base in front (a combining mark) or that UTS-46 maps to something else is no digit:
        // two numerals could then spell one name.
        let probe = format!("a{character}a");
        if canonical_piece(&probe).as_deref() != Some(probe.as_str()) {
            return Err(Error::new(
                "charset",
                format!("{character:?} cannot stand in a host name as it is"),
            ));
        }
        if !kept.contains(character) {
            kept.push(character);
        }
    }
    if kept.is_empty() {
        return Err(Error::new(
            "charset",
            "empty, but the pattern has variable characters",
        ));
    }
    Ok(kept)
}

fn refuse_beside_a_dictionary(charset: &str, prefix: u32, suffix: u32) -> Result<(), Error> {
    for (field, given) in [
        ("charset", !charset.is_empty()),
        ("prefix_length", prefix > 0),
        ("suffix_length", suffix > 0),
    ] {
        if given {
            return Err(Error::new(field, "has no meaning beside a dictionary"));
        }
    }
    Ok(())
}

fn dictionary(words: Vec<String>) -> Result<Vec<String>, Error> {
    if words.is_empty() || words.len() > MAX_DICTIONARY_WORDS {
        return Err(Error::new("dictionary", "1 to 10000 words are allowed"));
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let word = canonical_piece(word.trim())
            .filter(|word| !word.is_empty() && word.chars().count() <= MAX_LABEL)
            .ok_or_else(|| {
                Error::new(format!("dictionary[{at}]"), "cannot be part of a host name")
            })?;
        if seen.insert(word.clone()) {
            kept.push(word);
        }
    }
    Ok(kept)
}

fn tlds(given: Vec<String>) -> Result<Vec<String>, Error> {
    if given.is_empty() || given.len() > MAX_TLDS {
        return Err(Error::new(
            "tlds",
            "1 to 2000 top-level domains are allowed",
        ));
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(given.len());
    for (at, tld) in given.iter().enumerate() {
        let field = || format!("tlds[{at}]");
        let bare = tld.trim();
        let bare = bare.strip_prefix('.').unwrap_or(bare);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let wire =
            labels_to_wire(bare).map_err(|reason| Error::new(field(), reason.to_string()))?;
        let last = wire.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(field(), "a number, not a top-level domain"));
        }
        if seen.insert(wire.clone()) {
            kept.push(wire);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            constant: "shop".to_owned(),
            prefix_length: 2,
            charset: "ab".to_owned(),
            tlds: vec!["test".to_owned()],
            ..Spec::default()
        }
    }

    fn refused(change: impl FnOnce(&mut Spec)) -> String {
        let mut spec = spec();
        change(&mut spec);
        Pattern::parse(spec).unwrap_err().field().to_owned()
    }

    #[test]
    fn every_refusal_names_its_field() {
        assert_eq!(refused(|s| s.constant = "a.b".into()), "constant");
        assert_eq!(refused(|s| s.constant = "a_b".into()), "constant");
        assert_eq!(refused(|s| s.suffix_length = 1), "suffix_length");
        assert_eq!(refused(|s| s.prefix_length = 65), "prefix_length");
        assert_eq!(refused(|s| s.prefix_length = 60), "prefix_length");
        for length in [60, 65] {
            let only = |s: &mut Spec| (s.prefix_length, s.variable_length) = (0, Some(length));
            assert_eq!(refused(only), "variable_length");
        }
        assert_eq!(refused(|s| s.constant = "a".repeat(64)), "constant");
        assert_eq!(refused(|s| s.variable_length = Some(3)), "variable_length");
        assert_eq!(refused(|s| s.charset = String::new()), "charset");
        assert_eq!(refused(|s| s.charset = "ab.".into()), "charset");
        assert_eq!(refused(|s| s.charset = "a\u{301}".into()), "charset");
        assert_eq!(refused(|s| s.tlds.clear()), "tlds");
        assert_eq!(refused(|s| s.tlds.push("a b".into())), "tlds[1]");
        assert_eq!(refused(|s| s.tlds = vec!["7".into()]), "tlds[0]");
        assert_eq!(
            refused(|s| {
                s.kind = Kind::Both;
                s.variable_length = Some(2);
            }),
            "variable_length"
        );
        assert_eq!(
            refused(|s| s.dictionary = Some(vec!["x".into()])),
            "charset"
        );
        assert_eq!(
            refused(|s| {
                s.charset.clear();
                s.prefix_length = 0;
                s.dictionary = Some(vec!["ok".into(), "no way".into()]);
            }),
            "dictionary[1]"
        );
        assert_eq!(
            refused(|s| {
                s.charset = "abcdefghijklmnopqrstuvwxyz0123456789".into();
                s.prefix_length = 40;
            }),
            "charset"
        );
        assert_eq!("middle".parse::<Kind>().unwrap_err().field(), "kind");
    }

    #[test]
    fn charset_and_tlds_are_kept_once_in_the_order_given() {
        let mut spec = spec();
        spec.charset = "cabAbc".to_owned();
        spec.tlds = vec![".Test".into(), "test.".into(), "co.uk".into(), "рф".into()];
        let pattern = Pattern::parse(spec).unwrap();
        assert_eq!(pattern.charset(), "cab");
        assert_eq!(pattern.tlds(), ["test", "co.uk", "xn--p1ai"]);
        assert_eq!(pattern.total(), 27);
    }

    #[test]
    fn variable_length_stands_for_the_only_variable_part() {
        for kind in [Kind::Prefix, Kind::Suffix] {
            let pattern = Pattern::parse(Spec {
                kind,
                prefix_length: 0,
                variable_length: Some(3),
                ..spec()
            })
            .unwrap();
            assert_eq!(pattern.prefix_length() + pattern.suffix_length(), 3);
            assert_eq!(pattern.total(), 8);
        }
    }

    #[test]
    fn kinds_are_read_under_both_of_their_names() {
        for (long, short, kind) in [
            ("\"prefix_variable\"", "\"prefix\"", Kind::Prefix),
            ("\"suffix_variable\"", "\"suffix\"", Kind::Suffix),
            ("\"both_variable\"", "\"both\"", Kind::Both),
        ] {
            assert_eq!(serde_json::from_str::<Kind>(long).unwrap(), kind);
            assert_eq!(serde_json::from_str::<Kind>(short).unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), long);
        }
    }
}
