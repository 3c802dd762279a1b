//! One question, asked until somebody answers it or the attempts are used up.

use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    Outcome, Reason,
    engine::Inner,
    health::Blame,
    message::{self, Answer, Question},
    name::WireName,
    pace::Pacer,
    pick::Pick,
    socket::Failure,
    upstream::Upstream,
};
use crate::{
    Waits,
    suppression::{Held, SUPPRESSED},
};

/// Most doublings of the back-off.
const MOST_DOUBLINGS: u32 = 3;

/// How a question ended.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The conclusive answer (records, none, or no such name), or why there is none.
    pub(super) result: Result<Answer, Trouble>,
    /// Index of the resolver that decided; nothing when nobody answered.
    pub(super) resolver: Option<usize>,
    /// Packets sent.
    pub(super) packets: u32,
    /// Some answer was cut short.
    pub(super) truncated: bool,
}

/// Why an attempt brought nothing, the more telling the greater: of several attempts the greatest is reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Silence.
    Timeout,
    /// Anything else, in words.
    Other(String),
    /// REFUSED.
    Refused,
    /// SERVFAIL.
    Servfail,
    /// Nobody may be asked about the name; this ends the question.
    Suppressed(Held),
    /// The engine is stopping; this ends the question.
    Stopped,
}

impl Trouble {
    /// Gives the outcome that a report shows for it.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Timeout => Outcome::Timeout,
            Self::Refused => Outcome::Error(Reason::Refused),
            Self::Servfail => Outcome::Error(Reason::Servfail),
            Self::Other(_) | Self::Suppressed(_) | Self::Stopped => Outcome::Error(Reason::Error),
        }
    }

    /// Says it in words.
    pub(super) fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Timeout => "no answer in time",
            Self::Refused => "refused",
            Self::Servfail => "the resolvers could not find out",
            Self::Other(text) => text,
            Self::Suppressed(held) => return Cow::Owned(format!("{SUPPRESSED}: {held}")),
            Self::Stopped => "the engine was stopped",
        })
    }

    /// Tells whether the question ends with it, unsent: it says nothing of the resolver that was chosen.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self, Self::Suppressed(_) | Self::Stopped)
    }
}

/// Why a question is put to nobody.
enum Unasked {
    /// The engine is stopping.
    Stopped,
    /// The suppression list names every resolver that there is; in words.
    Held(String),
}

/// What one exchange with one resolver brought.
struct Exchange {
    result: Result<Answer, Trouble>,
    packets: u32,
    truncated: bool,
    /// The server may understand the question without EDNS.
    plainer: bool,
}

impl Exchange {
    /// What comes of a question that is not put.
    const fn unsent(held: Held) -> Self {
        Self {
            result: Err(Trouble::Suppressed(held)),
            packets: 0,
            truncated: false,
            plainer: false,
        }
    }
}

/// Gives a trial back if its query is dropped before its result.
struct Trial<'a> {
    upstream: &'a Upstream,
    open: bool,
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.open {
            self.upstream.health.abandon_trial(Instant::now());
        }
    }
}

impl Inner {
    /// Asks until there is a conclusive answer, elsewhere after each failure where there is an elsewhere. Every packet
    /// waits for the pace of the zone that bears it, where that has one.
    pub(super) async fn ask(
        &self,
        question: &Arc<Question>,
        zone: Option<&Pacer>,
        waits: &Waits,
    ) -> Verdict {
        let mut verdict = Verdict {
            result: Err(Trouble::Timeout),
            resolver: None,
            packets: 0,
            truncated: false,
        };
        let mut tried: Vec<usize> = Vec::new();
        let mut failed: Vec<usize> = Vec::new();
        let mut edns = true;
        for attempt in 0..self.config.attempts {
            if attempt > 0 {
                // Cut short by the end of the engine, which the attempt then meets.
                self.stop
                    .run_until_cancelled(sleep(self.pause(attempt)))
                    .await;
            }
            let attempt = self.attempt(question, &tried, edns, zone, waits);
            let (pick, exchange) = match attempt.await {
                Ok(made) => made,
                Err(Unasked::Stopped) => {
                    verdict.result = Err(Trouble::Stopped);
                    break;
                }
                Err(Unasked::Held(why)) => {
                    verdict.result = Err(Trouble::Other(why));
                    break;
                }
            };
            verdict.packets += exchange.packets;
            verdict.truncated |= exchange.truncated;
            match exchange.result {
                Ok(answer) => {
                    self.settle(&failed, Blame::Own, Some(pick.index));
                    verdict.result = Ok(answer);
                    verdict.resolver = Some(pick.index);
                    return verdict;
                }
                Err(trouble) if trouble.is_final() => {
                    verdict.result = Err(trouble);
                    verdict.resolver = None;
                    break;
                }
                Err(trouble) => {
                    if exchange.plainer {
                        edns = false;
                    } else {
                        tried.push(pick.index);
                        // A trial was already counted by its own rule.
                        if !pick.trial {
                            failed.push(pick.index);
                        }
                    }
                    // Attempts at equal odds: the later one is as good as the earlier.
                    if verdict
                        .result
                        .as_ref()
                        .err()
                        .is_none_or(|worst| trouble >= *worst)
                    {
                        verdict.resolver = (trouble != Trouble::Timeout).then_some(pick.index);
                        verdict.result = Err(trouble);
                    }
                }
            }
        }
        self.settle(&failed, Blame::Unknown, None);
        verdict
    }

    /// Waits for permission and for the pace, chooses, and asks once; nothing when the engine stops.
    async fn attempt(
        &self,
        question: &Arc<Question>,
        tried: &[usize],
        edns: bool,
        zone: Option<&Pacer>,
        waits: &Waits,
    ) -> Result<(Pick, Exchange), Unasked> {
        // Before the permit: names of one zone that wait for it must not keep those of others from being asked.
        if let Some(zone) = zone {
            let waited = waits.on(zone.wait(&self.stop)).await;
            waited.ok_or(Unasked::Stopped)?;
        }
        // Whoever holds one when the engine stops gives it back at once, so nobody waits here for long.
        let permit = waits.on(self.permits.acquire()).await;
        let _permit = permit.map_err(|_| Unasked::Stopped)?;
        if let Some(pacer) = &self.pacer {
            let waited = waits.on(pacer.wait(&self.stop)).await;
            waited.ok_or(Unasked::Stopped)?;
        }
        let (upstream, pick) = self.choose(tried, waits).await?;
        let mut trial = Trial {
            upstream,
            open: pick.trial,
        };
        // After every wait: the list may have been changed meanwhile.
        let exchange = match self.held(question.name()) {
            Some(held) => Exchange::unsent(held),
            None => self.exchange(upstream, question, edns).await,
        };
        if !exchange.result.as_ref().is_err_and(Trouble::is_final) {
            match (&exchange.result, pick.trial) {
                (Ok(_), is_trial) => {
                    upstream.health.success(is_trial);
                    if let Some(pacer) = &upstream.pacer {
                        pacer.recover();
                    }
                }
                (Err(_), true) if exchange.plainer => upstream.health.success(true),
                (Err(_), true) => upstream.health.trial_failed(Instant::now()),
                // Whose fault it was is known when the question is settled.
                (Err(_), false) => {}
            }
            trial.open = false;
        }
        Ok((pick, exchange))
    }

    /// Tells why a resolver may not be asked by the list in force.
    fn keeps_from(&self, upstream: &Upstream) -> Option<Held> {
        // Without a list the question itself is not put.
        let list = self.config.suppression.list().ok()?;
        upstream.held(&list)
    }

    /// Says why there is no resolver to ask.
    fn nobody(&self) -> Unasked {
        let mut held = self.upstreams.iter().filter_map(|upstream| {
            let held = self.keeps_from(upstream)?;
            let name = &upstream.name;
            Some(format!(
                "{SUPPRESSED}: the resolver {name} is not asked: {held}"
            ))
        });
        held.next().map_or(Unasked::Stopped, Unasked::Held)
    }

    /// Tells why nobody may be asked about a name, where that is so.
    pub(super) fn held(&self, name: &WireName) -> Option<Held> {
        match self.config.suppression.list() {
            Ok(list) if list.names_sites() => list.name(&name.to_text()),
            Ok(_) => None,
            Err(unread) => Some(unread),
        }
    }

    /// Chooses a resolver and waits for its pace; chooses again if it was sent to rest meanwhile.
    async fn choose(&self, tried: &[usize], waits: &Waits) -> Result<(&Upstream, Pick), Unasked> {
        let may_ask = |upstream: &Upstream| self.keeps_from(upstream).is_none();
        let mut rounds = 0;
        loop {
            let now = Instant::now();
            let pick = self.picker.pick(&self.upstreams, tried, &may_ask, now);
            let pick = pick.ok_or_else(|| self.nobody())?;
            let upstream = self.upstreams.get(pick.index).ok_or(Unasked::Stopped)?;
            let Some(pacer) = &upstream.pacer else {
                return Ok((upstream, pick));
            };
            let mut trial = Trial {
                upstream,
                open: pick.trial,
            };
            let was_healthy = upstream.health.is_healthy();
            let waited = waits.on(pacer.wait(&self.stop)).await;
            waited.ok_or(Unasked::Stopped)?;
            if !may_ask(upstream) {
                // It came onto the list meanwhile.
                continue;
            }
            trial.open = false;
            rounds += 1;
            let fell_ill = was_healthy && !upstream.health.is_healthy();
            if !fell_ill || rounds > self.upstreams.len() {
                return Ok((upstream, pick));
            }
        }
    }

    /// Sends one packet and judges the answer; cut short, it is asked again over TCP.
    async fn exchange(
        &self,
        upstream: &Upstream,
        question: &Arc<Question>,
        edns: bool,
    ) -> Exchange {
        let mut packets = 1;
        let limit = self.config.query_timeout;
        let mut received = upstream.ask(question, edns, limit).await;
        let truncated = received.as_ref().is_ok_and(|answer| answer.truncated);
        if truncated
            && self.config.tcp_on_truncation
            && self.held(question.name()).is_none()
            && self.keeps_from(upstream).is_none()
            && let Some(address) = upstream.tcp_address()
        {
            packets += 1;
            let again = upstream.ask_over_tcp(address, question, edns, limit);
            received = self
                .stop
                .run_until_cancelled(again)
                .await
                .unwrap_or(Err(Failure::Stopped));
        }
        let plainer = edns
            && received
                .as_ref()
                .is_ok_and(|answer| matches!(answer.rcode, message::FORMERR | message::NOTIMP));
        Exchange {
            result: judge(received),
            packets,
            truncated,
            plainer,
        }
    }

    /// Counts the failed attempts of a question that is over. Where somebody answered it, the pace towards those who failed
    /// slows down; it is no sign of illness in whoever answered it in the end.
    fn settle(&self, failed: &[usize], blame: Blame, answered: Option<usize>) {
        let now = Instant::now();
        for &index in failed {
            let Some(upstream) = self.upstreams.get(index) else {
                continue;
            };
            if blame == Blame::Own
                && let Some(pacer) = &upstream.pacer
            {
                pacer.slow_down();
            }
            if Some(index) != answered && upstream.health.failure(blame, now) {
                tracing::info!(resolver = %upstream.name, "a resolver that fails is rested");
            }
        }
    }

    /// Gives the pause before an attempt: doubling, and shortened at random so that retries do not march in step.
    fn pause(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
        let longest = self.config.back_off * 2_u32.pow(doublings);
        longest.mul_f64(rand::random_range(0.5..=1.0))
    }
}

/// Tells conclusive answers from those that should be had elsewhere.
fn judge(received: Result<Answer, Failure>) -> Result<Answer, Trouble> {
    let answer = match received {
        Ok(answer) => answer,
        Err(Failure::Timeout) => return Err(Trouble::Timeout),
        Err(Failure::Stopped) => return Err(Trouble::Stopped),
        Err(Failure::Malformed) => {
            return Err(Trouble::Other("the answer cannot be read".to_owned()));
        }
        Err(Failure::Transport(text)) => {
            return Err(Trouble::Other(format!(
                "the resolver cannot be asked: {text}"
            )));
        }
        Err(Failure::Unreachable(kind)) => {
            return Err(Trouble::Other(format!(
                "the resolver cannot be reached: {kind}"
            )));
        }
    };
    match answer.rcode {
        // Neither of the zone nor willing to look: a server that only refers elsewhere.
        message::NOERROR
            if answer.records.is_empty()
                && !answer.authoritative
                && !answer.recursion_available
                && !answer.truncated =>
        {
            Err(Trouble::Other(
                "the resolver does not look names up".to_owned(),
            ))
        }
        message::NOERROR if answer.truncated && answer.records.is_empty() => {
            Err(Trouble::Other("nothing fitted into the answer".to_owned()))
        }
        message::NOERROR | message::NXDOMAIN => Ok(answer),
        message::SERVFAIL => Err(Trouble::Servfail),
        message::REFUSED => Err(Trouble::Refused),
        message::FORMERR => Err(Trouble::Other(
            "the resolver does not understand".to_owned(),
        )),
        message::NOTIMP => Err(Trouble::Other("the resolver cannot do this".to_owned())),
        other => Err(Trouble::Other(format!(
            "the resolver answered with code {other}"
        ))),
    }
}
