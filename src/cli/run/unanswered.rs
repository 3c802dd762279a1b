//! Names of which no resolver said whether they exist.

use std::fmt;

use projections::domains::Counts;

/// Reasons of a failed lookup that are an answer all the same: the name does not exist, or has no address.
const ANSWERS: [&str; 2] = ["NXDOMAIN", "NOANSWER"];

/// How many names were not looked up, by the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unanswered {
    names: u64,
    reasons: Vec<(String, u64)>,
}

impl Unanswered {
    /// Takes the lookups without an answer out of a campaign's counts; nothing where every one has an answer.
    pub(super) fn of(counts: &Counts) -> Option<Self> {
        let reasons: Vec<_> = counts
            .dns_reasons
            .iter()
            .filter(|(reason, count)| !ANSWERS.contains(&reason.as_str()) && **count > 0)
            .map(|(reason, count)| (reason.clone(), *count))
            .collect();
        (!reasons.is_empty()).then_some(Self {
            names: counts.generated,
            reasons,
        })
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: u64 = self.reasons.iter().map(|(_, count)| count).sum();
        let reasons: Vec<_> = self
            .reasons
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let reasons = reasons.join(", ");
        if count >= self.names {
            return write!(
                f,
                "nothing at all could be looked up, the counts say nothing about the names ({reasons}): \
                 is the network there, are the resolvers right? --resolver names others"
            );
        }
        write!(
            f,
            "{count} of {} names could not be looked up: {reasons}",
            self.names
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: u64, reasons: &[(&str, u64)]) -> Option<String> {
        let counts = Counts {
            generated: names,
            dns_reasons: reasons
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
            ..Counts::default()
        };
        Unanswered::of(&counts).map(|told| told.to_string())
    }

    #[test]
    fn only_what_nobody_answered_is_told() {
        assert_eq!(told(9, &[("NXDOMAIN", 5), ("NOANSWER", 4)]), None);
        assert_eq!(
            told(9, &[("NXDOMAIN", 5), ("SERVFAIL", 1), ("TIMEOUT", 2)]).unwrap(),
            "3 of 9 names could not be looked up: SERVFAIL 1, TIMEOUT 2"
        );
        let nothing = told(9, &[("TIMEOUT", 9)]).unwrap();
        assert!(
            nothing.starts_with("nothing at all could be looked up"),
            "{nothing}"
        );
        assert!(nothing.contains("TIMEOUT 9"), "{nothing}");
    }
}
