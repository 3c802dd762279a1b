//! The slots of a process's workers, shared among runs so that a newcomer need not wait for the orders of others.
//!
//! Of the slots that other runs leave it, a run takes two thirds at the most, and the last free slot goes to a run that
//! holds none. So of the standing twelve slots four runs have at least one each whatever they work on, of 48 five; a run
//! beyond these waits until some order ends. A run holds a single slot until its engines are there, and for good where its
//! pace is so slow that its orders would hold more of them for longer than [`order_size`](super::order_size) allows.
//!
//! They are the process's own, so who holds them is kept in its memory: another node has slots of its own.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aggregates::ids::RunId;

/// The slots of a process, and the runs that hold them.
#[derive(Debug)]
pub(super) struct Slots {
    of: usize,
    held: Mutex<HashMap<RunId, Holding>>,
    /// Whoever claims has it from the look at [`Slots::sated`] to [`Slots::hold`], or slots that wake together would
    /// all take the same run's orders.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What a run holds.
#[derive(Debug, Default)]
struct Holding {
    slots: usize,
    /// Whether it may hold more than one.
    many: bool,
}

/// A slot that a run holds until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    slots: &'a Slots,
    run_id: RunId,
}

impl Slots {
    /// Makes free slots.
    pub(super) fn new(of: u16) -> Self {
        Self {
            of: of.into(),
            held: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Lists the runs that may not take another slot. A run that holds none takes any.
    pub(super) fn sated(&self) -> Vec<RunId> {
        let held = self.held();
        let taken = held.values().map(|holding| holding.slots).sum();
        let free = self.of.saturating_sub(taken);
        let sated = held
            .iter()
            .filter(|(_, holding)| !holding.many || holding.slots + 1 > 2 * free.saturating_sub(1));
        sated.map(|(run_id, _)| *run_id).collect()
    }

    /// Gives a slot to a run.
    pub(super) fn hold(&self, run_id: RunId) -> Held<'_> {
        self.held().entry(run_id).or_default().slots += 1;
        Held {
            slots: self,
            run_id,
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<RunId, Holding>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Lets the run hold more slots than one, for as long as it holds any; answers whether it might not before.
    pub(super) fn allow_many(&self) -> bool {
        let mut held = self.slots.held();
        let holding = held.get_mut(&self.run_id);
        holding.is_some_and(|holding| !std::mem::replace(&mut holding.many, true))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self.slots.held();
        if let Some(holding) = held.get_mut(&self.run_id) {
            holding.slots = holding.slots.saturating_sub(1);
            if holding.slots == 0 {
                held.remove(&self.run_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Takes slots for a run until it may not have another.
    fn fill<'a>(slots: &'a Slots, taken: &mut Vec<Held<'a>>) -> usize {
        let run_id = RunId(Uuid::now_v7());
        let before = taken.len();
        while taken.len() < slots.of && !slots.sated().contains(&run_id) {
            let held = slots.hold(run_id);
            held.allow_many();
            taken.push(held);
        }
        taken.len() - before
    }

    #[test]
    fn a_run_takes_two_thirds_of_what_the_others_leave_and_the_last_slot_goes_to_a_newcomer() {
        for (of, shares) in [
            (12, vec![8, 2, 1, 1, 0]),
            (48, vec![32, 10, 4, 1, 1, 0]),
            (3, vec![2, 1, 0]),
            (2, vec![1, 1]),
            (1, vec![1, 0]),
        ] {
            let slots = Slots::new(of);
            let mut taken = Vec::new();
            let took: Vec<usize> = shares.iter().map(|_| fill(&slots, &mut taken)).collect();
            assert_eq!(took, shares, "of {of}");
            drop(taken);
            assert!(slots.held.lock().unwrap().is_empty());
        }
    }

    #[test]
    fn a_run_holds_one_slot_until_it_is_allowed_more() {
        let slots = Slots::new(12);
        let run_id = RunId(Uuid::now_v7());
        let held = slots.hold(run_id);
        assert_eq!(slots.sated(), [run_id]);
        assert!(held.allow_many() && !held.allow_many());
        assert!(slots.sated().is_empty());
        drop(held);
        let _again = slots.hold(run_id);
        assert_eq!(slots.sated(), [run_id], "its pace may be another one now");
    }
}
