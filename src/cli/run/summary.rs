//! What a campaign came to, in ten counts.

use std::fmt;

use aggregates::ids::CampaignId;
use projections::domains::{Counts, pages_of};

use super::Error;
use crate::app::App;

/// What a campaign came to, read from its read models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field counts the domains that its name says"
)]
pub struct Summary {
    pub names: u64,
    pub dns_ok: u64,
    pub nxdomain: u64,
    pub noanswer: u64,
    pub http_ok: u64,
    pub not_found: u64,
    pub upstream_5xx: u64,
    pub keyword_domains: u64,
    pub parked: u64,
    pub redirected: u64,
}

impl Summary {
    /// Takes from a campaign's counts what stands there, and reads the rest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn of(
        app: &App,
        campaign_id: CampaignId,
        counts: &Counts,
    ) -> Result<Self, Error> {
        let pages = pages_of(app.database.pool(), campaign_id)
            .await
            .map_err(Error::step("read the figures"))?;
        let dns = |reason: &str| counts.dns_reasons.get(reason).copied().unwrap_or(0);
        let http = |reason: &str| counts.http_reasons.get(reason).copied().unwrap_or(0);
        Ok(Self {
            names: counts.generated,
            dns_ok: counts.dns("ok"),
            nxdomain: dns("NXDOMAIN"),
            noanswer: dns("NOANSWER"),
            http_ok: counts.http("ok"),
            not_found: http("NOT_FOUND"),
            upstream_5xx: http("UPSTREAM_5XX"),
            keyword_domains: counts.keyword_hits,
            parked: u64::try_from(pages.parked).unwrap_or(0),
            redirected: u64::try_from(pages.redirected).unwrap_or(0),
        })
    }
}

impl fmt::Display for Summary {
    /// Writes a count a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("names", self.names),
            ("dns_ok", self.dns_ok),
            ("nxdomain", self.nxdomain),
            ("noanswer", self.noanswer),
            ("http_ok", self.http_ok),
            ("not_found", self.not_found),
            ("upstream_5xx", self.upstream_5xx),
            ("keyword_domains", self.keyword_domains),
            ("parked", self.parked),
            ("redirected", self.redirected),
        ];
        counts
            .into_iter()
            .try_for_each(|(name, count)| writeln!(f, "{name} {count}"))
    }
}
