//! The world that a sandbox serves: which names exist and what is behind each.
//!
//! A [`World`] is a pure description. [`World::scripted`] knows only the hosts that it is told of, which suits tests;
//! [`World::generated`] computes the script of every name from a seed and the name, which suits campaigns over any
//! number of names: nothing is stored, and [`World::expected`] counts beforehand, from the same functions that answer,
//! what a correct client must find. Explicit hosts win over wildcards, wildcards over the generated rule.

pub(crate) mod draw;
mod expected;
mod fate;
mod generated;
mod host;
pub(crate) mod page;
mod words;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) use expected::MAX_ALIASES;
pub use expected::{DnsVerdict, Expected, HttpVerdict, Verdict};
pub use fate::{Fate, Shares};
pub use generated::LONGEST_LABEL;
pub use host::{Dns, Host, Record, Site, Target, Tls};
pub use page::{Kind, PageScript};
pub use words::KEYWORDS;

use crate::dns::ResolverScript;
use crate::proxy::ProxyScript;
use generated::Generated;

/// Everything a sandbox is told before it starts.
#[derive(Debug, Clone, Default)]
pub struct World {
    hosts: HashMap<String, Arc<Host>>,
    wildcards: HashMap<String, Arc<Host>>,
    // Names that exist because something below them does (RFC 8020: they are empty, not missing).
    parents: HashSet<String>,
    generated: Option<Generated>,
    pub(crate) resolvers: Vec<ResolverScript>,
    pub(crate) proxies: Vec<ProxyScript>,
}

/// What is behind a name.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A host with its script.
    Host(Arc<Host>),
    /// The name exists and has no records.
    Empty,
    /// The name does not exist.
    Missing,
}

impl World {
    /// Makes a world of only those hosts that are added to it; every other name is `NXDOMAIN`.
    #[must_use]
    pub fn scripted() -> Self {
        Self::default()
    }

    /// Makes a world in which every name has a fate, drawn from this seed and the name with the default [`Shares`].
    /// Sites plant [`KEYWORDS`].
    #[must_use]
    pub fn generated(seed: u64) -> Self {
        let keywords = KEYWORDS.map(str::to_owned).to_vec();
        Self {
            generated: Some(Generated {
                seed,
                shares: Shares::default(),
                keywords,
            }),
            ..Self::default()
        }
        .host(
            "parking.sandbox.test",
            Host::new(Site::Page(PageScript::parked())),
        )
        .host("social.sandbox.test", Host::page(&[]))
        .host("health.sandbox.test", Host::html("<title>ok</title>ok"))
    }

    /// Adds a host.
    #[must_use]
    pub fn host(mut self, name: &str, host: Host) -> Self {
        self.set_host(name, host);
        self
    }

    /// Makes every name below this zone, which has no host of its own, answer like this host.
    #[must_use]
    pub fn wildcard(mut self, zone: &str, host: Host) -> Self {
        let zone = canonical(zone).into_owned();
        self.add_parents(&zone);
        self.parents.insert(zone.clone());
        self.wildcards.insert(zone, Arc::new(host));
        self
    }

    /// Replaces the shares of a generated world; changes nothing in a scripted one.
    #[must_use]
    pub fn shares(mut self, shares: Shares) -> Self {
        if let Some(generated) = &mut self.generated {
            generated.shares = shares;
        }
        self
    }

    /// Replaces the keywords that generated sites plant; changes nothing in a scripted world.
    #[must_use]
    pub fn keywords<S: AsRef<str>>(mut self, keywords: impl IntoIterator<Item = S>) -> Self {
        if let Some(generated) = &mut self.generated {
            generated.keywords = keywords
                .into_iter()
                .map(|keyword| keyword.as_ref().to_owned())
                .collect();
        }
        self
    }

    /// Adds a resolver beside the authority.
    #[must_use]
    pub fn resolver(mut self, script: ResolverScript) -> Self {
        self.resolvers.push(script);
        self
    }

    /// Adds one resolver for each script.
    #[must_use]
    pub fn resolvers(mut self, scripts: impl IntoIterator<Item = ResolverScript>) -> Self {
        self.resolvers.extend(scripts);
        self
    }

    /// Adds a proxy.
    #[must_use]
    pub fn proxy(mut self, script: ProxyScript) -> Self {
        self.proxies.push(script);
        self
    }

    /// Returns the fate that a generated world has for a name; none for top levels and in scripted worlds. Explicit
    /// hosts and wildcards are not considered.
    #[must_use]
    pub fn fate(&self, name: &str) -> Option<Fate> {
        self.generated.as_ref()?.fate_of_name(&canonical(name))
    }

    /// Adds or replaces a host.
    pub(crate) fn set_host(&mut self, name: &str, host: Host) {
        let name = canonical(name).into_owned();
        self.add_parents(&name);
        self.hosts.insert(name, Arc::new(host));
    }

    fn add_parents(&mut self, name: &str) {
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            self.parents.insert(parent.to_owned());
            rest = parent;
        }
    }

    /// Finds what is behind a name in any case, with or without its trailing dot.
    pub(crate) fn find(&self, name: &str) -> Found {
        let name = canonical(name);
        if let Some(host) = self.hosts.get(name.as_ref()) {
            return Found::Host(Arc::clone(host));
        }
        let mut rest = name.as_ref();
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(host) = self.wildcards.get(parent) {
                return Found::Host(Arc::clone(host));
            }
            rest = parent;
        }
        match &self.generated {
            _ if name.is_empty() || self.parents.contains(name.as_ref()) => Found::Empty,
            Some(generated) => Found::Host(Arc::new(generated.host(&name))),
            None => Found::Missing,
        }
    }

    /// Says whether a name was added by itself, so that its queries are worth counting one by one.
    pub(crate) fn is_explicit(&self, name: &str) -> bool {
        self.hosts.contains_key(name)
    }
}

/// Writes a name in lower case without its trailing dot, copying it only when that changes it.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
