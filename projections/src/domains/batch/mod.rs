//! Results of one page, sorted by kind and written kind by kind.
//!
//! A kind is a file: its columns, how a result fills them, and the one statement that writes them. What all kinds have
//! in common (whose result it is, the statement's run, the check that every row was there) is [`rows`]. Called by the
//! projection in log order. Different kinds write different columns, and of the version the highest stays, so only two
//! results of one kind and domain must not be in one batch.

mod dns;
mod http;
mod leads;
mod rows;
mod scores;

use aggregates::{
    domain::{Event, Kind},
    ids::CampaignId,
};
use event_store::Recorded;
use sqlx::PgConnection;

use self::{
    dns::Dns,
    http::Http,
    leads::Leads,
    rows::{Key, Rows},
    scores::Scores,
};
use super::counts;
use crate::runtime::ApplyError;

/// The results of a page that were not written yet.
#[derive(Default)]
pub(super) struct Batch {
    dns: Rows<Dns>,
    http: Rows<Http>,
    scores: Rows<Scores>,
    leads: Rows<Leads>,
}

impl Batch {
    /// Tells whether a result of the same kind waits for the domain: then the batch is to be written first.
    pub(super) fn has(&self, campaign_id: CampaignId, name: &str, kind: Kind) -> bool {
        match kind {
            Kind::Dns => self.dns.has(campaign_id, name),
            Kind::Http => self.http.has(campaign_id, name),
            Kind::Score => self.scores.has(campaign_id, name),
            Kind::Lead => self.leads.has(campaign_id, name),
        }
    }

    /// Takes a domain's result in, of which none of its kind waits.
    ///
    /// # Errors
    /// [`ApplyError::Poison`] when a part of it cannot be kept.
    pub(super) fn push(
        &mut self,
        campaign_id: CampaignId,
        name: &str,
        event: &Recorded,
        result: Event,
    ) -> Result<(), ApplyError> {
        let key = Key {
            campaign_id,
            name,
            event,
            run_id: result.run_id(),
        };
        match result {
            Event::DnsChecked(checked) => self.dns.push(&key, checked),
            Event::HttpChecked(checked) => self.http.push(&key, checked),
            Event::Scored(scored) => self.scores.push(&key, scored),
            Event::LeadDecided(decided) => self.leads.push(&key, decided),
        }
    }

    /// Writes what was pushed; every row must be there, an update that misses one is an event out of order.
    pub(super) async fn flush(&mut self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let Self {
            dns,
            http,
            scores,
            leads,
        } = std::mem::take(self);
        let mut updates = dns.write(connection).await?;
        updates.extend(http.write(connection).await?);
        updates.extend(scores.write(connection).await?);
        updates.extend(leads.write(connection).await?);
        if updates.is_empty() {
            return Ok(());
        }
        counts::delete_empty(connection, &updates).await
    }
}
