//! Figures over a campaign's analyzed domains.

use projections::domains::{Metrics, metrics_of};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, State};

/// Figures over a campaign's analyzed domains; a mean or median of none is 0.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignMetricsResponse {
    /// Domains with a score of at least 80.
    high_potential: u64,
    /// Domains that were decided to be leads.
    leads: u64,
    /// The share of fetched domains whose page has a keyword, 0 to 100.
    keyword_coverage_pct: f64,
    /// The mean richness, 0 to 1.
    avg_richness: f64,
    /// The share of domains with a warning, 0 to 100.
    warning_rate_pct: f64,
    /// The median of what further pages of a site added, 0 to 1.
    median_gain: f64,
    /// Domains with a deduction for stuffing.
    stuffing: i64,
    /// Domains that repeat one keyword.
    repetition: i64,
    /// Domains whose finds are mostly link texts.
    anchor: i64,
    /// Domains with a keyword that were scored.
    total_analyzed: u64,
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64 * 10_000.0).round() / 100.0
    }
}

fn rounded(value: Option<f64>) -> f64 {
    (value.unwrap_or(0.0) * 10_000.0).round() / 10_000.0
}

impl From<Metrics> for CampaignMetricsResponse {
    fn from(Metrics { counts, analyzed }: Metrics) -> Self {
        Self {
            high_potential: counts.high_potential,
            leads: counts.lead("match"),
            keyword_coverage_pct: share(counts.keyword_hits, counts.http("ok")),
            avg_richness: rounded(analyzed.average_richness),
            warning_rate_pct: share(counts.warned, counts.analyzed),
            median_gain: rounded(analyzed.median_gain),
            stuffing: analyzed.stuffing,
            repetition: analyzed.repetition,
            anchor: analyzed.anchor,
            total_analyzed: counts.analyzed,
        }
    }
}

/// Answers figures over a campaign's analyzed domains.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/metrics", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignMetricsResponse), (status = 404))
)]
pub(super) async fn metrics(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignMetricsResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let metrics = metrics_of(state.app.database.pool(), id).await?;
    Ok(Answer::ok(metrics.into()))
}
