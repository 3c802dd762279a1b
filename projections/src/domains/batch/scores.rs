//! Scores.

use aggregates::domain::Scored;
use event_store::Recorded;
use serde::Serialize;

use super::rows::{Columns, Statement};
use crate::{domains::sql::result_update, runtime::ApplyError};

/// From this score on (0 to 1) a domain counts as of high potential.
const HIGH_POTENTIAL: f64 = 0.80;

#[derive(Default)]
pub(super) struct Scores {
    scores: Vec<f64>,
    breakdowns: Vec<serde_json::Value>,
    richness: Vec<f64>,
    gains: Vec<f64>,
    features: Vec<serde_json::Value>,
    high: Vec<bool>,
    warned: Vec<bool>,
}

impl Columns for Scores {
    type Result = Scored;

    const WRITE: &'static str = result_update!(
        "$5::float8[], $6::jsonb[], $7::float8[], $8::jsonb[], $9::bool[], $10::bool[], $11::float8[]",
        "score, breakdown, richness, features, high, warned, gain",
        "score_run = i.run, score = i.score, score_breakdown = i.breakdown, richness_score = i.richness, \
         microcrawl_gain = i.gain, features = i.features, high_potential = i.high, warned = i.warned, scored = true"
    );

    fn push(&mut self, event: &Recorded, scored: Scored) -> Result<(), ApplyError> {
        self.scores.push(scored.score.score);
        self.high.push(scored.score.score >= HIGH_POTENTIAL);
        self.warned.push(scored.richness.has_warnings());
        self.richness.push(scored.richness.score);
        self.gains.push(scored.richness.gain);
        self.breakdowns.push(json(event, &scored.score)?);
        self.features.push(json(event, &scored.richness)?);
        Ok(())
    }

    fn bind(self, statement: Statement) -> Statement {
        statement
            .bind(self.scores)
            .bind(self.breakdowns)
            .bind(self.richness)
            .bind(self.features)
            .bind(self.high)
            .bind(self.warned)
            .bind(self.gains)
    }
}

fn json(event: &Recorded, value: &impl Serialize) -> Result<serde_json::Value, ApplyError> {
    serde_json::to_value(value).map_err(|error| ApplyError::poison(event, error))
}
