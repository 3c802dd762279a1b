//! One hop: its addresses, checked, and its answer.

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::time::{Instant, sleep_until, timeout_at};
use url::{Host, Position};

use super::{Answered, Visit};
use crate::Waits;
use crate::http::client::{self, Headers, Varying};
use crate::http::connect::{Destination, Route};
use crate::http::fault::{Blame, Fault};
use crate::http::fetcher::Unresolved;
use crate::http::proxy;
use crate::http::steps::Step;
use crate::suppression::SUPPRESSED;

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

impl Visit<'_> {
    /// Waits for something as long as the fetch has time.
    pub(super) async fn in_time<T>(
        &self,
        step: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let deadline = Instant::from_std(self.clock.deadline);
        timeout_at(deadline, work)
            .await
            .map_err(|_| Fault::deadline(step))
    }

    /// Asks for the page of the current hop when its turn comes, and takes note of what the site says of being asked.
    pub(super) async fn request(&mut self) -> Result<Answered, Fault> {
        // The request before is over, whoever waits for what it held.
        self.going = None;
        let (host, addresses, going) = loop {
            let (host, addresses) = self.check().await?;
            let going = match self.first.take() {
                Some(going) => going,
                None => {
                    let address = addresses.first().copied();
                    self.fetcher.leave(&self.url, address, self.clock).await?
                }
            };
            // After every wait: the list may have been changed meanwhile, and want to know what nobody asked before.
            if !self.lacks_servers(&host) {
                break (host, addresses, going);
            }
        };
        let addresses = self.unheld(&host, addresses)?;
        let exchanged = self.exchange(&host, &addresses).await;
        let plain = self.url.scheme() == "http";
        let forwarded = plain && self.through.is_some_and(|route| route.forward);
        going.observe(&exchanged, forwarded);
        self.going = Some(going);
        exchanged
    }

    /// Connects to the current hop and asks for its page.
    async fn exchange(&self, host: &str, addresses: &[IpAddr]) -> Result<Answered, Fault> {
        let secure = self.url.scheme() == "https";
        let destination = Destination {
            host,
            port: self.url.port_or_known_default().unwrap_or_default(),
            addresses,
            secure,
        };
        let forwarded = self.through.filter(|route| route.forward && !secure);
        let headers = self.headers(host == self.host, forwarded)?;
        let uri = self.uri()?;
        let deadline = Instant::from_std(self.clock.deadline);
        let connected = self
            .fetcher
            .connector
            .connect(destination, self.through, deadline, self.steps)
            .await?;
        self.steps.tell(|| Step::Requested {
            url: self.url.clone(),
        });
        let uri = match forwarded.is_some() || connected.http2 {
            true => uri,
            false => path_of(uri),
        };
        let sent = client::send(connected.stream, connected.http2, uri, headers);
        let answer = self
            .in_time("before the server answered", sent)
            .await
            .and_then(|answer| answer)
            .map_err(|fault| self.blame(fault))?;
        if let Some(route) = forwarded {
            let head = &answer.head;
            self.heed(head.status.as_u16(), &head.headers, route, destination)
                .await?;
        }
        Ok(Answered {
            answer,
            address: connected.address,
            tls: connected.tls,
        })
    }

    /// Makes the headers of the current hop's request.
    fn headers(&self, own: bool, forwarded: Option<Route<'_>>) -> Result<Headers, Fault> {
        let host = self.url.host_str().unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let credentials = forwarded.and_then(|route| route.proxy.credentials.as_ref());
        let proxy = credentials
            .map(|credentials| HeaderValue::try_from(proxy::authorization(credentials)))
            .transpose();
        Ok(self.fetcher.headers.fill(Varying {
            host: HeaderValue::try_from(host).map_err(|error| invalid(&error))?,
            cookie: self.jar.header(&self.url),
            own,
            proxy: proxy.map_err(|error| invalid(&error))?,
        }))
    }

    /// Writes the address of the current hop as a request has it: without a fragment, and without a name and a password,
    /// of which there are none to send.
    fn uri(&self) -> Result<Uri, Fault> {
        let authority = &self.url[Position::BeforeHost..Position::AfterPort];
        let path = &self.url[Position::BeforePath..Position::AfterQuery];
        let text = format!("{}://{authority}{path}", self.url.scheme());
        Uri::try_from(text).map_err(|error| invalid(&error))
    }

    /// Asks for the addresses of a redirect's host.
    async fn resolve(&mut self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        let (waits, fetcher) = (Waits::default(), self.fetcher);
        let asking = fetcher.resolver.resolve(host, &waits);
        let found = self.asked(asking, &waits).await;
        self.steps.tell(|| Step::Resolved {
            host: host.to_owned(),
            found: found.clone(),
        });
        found.map_err(|why| unresolved(host, why))
    }

    /// Asks who answers for a host, where the suppression list names name servers and that is not known yet.
    async fn ask_servers(&mut self, host: &str) -> Result<(), Fault> {
        if !self.lacks_servers(host) {
            return self.hold();
        }
        let (waits, fetcher) = (Waits::default(), self.fetcher);
        let asking = fetcher.resolver.name_servers(host, &waits);
        let found = self.asked(asking, &waits).await;
        let servers = found.map_err(|why| {
            if matches!(why, Unresolved::Suppressed(_)) {
                fetcher.config.suppression.count();
            }
            unresolved(host, why)
        })?;
        self.servers = Some((host.to_owned(), servers));
        self.hold()
    }

    /// Asks the resolver something. The fetch has no less time for what is waited by our own doing.
    async fn asked<T>(
        &mut self,
        mut asking: impl Future<Output = Result<T, Unresolved>> + Unpin,
        waits: &Waits,
    ) -> Result<T, Unresolved> {
        let deadline = Instant::from_std(self.clock.deadline);
        let mut alarm = pin!(sleep_until(deadline));
        let found = std::future::poll_fn(|context| {
            if let Poll::Ready(found) = Pin::new(&mut asking).poll(context) {
                return Poll::Ready(found);
            }
            // The clock stands still while a wait lasts; its end wakes this task.
            let Some(waited) = waits.ended() else {
                return Poll::Pending;
            };
            alarm.as_mut().reset(deadline + waited);
            let over = alarm.as_mut().poll(context);
            over.map(|()| Err(Unresolved::Timeout))
        })
        .await;
        self.clock.excuse(waits.so_far());
        found
    }

    /// Finds the addresses of the current hop and keeps those that may be connected to.
    async fn check(&mut self) -> Result<(String, Vec<IpAddr>), Fault> {
        self.hold()?;
        let (host, found) = match self.url.host() {
            None => return Err(Fault::error("url_invalid", "the address has no host")),
            Some(Host::Ipv4(address)) => (address.to_string(), vec![IpAddr::V4(address)]),
            Some(Host::Ipv6(address)) => (address.to_string(), vec![IpAddr::V6(address)]),
            Some(Host::Domain(host)) => {
                let host = host.to_owned();
                self.ask_servers(&host).await?;
                let found = match host == self.host {
                    true => self.addresses.to_vec(),
                    false => self.resolve(&host).await?,
                };
                (host, found)
            }
        };
        if found.is_empty() {
            return Err(Fault::error("no_address", format!("{host} has no address")));
        }
        let mut refused = None;
        let mut addresses = Vec::new();
        for address in found {
            match self.fetcher.config.allow.refuses(address) {
                Some(why) => {
                    refused = Some(format!(
                        "{host} is at {address}, which is not allowed: {why}"
                    ))
                }
                None => addresses.push(address),
            }
        }
        addresses.truncate(MAX_ADDRESSES);
        match refused {
            Some(why) if addresses.is_empty() => Err(Fault::error("address_refused", why)),
            _ => {
                self.steps.tell(|| Step::Chosen {
                    host: host.clone(),
                    addresses: addresses.clone(),
                });
                Ok((host, addresses))
            }
        }
    }
}

fn unresolved(host: &str, why: Unresolved) -> Fault {
    match why {
        Unresolved::Timeout => {
            Fault::deadline(&format!("while {host} was resolved")).blamed(Blame::Unknown)
        }
        Unresolved::Suppressed(why) => Fault::error(SUPPRESSED, format!("{host}: {why}")),
        Unresolved::Error(why) => {
            Fault::error("redirect_host_unresolved", format!("{host}: {why}"))
        }
    }
}

/// Takes the path and query of an address, which is all that a site is told of it over HTTP/1.1 (RFC 9112 §3.2.1).
fn path_of(uri: Uri) -> Uri {
    uri.into_parts()
        .path_and_query
        .map_or_else(Uri::default, Uri::from)
}

fn invalid(error: &dyn std::error::Error) -> Fault {
    Fault::error("url_invalid", error)
}
