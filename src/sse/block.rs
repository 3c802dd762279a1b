//! A stretch of the log, decoded.

use std::{collections::HashSet, sync::Arc};

use aggregates::ids::{CampaignId, UserId};
use event_store::Position;

use super::{fact::Fact, scope::Scope};

/// A stretch of the log: everything that streams tell of it.
#[derive(Debug)]
pub(super) struct Block {
    /// The position before the stretch.
    pub(super) after: Position,
    /// Its last position.
    pub(super) upto: Position,
    facts: Vec<Arc<Fact>>,
    owners: HashSet<UserId>,
    campaigns: HashSet<CampaignId>,
    size: usize,
}

impl Block {
    pub(super) fn new(after: Position, upto: Position, facts: Vec<Arc<Fact>>) -> Self {
        let size = facts.iter().map(|fact| fact.size()).sum::<usize>() + size_of::<Self>();
        Self {
            after,
            upto,
            owners: facts.iter().map(|fact| fact.owner).collect(),
            campaigns: facts.iter().filter_map(|fact| fact.campaign).collect(),
            facts,
            size,
        }
    }

    /// Returns about how many bytes the block takes.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Tells whether a cursor is inside: the block has what comes next.
    pub(super) fn follows(&self, cursor: Position) -> bool {
        self.after <= cursor && cursor < self.upto
    }

    /// Returns what a stream shows after a cursor, until it is about `budget` bytes, and how far that reaches.
    pub(super) fn after(
        &self,
        cursor: Position,
        scope: &Scope,
        budget: usize,
    ) -> (Vec<Arc<Fact>>, Position) {
        let concerned = scope.is_of_any(&self.owners)
            && scope
                .campaign
                .is_none_or(|campaign| self.campaigns.contains(&campaign));
        let mut shown = Vec::new();
        if !concerned {
            return (shown, self.upto);
        }
        let from = self.facts.partition_point(|fact| fact.position <= cursor);
        let mut reached = cursor;
        let mut taken = 0;
        for fact in self.facts.iter().skip(from).filter(|fact| scope.sees(fact)) {
            if taken >= budget {
                return (shown, reached);
            }
            taken += fact.size();
            reached = fact.position;
            shown.push(Arc::clone(fact));
        }
        (shown, self.upto)
    }
}
