//! Whether the engines take what a run would work with.
//!
//! Asked when personas and keyword sets are saved, when phases are configured and when runs start: by the very code that
//! a worker makes its engines with, so that no run begins that can only fail.

use std::panic::resume_unwind;

use aggregates::{
    keyword_set::Rule,
    persona::{Config, DnsConfig, HttpConfig},
};
use tokio::task::spawn_blocking;
use validation::keywords::{self, Fault};

use super::{Network, compilers::Turn, extraction, validation as dns_phase};

/// Why rules cannot be searched with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Which rule; nothing where they are too much together.
    pub at: Option<usize>,
    /// The rule's field as the wire names it, or `rules`.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Unusable {
    fn of(rules: &[Rule], error: &keywords::Error) -> Self {
        let keywords::Error::Rule { id, fault } = error else {
            return Self {
                at: None,
                field: "rules",
                message: error.to_string(),
            };
        };
        Self {
            at: rules.iter().position(|rule| rule.id.to_string() == *id),
            field: match fault {
                Fault::ContextTooLong(_) => "contextChars",
                Fault::Weight(_) => "weight",
                Fault::Empty
                | Fault::TooLong(_)
                | Fault::Regex(_)
                | Fault::RegexesTooLarge
                | Fault::MatchesEmpty => "pattern",
            },
            message: fault.to_string(),
        }
    }
}

/// Checks that one run can search with all of these rules.
///
/// # Errors
/// Names the first rule that cannot be searched with.
pub fn rules(rules: &[Rule]) -> Result<(), Unusable> {
    match extraction::compile(rules) {
        Ok(_) => Ok(()),
        Err(error) => Err(Unusable::of(rules, &error)),
    }
}

/// Checks rules as [`rules`] does, on a thread that may compile for long and with a turn to do so, and hands them back.
///
/// # Errors
/// As [`rules`].
pub async fn checked(turn: Turn, given: Vec<Rule>) -> Result<Vec<Rule>, Unusable> {
    if given.is_empty() {
        return Ok(given);
    }
    let compile = move || {
        let compiled = rules(&given).map(|()| given);
        drop(turn);
        compiled
    };
    let compiled = spawn_blocking(compile).await;
    compiled.unwrap_or_else(|ended| match ended.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(cancelled) => Err(Unusable {
            at: None,
            field: "rules",
            message: cancelled.to_string(),
        }),
    })
}

/// Checks that the engine of a persona's kind takes its configuration.
///
/// # Errors
/// What the engine cannot honour or the operator does not allow, in words.
pub fn persona(config: &Config, network: &Network) -> Result<(), String> {
    match config {
        Config::Dns(config) => dns(config, &[], network),
        Config::Http(config) => http(config, network),
    }
}

/// Checks that the DNS engine takes a configuration with these record types.
///
/// # Errors
/// As [`persona`].
pub fn dns(config: &DnsConfig, record_types: &[String], network: &Network) -> Result<(), String> {
    dns_phase::config(config, record_types, network).map(|_| ())
}

/// Checks that the fetcher takes a configuration.
///
/// # Errors
/// As [`persona`].
pub fn http(config: &HttpConfig, network: &Network) -> Result<(), String> {
    extraction::config(config, network).map(|_| ())
}

#[cfg(test)]
mod tests;
