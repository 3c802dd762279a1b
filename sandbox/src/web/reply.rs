//! From a site's script to a reply, for every site whose reply is well-formed HTTP.

use std::time::Duration;

use bytes::Bytes;

use super::bombs;
use crate::world::{Host, Site, Target};

/// Ports of the web, which absolute redirects carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) https: u16,
}

/// An ordinary response.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) delay: Duration,
}

/// What a site does with one request.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Send this.
    Reply(Reply),
    /// Misbehave below HTTP, as this site's script says.
    Fault(Site),
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn redirect(status: u16, location: String) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><a href=\"{location}\">Moved</a></body></html>"
        );
        Self::html(status, body).with("location", location)
    }

    /// Makes the short page of an error status.
    pub(crate) fn error(status: u16) -> Self {
        let phrase = reason(status);
        let body = format!(
            "<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1><hr></body></html>\n"
        );
        Self::html(status, body)
    }
}

/// Plans what a host does with a request for a path.
pub(crate) fn plan(host: &Host, name: &str, path: &str, secure: bool, ports: Ports) -> Plan {
    let mut plan = if host.https_only && !secure {
        Plan::Reply(Reply::redirect(
            301,
            format!("https://{name}:{}{path}", ports.https),
        ))
    } else {
        of_site(host.site_at(path), name, path, ports)
    };
    if let Plan::Reply(reply) = &mut plan {
        reply.headers.extend(
            host.cookies
                .iter()
                .map(|cookie| ("set-cookie", cookie.clone())),
        );
        reply.headers.extend(host.headers.iter().cloned());
        reply.headers.push(("server", "sandbox".to_owned()));
    }
    plan
}

fn of_site(site: Site, name: &str, path: &str, ports: Ports) -> Plan {
    Plan::Reply(match site {
        Site::Page(script) => match script.render(name, path) {
            Some(page) => Reply::html(200, page.html),
            None => Reply::error(404),
        },
        Site::Html(html) => Reply::html(200, html),
        Site::Raw(content_type, body) => Reply::new(200, &content_type, body),
        Site::Status(status) => Reply::error(status),
        Site::RetryAfter(status, seconds) => {
            Reply::error(status).with("retry-after", seconds.to_string())
        }
        Site::Redirect(status, target) => Reply::redirect(status, location(target, ports)),
        Site::RedirectChain(hops) => {
            let hop: u32 = path
                .strip_prefix("/hop/")
                .and_then(|hop| hop.parse().ok())
                .unwrap_or(0);
            if hop < hops {
                Reply::redirect(302, format!("/hop/{}", hop + 1))
            } else {
                let page = crate::world::PageScript::with_keywords(&[]).render(name, "/");
                page.map_or_else(|| Reply::error(404), |page| Reply::html(200, page.html))
            }
        }
        Site::RedirectLoop => Reply::redirect(
            302,
            if path == "/again" {
                "/".to_owned()
            } else {
                "/again".to_owned()
            },
        ),
        Site::Delayed(delay, inner) => {
            let mut plan = of_site(*inner, name, path, ports);
            if let Plan::Reply(reply) = &mut plan {
                reply.delay += delay;
            }
            return plan;
        }
        Site::GzipBomb => packed("gzip", bombs::gzip()),
        Site::DeflateBomb => packed("deflate", bombs::deflate()),
        Site::BrotliBomb => packed("br", bombs::brotli()),
        Site::WrongCharset => {
            let mut body = b"<html><head><meta charset=\"utf-8\"><title>Caf".to_vec();
            // 0xE9 is e-acute in ISO-8859-1 and no UTF-8 at all.
            body.extend(b"\xE9 M\xFCnchen</title></head><body><h1>Caf\xE9</h1></body></html>");
            Reply::new(200, "text/html; charset=utf-8", body)
        }
        fault @ (Site::Reset(_)
        | Site::Silent
        | Site::Drip(_)
        | Site::Endless
        | Site::HugeHeaders
        | Site::ManyHeaders
        | Site::Garbage
        | Site::Short) => return Plan::Fault(fault),
    })
}

fn packed(coding: &str, body: Bytes) -> Reply {
    Reply::new(200, "text/html", body).with("content-encoding", coding.to_owned())
}

fn location(target: Target, ports: Ports) -> String {
    match target {
        Target::Path(path) => path,
        Target::Http(host, path) => format!("http://{host}:{}{path}", ports.http),
        Target::Https(host, path) => format!("https://{host}:{}{path}", ports.https),
        Target::Verbatim(text) => text,
    }
}

/// Returns the usual phrase of a status.
pub(crate) fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown")
}
