//! Domains that changed, gathered for one `domain_status_delta`.

use std::{collections::HashMap, sync::Arc};

use aggregates::{
    domain::{DnsReason, HttpReason, Outcome},
    ids::CampaignId,
    lead,
};
use chrono::{DateTime, Utc};
use event_store::Position;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{BATCH_BYTES, MAX_ITEMS, cursor::Cursor, fact::Finding, outbox, outbox::Outbox};

/// What a finding takes in JSON at most, beside the name.
const FINDING_BYTES: usize = 70;

/// What is new about one domain. A field that nothing is new about is absent; a reason is null on success.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    domain: Arc<str>,
    dns: Option<(Outcome, Option<DnsReason>)>,
    http: Option<(Outcome, Option<HttpReason>)>,
    lead: Option<lead::Status>,
}

impl Item {
    /// Counts the findings that it lists.
    fn listed(&self) -> u64 {
        u64::from(self.dns.is_some())
            + u64::from(self.http.is_some())
            + u64::from(self.lead.is_some())
    }

    fn set(&mut self, finding: Finding) {
        match finding {
            Finding::Dns(outcome, reason) => self.dns = Some((outcome, reason)),
            Finding::Http(outcome, reason) => self.http = Some((outcome, reason)),
            Finding::Lead(status) => self.lead = Some(status),
        }
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("domain", &*self.domain)?;
        if let Some((outcome, reason)) = self.dns {
            map.serialize_entry("dns_status", outcome.name())?;
            map.serialize_entry("dns_reason", &reason.map(DnsReason::name))?;
        }
        if let Some((outcome, reason)) = self.http {
            map.serialize_entry("http_status", outcome.name())?;
            map.serialize_entry("http_reason", &reason.map(HttpReason::name))?;
        }
        if let Some(status) = self.lead {
            map.serialize_entry("lead_status", status.name())?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    campaign_id: CampaignId,
    items: &'a [Item],
    count: usize,
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Domains of one campaign that changed in one contiguous part of a stream.
#[derive(Debug)]
pub(super) struct Batch {
    campaign: CampaignId,
    items: Vec<Item>,
    /// Where each domain is among the items; absent where every event is an item of its own.
    places: Option<HashMap<Arc<str>, usize>>,
    bytes: usize,
    /// Findings that the batch covers, listed or not.
    covers: u64,
    last: Position,
    at: DateTime<Utc>,
}

impl Batch {
    /// Begins a batch. With `merged`, several findings of one domain are one item.
    pub(super) fn new(campaign: CampaignId, merged: bool) -> Self {
        Self {
            campaign,
            items: Vec::new(),
            places: merged.then(HashMap::new),
            bytes: 0,
            covers: 0,
            last: Position::START,
            at: DateTime::UNIX_EPOCH,
        }
    }

    pub(super) const fn campaign(&self) -> CampaignId {
        self.campaign
    }

    /// Takes a finding in, or refuses it because the batch is full.
    pub(super) fn add(
        &mut self,
        place: (Position, DateTime<Utc>),
        name: &Arc<str>,
        finding: Finding,
    ) -> bool {
        let known = self
            .places
            .as_ref()
            .and_then(|places| places.get(name))
            .copied();
        if let Some(item) = known.and_then(|index| self.items.get_mut(index)) {
            item.set(finding);
        } else {
            let bytes = name.len() + FINDING_BYTES;
            if self.items.len() >= MAX_ITEMS || self.bytes + bytes > BATCH_BYTES {
                return false;
            }
            self.bytes += bytes;
            if let Some(places) = &mut self.places {
                places.insert(Arc::clone(name), self.items.len());
            }
            let mut item = Item {
                domain: Arc::clone(name),
                dns: None,
                http: None,
                lead: None,
            };
            item.set(finding);
            self.items.push(item);
        }
        self.cover(place);
        true
    }

    /// Covers a finding without listing it.
    pub(super) fn cover(&mut self, place: (Position, DateTime<Utc>)) {
        self.covers += 1;
        (self.last, self.at) = place;
    }

    /// Returns how many findings the batch covers.
    pub(super) const fn covers(&self) -> u64 {
        self.covers
    }

    /// Returns when the last of them was recorded.
    pub(super) const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Writes the message. `before` is how many findings were left out before the batch; to them come those that it does
    /// not list, so that what messages list and what they leave out are together all findings.
    pub(super) fn write(&self, before: u64, out: &mut Outbox) {
        let listed: u64 = self.items.iter().map(Item::listed).sum();
        let payload = Payload {
            campaign_id: self.campaign,
            items: &self.items,
            count: self.items.len(),
            left_out: before + self.covers.saturating_sub(listed),
        };
        let body = outbox::body("domain_status_delta", self.at, payload);
        out.push(Some(Cursor::at(self.last)), &body);
    }
}

/// Writes a message that lists nothing and says how many findings of a campaign were left out, everything up to a position
/// having been sent.
pub(super) fn write_left_out(
    campaign_id: CampaignId,
    left_out: u64,
    (reached, at): (Position, DateTime<Utc>),
    out: &mut Outbox,
) {
    let payload = Payload {
        campaign_id,
        items: &[],
        count: 0,
        left_out,
    };
    let body = outbox::body("domain_status_delta", at, payload);
    out.push(Some(Cursor::at(reached)), &body);
}
