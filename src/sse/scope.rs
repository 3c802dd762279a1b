//! What one stream is about and may show.

use std::collections::HashSet;

use aggregates::ids::{CampaignId, UserId};
use projections::Whose;

use super::fact::Fact;

/// What one stream is about and may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Whose events are shown.
    pub(super) whose: Whose,
    /// The one campaign that the stream is about, where it is about one.
    pub(super) campaign: Option<CampaignId>,
}

impl Scope {
    /// Tells whether the stream shows what belongs to any of these.
    pub(super) fn is_of_any(&self, owners: &HashSet<UserId>) -> bool {
        match self.whose {
            Whose::Of(user) => owners.contains(&user),
            Whose::Everybodys => !owners.is_empty(),
        }
    }

    /// Tells whether the stream shows a fact.
    pub(super) fn sees(&self, fact: &Fact) -> bool {
        self.whose.includes(fact.owner)
            && self
                .campaign
                .is_none_or(|campaign| fact.campaign == Some(campaign))
    }
}
