//! Enrichment: whether each domain of an order is a lead, and the one reason why or why not.

use aggregates::{
    domain::{Event, LeadDecided},
    ids::RunId,
    lead::{self, Check, Facts, Thresholds},
};
use projections::domains::{Candidate, confidence};

use super::record::Found;

/// Decides every candidate.
pub(super) fn decide(
    thresholds: &Thresholds,
    run_id: RunId,
    candidates: Vec<Candidate>,
) -> Vec<Found> {
    candidates
        .into_iter()
        .map(|candidate| {
            let decision = lead::decide(&facts(&candidate), thresholds);
            Found {
                result: Event::LeadDecided(LeadDecided {
                    run_id,
                    status: decision.status,
                    reason: decision.reason,
                    score: candidate.score,
                }),
                name: candidate.name,
                state: candidate.state,
            }
        })
        .collect()
}

/// Returns what the decision about a candidate rests on.
pub(super) fn facts(candidate: &Candidate) -> Facts {
    let page = candidate.evidence.as_ref();
    Facts {
        dns: check(&candidate.dns_status),
        http: check(&candidate.http_status),
        parked_confidence: page.map(|page| confidence(page.parked_confidence)),
        structural_signals: page.is_some_and(projections::domains::PageEvidence::has_structure),
        keyword_hits: page.map_or(0, projections::domains::PageEvidence::keyword_hits),
        score: candidate.score,
        bytes: page.map_or(0, |page| page.bytes),
    }
}

fn check(status: &str) -> Check {
    match status {
        "ok" => Check::Ok,
        "timeout" => Check::Timeout,
        "error" => Check::Error,
        _ => Check::NotMade,
    }
}
