//! Turns to compile rules.
//!
//! Compiling the rules of a set takes a core for seconds and tens of megabytes, and goes on where nobody waits for it any
//! more. So few are compiled at once in the process, of each user one, and whoever's request would have to wait behind
//! many of his own is told to come again.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use aggregates::ids::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Keyword sets that are compiled at once.
const AT_ONCE: usize = 2;
/// Requests of one user that wait for a turn or have it, at most.
const MOST_OF_A_USER: usize = 8;

static COMPILERS: LazyLock<Compilers> = LazyLock::new(Compilers::default);

/// Too many requests of one user wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_OF_A_USER} sets of keyword rules of yours are being checked already")]
pub struct Busy;

/// Leave to compile one set of rules. It goes into the closure that compiles, which ends when it has, whoever waits for that.
#[derive(Debug)]
pub struct Turn {
    // Both are given back together; the semaphores are never closed.
    _all: Option<OwnedSemaphorePermit>,
    _own: Option<OwnedSemaphorePermit>,
}

/// Takes a turn of a user's; nobody's has no share to keep to.
///
/// # Errors
/// [`Busy`] where too many of his wait already.
pub async fn turn(user: Option<UserId>) -> Result<Turn, Busy> {
    COMPILERS.turn(user).await
}

/// Takes a turn for what bounds by itself how many of a user's wait.
pub(super) async fn turn_of_a_trial() -> Turn {
    COMPILERS.begin(None).await
}

#[derive(Debug)]
struct Compilers {
    all: Arc<Semaphore>,
    /// One permit for each user who waits or compiles. Those who do hold it, so that it goes with the last of them.
    users: Mutex<HashMap<UserId, Weak<Semaphore>>>,
}

impl Default for Compilers {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            users: Mutex::default(),
        }
    }
}

impl Compilers {
    async fn turn(&self, user: Option<UserId>) -> Result<Turn, Busy> {
        let Some(user) = user else {
            return Ok(self.begin(None).await);
        };
        let own = self.of_user(user)?;
        let own = own.acquire_owned().await.ok();
        Ok(self.begin(own).await)
    }

    async fn begin(&self, own: Option<OwnedSemaphorePermit>) -> Turn {
        Turn {
            _all: Arc::clone(&self.all).acquire_owned().await.ok(),
            _own: own,
        }
    }

    fn of_user(&self, user: UserId) -> Result<Arc<Semaphore>, Busy> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, own| own.strong_count() > 0);
        if let Some(own) = users.get(&user).and_then(Weak::upgrade) {
            // Each that waits or compiles holds it once, and this one does too.
            return match Arc::strong_count(&own) > MOST_OF_A_USER {
                true => Err(Busy),
                false => Ok(own),
            };
        }
        let own = Arc::new(Semaphore::new(1));
        users.insert(user, Arc::downgrade(&own));
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    fn user(at: u128) -> Option<UserId> {
        Some(UserId(Uuid::from_u128(at)))
    }

    #[tokio::test]
    async fn a_user_compiles_one_set_at_a_time_and_leaves_room_for_others() {
        let compilers = Compilers::default();
        let first = compilers.turn(user(1)).await.unwrap();
        assert!(compilers.turn(user(1)).now_or_never().is_none());
        let other = compilers.turn(user(2)).now_or_never();
        let other = other.expect("one of two is free").unwrap();
        assert!(
            compilers.turn(user(3)).now_or_never().is_none(),
            "two at once"
        );
        drop(first);
        assert!(compilers.turn(user(1)).now_or_never().is_some());
        drop(other);
        drop(compilers.of_user(UserId(Uuid::from_u128(4))));
        let remembered = compilers.users.lock().unwrap().len();
        assert_eq!(remembered, 1, "nobody is remembered whose turn is over");
    }

    #[tokio::test]
    async fn a_user_with_many_that_wait_is_told_to_come_again_and_others_are_not() {
        let compilers = Compilers::default();
        let first = compilers.turn(user(1)).await.unwrap();
        let mut waiting: Vec<_> = (1..MOST_OF_A_USER)
            .map(|_| Box::pin(compilers.turn(user(1))))
            .collect();
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none());
        }
        let refused = compilers
            .turn(user(1))
            .now_or_never()
            .map(|turn| turn.err());
        assert_eq!(refused, Some(Some(Busy)));
        let other = compilers.turn(user(2)).now_or_never();
        assert!(other.is_some_and(|turn| turn.is_ok()));
        drop((first, waiting));
        assert!(compilers.turn(user(1)).now_or_never().is_some());
    }
}
