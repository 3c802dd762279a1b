//! Who listens, and how they hear that their user's sessions may have changed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use aggregates::ids::UserId;
use tokio::sync::{Notify, watch};

use super::{MAX_CONNECTIONS, MAX_OF_USER};

/// What reaches one connection beside the log.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Notify,
    shut_out: AtomicBool,
}

impl Bell {
    /// Waits until something happened to the user.
    pub(super) async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Tells whether the user was shut out altogether.
    pub(super) fn shut_out(&self) -> bool {
        self.shut_out.load(Ordering::Acquire)
    }
}

/// Every connection of the process.
#[derive(Debug)]
pub(super) struct Listeners {
    of_user: Mutex<HashMap<UserId, Vec<Arc<Bell>>>>,
    count: watch::Sender<usize>,
    sent: AtomicU64,
}

/// One connection; it listens for as long as this lives.
#[derive(Debug)]
pub(super) struct Listener {
    listeners: Arc<Listeners>,
    user: UserId,
    pub(super) bell: Arc<Bell>,
}

impl Listeners {
    pub(super) fn new() -> Self {
        Self {
            of_user: Mutex::default(),
            count: watch::Sender::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Counts a connection in; nothing when there are too many, or too many of the user's.
    pub(super) fn add(self: &Arc<Self>, user: UserId) -> Option<Listener> {
        let mut of_user = self.of_user.lock().unwrap_or_else(PoisonError::into_inner);
        if of_user
            .get(&user)
            .is_some_and(|bells| bells.len() >= MAX_OF_USER)
        {
            return None;
        }
        let admitted = self.count.send_if_modified(|count| {
            let room = *count < MAX_CONNECTIONS;
            *count += usize::from(room);
            room
        });
        if !admitted {
            return None;
        }
        let bell = Arc::new(Bell::default());
        of_user.entry(user).or_default().push(Arc::clone(&bell));
        drop(of_user);
        Some(Listener {
            listeners: Arc::clone(self),
            user,
            bell,
        })
    }

    /// Tells a user's connections that something happened to the user.
    pub(super) fn ring(&self, user: UserId, shut_out: bool) {
        let of_user = self.of_user.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in of_user.get(&user).into_iter().flatten() {
            bell.shut_out.fetch_or(shut_out, Ordering::AcqRel);
            bell.rung.notify_one();
        }
    }

    pub(super) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until somebody listens.
    pub(super) async fn somebody(&self) {
        // The sender lives as long as this does.
        let _ = self.count.subscribe().wait_for(|count| *count > 0).await;
    }

    pub(super) fn note_sent(&self, messages: u64) {
        self.sent.fetch_add(messages, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut of_user = self
            .listeners
            .of_user
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(bells) = of_user.get_mut(&self.user) {
            bells.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
            if bells.is_empty() {
                of_user.remove(&self.user);
            }
        }
        drop(of_user);
        self.listeners
            .count
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_user_has_a_share_of_the_connections_and_leaves_the_others_to_others() {
        let listeners = Arc::new(Listeners::new());
        let (ann, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let mut anns: Vec<_> = (0..MAX_OF_USER).map(|_| listeners.add(ann)).collect();
        assert!(anns.iter().all(Option::is_some) && listeners.add(ann).is_none());
        assert!(listeners.add(bob).is_some());
        anns.pop();
        assert!(listeners.add(ann).is_some());
    }
}
