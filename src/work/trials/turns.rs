//! Whose turn it is to try something: so many at once, and of one user a share of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::ids::UserId;

/// Why a trial has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// All turns are taken.
    #[error("as many tests and extractions are under way as this server takes")]
    Server,
    /// All turns of this user are.
    #[error("as many tests and extractions of yours are under way as one user may have")]
    User,
}

/// The turns of a process.
#[derive(Debug)]
pub(super) struct Turns {
    at_once: usize,
    of_one_user: usize,
    taken: Mutex<HashMap<UserId, usize>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    user: UserId,
}

impl Turns {
    pub(super) fn new(at_once: usize, of_one_user: usize) -> Self {
        Self {
            at_once,
            of_one_user,
            taken: Mutex::default(),
        }
    }

    /// Takes a turn for a user.
    ///
    /// # Errors
    /// Which of the two bounds is reached.
    pub(super) fn take(self: &Arc<Self>, user: UserId) -> Result<Turn, Busy> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(&user).is_some_and(|own| *own >= self.of_one_user) {
            return Err(Busy::User);
        }
        if taken.values().sum::<usize>() >= self.at_once {
            return Err(Busy::Server);
        }
        *taken.entry(user).or_default() += 1;
        Ok(Turn {
            turns: Arc::clone(self),
            user,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let taken = &self.turns.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_user_leaves_turns_to_others_and_a_turn_that_ends_is_another_ones() {
        let turns = Arc::new(Turns::new(5, 3));
        let [ann, bob] = [1, 2].map(|id| UserId(Uuid::from_u128(id)));
        let mut of_ann: Vec<Turn> = (0..3).map(|_| turns.take(ann).unwrap()).collect();
        assert_eq!(turns.take(ann).unwrap_err(), Busy::User);
        let of_bob: Vec<Turn> = (0..2).map(|_| turns.take(bob).unwrap()).collect();
        assert_eq!(turns.take(bob).unwrap_err(), Busy::Server);
        of_ann.pop();
        let third = turns.take(bob).unwrap();
        assert_eq!(turns.take(ann).unwrap_err(), Busy::Server);
        drop((of_ann, of_bob, third));
        assert!(turns.taken.lock().unwrap().is_empty());
    }
}
