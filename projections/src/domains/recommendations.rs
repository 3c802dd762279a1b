//! What a campaign's numbers suggest to do. Rules over the counters and the momentum; every rule that applies is told.

use super::{Counts, Momentum};

/// A smaller share of names with an address is low.
const DNS_LOW: f64 = 0.70;
/// A smaller share of addresses with a page is low.
const HTTP_LOW: f64 = 0.80;
/// Of more analyzed domains than this, some should be of high potential.
const HIGH_POTENTIAL_OF: u64 = 100;
/// Fewer of high potential are few.
const FEW_HIGH_POTENTIAL: u64 = 10;
/// A greater share of analyzed domains with a warning is high.
const WARNINGS_HIGH: f64 = 0.30;
/// Of more analyzed domains than this, some should be leads.
const LEADS_OF: u64 = 50;
/// Of fewer domains with two scores the mean movement says nothing.
const MOVEMENT_OF: i64 = 20;
/// A mean movement of scores (0 to 1) from this on is a surge, or a loss.
const MOVEMENT: f64 = 0.05;

/// Which rule applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Few of the checked names have an address.
    DnsLow,
    /// Few of the fetched addresses have a page.
    HttpLow,
    /// Few analyzed domains are of high potential.
    FewHighPotential,
    /// Many analyzed domains have a warning.
    WarningRateHigh,
    /// No analyzed domain is a lead.
    NoLeads,
    /// Scores fell from one run to the next.
    MomentumLoss,
    /// Scores rose from one run to the next.
    MomentumSurge,
    /// No rule applied.
    AllClear,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it.
    Warn,
    /// Do something.
    Action,
}

/// One suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Which rule applied.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What was found and what to do, with the numbers.
    pub message: String,
}

/// Says what a campaign's numbers suggest. Shares are of the domains that the phase has a result for, so a phase that
/// is under way or was never started is not taken for a bad one.
#[must_use]
pub fn recommend(counts: &Counts, momentum: &Momentum) -> Vec<Recommendation> {
    let rules = [
        dns_low(counts),
        http_low(counts),
        few_high_potential(counts),
        many_warnings(counts),
        no_leads(counts),
        movement(momentum),
    ];
    let mut found: Vec<_> = rules.into_iter().flatten().collect();
    if found.is_empty() {
        found.push(Recommendation {
            code: Code::AllClear,
            severity: Severity::Info,
            message: "Nothing stands out in this campaign's numbers.".to_owned(),
        });
    }
    found
}

fn dns_low(counts: &Counts) -> Option<Recommendation> {
    let (valid, checked) = (
        counts.dns("ok"),
        counts.generated.saturating_sub(counts.dns("pending")),
    );
    below(valid, checked, DNS_LOW).then(|| Recommendation {
        code: Code::DnsLow,
        severity: Severity::Warn,
        message: format!(
            "Only {valid} of {checked} checked names have an address: look at the pattern and at the resolvers."
        ),
    })
}

fn http_low(counts: &Counts) -> Option<Recommendation> {
    let fetched = counts.http("ok") + counts.http("error") + counts.http("timeout");
    let valid = counts.http("ok");
    below(valid, fetched, HTTP_LOW).then(|| Recommendation {
        code: Code::HttpLow,
        severity: Severity::Warn,
        message: format!(
            "Only {valid} of {fetched} domains that were asked gave a page: look at the reasons, and at the HTTP persona."
        ),
    })
}

fn few_high_potential(counts: &Counts) -> Option<Recommendation> {
    let (high, analyzed) = (counts.high_potential, counts.analyzed);
    (analyzed > HIGH_POTENTIAL_OF && high < FEW_HIGH_POTENTIAL).then(|| Recommendation {
        code: Code::FewHighPotential,
        severity: Severity::Info,
        message: format!(
            "{high} of {analyzed} analyzed domains are of high potential: keywords or weights may miss what you look for."
        ),
    })
}

fn many_warnings(counts: &Counts) -> Option<Recommendation> {
    let (warned, analyzed) = (counts.warned, counts.analyzed);
    above(warned, analyzed, WARNINGS_HIGH).then(|| Recommendation {
        code: Code::WarningRateHigh,
        severity: Severity::Warn,
        message: format!(
            "{warned} of {analyzed} analyzed domains have a warning: check their pages for stuffing before you rely on them."
        ),
    })
}

fn no_leads(counts: &Counts) -> Option<Recommendation> {
    let decided = counts.lead("pending") == 0;
    (decided && counts.analyzed > LEADS_OF && counts.lead("match") == 0).then(|| Recommendation {
        code: Code::NoLeads,
        severity: Severity::Action,
        message: format!(
            "None of {} analyzed domains is a lead: lower the thresholds, or change the keywords.",
            counts.analyzed
        ),
    })
}

fn movement(momentum: &Momentum) -> Option<Recommendation> {
    let compared = momentum.compared();
    let mean = momentum.mean.filter(|_| compared >= MOVEMENT_OF)?;
    let (code, severity, what) = if mean <= -MOVEMENT {
        (Code::MomentumLoss, Severity::Warn, "fell")
    } else if mean >= MOVEMENT {
        (Code::MomentumSurge, Severity::Info, "rose")
    } else {
        return None;
    };
    Some(Recommendation {
        code,
        severity,
        message: format!(
            "Scores {what} by {:.1} of 100 on average over {compared} domains since the run before.",
            mean.abs() * 100.0
        ),
    })
}

fn below(part: u64, whole: u64, share: f64) -> bool {
    whole > 0 && (part as f64) < whole as f64 * share
}

fn above(part: u64, whole: u64, share: f64) -> bool {
    whole > 0 && part as f64 > whole as f64 * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, u64)]) -> std::collections::BTreeMap<String, u64> {
        entries
            .iter()
            .map(|(key, n)| ((*key).to_owned(), *n))
            .collect()
    }

    /// A campaign of 1,000 names with which nothing is wrong.
    fn sound() -> Counts {
        Counts {
            generated: 1_000,
            dns: map(&[("ok", 700), ("error", 300)]),
            http: map(&[("ok", 560), ("error", 140), ("pending", 300)]),
            lead: map(&[("match", 100), ("no_match", 900)]),
            scored: 560,
            analyzed: 200,
            high_potential: 10,
            warned: 60,
            ..Counts::default()
        }
    }

    fn moved(each: f64, domains: i64) -> Momentum {
        Momentum {
            histogram: vec![domains],
            mean: Some(each),
            ..Momentum::default()
        }
    }

    fn codes(counts: &Counts, momentum: &Momentum) -> Vec<Code> {
        let found = recommend(counts, momentum);
        found.into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn every_rule_applies_just_past_its_bound() {
        type Change = fn(&mut Counts);
        let past: [(Code, Change); 5] = [
            (Code::DnsLow, |counts| {
                counts.dns = map(&[("ok", 699), ("error", 301)]);
            }),
            (Code::HttpLow, |counts| {
                counts.http = map(&[("ok", 559), ("error", 100), ("timeout", 41)]);
            }),
            (Code::FewHighPotential, |counts| counts.high_potential = 9),
            (Code::WarningRateHigh, |counts| counts.warned = 61),
            (Code::NoLeads, |counts| {
                counts.lead = map(&[("no_match", 1_000)]);
            }),
        ];
        let still = Momentum::default();
        assert_eq!(codes(&sound(), &still), [Code::AllClear]);
        for (code, change) in past {
            let mut counts = sound();
            change(&mut counts);
            assert_eq!(codes(&counts, &still), [code]);
        }
        assert_eq!(codes(&sound(), &moved(-0.05, 20)), [Code::MomentumLoss]);
        assert_eq!(codes(&sound(), &moved(0.05, 20)), [Code::MomentumSurge]);
        assert_eq!(codes(&sound(), &moved(0.049, 20)), [Code::AllClear]);
        assert_eq!(codes(&sound(), &moved(0.5, 19)), [Code::AllClear]);
    }

    #[test]
    fn a_phase_that_has_no_results_yet_is_not_a_bad_one() {
        let mut counts = Counts {
            generated: 1_000,
            dns: map(&[("pending", 1_000)]),
            http: map(&[("pending", 1_000)]),
            lead: map(&[("pending", 1_000)]),
            ..Counts::default()
        };
        let still = Momentum::default();
        assert_eq!(codes(&counts, &still), [Code::AllClear]);
        counts.dns = map(&[("ok", 90), ("error", 10), ("pending", 900)]);
        assert_eq!(codes(&counts, &still), [Code::AllClear]);
        let mut undecided = sound();
        undecided.lead = map(&[("pending", 1_000)]);
        assert_eq!(codes(&undecided, &still), [Code::AllClear]);
        assert_eq!(codes(&Counts::default(), &still), [Code::AllClear]);
    }
}
