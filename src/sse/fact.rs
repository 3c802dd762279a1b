//! What a stream can tell of one event: decoded once a process, shared by all connections.

use std::sync::Arc;

use aggregates::{
    domain::{DnsReason, HttpReason, Outcome},
    ids::{CampaignId, UserId},
    lead,
};
use chrono::{DateTime, Utc};
use event_store::Position;

/// What a stream can tell of one event.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// The event's place in the log.
    pub(super) position: Position,
    /// When it was recorded.
    pub(super) at: DateTime<Utc>,
    /// Who may hear it.
    pub(super) owner: UserId,
    /// The campaign that it is about, where it is about one.
    pub(super) campaign: Option<CampaignId>,
    /// What happened.
    pub(super) what: What,
}

/// What happened, as far as streams care.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Something that is told in a message of its own.
    Told(Told),
    /// A domain has a new finding; told in batches.
    Found {
        /// The domain.
        name: Arc<str>,
        /// What was found.
        finding: Finding,
    },
    /// The campaign has more names; only progress shows it.
    Grew,
    /// The campaign was deleted; its stream ends.
    Ended,
}

/// The messages of one event, written in full but for the id.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// A second message, which goes first.
    pub(super) announcement: Option<Box<str>>,
    /// The message.
    pub(super) body: Box<str>,
    /// How it stands to what is coalesced.
    pub(super) weight: Weight,
}

/// How a message stands to what is coalesced around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// A change of a campaign's life: progress must know it, and batches before it are sent first.
    Lifecycle,
    /// Anything else of which there are few.
    Rare,
    /// One of as many as a campaign has domains.
    Bulk,
}

/// What was found about a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Over DNS.
    Dns(Outcome, Option<DnsReason>),
    /// Over HTTP.
    Http(Outcome, Option<HttpReason>),
    /// Whether it is a lead.
    Lead(lead::Status),
}

impl Fact {
    /// Returns about how many bytes the fact takes.
    pub(super) fn size(&self) -> usize {
        let inner = match &self.what {
            What::Told(told) => told.body.len() + told.announcement.as_deref().map_or(0, str::len),
            What::Found { name, .. } => name.len() + 16,
            What::Grew | What::Ended => 0,
        };
        size_of::<Self>() + inner
    }
}
