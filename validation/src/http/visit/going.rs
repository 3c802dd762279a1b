//! Leave to send a request: its turn, and its place among those under way.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use url::Url;

use super::Answered;
use crate::http::fault::{Blame, Fault, Reason};
use crate::http::fetcher::{Clock, Inner, closed};
use crate::http::politeness::{BACKED_OFF, NoTurn, Observed, Turn};
use crate::http::proxy;

/// Times that a site's turn is given back.
const ROUNDS: u32 = 3;
/// How long what a request has of its own campaign is kept for its site's turn. It is short, so that a campaign's pace is
/// kept to that.
const PATIENCE: Duration = Duration::from_millis(250);

/// What else a request needs before it leaves.
pub(in crate::http) trait Needs: Sync {
    /// What it then has.
    type Had: Send;

    /// Takes it where it is to be had now.
    fn now(&self) -> Option<Self::Had>;

    /// Waits for it.
    fn wait(&self) -> impl Future<Output = Self::Had> + Send;
}

/// What a request has of its own campaign: its place among those under way, and what else it needs.
type Own<'f, N> = (SemaphorePermit<'f>, <N as Needs>::Had);

/// Nothing else.
struct NoProxy;

impl Needs for NoProxy {
    type Had = ();

    fn now(&self) -> Option<()> {
        Some(())
    }

    async fn wait(&self) {}
}

/// Leave to send one request, kept until its answer is read.
pub(in crate::http) struct Going<'f> {
    turn: Option<Turn>,
    _permit: SemaphorePermit<'f>,
}

impl Inner {
    /// Waits for leave to ask the site of an address of the web, which is at this one. The fetch has no less time for that.
    pub(in crate::http) async fn leave(
        &self,
        url: &Url,
        address: Option<IpAddr>,
        clock: &mut Clock,
    ) -> Result<Going<'_>, Fault> {
        let (going, ()) = self.leave_with(url, address, clock, &NoProxy).await?;
        Ok(going)
    }

    /// Waits for leave as [`leave`](Self::leave) does, and for what else the request needs.
    ///
    /// The site's turn keeps others from the site and from its address, so nothing else is waited for with it: it is given
    /// back while the request's own campaign is busy, and asked for again when that is not. Where both are hard to have, a
    /// request that gave it back [`ROUNDS`] times keeps it.
    pub(in crate::http) async fn leave_with<N: Needs>(
        &self,
        url: &Url,
        address: Option<IpAddr>,
        clock: &mut Clock,
        needs: &N,
    ) -> Result<(Going<'_>, N::Had), Fault> {
        let asked = Instant::now();
        let left = self.depart(url, address, needs).await;
        clock.excuse(asked.elapsed());
        let (turn, (permit, had)) = left?;
        let going = Going {
            turn,
            _permit: permit,
        };
        Ok((going, had))
    }

    async fn depart<N: Needs>(
        &self,
        url: &Url,
        address: Option<IpAddr>,
        needs: &N,
    ) -> Result<(Option<Turn>, Own<'_, N>), Fault> {
        let mut waited = Duration::ZERO;
        for _ in 0..ROUNDS {
            let Some(turn) = self.site(url, address, &mut waited).await? else {
                return Ok((None, self.own(needs).await?));
            };
            if let Some(own) = self.own_now(needs) {
                turn.leaves(waited);
                return Ok((Some(turn), own));
            }
            turn.give_back();
            let own = self.own(needs).await?;
            let again = timeout(PATIENCE, self.site(url, address, &mut waited)).await;
            // Else others of the campaign go first, whose sites are free.
            if let Ok(turn) = again {
                let turn = turn?;
                turn.iter().for_each(|turn| turn.leaves(waited));
                return Ok((turn, own));
            }
        }
        let turn = self.site(url, address, &mut waited).await?;
        let own = self.own(needs).await?;
        turn.iter().for_each(|turn| turn.leaves(waited));
        Ok((turn, own))
    }

    /// Waits for the site's turn, and counts how long that took.
    async fn site(
        &self,
        url: &Url,
        address: Option<IpAddr>,
        waited: &mut Duration,
    ) -> Result<Option<Turn>, Fault> {
        let asked = Instant::now();
        let turn = self.turn(url, address).await;
        *waited += asked.elapsed();
        turn.map_err(|refused| backed_off(url, refused))
    }

    /// Waits for a place among the requests under way, for the campaign's pace, and for what else is needed.
    async fn own<N: Needs>(&self, needs: &N) -> Result<Own<'_, N>, Fault> {
        let permit = self.in_flight.acquire().await.map_err(|_| closed())?;
        if let Some(pace) = &self.pace {
            pace.turn().await;
        }
        Ok((permit, needs.wait().await))
    }

    /// Takes all of that where it is to be had now.
    fn own_now<N: Needs>(&self, needs: &N) -> Option<Own<'_, N>> {
        let permit = self.in_flight.try_acquire().ok()?;
        let had = needs.now()?;
        match &self.pace {
            Some(pace) if !pace.turn_now() => None,
            _ => Some((permit, had)),
        }
    }

    async fn turn(&self, url: &Url, address: Option<IpAddr>) -> Result<Option<Turn>, NoTurn> {
        let own = self.config.own_loopback
            && address.is_some_and(|address| address.to_canonical().is_loopback());
        match &self.config.politeness {
            Some(politeness) if !own => {
                let host = url.host_str().unwrap_or_default();
                politeness.turn(host, address).await
            }
            _ => Ok(None),
        }
    }
}

impl Going<'_> {
    /// Takes note of what came of the request. Of an answer to one that was handed to a proxy whole the site bears only what
    /// the proxy passed on.
    pub(super) fn observe(&self, exchanged: &Result<Answered, Fault>, forwarded: bool) {
        let Some(turn) = &self.turn else { return };
        turn.observe(match exchanged {
            Ok(answered) => {
                let head = &answered.answer.head;
                match forwarded && !proxy::passed_on(&head.headers) {
                    true => Observed::Nothing,
                    false => Observed::of_answer(head.status.as_u16(), &head.headers),
                }
            }
            Err(fault) if fault.reason == Reason::Timeout && fault.blame == Blame::Target => {
                Observed::Silence
            }
            Err(_) => Observed::Nothing,
        });
    }
}

fn backed_off(url: &Url, NoTurn { left, why }: NoTurn) -> Fault {
    let host = url.host_str().unwrap_or_default();
    let seconds = left.as_secs();
    Fault::error(
        BACKED_OFF,
        format!("{host} is left alone for another {seconds} s, because {why}"),
    )
}
