//! A new run of a phase: what it will find anew, and what rests on that, goes back to pending.
//!
//! So that a run works on what is pending, whatever kind it is: see [`super::candidates`].

use aggregates::{
    campaign::{Phase, RunKind},
    ids::CampaignId,
};
use sqlx::PgConnection;

use super::{counts, sql::counted_update};
use crate::runtime::ApplyError;

/// Whether a domain has findings of a kind.
macro_rules! has {
    (dns) => {
        "d.dns_status <> 'pending'"
    };
    (http) => {
        "d.http_status <> 'pending'"
    };
    (score) => {
        "d.scored OR d.former_score IS NOT NULL"
    };
    (lead) => {
        "d.rejection_reason <> 'pending'"
    };
}

/// A domain without findings of a kind. A score becomes the former one.
macro_rules! without {
    (dns) => {
        "dns_run = NULL, dns_status = 'pending', dns_reason = '', addresses = NULL, \
         parking_servers = NULL"
    };
    (http) => {
        "http_run = NULL, http_status = 'pending', http_reason = '', fetched_at = NULL, evidence = NULL, \
         keywords = NULL, keywords_unique = NULL, keyword_hit = false, parked_confidence = NULL, has_contact = false"
    };
    (score) => {
        "former_score = d.score, score_run = NULL, score = NULL, score_breakdown = NULL, richness_score = NULL, \
         microcrawl_gain = NULL, features = NULL, high_potential = false, warned = false, scored = false"
    };
    (lead) => {
        "lead_run = NULL, lead_status = 'pending', rejection_reason = 'pending'"
    };
}

/// Whether a domain's check of a kind failed; `unanswered` leaves out the names of which DNS said that there are none.
macro_rules! failed {
    (dns) => {
        "d.dns_status IN ('error', 'timeout')"
    };
    (unanswered) => {
        concat!(failed!(dns), " AND d.dns_reason <> 'NXDOMAIN'")
    };
    (http) => {
        "d.http_status IN ('error', 'timeout')"
    };
}

/// Takes findings of these kinds from the domains of campaign $1 of which something holds, each row once.
macro_rules! reset_where {
    ($condition:expr; $first:ident $(, $later:ident)*) => {
        counted_update!(
            "",
            concat!(" FROM domains d WHERE d.campaign_id = $1 AND (", $condition, ")"),
            concat!(without!($first) $(, ", ", without!($later))*)
        )
    };
}

/// Takes findings of these kinds from every domain of campaign $1 that has any, each row once.
macro_rules! reset {
    ($first:ident $(, $later:ident)*) => {
        reset_where!(concat!(has!($first) $(, " OR ", has!($later))*); $first $(, $later)*)
    };
}

const FROM_VALIDATION: &str = reset!(dns, http, score, lead);
const FROM_EXTRACTION: &str = reset!(http, score, lead);
const FROM_ANALYSIS: &str = reset!(score, lead);
const FROM_ENRICHMENT: &str = reset!(lead);
const FAILED_OVER_DNS: &str = reset_where!(failed!(dns); dns, http, score, lead);
const UNANSWERED_BY_DNS: &str = reset_where!(failed!(unanswered); dns, http, score, lead);
const FAILED_OVER_HTTP: &str = reset_where!(failed!(http); http, score, lead);

/// Puts the findings of a phase, and of those after it, back to pending: of all domains, or of those alone whose check
/// failed. What earlier runs found stays in the log. Discovery only adds names: a new run of it takes nothing away.
///
/// # Errors
/// When the database fails.
pub(super) async fn reset(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    from: Phase,
    kind: RunKind,
) -> Result<(), ApplyError> {
    let statements: &[&str] = match (kind, from) {
        (RunKind::Rest, _) | (_, Phase::Discovery) => return Ok(()),
        (RunKind::Retry, Phase::Validation) => &[FAILED_OVER_DNS, FAILED_OVER_HTTP],
        (RunKind::RetryUnanswered, Phase::Validation) => &[UNANSWERED_BY_DNS, FAILED_OVER_HTTP],
        (RunKind::Retry | RunKind::RetryUnanswered, Phase::Extraction) => &[FAILED_OVER_HTTP],
        // What these phases find are no failures; a run that did not come to its end left the others pending.
        (RunKind::Retry | RunKind::RetryUnanswered, Phase::Analysis | Phase::Enrichment) => {
            return Ok(());
        }
        (_, Phase::Validation) => &[FROM_VALIDATION],
        (_, Phase::Extraction) => &[FROM_EXTRACTION],
        (_, Phase::Analysis) => &[FROM_ANALYSIS],
        (_, Phase::Enrichment) => &[FROM_ENRICHMENT],
    };
    for statement in statements {
        let updates: Vec<counts::Updated> = sqlx::query_as(statement)
            .bind(campaign_id.0)
            .fetch_all(&mut *connection)
            .await?;
        counts::delete_empty(connection, &updates).await?;
    }
    Ok(())
}
