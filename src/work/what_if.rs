//! What other weights would come to: the computation of analysis and enrichment, with nothing recorded.

use aggregates::{
    ids::CampaignId,
    lead::{self, Status, Thresholds},
    scoring::{Breakdown, Weights},
};
use chrono::{DateTime, Utc};
use projections::domains::{self, Scored};
use sqlx::PgPool;

use super::{analysis::evidence, enrichment::facts};

/// Domains that are in memory at once.
const PAGE: i64 = 500;

/// How scores and leads would change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Domains that have a score.
    pub scored: u64,
    /// Domains among them whose score would be another.
    pub scores_changed: u64,
    /// Leads among them now.
    pub leads: u64,
    /// Domains that would become leads.
    pub gained: u64,
    /// Leads that would be none any more.
    pub lost: u64,
}

/// Computes what a new run of analysis and enrichment would come to as of `now`, page by page.
///
/// # Errors
/// When the database does not answer.
pub async fn what_if(
    pool: &PgPool,
    campaign_id: CampaignId,
    weights: &Weights,
    thresholds: &Thresholds,
    now: DateTime<Utc>,
) -> Result<WhatIf, sqlx::Error> {
    let mut what_if = WhatIf::default();
    let mut after = -1;
    loop {
        let page = domains::scored_after(pool, campaign_id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(what_if);
        };
        after = last.ordinal;
        for scored in page {
            what_if.add(scored, weights, thresholds, now);
        }
    }
}

impl WhatIf {
    fn add(
        &mut self,
        scored: Scored,
        weights: &Weights,
        thresholds: &Thresholds,
        now: DateTime<Utc>,
    ) {
        let mut candidate = scored.candidate;
        let is_lead =
            |candidate: &_| lead::decide(&facts(candidate), thresholds).status == Status::Match;
        // A lead is what was decided; where nothing was decided yet, what would be with the present score.
        let before = match scored.lead_status.as_str() {
            "pending" => is_lead(&candidate),
            decided => decided == Status::Match.name(),
        };
        let present = candidate.score;
        candidate.score = Some(Breakdown::of(&evidence(&candidate, now), weights).score);
        let then = is_lead(&candidate);
        self.scored += 1;
        self.scores_changed += u64::from(candidate.score != present);
        self.leads += u64::from(before);
        self.gained += u64::from(then && !before);
        self.lost += u64::from(before && !then);
    }
}
