//! How far a campaign and its phases have come, computed from the counters of its domains.

use aggregates::campaign::{Phase, PhaseConfig, PhaseState, Source};

use super::Campaign;
use crate::domains::Counts;

/// How far a phase has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Items that the phase works on.
    pub total: u64,
    /// Items that it is done with.
    pub processed: u64,
    /// Items among them that came out well.
    pub successful: u64,
    /// Items among them that did not.
    pub failed: u64,
    /// 0 to 100, two decimals.
    pub percent: f64,
}

/// How far a campaign as a whole has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overall {
    /// Domains.
    pub total: u64,
    /// Domains that were checked.
    pub processed: u64,
    /// Checked domains that have passed every check so far.
    pub successful: u64,
    /// Checked domains that have failed one.
    pub failed: u64,
    /// The mean of its phases, 0 to 100, two decimals.
    pub percent: f64,
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    rounded((part as f64 / whole as f64 * 100.0).min(100.0))
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn failures(checked: &dyn Fn(&str) -> u64) -> u64 {
    checked("error") + checked("timeout")
}

impl Progress {
    /// Computes how far one phase of a campaign has come.
    #[must_use]
    pub fn of(campaign: &Campaign, phase: Phase, counts: &Counts) -> Self {
        let state = campaign.phase(phase).state;
        let dns_failed = failures(&|status| counts.dns(status));
        let http_failed = failures(&|status| counts.http(status));
        let lead_failed = failures(&|status| counts.lead(status));
        let (total, successful, failed) = match phase {
            Phase::Discovery => (
                discovery_total(campaign, counts.generated),
                counts.generated,
                0,
            ),
            Phase::Validation => (counts.generated, counts.dns("ok"), dns_failed),
            Phase::Extraction => (counts.dns("ok"), counts.http("ok"), http_failed),
            Phase::Analysis => (counts.http("ok"), counts.scored, 0),
            Phase::Enrichment => (
                counts.generated,
                counts.lead("match") + counts.lead("no_match"),
                lead_failed,
            ),
        };
        let processed = successful + failed;
        Self {
            total,
            processed,
            successful,
            failed,
            percent: match state {
                PhaseState::Completed => 100.0,
                _ => percent(processed, total),
            },
        }
    }
}

/// Says how many names discovery is about. A pattern may give fewer than were asked for (illegal combinations are
/// skipped), so what it gave counts once it is done.
fn discovery_total(campaign: &Campaign, generated: u64) -> u64 {
    let row = campaign.phase(Phase::Discovery);
    if row.state == PhaseState::Completed {
        return generated;
    }
    match row
        .config
        .and_then(|config| serde_json::from_value(config).ok())
    {
        Some(PhaseConfig::Discovery {
            source: Source::Pattern { pattern, count },
        }) => {
            let all = u64::try_from(pattern.total()).unwrap_or(u64::MAX);
            count.unwrap_or(all).min(all).max(generated)
        }
        _ => generated,
    }
}

impl Overall {
    /// Computes how far a campaign has come.
    #[must_use]
    pub fn of(campaign: &Campaign, counts: &Counts) -> Self {
        let phases = campaign.campaign_type.phases();
        let percent = phases
            .iter()
            .map(|phase| Progress::of(campaign, *phase, counts).percent);
        let processed = counts.generated.saturating_sub(counts.dns("pending"));
        let failed =
            failures(&|status| counts.dns(status)) + failures(&|status| counts.http(status));
        Self {
            total: counts.generated,
            processed,
            successful: processed.saturating_sub(failed),
            failed,
            percent: rounded(percent.sum::<f64>() / phases.len() as f64),
        }
    }
}
