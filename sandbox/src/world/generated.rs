//! A world without a list: every name's script is computed from the name.

use std::time::Duration;

use super::draw::Draw;
use super::fate::{Fate, Shares};
use super::host::{Dns, Host, Record, Site, Target, Tls};
use super::page::{Kind, PageScript};

/// Labels longer than this are never registered, so that a random label asked for to detect a wildcard finds nothing.
pub const LONGEST_LABEL: usize = 20;

/// Public suffixes of two labels that this world knows; everywhere else a domain is one label below its top level.
const SECOND_LEVEL: [&str; 6] = ["co.uk", "org.uk", "com.au", "co.jp", "com.br", "co.nz"];

/// Name servers of parked names: a parking service's, as a client would know them.
const PARKING_SERVERS: [&str; 2] = ["ns1.sedoparking.com", "ns2.sedoparking.com"];

/// The rule that makes the world.
#[derive(Debug, Clone)]
pub(crate) struct Generated {
    pub(crate) seed: u64,
    pub(crate) shares: Shares,
    pub(crate) keywords: Vec<String>,
}

/// Where a name stands in the tree of names.
enum Place<'a> {
    /// The root, a top level or a public suffix.
    Suffix,
    /// A domain itself.
    Apex,
    /// `www.` below this domain.
    Www(&'a str),
    /// Any other name below this domain.
    Below(&'a str),
}

/// Returns the part of a name after its first label.
fn parent(name: &str) -> &str {
    name.split_once('.').map_or("", |(_, rest)| rest)
}

fn place(name: &str) -> Place<'_> {
    let is_suffix = |name: &str| !name.contains('.') || SECOND_LEVEL.contains(&name);
    if is_suffix(name) {
        return Place::Suffix;
    }
    let mut domain = name;
    while !is_suffix(parent(domain)) {
        domain = parent(domain);
    }
    if domain == name {
        Place::Apex
    } else if name.strip_prefix("www.") == Some(domain) {
        Place::Www(domain)
    } else {
        Place::Below(domain)
    }
}

impl Generated {
    /// Returns the fate of a domain (not of a name below one).
    pub(crate) fn fate(&self, domain: &str) -> Fate {
        if domain
            .split('.')
            .next()
            .is_none_or(|label| label.len() > LONGEST_LABEL)
        {
            return Fate::NxDomain;
        }
        self.shares
            .at(Draw::new(self.seed, domain).below(self.shares.total()))
    }

    /// Returns the fate that decides about any name: its domain's, as far as the name exists below it.
    pub(crate) fn fate_of_name(&self, name: &str) -> Option<Fate> {
        match place(name) {
            Place::Suffix => None,
            Place::Apex => Some(self.fate(name)),
            Place::Www(domain) => Some(self.fate(domain)),
            Place::Below(domain) => match self.fate(domain) {
                Fate::Parked => Some(Fate::Parked),
                // A broken or silent delegation is broken for everything below it.
                fate @ (Fate::ServFail | Fate::Refused | Fate::DnsSilent) => Some(fate),
                _ => Some(Fate::NxDomain),
            },
        }
    }

    /// Computes the script of a name, lower case and without a trailing dot.
    pub(crate) fn host(&self, name: &str) -> Host {
        let Some(fate) = self.fate_of_name(name) else {
            return Host::named(Dns::NoData);
        };
        let is_www = matches!(place(name), Place::Www(_));
        match fate {
            Fate::NxDomain => Host::named(Dns::NxDomain),
            Fate::NoData => Host::named(Dns::NoData),
            Fate::ServFail => Host::named(Dns::ServFail),
            Fate::Refused => Host::named(Dns::Refused),
            Fate::DnsSilent => Host::named(Dns::Silent),
            live => self.live(name, live, is_www),
        }
    }

    fn live(&self, name: &str, fate: Fate, is_www: bool) -> Host {
        let domain = if is_www { parent(name) } else { name };
        let mut draw = Draw::new(self.seed ^ 0x5eed, domain);
        // Four sites of ten have no HTTPS; their handshake is refused and plain HTTP serves.
        let tls = if draw.below(10) < 4 {
            Tls::Absent
        } else {
            Tls::Good
        };
        let scheme = if tls == Tls::Absent {
            Target::Http
        } else {
            Target::Https
        };
        let ttl = [60, 300, 3600, 86_400]
            .get(usize::try_from(draw.below(4)).unwrap_or(0))
            .copied()
            .unwrap_or(300);
        let site = match fate {
            Fate::NotFound => Site::Status(404),
            Fate::Gone => Site::Status(410),
            Fate::ServerError => Site::Status(500),
            Fate::Unavailable => Site::Status(503),
            Fate::RedirectLoop => Site::RedirectLoop,
            Fate::Reset => Site::Reset(200),
            Fate::HttpSilent => Site::Silent,
            Fate::Parked => Site::Page(PageScript::parked()),
            Fate::Plain => Site::Page(PageScript {
                kind: Kind::Full,
                keywords: Vec::new(),
                decoys: self.keywords.clone(),
            }),
            Fate::Thin => Site::Page(PageScript {
                kind: Kind::Thin,
                keywords: self.keywords.clone(),
                decoys: Vec::new(),
            }),
            Fate::Slow => Site::Delayed(
                Duration::from_millis(250),
                Box::new(self.keyword_site(&mut draw)),
            ),
            _ => self.keyword_site(&mut draw),
        };
        let mut host = Host::new(site).tls(tls).ttl(ttl);
        match fate {
            Fate::RedirectPath => {
                host = host.path("/", Site::Redirect(302, Target::Path("/home".to_owned())));
            }
            Fate::RedirectWww if !is_www => {
                host = host.path(
                    "/",
                    Site::Redirect(301, scheme(format!("www.{name}"), "/".to_owned())),
                );
            }
            Fate::ExpiredCertificate => host = host.tls(Tls::Expired),
            Fate::BadCertificate if draw.below(2) == 0 => host = host.tls(Tls::SelfSigned),
            Fate::BadCertificate => host = host.tls(Tls::WrongHost),
            _ => {}
        }
        if fate == Fate::Parked {
            for server in PARKING_SERVERS {
                host = host.record(Record::Ns(server.to_owned()));
            }
            return host;
        }
        host.record(Record::Ns("ns1.sandbox.test".to_owned()))
            .record(Record::Ns("ns2.sandbox.test".to_owned()))
            .record(Record::Mx(10, format!("mail.{domain}")))
            .record(Record::Txt("v=spf1 mx -all".to_owned()))
    }

    /// Makes a site with one to all of the keywords, which ones being the name's affair.
    fn keyword_site(&self, draw: &mut Draw) -> Site {
        let all: Vec<&str> = self.keywords.iter().map(String::as_str).collect();
        let count = u64::try_from(all.len()).unwrap_or(0);
        let wanted = usize::try_from(1 + draw.below(count)).unwrap_or(1);
        let start = usize::try_from(draw.below(count)).unwrap_or(0);
        let chosen: Vec<&str> = all
            .iter()
            .copied()
            .cycle()
            .skip(start)
            .take(wanted.min(all.len()))
            .collect();
        Site::Page(PageScript::with_keywords(&chosen))
    }
}
