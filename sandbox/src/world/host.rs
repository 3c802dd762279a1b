//! What a script can say about one host: how its name resolves, what its web server does, which certificate it shows.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::page::PageScript;

/// How the DNS answers for a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dns {
    /// The host's records; an A record of 127.0.0.1 where the script names no address.
    #[default]
    Live,
    /// `NXDOMAIN`, with the SOA of the parent zone.
    NxDomain,
    /// `NOERROR` without an answer for any type (RFC 2308 NODATA).
    NoData,
    /// `SERVFAIL` from every resolver.
    ServFail,
    /// `REFUSED` from every resolver.
    Refused,
    /// No answer from any resolver.
    Silent,
    /// TC and nothing else over UDP; the records over TCP.
    Truncated,
    /// The records, this late.
    Delayed(Duration),
    /// A CNAME to this name, followed inside the sandbox.
    Alias(String),
}

/// One resource record of a host, without its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An IPv4 address (RFC 1035).
    A(Ipv4Addr),
    /// An IPv6 address (RFC 3596).
    Aaaa(Ipv6Addr),
    /// A mail exchanger with its preference.
    Mx(u16, String),
    /// A name server.
    Ns(String),
    /// One character string per 255 bytes of text.
    Txt(String),
    /// A certification authority that may issue (RFC 8659): tag and value.
    Caa(String, String),
}

/// Where a redirect leads. Addresses that lead to another origin carry the sandbox's own ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path on the same host and scheme, sent as a relative reference.
    Path(String),
    /// Another host over plain HTTP: host and path.
    Http(String, String),
    /// Another host over HTTPS: host and path.
    Https(String, String),
    /// This text, untouched.
    Verbatim(String),
}

/// What a web server does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// A generated page of realistic size.
    Page(PageScript),
    /// 200 with this HTML.
    Html(String),
    /// 200 with this content type and these bytes.
    Raw(String, Vec<u8>),
    /// A short error page with this status.
    Status(u16),
    /// This status and `Retry-After` in seconds.
    RetryAfter(u16, u32),
    /// A redirect with this status.
    Redirect(u16, Target),
    /// `/` leads to `/hop/1`, that to `/hop/2`, and so on; the last hop shows a plain page.
    RedirectChain(u32),
    /// `/` and `/again` lead to each other.
    RedirectLoop,
    /// Another site's behaviour, this late.
    Delayed(Duration, Box<Self>),
    /// The connection is reset after this many bytes of a 200 response; 0 resets before the first.
    Reset(usize),
    /// The request is read and never answered.
    Silent,
    /// A 200 whose body comes a byte at a time, with this pause, and does not end.
    Drip(Duration),
    /// A 200 whose body does not end, as fast as it is read.
    Endless,
    /// 64 MiB of zeros in some 64 KiB of gzip.
    GzipBomb,
    /// 64 MiB of zeros in some 64 KiB of deflate.
    DeflateBomb,
    /// Four gibibytes of one letter in some kilobytes of brotli.
    BrotliBomb,
    /// A 200 with a megabyte of response headers.
    HugeHeaders,
    /// A 200 with a million response headers, also over HTTP/2 where that is offered.
    ManyHeaders,
    /// Bytes that are not HTTP.
    Garbage,
    /// A `Content-Length` that the body does not reach before the connection closes.
    Short,
    /// ISO-8859-1 text in a page that claims UTF-8.
    WrongCharset,
}

/// Which certificate the host shows, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tls {
    /// One signed by the sandbox's authority for this name.
    #[default]
    Good,
    /// A good certificate, and no protocol version above TLS 1.2.
    Only12,
    /// One that ran out in 2021, signed by the sandbox's authority.
    Expired,
    /// One that signed itself.
    SelfSigned,
    /// One signed by the sandbox's authority for another name.
    WrongHost,
    /// None: the handshake is refused with a fatal alert, as by a host without HTTPS.
    Absent,
    /// The ClientHello is read and never answered.
    Silent,
}

impl Tls {
    /// Says whether a careful client must turn away from the certificate.
    pub(crate) fn is_bad(self) -> bool {
        matches!(self, Self::Expired | Self::SelfSigned | Self::WrongHost)
    }
}

/// The whole script of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub(crate) dns: Dns,
    pub(crate) records: Vec<Record>,
    pub(crate) ttl: u32,
    pub(crate) site: Site,
    pub(crate) paths: BTreeMap<String, Site>,
    pub(crate) tls: Tls,
    pub(crate) https_only: bool,
    pub(crate) http2: bool,
    pub(crate) cookies: Vec<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Host {
    /// Makes a host that resolves to 127.0.0.1 and serves this site with a good certificate.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self {
            dns: Dns::Live,
            records: Vec::new(),
            ttl: 300,
            site,
            paths: BTreeMap::new(),
            tls: Tls::Good,
            https_only: false,
            http2: false,
            cookies: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Makes a host that serves a generated page with these keywords in its visible text; a plain one without any.
    #[must_use]
    pub fn page(keywords: &[&str]) -> Self {
        Self::new(Site::Page(PageScript::with_keywords(keywords)))
    }

    /// Makes a host that serves this HTML.
    #[must_use]
    pub fn html(html: impl Into<String>) -> Self {
        Self::new(Site::Html(html.into()))
    }

    /// Makes a host that answers every path with this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Site::Status(status))
    }

    /// Makes a name that the DNS treats like this; its web server, if one gets there, shows a plain page.
    #[must_use]
    pub fn named(dns: Dns) -> Self {
        Self::page(&[]).dns(dns)
    }

    /// Sets how the name resolves.
    #[must_use]
    pub fn dns(mut self, dns: Dns) -> Self {
        self.dns = dns;
        self
    }

    /// Adds a record. The first A or AAAA replaces the default address.
    #[must_use]
    pub fn record(mut self, record: Record) -> Self {
        self.records.push(record);
        self
    }

    /// Sets the time to live of every record, in seconds.
    #[must_use]
    pub fn ttl(mut self, seconds: u32) -> Self {
        self.ttl = seconds;
        self
    }

    /// Sets the certificate. A bad one makes plain HTTP redirect to HTTPS, so that a client cannot go round it; call
    /// [`Host::https_only`] afterwards to have it otherwise.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self.https_only = tls.is_bad();
        self
    }

    /// Makes plain HTTP answer every request with a redirect to HTTPS, or not.
    #[must_use]
    pub fn https_only(mut self, https_only: bool) -> Self {
        self.https_only = https_only;
        self
    }

    /// Offers HTTP/2 over TLS. Faults below the response (resets, drips, endless bodies) need HTTP/1.1 and are
    /// answered with 501 over HTTP/2.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Gives one path a behaviour of its own.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>, site: Site) -> Self {
        self.paths.insert(path.into(), site);
        self
    }

    /// Serves this robots.txt (RFC 9309). Without one the path answers 404, which allows everything.
    #[must_use]
    pub fn robots(self, text: &str) -> Self {
        self.path(
            "/robots.txt",
            Site::Raw("text/plain".to_owned(), text.as_bytes().to_vec()),
        )
    }

    /// Sends this `Set-Cookie` value with every answer.
    #[must_use]
    pub fn cookie(mut self, value: impl Into<String>) -> Self {
        self.cookies.push(value.into());
        self
    }

    /// Sends this header with every answer; its name is in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the behaviour at a path (without its query).
    pub(crate) fn site_at(&self, path: &str) -> Site {
        if let Some(site) = self.paths.get(path) {
            return site.clone();
        }
        // A site that fails must still be one that may be asked: RFC 9309 reads a 5xx here as "keep out".
        if path == "/robots.txt" && !matches!(self.site, Site::Silent) {
            return Site::Status(404);
        }
        self.site.clone()
    }
}
