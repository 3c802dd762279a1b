//! Right and wrong passwords, and the end of a session.

use chrono::{DateTime, Utc};

use super::{Error, Event, LOCK_OUT_AFTER, LOCK_OUT_FOR, User};
use crate::ids::SessionId;

/// Records that the right password came and a session begins.
#[derive(Clone, Copy, Debug)]
pub struct LogIn {
    /// The session.
    pub session_id: SessionId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Records that a wrong password came.
#[derive(Clone, Copy, Debug)]
pub struct FailLogIn {
    /// When.
    pub at: DateTime<Utc>,
}

/// Ends a session.
#[derive(Clone, Copy, Debug)]
pub struct LogOut {
    /// The session.
    pub session_id: SessionId,
}

/// Ends several sessions.
#[derive(Clone, Debug)]
pub struct EndSessions {
    /// The sessions.
    pub session_ids: Vec<SessionId>,
}

impl LogIn {
    /// Lets nobody in who is locked out, the right password or not: otherwise guessing could go on through it.
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_be_active()?;
        if let Some(until) = user.locked_out_at(self.at) {
            return Err(Error::LockedOut { until });
        }
        Ok(vec![Event::LoggedIn {
            session_id: self.session_id,
            at: self.at,
        }])
    }
}

impl FailLogIn {
    /// Counts the failure; an attempt during a lock-out is refused without an event, so that it neither prolongs the
    /// lock-out nor fills the log.
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_be_active()?;
        if let Some(until) = user.locked_out_at(self.at) {
            return Err(Error::LockedOut { until });
        }
        let mut events = vec![Event::LoginFailed { at: self.at }];
        if user.failures.saturating_add(1) >= LOCK_OUT_AFTER {
            events.push(Event::LockedOut {
                until: self.at + LOCK_OUT_FOR,
            });
        }
        Ok(events)
    }
}

impl EndSessions {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        let ended = self.session_ids.into_iter();
        Ok(ended
            .map(|session_id| Event::LoggedOut { session_id })
            .collect())
    }
}

impl LogOut {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        Ok(vec![Event::LoggedOut {
            session_id: self.session_id,
        }])
    }
}
