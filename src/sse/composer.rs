//! What a stream sends, decided from facts and the time alone.
//!
//! Facts come in log order. Those told in messages of their own are written at once; findings are gathered in one
//! batch at a time, which is written before anything else is, so that every id is a position up to which all was sent.
//! A batch waits for its campaign's pace, and what comes after it waits with it, a quarter of a second at most. Only
//! where a stream is far behind the log and would fall further behind are findings counted instead of listed
//! (`leftOut`): with `?domains=all` never, messages of other kinds never. What was left out is counted in the campaign's
//! next batch, or by itself, before the campaign's next change of life and before the stream rests.

use std::sync::Arc;

use aggregates::ids::CampaignId;
use event_store::Position;
use tokio::time::Instant;

use super::{
    COALESCED,
    batch::{self, Batch},
    cursor::Cursor,
    fact::{Fact, Told, Weight, What},
    outbox::Outbox,
    pace::Paces,
};

/// How many events a stream may be behind the log before it leaves findings out: as many as it lists in some three
/// seconds.
pub(super) const PATIENCE: u64 = 2_400;
/// When progress that could not be shown is looked at again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(60);

/// Decides what a stream sends.
#[derive(Debug)]
pub(super) struct Composer {
    every_domain: bool,
    /// The event whose announcement the client has.
    announced: Option<Position>,
    batch: Option<Batch>,
    paces: Paces,
    /// How far facts were taken in.
    reached: Position,
    ended: bool,
}

/// What became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was taken in.
    Yes,
    /// Something before it waits until then.
    NotBefore(Instant),
    /// Progress is due before it: where findings never cease there is always another batch, and no better moment comes.
    AfterProgress(Wanted),
}

/// A campaign whose progress is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The campaign.
    pub(super) campaign: CampaignId,
    /// Everything up to here was sent: progress may know nothing later of the campaign's life.
    pub(super) covered: Position,
    /// Progress must know the campaign's life up to here.
    pub(super) settled: Position,
}

impl Composer {
    pub(super) fn new(start: Cursor, every_domain: bool) -> Self {
        Self {
            every_domain,
            announced: start.announced_event(),
            batch: None,
            paces: Paces::default(),
            reached: start.position,
            ended: false,
        }
    }

    /// Tells whether the campaign that the stream is about is gone.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Takes the next fact in. `behind` says how many events the stream is behind the log.
    pub(super) fn take(
        &mut self,
        fact: &Fact,
        now: Instant,
        behind: u64,
        out: &mut Outbox,
    ) -> Taken {
        let taken = match &fact.what {
            What::Found { name, finding } => self.gather(fact, name, *finding, (now, behind), out),
            What::Told(told) => self.tell(fact, told, (now, behind), out),
            What::Grew => Taken::Yes,
            What::Ended => match self.clear((now, 0), out) {
                Taken::Yes => self.count(fact.campaign, now, out),
                wait => wait,
            },
        };
        if taken != Taken::Yes {
            return taken;
        }
        if let Some(campaign) = fact.campaign {
            let pace = self.paces.of(campaign, now, self.reached);
            match &fact.what {
                What::Told(Told {
                    weight: Weight::Rare,
                    ..
                }) => {}
                What::Told(Told {
                    weight: Weight::Lifecycle,
                    ..
                }) => {
                    pace.settled = fact.position;
                    pace.unshown = Some(fact.position);
                }
                What::Ended => {
                    pace.unshown = None;
                    self.ended = true;
                }
                _ => pace.unshown = Some(fact.position),
            }
        }
        self.reached = fact.position;
        Taken::Yes
    }

    /// Notes that everything up to a position was taken in.
    pub(super) fn reach(&mut self, position: Position) {
        self.reached = self.reached.max(position);
    }

    /// Sends the batch, and counts what was left out, if the time for it has come; otherwise says when that is.
    pub(super) fn rest(&mut self, now: Instant, out: &mut Outbox) -> Option<Instant> {
        if let Taken::NotBefore(then) = self.clear((now, 0), out) {
            return Some(then);
        }
        while let Some((campaign, _)) = self.paces.next_left_out() {
            if let Taken::NotBefore(then) = self.count(Some(campaign), now, out) {
                return Some(then);
            }
        }
        None
    }

    /// Returns what progress is to be shown now, or when there may be some; never while a batch waits or findings are to be
    /// counted, because the id of progress says that all before it was sent.
    pub(super) fn progress(&mut self, now: Instant) -> Result<Wanted, Option<Instant>> {
        let is_all_sent = self.batch.is_none() && self.paces.next_left_out().is_none();
        let due = self.paces.next_progress().filter(|_| is_all_sent);
        let Some((campaign, from)) = due else {
            return Err(None);
        };
        if from > now {
            return Err(Some(from));
        }
        let settled = self.paces.of(campaign, now, self.reached).settled;
        Ok(Wanted {
            campaign,
            covered: self.reached,
            settled,
        })
    }

    /// Sends a campaign's progress, which knows its domains up to `shown`.
    pub(super) fn show(
        &mut self,
        wanted: Wanted,
        bodies: &[String],
        shown: Position,
        now: Instant,
        out: &mut Outbox,
    ) {
        for body in bodies {
            out.push(Some(Cursor::at(wanted.covered)), body);
        }
        let pace = self.paces.of(wanted.campaign, now, self.reached);
        pace.progress_from = now + COALESCED;
        pace.unshown = pace.unshown.filter(|unshown| *unshown > shown);
    }

    /// Notes that a campaign has no progress to show: no run of it is under way, or it is paused.
    pub(super) fn nothing_to_show(&mut self, wanted: Wanted, now: Instant) {
        self.paces.of(wanted.campaign, now, self.reached).unshown = None;
    }

    /// Notes that the read models do not stand where the stream does.
    pub(super) fn show_later(&mut self, wanted: Wanted, now: Instant) {
        self.paces
            .of(wanted.campaign, now, self.reached)
            .progress_from = now + AGAIN;
    }

    fn gather(
        &mut self,
        fact: &Fact,
        name: &Arc<str>,
        finding: super::fact::Finding,
        (now, behind): (Instant, u64),
        out: &mut Outbox,
    ) -> Taken {
        let Some(campaign) = fact.campaign else {
            return Taken::Yes;
        };
        let place = (fact.position, fact.at);
        let late = self.late(behind);
        // What a batch does not list stays in it, and is counted when it is sent.
        if let Some(batch) = self
            .batch
            .as_mut()
            .filter(|batch| batch.campaign() == campaign)
        {
            if batch.add(place, name, finding) {
                return Taken::Yes;
            }
            if late && self.paces.of(campaign, now, self.reached).batch_from > now {
                batch.cover(place);
                return Taken::Yes;
            }
        }
        let waited_for = self.batch.is_some();
        if let wait @ Taken::NotBefore(_) = self.clear((now, behind), out) {
            return wait;
        }
        // What other campaigns have to count keeps progress waiting, and they may be silent for long.
        while let Some((other, from)) = self.paces.next_left_out()
            && waited_for
            && from <= now
        {
            self.count(Some(other), now, out);
        }
        if waited_for && let Ok(wanted) = self.progress(now) {
            return Taken::AfterProgress(wanted);
        }
        let mut batch = Batch::new(campaign, !self.every_domain);
        batch.add(place, name, finding);
        self.batch = Some(batch);
        Taken::Yes
    }

    fn tell(
        &mut self,
        fact: &Fact,
        told: &Told,
        (now, behind): (Instant, u64),
        out: &mut Outbox,
    ) -> Taken {
        let is_bulk = told.weight == Weight::Bulk;
        let behind = if is_bulk { behind } else { 0 };
        if let wait @ Taken::NotBefore(_) = self.clear((now, behind), out) {
            return wait;
        }
        if !is_bulk && let wait @ Taken::NotBefore(_) = self.count(fact.campaign, now, out) {
            return wait;
        }
        let announced = self.announced.take() == Some(fact.position);
        if let Some(announcement) = told.announcement.as_deref().filter(|_| !announced) {
            out.push(Some(Cursor::announcing(fact.position)), announcement);
        }
        out.push(Some(Cursor::at(fact.position)), &told.body);
        Taken::Yes
    }

    /// Makes room for what comes after the batch: sends it, waits for its time, or, where the stream is late, leaves
    /// it out.
    fn clear(&mut self, (now, behind): (Instant, u64), out: &mut Outbox) -> Taken {
        let Some(batch) = self.batch.take() else {
            return Taken::Yes;
        };
        let late = self.late(behind) && self.paces.may_leave_out(batch.campaign());
        let pace = self.paces.of(batch.campaign(), now, self.reached);
        if self.every_domain || pace.batch_from <= now {
            pace.batch_from = now + COALESCED;
            batch.write(std::mem::take(&mut pace.left_out), out);
        } else if late {
            pace.left_out += batch.covers();
            pace.left_out_at = batch.at();
        } else {
            let then = pace.batch_from;
            self.batch = Some(batch);
            return Taken::NotBefore(then);
        }
        Taken::Yes
    }

    /// Says how many findings of a campaign were left out, if there are any and the time for it has come.
    fn count(&mut self, campaign: Option<CampaignId>, now: Instant, out: &mut Outbox) -> Taken {
        let Some(campaign) = campaign else {
            return Taken::Yes;
        };
        let pace = self.paces.of(campaign, now, self.reached);
        if pace.left_out == 0 {
            return Taken::Yes;
        }
        if pace.batch_from > now {
            return Taken::NotBefore(pace.batch_from);
        }
        pace.batch_from = now + COALESCED;
        let left_out = std::mem::take(&mut pace.left_out);
        let place = (self.reached, pace.left_out_at);
        batch::write_left_out(campaign, left_out, place, out);
        Taken::Yes
    }

    const fn late(&self, behind: u64) -> bool {
        behind > PATIENCE && !self.every_domain
    }
}
