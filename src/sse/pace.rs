//! How often a stream tells of a campaign what is coalesced.

use std::collections::HashMap;

use aggregates::ids::CampaignId;
use chrono::{DateTime, Utc};
use event_store::Position;
use tokio::time::Instant;

/// Campaigns that one connection keeps a pace for at most; past it, that of the one that waited longest is forgotten.
const MAX_CAMPAIGNS: usize = 64;

/// The pace of one campaign in one stream.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// When the next batch of domains may be sent.
    pub(super) batch_from: Instant,
    /// When the next progress may be sent.
    pub(super) progress_from: Instant,
    /// The last event that progress has not shown yet.
    pub(super) unshown: Option<Position>,
    /// The last change of the campaign's life that was sent: progress must know it.
    pub(super) settled: Position,
    /// Findings that were left out and not yet counted in a message.
    pub(super) left_out: u64,
    /// When the last of them was recorded.
    pub(super) left_out_at: DateTime<Utc>,
}

/// The paces of the campaigns of one stream.
#[derive(Debug, Default)]
pub(super) struct Paces {
    of: HashMap<CampaignId, Pace>,
}

impl Paces {
    /// Returns the pace of a campaign. One that was not known may send at once; whatever happened to it up to
    /// `reached` was sent or is from before the stream.
    pub(super) fn of(
        &mut self,
        campaign: CampaignId,
        now: Instant,
        reached: Position,
    ) -> &mut Pace {
        if self.of.len() >= MAX_CAMPAIGNS && !self.of.contains_key(&campaign) {
            let idle = self
                .of
                .iter()
                .filter(|(_, pace)| pace.left_out == 0)
                .min_by_key(|(_, pace)| (pace.unshown.is_some(), pace.batch_from));
            if let Some(id) = idle.map(|(id, _)| *id) {
                self.of.remove(&id);
            }
        }
        self.of.entry(campaign).or_insert(Pace {
            batch_from: now,
            progress_from: now,
            unshown: None,
            settled: reached,
            left_out: 0,
            left_out_at: DateTime::UNIX_EPOCH,
        })
    }

    /// Tells whether findings of a campaign may be left out: what is left out is counted later, and no pace that has to
    /// count is forgotten, so that only so many campaigns may have one.
    pub(super) fn may_leave_out(&self, campaign: CampaignId) -> bool {
        let counting = |pace: &&Pace| pace.left_out > 0;
        self.of.get(&campaign).is_some_and(|pace| pace.left_out > 0)
            || self.of.values().filter(counting).count() < MAX_CAMPAIGNS / 2
    }

    /// Returns the campaign whose left out findings are to be counted first, with when that may be.
    pub(super) fn next_left_out(&self) -> Option<(CampaignId, Instant)> {
        self.of
            .iter()
            .filter(|(_, pace)| pace.left_out > 0)
            .map(|(id, pace)| (*id, pace.batch_from))
            .min_by_key(|(_, from)| *from)
    }

    /// Returns the campaign whose progress is due first, with when it may be sent.
    pub(super) fn next_progress(&self) -> Option<(CampaignId, Instant)> {
        self.of
            .iter()
            .filter(|(_, pace)| pace.unshown.is_some())
            .map(|(id, pace)| (*id, pace.progress_from))
            .min_by_key(|(_, from)| *from)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_stream_of_very_many_campaigns_keeps_few_paces_and_those_that_have_something_to_show() {
        let (now, mut paces) = (Instant::now(), Paces::default());
        let busy = CampaignId(Uuid::from_u128(0));
        paces.of(busy, now, Position::START).unshown = Some(Position::new(1));
        for id in 1..1_000 {
            paces.of(CampaignId(Uuid::from_u128(id)), now, Position::START);
        }
        assert_eq!(paces.of.len(), MAX_CAMPAIGNS);
        assert_eq!(paces.next_progress(), Some((busy, now)));
    }

    #[test]
    fn no_pace_that_has_findings_to_count_is_forgotten_and_no_more_than_half_of_them_have() {
        let (now, mut paces) = (Instant::now(), Paces::default());
        let id = |number| CampaignId(Uuid::from_u128(number));
        for number in 0..1_000 {
            if paces.may_leave_out(id(number)) {
                paces.of(id(number), now, Position::START).left_out = 1;
            }
        }
        let counting = paces.of.values().filter(|pace| pace.left_out == 1);
        assert_eq!(counting.count(), MAX_CAMPAIGNS / 2);
        assert!(paces.may_leave_out(id(0)) && !paces.may_leave_out(id(999)));
        assert_eq!(paces.next_left_out().map(|(_, from)| from), Some(now));
    }
}
