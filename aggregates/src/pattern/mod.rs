//! The offsets of one name pattern, shared by every campaign that enumerates it.
//!
//! The stream's id is the pattern's versioned hash, so all campaigns that would produce the same names meet in one
//! stream, and its expected version is what keeps their ranges disjoint: two reservations that saw the same state
//! cannot both be recorded. A range is given once per run; asking again answers the same range. Offsets are never
//! taken back and never start again from 0.

mod reserve;

use std::collections::BTreeMap;

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
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::RangeReserved { .. } => "RangeReserved".to_owned(),
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

/// The state of a pattern: the next free offset and who has which range.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pattern {
    next: u64,
    ranges: BTreeMap<RunId, (CampaignId, Range)>,
}

impl Pattern {
    /// Returns the first offset that nobody has.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next
    }

    /// Returns the range that a run was given.
    #[must_use]
    pub fn range_of(&self, run_id: RunId) -> Option<Range> {
        self.ranges.get(&run_id).map(|(_, range)| *range)
    }

    /// Returns the span from a campaign's first offset to its last. A campaign whose discovery was run again has a
    /// range for each run, and others may have offsets between them.
    #[must_use]
    pub fn span_of(&self, campaign_id: CampaignId) -> Option<Range> {
        let ranges = self.ranges.values();
        let own = ranges.filter(|(owner, _)| *owner == campaign_id);
        own.map(|(_, range)| *range).reduce(|span, range| {
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
    pub fn ranges(&self) -> Vec<(CampaignId, RunId, Range)> {
        let mut ranges: Vec<_> = self
            .ranges
            .iter()
            .map(|(run, (campaign, range))| (*campaign, *run, *range))
            .collect();
        ranges.sort_by_key(|(_, _, range)| range.start);
        ranges
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
        let event = match command {
            Command::Reserve(reserve) => reserve.decide(self)?,
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::RangeReserved {
                campaign_id,
                run_id,
                start,
                count,
            } => {
                let range = Range { start, count };
                self.next = self.next.max(range.end());
                self.ranges.insert(run_id, (campaign_id, range));
            }
        }
    }
}
