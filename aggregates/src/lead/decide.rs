//! The decision itself: ten rules, the first that applies decides.

use serde::{Deserialize, Serialize};

use super::Thresholds;

/// How a check of a domain ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Check {
    /// It has not been made.
    #[default]
    NotMade,
    /// It succeeded.
    Ok,
    /// It failed.
    Error,
    /// No answer came in time.
    Timeout,
}

/// What is known of a domain when it is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts {
    /// The DNS check; not made in campaigns that begin with fetching.
    pub dns: Check,
    /// The fetch.
    pub http: Check,
    /// How surely the domain is parked, 0 to 1.
    pub parked_confidence: Option<f64>,
    /// Whether the page is built like a site's, see [`has_structure`].
    pub structural_signals: bool,
    /// All keyword finds.
    pub keyword_hits: u64,
    /// The score, 0 to 1; absent where there is none.
    pub score: Option<f64>,
    /// Size of the page after decompression.
    pub bytes: u64,
}

/// What was decided about a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A lead.
    Match,
    /// No lead.
    NoMatch,
    /// The fetch failed, so nothing can be said.
    Error,
    /// The fetch ran out of time, so nothing can be said.
    Timeout,
    /// Not fetched yet.
    Pending,
}

/// The one reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The score suffices.
    Qualified,
    /// The score does not suffice.
    LowScore,
    /// No keyword, no structure or no score.
    NoKeywords,
    /// Parked or for sale.
    Parked,
    /// The name does not resolve.
    DnsError,
    /// No resolver answered in time.
    DnsTimeout,
    /// The fetch failed.
    HttpError,
    /// The fetch ran out of time.
    HttpTimeout,
    /// Not fetched yet.
    Pending,
}

impl Reason {
    /// Every reason, in the order in which the API counts them.
    pub const ALL: [Self; 9] = [
        Self::Qualified,
        Self::LowScore,
        Self::NoKeywords,
        Self::Parked,
        Self::DnsError,
        Self::DnsTimeout,
        Self::HttpError,
        Self::HttpTimeout,
        Self::Pending,
    ];

    /// Returns the reason's name in the log, the read models and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qualified => "qualified",
            Self::LowScore => "low_score",
            Self::NoKeywords => "no_keywords",
            Self::Parked => "parked",
            Self::DnsError => "dns_error",
            Self::DnsTimeout => "dns_timeout",
            Self::HttpError => "http_error",
            Self::HttpTimeout => "http_timeout",
            Self::Pending => "pending",
        }
    }
}

impl Status {
    /// Returns the status's name in the log, the read models and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no_match",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Pending => "pending",
        }
    }
}

/// A decision with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub status: Status,
    /// Why.
    pub reason: Reason,
}

/// Decides whether a domain is a lead.
///
/// The rules in their order: fetch timed out, fetch failed, DNS failed, DNS timed out, not fetched, parked, nothing to
/// go by (structure, keyword or score), score suffices alone, page too small, score suffices for its size; else low.
#[must_use]
pub fn decide(facts: &Facts, thresholds: &Thresholds) -> Decision {
    let decision = |status, reason| Decision { status, reason };
    let no_match = |reason| decision(Status::NoMatch, reason);
    let lead = decision(Status::Match, Reason::Qualified);

    match facts.http {
        Check::Timeout => return decision(Status::Timeout, Reason::HttpTimeout),
        Check::Error => return decision(Status::Error, Reason::HttpError),
        Check::Ok | Check::NotMade => {}
    }
    match facts.dns {
        Check::Error => return no_match(Reason::DnsError),
        Check::Timeout => return no_match(Reason::DnsTimeout),
        Check::Ok | Check::NotMade => {}
    }
    // Saying that a page nobody has fetched lacks keywords would be made up.
    if facts.http == Check::NotMade {
        return decision(Status::Pending, Reason::Pending);
    }
    if facts
        .parked_confidence
        .is_some_and(|confidence| confidence >= thresholds.parked_confidence)
    {
        return no_match(Reason::Parked);
    }
    let lacks_structure = thresholds.require_structural_signals && !facts.structural_signals;
    let score = facts.score.filter(|score| score.is_finite());
    let Some(score) = score.filter(|_| !lacks_structure && facts.keyword_hits > 0) else {
        return no_match(Reason::NoKeywords);
    };
    if score >= thresholds.match_score {
        return lead;
    }
    if facts.bytes >= thresholds.min_bytes && score >= thresholds.borderline_score {
        return lead;
    }
    no_match(Reason::LowScore)
}

/// Says whether a page is built like one of a site: it has a heading of the first level or links to its own site.
#[must_use]
pub const fn has_structure(h1_count: u32, internal_links: u32) -> bool {
    h1_count > 0 || internal_links > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A domain that qualifies.
    const GOOD: Facts = Facts {
        dns: Check::Ok,
        http: Check::Ok,
        parked_confidence: Some(0.1),
        structural_signals: true,
        keyword_hits: 3,
        score: Some(0.5),
        bytes: 20_000,
    };

    fn reason(facts: Facts) -> Reason {
        decide(&facts, &Thresholds::default()).reason
    }

    fn status(facts: Facts) -> Status {
        decide(&facts, &Thresholds::default()).status
    }

    #[test]
    fn a_good_page_is_a_lead() {
        assert_eq!(
            (status(GOOD), reason(GOOD)),
            (Status::Match, Reason::Qualified)
        );
    }

    #[test]
    fn a_failed_fetch_is_no_verdict_on_the_page() {
        let timeout = Facts {
            http: Check::Timeout,
            ..GOOD
        };
        assert_eq!(
            (status(timeout), reason(timeout)),
            (Status::Timeout, Reason::HttpTimeout)
        );
        let error = Facts {
            http: Check::Error,
            ..GOOD
        };
        assert_eq!(
            (status(error), reason(error)),
            (Status::Error, Reason::HttpError)
        );
    }

    #[test]
    fn a_name_that_does_not_resolve_is_no_match() {
        let error = Facts {
            dns: Check::Error,
            http: Check::NotMade,
            ..GOOD
        };
        assert_eq!(
            (status(error), reason(error)),
            (Status::NoMatch, Reason::DnsError)
        );
        let timeout = Facts {
            dns: Check::Timeout,
            http: Check::NotMade,
            ..GOOD
        };
        assert_eq!(
            (status(timeout), reason(timeout)),
            (Status::NoMatch, Reason::DnsTimeout)
        );
    }

    #[test]
    fn a_page_that_was_not_fetched_is_pending() {
        let facts = Facts {
            http: Check::NotMade,
            ..GOOD
        };
        assert_eq!(
            (status(facts), reason(facts)),
            (Status::Pending, Reason::Pending)
        );
    }

    #[test]
    fn a_parked_domain_is_no_match_from_the_threshold_on() {
        assert_eq!(
            reason(Facts {
                parked_confidence: Some(0.45),
                ..GOOD
            }),
            Reason::Parked
        );
        assert_eq!(
            reason(Facts {
                parked_confidence: Some(0.449),
                ..GOOD
            }),
            Reason::Qualified
        );
    }

    #[test]
    fn nothing_to_go_by_counts_as_no_keywords() {
        for facts in [
            Facts {
                structural_signals: false,
                ..GOOD
            },
            Facts {
                keyword_hits: 0,
                ..GOOD
            },
            Facts {
                score: None,
                ..GOOD
            },
            Facts {
                score: Some(f64::NAN),
                ..GOOD
            },
        ] {
            assert_eq!(
                (status(facts), reason(facts)),
                (Status::NoMatch, Reason::NoKeywords)
            );
        }
        let lenient = Thresholds {
            require_structural_signals: false,
            ..Thresholds::default()
        };
        let flat = Facts {
            structural_signals: false,
            ..GOOD
        };
        assert_eq!(decide(&flat, &lenient).reason, Reason::Qualified);
    }

    #[test]
    fn the_score_that_suffices_depends_on_the_size() {
        let page = |score, bytes| {
            reason(Facts {
                score: Some(score),
                bytes,
                ..GOOD
            })
        };
        assert_eq!(page(0.27, 10), Reason::Qualified);
        assert_eq!(page(0.26, 1023), Reason::LowScore);
        assert_eq!(page(0.26, 1024), Reason::Qualified);
        assert_eq!(page(0.24, 1024), Reason::Qualified);
        assert_eq!(page(0.239, 1024), Reason::LowScore);
    }

    #[test]
    fn an_earlier_rule_hides_every_later_one() {
        // Each step takes away the cause that decided before; all later causes stay.
        let mut facts = Facts {
            dns: Check::Error,
            http: Check::Timeout,
            parked_confidence: Some(1.0),
            structural_signals: false,
            keyword_hits: 0,
            score: Some(0.25),
            bytes: 10,
        };
        let mut reasons = vec![reason(facts)];
        let mut then = |change: &dyn Fn(&mut Facts)| {
            change(&mut facts);
            reasons.push(reason(facts));
        };
        then(&|f| f.http = Check::Error);
        then(&|f| f.http = Check::NotMade);
        then(&|f| f.dns = Check::Timeout);
        then(&|f| f.dns = Check::Ok);
        then(&|f| f.http = Check::Ok);
        then(&|f| f.parked_confidence = None);
        then(&|f| f.structural_signals = true);
        then(&|f| f.keyword_hits = 1);
        then(&|f| f.bytes = 1024);
        assert_eq!(
            reasons,
            [
                Reason::HttpTimeout,
                Reason::HttpError,
                Reason::DnsError,
                Reason::DnsTimeout,
                Reason::Pending,
                Reason::Parked,
                Reason::NoKeywords,
                Reason::NoKeywords,
                Reason::LowScore,
                Reason::Qualified,
            ]
        );
    }

    #[test]
    fn the_log_uses_the_names_of_the_api() {
        for reason in Reason::ALL {
            assert_eq!(
                serde_json::to_string(&reason).unwrap(),
                format!("\"{}\"", reason.name())
            );
        }
        for status in [
            Status::Match,
            Status::NoMatch,
            Status::Error,
            Status::Timeout,
            Status::Pending,
        ] {
            assert_eq!(
                serde_json::to_string(&status).unwrap(),
                format!("\"{}\"", status.name())
            );
        }
    }

    fn check() -> impl Strategy<Value = Check> {
        prop_oneof![
            Just(Check::NotMade),
            Just(Check::Ok),
            Just(Check::Error),
            Just(Check::Timeout)
        ]
    }

    prop_compose! {
        fn facts()(
            dns in check(), http in check(), parked_confidence in proptest::option::of(0.0..=1.0),
            structural_signals: bool, keyword_hits in 0_u64..4, score in proptest::option::of(0.0..=1.0), bytes in 0_u64..4096,
        ) -> Facts {
            Facts { dns, http, parked_confidence, structural_signals, keyword_hits, score, bytes }
        }
    }

    proptest! {
        #[test]
        fn every_domain_has_the_reason_of_its_status(facts in facts()) {
            let Decision { status, reason } = decide(&facts, &Thresholds::default());
            let belongs = match reason {
                Reason::Qualified => Status::Match,
                Reason::HttpError => Status::Error,
                Reason::HttpTimeout => Status::Timeout,
                Reason::Pending => Status::Pending,
                _ => Status::NoMatch,
            };
            prop_assert_eq!(status, belongs);
            prop_assert_eq!(reason == Reason::Pending, facts.http == Check::NotMade && matches!(facts.dns, Check::Ok | Check::NotMade));
        }

        #[test]
        fn a_better_score_never_loses_a_lead(facts in facts(), more in 0.0..1.0) {
            let before = decide(&facts, &Thresholds::default());
            let better = Facts { score: facts.score.map(|score| score + more), ..facts };
            if before.status == Status::Match {
                prop_assert_eq!(decide(&better, &Thresholds::default()).status, Status::Match);
            }
        }
    }
}
