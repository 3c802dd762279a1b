//! The slots of a process's workers, shared among runs so that a newcomer never waits for the orders of another run.
//!
//! They are the process's own, so who holds them is kept in its memory: another node has slots of its own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aggregates::ids::RunId;

/// The slots of a process, and the runs that hold them.
#[derive(Debug)]
pub(super) struct Slots {
    of: usize,
    held: Mutex<HashMap<RunId, usize>>,
    /// Whoever claims has it from the look at [`Slots::sated`] to [`Slots::hold`], or slots that wake together would
    /// all take the same run's orders.
    pub(super) turn: tokio::sync::Mutex<()>,
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

    /// Lists the runs that may not take another slot: of those that other runs leave it, a run takes two thirds at the
    /// most. A run that holds none takes any.
    pub(super) fn sated(&self) -> Vec<RunId> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.of.saturating_sub(held.values().sum());
        let sated = held
            .iter()
            .filter(|(_, held)| **held + 1 > 2 * free.saturating_sub(1));
        sated.map(|(run_id, _)| *run_id).collect()
    }

    /// Gives a slot to a run.
    pub(super) fn hold(&self, run_id: RunId) -> Held<'_> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held.entry(run_id).or_default() += 1;
        Held {
            slots: self,
            run_id,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self
            .slots
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.run_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
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
            taken.push(slots.hold(run_id));
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
}
