//! Following one address to the page it leads to, checking every hop.

mod body;
mod forwarded;
mod going;
mod hop;
mod redirect;
mod suppressed;

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use url::Url;

pub(super) use self::going::{Going, Needs};
use super::client::Answer;
use super::connect::{Facts, Route, in_tunnel};
use super::cookies::Jar;
use super::fault::{Blame, Fault};
use super::fetcher::{Clock, Inner};
use super::politeness::BACKED_OFF;
use super::report::Report;
use super::steps::{Step, Steps};
use crate::suppression::SUPPRESSED;

/// One address being followed.
pub(super) struct Visit<'f> {
    fetcher: &'f Inner,
    steps: &'f Steps,
    clock: &'f mut Clock,
    /// The host that `addresses` belong to.
    host: String,
    addresses: &'f [IpAddr],
    /// The proxy in between, if any.
    through: Option<Route<'f>>,
    url: Url,
    redirects: Vec<String>,
    jar: Jar,
    /// Leave for the first request, where that was got before.
    pub(super) first: Option<Going<'f>>,
    /// Leave for the request that is under way.
    going: Option<Going<'f>>,
    /// A host and who answers for it, where the suppression list wants that known.
    servers: Option<(String, Vec<String>)>,
}

/// A visit that ended without a page.
pub(super) struct Missed {
    pub(super) fault: Fault,
    /// Whether nothing at all was answered, so that another scheme may be tried.
    pub(super) unanswered: bool,
    pub(super) report: Box<Report>,
}

/// An answer, and what is known of the connection that it came over.
struct Answered {
    answer: Answer,
    address: Option<std::net::SocketAddr>,
    tls: Facts,
}

impl Missed {
    pub(super) fn into_report(self, elapsed: Duration) -> Report {
        Report {
            certificate_expires: self.fault.expired_at.or(self.report.certificate_expires),
            fault: Some(self.fault),
            elapsed,
            ..*self.report
        }
    }
}

impl<'f> Visit<'f> {
    pub(super) fn new(
        (fetcher, steps): (&'f Inner, &'f Steps),
        url: Url,
        addresses: &'f [IpAddr],
        through: Option<Route<'f>>,
        clock: &'f mut Clock,
    ) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut visit = Self {
            fetcher,
            steps,
            clock,
            jar: Jar::new(&fetcher.config.cookies, &host),
            host,
            addresses,
            through,
            url,
            redirects: Vec::new(),
            first: None,
            going: None,
            servers: None,
        };
        visit.set_port();
        visit
    }

    /// Goes from hop to hop until there is an answer that is not a redirect.
    pub(super) async fn run(mut self) -> Result<Report, Missed> {
        let mut seen = HashSet::new();
        loop {
            // The same address with other cookies is another page; a login wall works that way.
            if !seen.insert((self.url.clone(), self.jar.version)) {
                return Err(self.missed(
                    Fault::error(
                        "redirect_loop",
                        format!("{} leads back to itself", self.url),
                    ),
                    false,
                ));
            }
            let answered = match self.request().await {
                Ok(answered) => answered,
                Err(fault) => {
                    // A refused address is refused for every scheme.
                    let unanswered = self.redirects.is_empty()
                        && fault.code != "address_refused"
                        && fault.code != SUPPRESSED
                        && fault.code != BACKED_OFF
                        && fault.code != "no_address";
                    return Err(self.missed(fault, unanswered));
                }
            };
            let head = &answered.answer.head;
            self.jar.take(&self.url, &head.headers);
            let status = head.status.as_u16();
            self.steps.tell(|| Step::Answered {
                url: self.url.clone(),
                status,
                version: format!("{:?}", head.version),
            });
            if !(self.fetcher.config.follow_redirects
                && matches!(status, 301 | 302 | 303 | 307 | 308))
            {
                return self.answer(answered).await;
            }
            match self.next(&head.headers) {
                Ok(next) => {
                    let from = std::mem::replace(&mut self.url, next);
                    self.set_port();
                    self.steps.tell(|| Step::Redirected {
                        from: from.clone(),
                        to: self.url.clone(),
                    });
                    self.redirects.push(from.into());
                }
                Err(fault) => {
                    let mut missed = self.missed(fault, false);
                    missed.report.status = Some(status);
                    missed.report.keep_headers(&head.headers);
                    return Err(missed);
                }
            }
        }
    }

    /// Puts in the port of the configuration where the address names none.
    fn set_port(&mut self) {
        if self.url.port().is_some() {
            return;
        }
        let port = match self.url.scheme() {
            "http" => self.fetcher.config.http_port,
            _ => self.fetcher.config.https_port,
        };
        // Only addresses without a host refuse a port, and there is none such here.
        let _ = self.url.set_port(port);
    }

    /// Judges a fault of the site's answer or connection, which may be the proxy's doing where there is one.
    fn blame(&self, fault: Fault) -> Fault {
        let Some(route) = self.through else {
            return fault;
        };
        // The statuses with which a gateway speaks for itself (RFC 9110 §15.6.3 to §15.6.5).
        let gateway = matches!(&*fault.code, "status_502" | "status_503" | "status_504");
        match gateway && route.forward && self.url.scheme() == "http" {
            true => fault.blamed(Blame::Unknown),
            false => in_tunnel(fault),
        }
    }

    fn missed(&mut self, fault: Fault, unanswered: bool) -> Missed {
        Missed {
            fault,
            unanswered,
            report: Box::new(Report {
                final_url: Some(self.url.clone()),
                redirects: std::mem::take(&mut self.redirects),
                ..Report::default()
            }),
        }
    }
}
