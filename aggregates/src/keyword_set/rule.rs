//! One thing to look for, and what makes it usable.

use std::collections::HashSet;

use regex_syntax::ast::parse::Parser;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::ids::RuleId;

/// The most rules of a set.
pub const MAX_RULES: usize = 5_000;
/// The longest pattern, characters.
pub const MAX_PATTERN_CHARS: usize = 1_000;
/// The most characters kept on each side of a find.
pub const MAX_CONTEXT_CHARS: u32 = 500;
/// The characters kept on each side of a find where a rule does not say.
pub const DEFAULT_CONTEXT_CHARS: u32 = 50;

/// How a pattern is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleType {
    /// Text, as it is written.
    #[default]
    String,
    /// A regular expression without look-around and back-references, which runs in linear time.
    Regex,
}

/// One thing to look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule's id, kept as long as pattern, type and case stay.
    pub id: RuleId,
    /// What to look for.
    pub pattern: String,
    /// How the pattern is read.
    pub rule_type: RuleType,
    /// Whether `A` and `a` differ.
    #[serde(default)]
    pub is_case_sensitive: bool,
    /// A label that comes back with the finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How much a find counts, at least 0.
    #[serde(default = "default_weight")]
    pub weight: f64,
    /// The characters kept on each side of a find.
    #[serde(default = "default_context")]
    pub context_chars: u32,
}

const fn default_weight() -> f64 {
    1.0
}

const fn default_context() -> u32 {
    DEFAULT_CONTEXT_CHARS
}

impl Rule {
    /// Makes a rule for a text in any case, as the ad-hoc keywords of a phase are.
    #[must_use]
    pub fn text(id: RuleId, pattern: impl Into<String>) -> Self {
        Self {
            id,
            pattern: pattern.into(),
            rule_type: RuleType::String,
            is_case_sensitive: false,
            category: None,
            weight: default_weight(),
            context_chars: default_context(),
        }
    }

    /// Says whether another rule looks for the same thing.
    pub(super) fn finds_the_same(&self, other: &Self) -> bool {
        self.pattern == other.pattern
            && self.rule_type == other.rule_type
            && self.is_case_sensitive == other.is_case_sensitive
    }

    /// Names the part of the rule that cannot be used, and why.
    fn fault(&self) -> Option<(&'static str, String)> {
        let fault = |field, message: &str| Some((field, message.to_owned()));
        if self.pattern.chars().all(is_invisible) {
            return fault("pattern", "is empty");
        }
        if self.pattern.chars().count() > MAX_PATTERN_CHARS {
            return fault("pattern", "is longer than 1000 characters");
        }
        if self.context_chars > MAX_CONTEXT_CHARS {
            return fault("contextChars", "at most 500 are kept");
        }
        if !self.weight.is_finite() || self.weight < 0.0 {
            return fault("weight", "must be a finite number of at least 0");
        }
        if self
            .category
            .as_ref()
            .is_some_and(|category| category.chars().count() > 100)
        {
            return fault("category", "is longer than 100 characters");
        }
        if self.rule_type == RuleType::String {
            return None;
        }
        match Parser::new().parse(&self.pattern) {
            Ok(_) => None,
            Err(error) => fault("pattern", &error.kind().to_string()),
        }
    }
}

/// Tells white space and what has neither room nor meaning in a page's text: soft hyphen, zero-width space, word joiner,
/// byte order mark.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Checks the sizes and the syntax of rules, each in time that grows with its length.
///
/// An expression that can be written need not compile, which takes a core for long; whoever gives the command has that
/// tried before.
///
/// # Errors
/// Names the first field that cannot be used, such as `rules[3].pattern`.
pub fn check_rules(rules: &[Rule]) -> Result<(), Error> {
    if rules.len() > MAX_RULES {
        return Err(Error::invalid("rules", "a set has at most 5000 rules"));
    }
    let mut ids = HashSet::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        let refuse = |field: &str, message: String| {
            Err(Error::invalid(format!("rules[{at}].{field}"), message))
        };
        if !ids.insert(rule.id) {
            return refuse("id", "is the id of an earlier rule".to_owned());
        }
        if let Some((field, message)) = rule.fault() {
            return refuse(field, message);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn refused(change: impl FnOnce(&mut Rule)) -> (String, String) {
        let mut rule = Rule::text(RuleId(Uuid::from_u128(2)), "fibre");
        change(&mut rule);
        let rules = [Rule::text(RuleId(Uuid::from_u128(1)), "telecom"), rule];
        match check_rules(&rules).unwrap_err() {
            Error::Invalid { field, message } => (field, message),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_rule_that_cannot_be_searched_with_is_refused_by_its_place() {
        let regex = |pattern: &str| {
            refused(|rule| {
                rule.rule_type = RuleType::Regex;
                rule.pattern = pattern.to_owned();
            })
        };
        let (field, message) = regex("(fibre");
        assert_eq!(
            (field.as_str(), message.as_str()),
            ("rules[1].pattern", "unclosed group")
        );
        assert_eq!(regex("(?=x)").0, "rules[1].pattern");
        assert_eq!(
            refused(|rule| rule.pattern = "  ".into()).0,
            "rules[1].pattern"
        );
        assert_eq!(
            refused(|rule| rule.pattern = "\u{200b} \u{ad}".into()).0,
            "rules[1].pattern"
        );
        assert_eq!(
            refused(|rule| rule.pattern = "x".repeat(1001)).0,
            "rules[1].pattern"
        );
        assert_eq!(
            refused(|rule| rule.context_chars = 501).0,
            "rules[1].contextChars"
        );
        assert_eq!(refused(|rule| rule.weight = f64::NAN).0, "rules[1].weight");
        assert_eq!(refused(|rule| rule.weight = -1.0).0, "rules[1].weight");
        assert_eq!(
            refused(|rule| rule.id = RuleId(Uuid::from_u128(1))).0,
            "rules[1].id"
        );
    }

    #[test]
    fn no_expression_is_compiled_where_a_command_is_decided() {
        // Unicode's words in any case take megabytes and a second when they are compiled, and no time to be read.
        let mut rule = Rule::text(RuleId(Uuid::from_u128(1)), r"(?:\w{40}){40}");
        rule.rule_type = RuleType::Regex;
        assert_eq!(check_rules(&[rule]), Ok(()));
    }

    #[test]
    fn five_thousand_rules_are_the_most() {
        let rules: Vec<Rule> = (0..=5_000)
            .map(|at| Rule::text(RuleId(Uuid::from_u128(at)), format!("word {at}")))
            .collect();
        assert!(check_rules(&rules[..5_000]).is_ok());
        assert!(check_rules(&rules).is_err());
    }

    #[test]
    fn an_old_rule_without_weight_and_context_reads_with_their_defaults() {
        let json =
            r#"{"id":"00000000-0000-0000-0000-000000000001","pattern":"x","rule_type":"regex"}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        assert!((rule.weight - 1.0).abs() < 1e-9);
        assert_eq!(rule.context_chars, DEFAULT_CONTEXT_CHARS);
    }
}
