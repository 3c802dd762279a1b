//! Why domains are no leads, with the proof that the numbers add up.

use projections::domains::{Reason, rejections_of};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, State};

/// Why a campaign's domains are leads or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectionSummaryResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// Domains by reason, from the counters.
    counts: RejectionCounts,
    /// The reasons together.
    totals: RejectionTotals,
    /// Whether the counters equal a recount of the rows, and the analyzed rows the qualified and rejected ones.
    balanced: bool,
    /// What does not add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_note: Option<String>,
}

/// Domains by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectionCounts {
    qualified: i64,
    low_score: i64,
    no_keywords: i64,
    parked: i64,
    dns_error: i64,
    dns_timeout: i64,
    http_error: i64,
    http_timeout: i64,
    pending: i64,
}

/// The reasons together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct RejectionTotals {
    /// Decided domains that gave a page, recounted from the rows.
    analyzed: i64,
    /// Leads.
    qualified: i64,
    /// Domains whose page was turned down.
    rejected: i64,
    /// Domains that gave no page.
    errors: i64,
    /// Domains that are not decided.
    pending: i64,
}

impl RejectionSummaryResponse {
    fn of(campaign_id: Uuid, reasons: &[Reason]) -> Self {
        let counted = |reason: &str| {
            reasons
                .iter()
                .find(|row| row.reason == reason)
                .map_or(0, |row| row.counted)
        };
        let counts = RejectionCounts {
            qualified: counted("qualified"),
            low_score: counted("low_score"),
            no_keywords: counted("no_keywords"),
            parked: counted("parked"),
            dns_error: counted("dns_error"),
            dns_timeout: counted("dns_timeout"),
            http_error: counted("http_error"),
            http_timeout: counted("http_timeout"),
            pending: counted("pending"),
        };
        let totals = RejectionTotals {
            analyzed: reasons
                .iter()
                .filter(|row| row.reason != "pending")
                .map(|row| row.fetched)
                .sum(),
            qualified: counts.qualified,
            rejected: counts.low_score + counts.no_keywords + counts.parked,
            errors: counts.dns_error + counts.dns_timeout + counts.http_error + counts.http_timeout,
            pending: counts.pending,
        };
        let audit_note = imbalance(reasons, &totals);
        Self {
            campaign_id,
            counts,
            totals,
            balanced: audit_note.is_none(),
            audit_note,
        }
    }
}

/// Says what does not add up.
fn imbalance(reasons: &[Reason], totals: &RejectionTotals) -> Option<String> {
    if let Some(drift) = reasons.iter().find(|row| row.counted != row.rows) {
        return Some(format!(
            "{} domains are counted as {}, the rows say {}",
            drift.counted, drift.reason, drift.rows
        ));
    }
    (totals.analyzed != totals.qualified + totals.rejected).then(|| {
        format!(
            "{} domains were analyzed, {} qualified and {} were rejected",
            totals.analyzed, totals.qualified, totals.rejected
        )
    })
}

/// Answers why a campaign's domains are leads or not.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/rejection-summary", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = RejectionSummaryResponse), (status = 404))
)]
pub(super) async fn rejection_summary(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<RejectionSummaryResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let reasons = rejections_of(state.app.database.pool(), campaign_id).await?;
    Ok(Answer::ok(RejectionSummaryResponse::of(id, &reasons)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(reason: &str, counted: i64, rows: i64, fetched: i64) -> Reason {
        Reason {
            reason: reason.to_owned(),
            counted,
            rows,
            fetched,
        }
    }

    #[test]
    fn a_drift_of_any_counter_shows() {
        let sound = [
            reason("qualified", 2, 2, 2),
            reason("parked", 3, 3, 3),
            reason("dns_error", 5, 5, 0),
            reason("pending", 1, 1, 1),
        ];
        let summary = RejectionSummaryResponse::of(Uuid::nil(), &sound);
        assert!(summary.balanced, "{summary:?}");
        assert_eq!(
            (
                summary.totals.analyzed,
                summary.totals.rejected,
                summary.totals.errors
            ),
            (5, 3, 5)
        );

        let mut drifted = sound.clone();
        drifted[2].counted = 6;
        assert!(!RejectionSummaryResponse::of(Uuid::nil(), &drifted).balanced);
        let mut misjudged = sound.clone();
        misjudged[2].fetched = 1;
        let summary = RejectionSummaryResponse::of(Uuid::nil(), &misjudged);
        assert!(!summary.balanced && summary.audit_note.is_some());
    }
}
