//! Compiling regular expressions within bounds: of each, and of all that one list has.

use regex::{Regex, RegexBuilder};

use super::{Fault, Kind, MAX_REGEX_BYTES, Rule};

/// Memory bound of one compiled regular expression, for each direction of reading. It bounds time too: the slowest search
/// takes a step a byte for each state.
const REGEX_BYTES: usize = 512 << 10;
/// The smallest bound that a regular expression is compiled under; doubled until it fits, and taken for what it needs.
const LEAST_REGEX_BYTES: usize = 4 << 10;
/// Memory bound of the tables that the searches of all regular expressions build as they go, on one thread and for each
/// direction. An expression whose share does not do searches without, which is slower.
const TABLES_BYTES: usize = 256 << 20;

/// Compiles the regular expressions of one list within the memory that they have together.
pub(super) struct Compiler {
    left: usize,
    /// The bound of one expression's tables.
    tables: usize,
}

impl Compiler {
    /// Begins with all of the memory, and an equal share of that for tables for each expression.
    pub(super) fn of(rules: &[Rule]) -> Self {
        let expressions = rules.iter().filter(|rule| rule.kind == Kind::Regex).count();
        Self {
            left: MAX_REGEX_BYTES,
            tables: (TABLES_BYTES / expressions.max(1)).min(2 * REGEX_BYTES),
        }
    }

    /// Compiles the next expression.
    ///
    /// # Errors
    /// [`Fault::Regex`], [`Fault::MatchesEmpty`], or [`Fault::RegexesTooLarge`] when the list has none left for it.
    pub(super) fn compile(&mut self, rule: &Rule) -> Result<Regex, Fault> {
        let mut bound = LEAST_REGEX_BYTES;
        let compiled = loop {
            let compiled = RegexBuilder::new(&rule.pattern)
                .case_insensitive(!rule.case_sensitive)
                .size_limit(bound)
                .dfa_size_limit(self.tables)
                .build();
            match compiled {
                Ok(compiled) => break compiled,
                // The library does not tell what an expression needs, only that it needs more.
                Err(regex::Error::CompiledTooBig(_)) if bound < REGEX_BYTES => bound *= 2,
                Err(error) => return Err(Fault::Regex(reason(&error))),
            }
        };
        if compiled.is_match("") {
            return Err(Fault::MatchesEmpty);
        }
        // One automaton reads forwards to the end of a match, and one backwards to its beginning.
        let needed = 2 * bound;
        self.left = self
            .left
            .checked_sub(needed)
            .ok_or(Fault::RegexesTooLarge)?;
        Ok(compiled)
    }
}

/// Says why a regular expression was refused, in one line.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes"),
        // The compiler draws the pattern with a caret under the fault; its last line names the fault.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or(&text);
            last.trim_start_matches("error: ").to_owned()
        }
    }
}
