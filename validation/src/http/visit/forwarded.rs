//! Whose word an answer is that came from a proxy which was handed the request whole: the proxy's own, or the site's.
//!
//! Whatever the proxy could say of itself, a site can say too, so that one who wants to could send a pool's proxies to rest.
//! Nothing in the answer tells the two apart; what the proxy says to a request that never reaches a site does.

use hyper::header::HeaderMap;
use tokio::time::Instant;

use super::Visit;
use crate::http::connect::{Destination, Route};
use crate::http::fault::{Blame, Fault};
use crate::http::proxy::{self, FORBIDDEN};

/// The port that proxies open tunnels to by convention (RFC 9110 §9.3.6); to others many do not.
const TUNNEL_PORT: u16 = 443;

impl Visit<'_> {
    /// Looks for what an answer says of the proxy itself. What is the site's passes.
    ///
    /// # Errors
    ///
    /// What the proxy says is wrong. It is blamed where it alone can have said so; where the site may have, hindsight
    /// decides.
    pub(super) async fn heed(
        &self,
        status: u16,
        headers: &HeaderMap,
        route: Route<'_>,
        to: Destination<'_>,
    ) -> Result<(), Fault> {
        let told = route.proxy.credentials.is_some();
        let Some(fault) = proxy::of_forwarded(status, headers, told) else {
            return Ok(());
        };
        if proxy::is_unauthorized(&fault) {
            return self.is_let_through(fault, route, to).await;
        }
        // A proxy that does not go to this site is asked for it no more, and is none the worse for that.
        Err(match fault.blame {
            Blame::Proxy if fault.code != FORBIDDEN => fault.blamed(Blame::Unknown),
            _ => fault,
        })
    }

    /// Asks the proxy for a tunnel, which is closed unused: whoever gets one, or is told that the site cannot be reached, was
    /// let through, and it was the site that wanted credentials of a proxy.
    async fn is_let_through(
        &self,
        fault: Fault,
        route: Route<'_>,
        to: Destination<'_>,
    ) -> Result<(), Fault> {
        let tunnel = Destination {
            port: self.fetcher.config.https_port.unwrap_or(TUNNEL_PORT),
            secure: false,
            ..to
        };
        let straight = Route {
            forward: false,
            ..route
        };
        let deadline = Instant::from_std(self.clock.deadline);
        let connector = &self.fetcher.connector;
        let asked = connector
            .connect(tunnel, Some(straight), deadline, self.steps)
            .await;
        match asked {
            Err(refused) if proxy::is_unauthorized(&refused) => Err(refused),
            Err(other) if other.blame == Blame::Proxy => Err(fault.blamed(Blame::Unknown)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
