//! What a correct client must find, computed without a socket from the functions that answer on them.

use super::host::{Dns, Host, Site, Target, Tls};
use super::page::{Kind, PageScript};
use super::{Found, World};

/// Longest chain of aliases that is followed; a longer one is a `SERVFAIL`, as from real resolvers.
pub(crate) const MAX_ALIASES: usize = 8;

/// Keywords on a page from which a client need not read on.
const ENOUGH_KEYWORDS: usize = 2;

/// Redirects that a client is expected to follow before it gives up.
const MAX_REDIRECTS: u32 = 7;

/// What asking for a name's address must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DnsVerdict {
    /// An address.
    Ok,
    /// `NXDOMAIN`.
    NxDomain,
    /// `SERVFAIL`.
    ServFail,
    /// `REFUSED`.
    Refused,
    /// The name exists and has no address.
    NoAnswer,
    /// Nobody answered.
    Timeout,
}

/// What fetching `/` (HTTPS first, plain HTTP where there is no HTTPS) must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpVerdict {
    /// A page with status 200.
    Ok,
    /// 404 or 410.
    NotFound,
    /// 500 to 599.
    Upstream5xx,
    /// The certificate has run out.
    SslExpired,
    /// The certificate is bad in another way.
    TlsError,
    /// The connection was reset.
    ConnectionReset,
    /// No answer in time.
    Timeout,
    /// Any other failure: an endless redirect, a status in none of the classes, a body out of bounds, bytes that are
    /// not HTTP.
    Error,
}

/// The whole expectation for one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The DNS outcome.
    pub dns: DnsVerdict,
    /// The HTTP outcome, where the DNS gave an address.
    pub http: Option<HttpVerdict>,
    /// The page is a parking service's.
    pub parked: bool,
    /// The keywords, of those asked for, that a reader sees on the page.
    pub keywords: Vec<String>,
    /// Those that a reader sees only on the pages of the site that the page links to. Given where the page shows fewer
    /// than two of those asked for: whoever found enough does not read on.
    pub further_keywords: Vec<String>,
}

/// Counts for a campaign over a list of names. The DNS counts add up to `names`, the HTTP counts to `dns_ok`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field counts the verdict of its name")]
pub struct Expected {
    pub names: u64,
    pub dns_ok: u64,
    pub nxdomain: u64,
    pub servfail: u64,
    pub refused: u64,
    pub no_answer: u64,
    pub dns_timeout: u64,
    pub http_ok: u64,
    pub not_found: u64,
    pub upstream_5xx: u64,
    pub ssl_expired: u64,
    pub tls_error: u64,
    pub connection_reset: u64,
    pub http_timeout: u64,
    pub http_error: u64,
    /// Pages of a parking service, among `http_ok`.
    pub parked: u64,
    /// Pages that show at least one of the keywords, among `http_ok`.
    pub with_keywords: u64,
    /// Pages that do, or whose site does on the pages that they link to.
    pub with_keywords_on_site: u64,
}

impl Expected {
    /// Counts one verdict.
    fn add(&mut self, verdict: &Verdict) {
        self.names += 1;
        *match verdict.dns {
            DnsVerdict::Ok => &mut self.dns_ok,
            DnsVerdict::NxDomain => &mut self.nxdomain,
            DnsVerdict::ServFail => &mut self.servfail,
            DnsVerdict::Refused => &mut self.refused,
            DnsVerdict::NoAnswer => &mut self.no_answer,
            DnsVerdict::Timeout => &mut self.dns_timeout,
        } += 1;
        let Some(http) = verdict.http else { return };
        *match http {
            HttpVerdict::Ok => &mut self.http_ok,
            HttpVerdict::NotFound => &mut self.not_found,
            HttpVerdict::Upstream5xx => &mut self.upstream_5xx,
            HttpVerdict::SslExpired => &mut self.ssl_expired,
            HttpVerdict::TlsError => &mut self.tls_error,
            HttpVerdict::ConnectionReset => &mut self.connection_reset,
            HttpVerdict::Timeout => &mut self.http_timeout,
            HttpVerdict::Error => &mut self.http_error,
        } += 1;
        self.parked += u64::from(verdict.parked);
        self.with_keywords += u64::from(!verdict.keywords.is_empty());
        self.with_keywords_on_site +=
            u64::from(!(verdict.keywords.is_empty() && verdict.further_keywords.is_empty()));
    }
}

impl World {
    /// Counts what a campaign over these names and keywords must find: keywords match in any case anywhere in the text
    /// that a reader sees, the title and the description of the final page.
    #[must_use]
    pub fn expected<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
        keywords: &[&str],
    ) -> Expected {
        let mut expected = Expected::default();
        for name in names {
            expected.add(&self.verdict(name.as_ref(), keywords));
        }
        expected
    }

    /// Computes what a correct client must find for one name. Delays count as answers, and resolvers' own scripts are
    /// not considered: whether a client waits long enough and asks elsewhere is its own affair.
    #[must_use]
    pub fn verdict(&self, name: &str, keywords: &[&str]) -> Verdict {
        let dns = self.dns_verdict(name);
        let mut verdict = Verdict {
            dns,
            http: None,
            parked: false,
            keywords: Vec::new(),
            further_keywords: Vec::new(),
        };
        if dns == DnsVerdict::Ok {
            let (http, page) = self.http_verdict(name);
            verdict.http = Some(http);
            if let Some(page) = page {
                verdict.parked = page.parked;
                let (here, elsewhere): (Vec<&str>, Vec<&str>) =
                    keywords.iter().partition(|keyword| page.shows(keyword));
                let owned = |keyword: &str| keyword.to_owned();
                if here.len() < ENOUGH_KEYWORDS {
                    let further = elsewhere.into_iter();
                    let further = further.filter(|keyword| page.site_shows(keyword));
                    verdict.further_keywords = further.map(owned).collect();
                }
                verdict.keywords = here.into_iter().map(owned).collect();
            }
        }
        verdict
    }

    fn dns_verdict(&self, name: &str) -> DnsVerdict {
        let mut name = name.to_owned();
        for _ in 0..=MAX_ALIASES {
            let host = match self.find(&name) {
                Found::Host(host) => host,
                Found::Empty => return DnsVerdict::NoAnswer,
                Found::Missing => return DnsVerdict::NxDomain,
            };
            match &host.dns {
                Dns::Live | Dns::Truncated | Dns::Delayed(_) => return DnsVerdict::Ok,
                Dns::NxDomain => return DnsVerdict::NxDomain,
                Dns::NoData => return DnsVerdict::NoAnswer,
                Dns::ServFail => return DnsVerdict::ServFail,
                Dns::Refused => return DnsVerdict::Refused,
                Dns::Silent => return DnsVerdict::Timeout,
                Dns::Alias(target) => name.clone_from(target),
            }
        }
        DnsVerdict::ServFail
    }

    /// Follows redirects from `/` over the best scheme that the host has.
    fn http_verdict(&self, name: &str) -> (HttpVerdict, Option<Shown>) {
        let mut name = name.to_owned();
        let mut path = "/".to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let Found::Host(host) = self.find(&name) else {
                return (HttpVerdict::Error, None);
            };
            match host.tls {
                Tls::Expired => return (HttpVerdict::SslExpired, None),
                Tls::SelfSigned | Tls::WrongHost => return (HttpVerdict::TlsError, None),
                Tls::Silent => return (HttpVerdict::Timeout, None),
                Tls::Good | Tls::Only12 | Tls::Absent => {}
            }
            match step(&host, &name, &path) {
                Step::Final(verdict, shown) => return (verdict, shown),
                Step::Path(next) => path = next,
                Step::Host(next_name, next_path) => (name, path) = (next_name, next_path),
            }
        }
        (HttpVerdict::Error, None)
    }
}

/// What a reader sees of the final page.
struct Shown {
    parked: bool,
    page: Option<super::page::Rendered>,
    html: String,
    /// The pages of the site that it links to.
    further: Vec<super::page::Rendered>,
}

impl Shown {
    fn site_shows(&self, keyword: &str) -> bool {
        self.further.iter().any(|page| page.shows(keyword))
    }

    fn shows(&self, keyword: &str) -> bool {
        match &self.page {
            Some(page) => page.shows(keyword),
            // Scripted HTML is taken as it stands: whoever wrote it knows what is in its markup.
            None => self.html.to_lowercase().contains(&keyword.to_lowercase()),
        }
    }
}

enum Step {
    Final(HttpVerdict, Option<Shown>),
    Path(String),
    Host(String, String),
}

fn step(host: &Host, name: &str, path: &str) -> Step {
    let mut site = host.site_at(path);
    while let Site::Delayed(_, inner) = site {
        site = *inner;
    }
    let failed = |verdict| Step::Final(verdict, None);
    match site {
        Site::Page(script) => page(&script, name, path),
        Site::Html(html) => Step::Final(
            HttpVerdict::Ok,
            Some(Shown {
                parked: false,
                page: None,
                html,
                further: Vec::new(),
            }),
        ),
        Site::Raw(_, _) | Site::WrongCharset => Step::Final(
            HttpVerdict::Ok,
            Some(Shown {
                parked: false,
                page: None,
                html: String::new(),
                further: Vec::new(),
            }),
        ),
        Site::Status(404 | 410) => failed(HttpVerdict::NotFound),
        Site::Status(500..=599) | Site::RetryAfter(500..=599, _) => {
            failed(HttpVerdict::Upstream5xx)
        }
        Site::Redirect(_, Target::Path(next)) => Step::Path(next),
        Site::Redirect(_, Target::Http(next, path) | Target::Https(next, path)) => {
            Step::Host(next, path)
        }
        Site::RedirectChain(hops) if hops <= MAX_REDIRECTS => {
            page(&PageScript::with_keywords(&[]), name, "/")
        }
        Site::Reset(_) => failed(HttpVerdict::ConnectionReset),
        Site::Silent | Site::Drip(_) => failed(HttpVerdict::Timeout),
        _ => failed(HttpVerdict::Error),
    }
}

fn page(script: &PageScript, name: &str, path: &str) -> Step {
    match script.render(name, path) {
        Some(page) => {
            let parked = script.kind == Kind::Parked;
            Step::Final(
                HttpVerdict::Ok,
                Some(Shown {
                    parked,
                    page: Some(page),
                    html: String::new(),
                    further: further(script, name),
                }),
            )
        }
        None => Step::Final(HttpVerdict::NotFound, None),
    }
}

/// Renders the pages that a generated page links to; one of a parking service links to none of its own.
fn further(script: &PageScript, name: &str) -> Vec<super::page::Rendered> {
    if script.kind == Kind::Parked {
        return Vec::new();
    }
    let pages = super::page::INNER_PATHS.iter();
    pages.filter_map(|path| script.render(name, path)).collect()
}
