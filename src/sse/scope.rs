//! What one stream is about and may show.

use aggregates::ids::{CampaignId, UserId};

use super::fact::Fact;

/// What one stream is about and may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Whose events are shown.
    pub(super) owner: UserId,
    /// The one campaign that the stream is about, where it is about one.
    pub(super) campaign: Option<CampaignId>,
}

impl Scope {
    /// Tells whether the stream shows a fact.
    pub(super) fn sees(&self, fact: &Fact) -> bool {
        self.owner == fact.owner
            && self
                .campaign
                .is_none_or(|campaign| fact.campaign == Some(campaign))
    }
}
