//! What one resolver does with every question, whatever the name.

use std::time::Duration;

/// A resolver's habits. The default answers every question at once and correctly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ResolverScript {
    pub(crate) loss: f64,
    pub(crate) always: Option<Always>,
    pub(crate) delay: Duration,
    pub(crate) truncate: bool,
    pub(crate) forge: Option<Forgery>,
    pub(crate) timed: bool,
}

/// The one answer of a resolver that never does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Always {
    /// `REFUSED`, as from a resolver that is not open to us.
    Refused,
    /// `SERVFAIL`.
    ServFail,
    /// Nothing, as from an address where no resolver runs.
    Silent,
    /// `NXDOMAIN`, the lie of a filtering resolver.
    NxDomain,
}

/// A wrong answer (address 192.0.2.66) that arrives just before the right one. A careful client drops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// Another message id.
    WrongId,
    /// The right id under another question.
    WrongQuestion,
    /// The right id and question from another address and port.
    WrongSource,
}

impl ResolverScript {
    /// Makes a resolver that works.
    #[must_use]
    pub fn healthy() -> Self {
        Self::default()
    }

    /// Makes a resolver that does only this.
    #[must_use]
    pub fn always(always: Always) -> Self {
        Self {
            always: Some(always),
            ..Self::default()
        }
    }

    /// Loses this share (0 to 1) of the questions that come over UDP. Which ones is the same in every run in which the
    /// packets come in the same order.
    #[must_use]
    pub fn loss(mut self, share: f64) -> Self {
        self.loss = share.clamp(0.0, 1.0);
        self
    }

    /// Answers this late.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Truncates every answer over UDP; TCP has the whole one.
    #[must_use]
    pub fn truncate(mut self) -> Self {
        self.truncate = true;
        self
    }

    /// Keeps the moment at which each question over UDP arrives, lost ones included, of the first
    /// [`KEPT_ARRIVALS`](super::KEPT_ARRIVALS).
    #[must_use]
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Sends a forged answer before every true one over UDP.
    #[must_use]
    pub fn forge(mut self, forgery: Forgery) -> Self {
        self.forge = Some(forgery);
        self
    }
}
