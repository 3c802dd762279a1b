//! The offsets of one name pattern, shared by every campaign that enumerates it.
//!
//! The stream's id is the pattern's versioned hash, so all campaigns that would produce the same names meet in one
//! stream, and its expected version is what keeps their ranges disjoint: two reservations that saw the same state
//! cannot both be recorded. A run is given its ranges once; asking again answers the same ones. Offsets never go to another
//! campaign and never start again from 0; what a stopped run left goes to its campaign's next run.

mod reserve;

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::reserve::Reserve;
use crate::ids::{CampaignId, RunId};

/// A run of consecutive offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first offset.
    pub start: u64,
    /// How many offsets.
    pub count: u64,
}

impl Range {
    /// Returns the first offset after the range.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.start.saturating_add(self.count)
    }
}

/// What can be asked of a pattern.
#[derive(Clone, Debug)]
pub enum Command {
    /// Set a range apart for a run.
    Reserve(Reserve),
}

/// What happened to a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A range was set apart for one run of one campaign.
    RangeReserved {
        /// The campaign that enumerates the range.
        campaign_id: CampaignId,
        /// The discovery run that asked.
        run_id: RunId,
        /// The first offset.
        start: u64,
        /// How many offsets; less than asked where the pattern ends.
        count: u64,
    },
    /// What an earlier run of the campaign was given and did not come to was passed on to a later one.
    RangeContinued {
        /// The campaign, the same as before.
        campaign_id: CampaignId,
        /// The discovery run that asked.
        run_id: RunId,
        /// The first offset.
        start: u64,
        /// How many offsets; less than what was left where fewer were asked for.
        count: u64,
    },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::RangeReserved { .. } => "RangeReserved".to_owned(),
            Self::RangeContinued { .. } => "RangeContinued".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// Why a command on a pattern was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Every offset was given away before.
    #[error("the pattern is exhausted: all {total} names were given to earlier campaigns")]
    Exhausted {
        /// How many names the pattern has.
        total: u128,
    },
}

/// A range and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Its discovery run.
    pub run_id: RunId,
    /// The offsets.
    pub range: Range,
}

/// The state of a pattern: the next free offset and who has which range.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pattern {
    next: u64,
    /// By first offset; disjoint.
    given: BTreeMap<u64, Given>,
    /// Every run that was given anything, also where a later one has it now.
    served: BTreeSet<RunId>,
}

impl Pattern {
    /// Returns the first offset that nobody has.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next
    }

    /// Returns the ranges that a run was given and still has, in the order of the offsets.
    #[must_use]
    pub fn ranges_of(&self, run_id: RunId) -> Vec<Range> {
        let own = self.given.values().filter(|given| given.run_id == run_id);
        own.map(|given| given.range).collect()
    }

    /// Returns the span from a campaign's first offset to its last. A campaign whose discovery was run again has a
    /// range for each run, and others may have offsets between them.
    #[must_use]
    pub fn span_of(&self, campaign_id: CampaignId) -> Option<Range> {
        self.of_campaign(campaign_id)
            .map(|given| given.range)
            .reduce(|span, range| {
                let start = span.start.min(range.start);
                let end = span.end().max(range.end());
                Range {
                    start,
                    count: end.saturating_sub(start),
                }
            })
    }

    /// Lists every range that was given, in the order of the offsets.
    #[must_use]
    pub fn ranges(&self) -> Vec<Given> {
        self.given.values().copied().collect()
    }

    /// Tells whether a run was given ranges. One that is over may ask late, and what it left is a later one's.
    fn has_served(&self, run_id: RunId) -> bool {
        self.served.contains(&run_id)
    }

    /// Lists what a campaign has from an offset on.
    fn unfinished(&self, campaign_id: CampaignId, from: u64) -> Vec<Range> {
        let own = self.of_campaign(campaign_id).map(|given| given.range);
        let rests = own.map(|range| {
            let start = range.start.max(from);
            Range {
                start,
                count: range.end().saturating_sub(start),
            }
        });
        rests.filter(|rest| rest.count > 0).collect()
    }

    fn of_campaign(&self, campaign_id: CampaignId) -> impl Iterator<Item = &Given> {
        let own = move |given: &&Given| given.campaign_id == campaign_id;
        self.given.values().filter(own)
    }

    /// Takes a range out of the one that it lies in; what is before and behind it stays where it was.
    fn take_out(&mut self, taken: Range) {
        let holder = self.given.range(..=taken.start).next_back();
        let Some(holder) = holder.map(|(_, holder)| *holder) else {
            return;
        };
        self.given.remove(&holder.range.start);
        let before = (holder.range.start, taken.start);
        let behind = (taken.end(), holder.range.end());
        for (start, end) in [before, behind] {
            if start < end {
                let count = end - start;
                let range = Range { start, count };
                self.given.insert(start, Given { range, ..holder });
            }
        }
    }
}

impl Aggregate for Pattern {
    const TYPE: &'static str = "pattern";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        let events = match command {
            Command::Reserve(reserve) => reserve.decide(self)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        let (Event::RangeReserved {
            campaign_id,
            run_id,
            start,
            count,
        }
        | Event::RangeContinued {
            campaign_id,
            run_id,
            start,
            count,
        }) = event;
        let range = Range { start, count };
        self.served.insert(run_id);
        if count == 0 {
            return;
        }
        if start < self.next {
            self.take_out(range);
        }
        self.next = self.next.max(range.end());
        let given = Given {
            campaign_id,
            run_id,
            range,
        };
        self.given.insert(start, given);
    }
}
