//! Compiling regular expressions within bounds: of each, and of all that one list has.

use regex_automata::{
    meta::{BuildError, Config, Regex},
    nfa::thompson::WhichCaptures,
    util::syntax,
};

use super::{Fault, Kind, MAX_REGEX_BYTES, Rule};

/// Memory bound of the automaton of one regular expression, for each direction of reading. It bounds time too: the slowest
/// search takes a step a byte for each state.
const REGEX_BYTES: usize = 512 << 10;
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
        // Nobody asks for groups: a search that keeps their places needs memory for each group in each state, and the one-pass
        // tables that find them may be a hundred times the automaton.
        let config = Config::new()
            .which_captures(WhichCaptures::Implicit)
            .nfa_size_limit(Some(REGEX_BYTES))
            .hybrid_cache_capacity(self.tables)
            .onepass(false);
        let compiled = Regex::builder()
            .configure(config)
            .syntax(syntax::Config::new().case_insensitive(!rule.case_sensitive))
            .build(&rule.pattern)
            .map_err(|error| Fault::Regex(reason(&error)))?;
        if compiled.is_match("") {
            return Err(Fault::MatchesEmpty);
        }
        self.left = self
            .left
            .checked_sub(compiled.memory_usage())
            .ok_or(Fault::RegexesTooLarge)?;
        Ok(compiled)
    }
}

/// Says why a regular expression was refused, in one line.
fn reason(error: &BuildError) -> String {
    if let Some(limit) = error.size_limit() {
        return format!("it needs more than {limit} bytes");
    }
    // The parser draws the pattern with a caret under the fault; its last line names the fault.
    let text = error
        .syntax_error()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or(&text);
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_keeps_no_places_of_groups() {
        let rule = Rule::regex(format!("(?:[ab]{{100}}){{50}}{}", "()".repeat(400)));
        let compiler = &mut Compiler::of(std::slice::from_ref(&rule));
        let compiled = compiler.compile(&rule).unwrap();
        assert_eq!(compiled.group_info().explicit_slot_len(), 0);
        assert!(compiled.is_match(&"ab".repeat(2_500)));
    }

    #[test]
    fn an_expression_takes_the_memory_that_is_counted_and_no_one_pass_tables() {
        // With a group and the border of a word, and without a choice on the way: such tables would do for it.
        let rule = Rule {
            case_sensitive: true,
            ..Rule::regex(format!(r"\b({})\b", "[a-z]{3}[0-9]{3}".repeat(30)))
        };
        let mut compiler = Compiler::of(std::slice::from_ref(&rule));
        let compiled = compiler.compile(&rule).unwrap();
        assert_eq!(compiler.left, MAX_REGEX_BYTES - compiled.memory_usage());
        let with_tables = Regex::new(&rule.pattern).unwrap().memory_usage();
        assert!(
            compiled.memory_usage() * 2 < with_tables,
            "{} of {with_tables}",
            compiled.memory_usage()
        );
    }
}
