//! Analysis: the fetched pages of an order, scored. Pure computation on what the fetch left in the read model.

use aggregates::{
    domain::{Event, Scored},
    ids::{RunId, ScoringProfileId},
    scoring::{Breakdown, Evidence, Richness, Weights},
};
use chrono::{DateTime, Utc};
use projections::domains::Candidate;

use super::record::Found;

const SECONDS_A_DAY: f64 = 86_400.0;

/// Returns what a candidate's score rests on as of `now`.
pub(super) fn evidence(candidate: &Candidate, now: DateTime<Utc>) -> Evidence {
    candidate
        .evidence
        .as_ref()
        .map_or_else(Default::default, |page| {
            let age = candidate
                .fetched_at
                .map_or(0.0, |at| (now - at).as_seconds_f64());
            page.for_scoring(age.max(0.0) / SECONDS_A_DAY)
        })
}

/// Scores every candidate as of `now`, which decides how fresh its page is.
pub(super) fn score(
    weights: &Weights,
    scoring_profile: Option<ScoringProfileId>,
    run_id: RunId,
    candidates: Vec<Candidate>,
    now: DateTime<Utc>,
) -> Vec<Found> {
    candidates
        .into_iter()
        .map(|candidate| {
            let evidence = evidence(&candidate, now);
            Found {
                result: Event::Scored(Scored {
                    run_id,
                    scoring_profile,
                    score: Breakdown::of(&evidence, weights),
                    richness: Richness::of(&evidence),
                }),
                name: candidate.name,
                state: candidate.state,
            }
        })
        .collect()
}
