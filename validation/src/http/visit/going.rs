//! Leave to send a request: its turn, and its place among those under way.

use std::net::IpAddr;
use std::time::Instant;

use tokio::sync::SemaphorePermit;
use url::Url;

use super::Answered;
use crate::http::fault::{Blame, Fault, Reason};
use crate::http::fetcher::{Clock, Inner, closed};
use crate::http::politeness::{BACKED_OFF, NoTurn, Observed, Turn};

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
        let asked = Instant::now();
        let turn = self.turn(url, address).await;
        let permit = self.in_flight.acquire().await;
        clock.excuse(asked.elapsed());
        Ok(Going {
            turn: turn.map_err(|refused| backed_off(url, refused))?,
            _permit: permit.map_err(|_| closed())?,
        })
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
    /// Takes note of what came of the request.
    pub(super) fn observe(&self, exchanged: &Result<Answered, Fault>) {
        let Some(turn) = &self.turn else { return };
        turn.observe(match exchanged {
            Ok(answered) => {
                let head = &answered.answer.head;
                Observed::of_answer(head.status.as_u16(), &head.headers)
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
