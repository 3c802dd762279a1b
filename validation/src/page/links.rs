//! Telling a page's links apart.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use indexmap::IndexSet;
use url::Url;

use super::{Contacts, MAX_LINKS, MAX_LISTED, Page, contacts};

/// Words that a link to a contact page has in its address or its text.
const CONTACT_WORDS: &[&str] = &[
    "contact",
    "kontakt",
    "impressum",
    "imprint",
    "contatt",
    "contacto",
    "contato",
    "yhteys",
    "iletisim",
    "iletişim",
    "контакт",
    "お問い合わせ",
    "联系我们",
];

/// Collects the links of one page.
pub(super) struct Links<'b> {
    base: Option<std::borrow::Cow<'b, Url>>,
    /// Host of the page, which a `base` element does not change.
    host: Option<&'b str>,
    /// Addresses that may be on the same host, resolved at the end because a `base` element may still come.
    same_host: IndexSet<String>,
    /// The link that is open, where its text can still make it a contact link.
    pending: Option<Pending>,
}

/// The address of a link: its place among those of the same host, or itself.
enum Pending {
    Listed(usize),
    Other(String),
}

impl<'b> Links<'b> {
    pub(super) fn new(base: Option<&'b Url>) -> Self {
        Self {
            base: base.map(std::borrow::Cow::Borrowed),
            host: base.and_then(Url::host_str),
            same_host: IndexSet::new(),
            pending: None,
        }
    }

    /// Takes the address of a `base` element.
    pub(super) fn rebase(&mut self, href: &str) {
        if let Some(base) = self.base.as_deref().and_then(|base| base.join(href).ok()) {
            self.base = Some(std::borrow::Cow::Owned(base));
        }
    }

    /// Takes the address of a link.
    pub(super) fn open(&mut self, href: String, page: &mut Page) {
        self.pending = None;
        let address = match scheme(&href) {
            Some("mailto") => return contacts::mail_link(&href, &mut page.contacts),
            Some("tel" | "callto") => return contacts::phone_link(&href, &mut page.contacts),
            Some("http" | "https") => Some(authority(&href)),
            Some(_) => return,
            None if href.is_empty() || href.starts_with('#') => return,
            None if href.starts_with("//") || href.starts_with("\\\\") => Some(authority(&href)),
            None => None,
        };
        let internal = match (address, self.host) {
            (None, _) => true,
            (Some(other), Some(own)) => same_host(other, own),
            (Some(_), None) => false,
        };
        if internal {
            page.links_internal = page.links_internal.saturating_add(1);
        } else {
            page.links_external = page.links_external.saturating_add(1);
        }
        // Links of the same host are what a visitor may follow for contact, whatever becomes of the list below.
        if internal {
            self.pending = Some(
                match self.base.is_some() && self.same_host.len() < MAX_LINKS {
                    true => Pending::Listed(self.same_host.insert_full(href).0),
                    false => Pending::Other(href),
                },
            );
        }
    }

    /// Takes the text of the link that was open.
    pub(super) fn close(&mut self, words: &str, page: &mut Page) {
        let pending = self.pending.take();
        let href = match &pending {
            Some(Pending::Listed(place)) => self.same_host.get_index(*place),
            Some(Pending::Other(href)) => Some(href),
            None => None,
        };
        let Some(href) = href else { return };
        if page.contacts.links.len() < MAX_LISTED
            && (speaks_of_contact(href) || speaks_of_contact(words))
        {
            contacts::add(&mut page.contacts.links, href.clone());
        }
    }

    /// Resolves the same-host links.
    pub(super) fn finish(self, page: &mut Page) {
        let (Some(base), Some(host)) = (self.base, self.host) else {
            return;
        };
        let mut listed = IndexSet::with_capacity(self.same_host.len());
        for href in self.same_host {
            let Ok(mut url) = base.join(&href) else {
                continue;
            };
            url.set_fragment(None);
            let fits = matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|other| same_host(other, host));
            if fits {
                listed.insert(url);
            }
        }
        page.links = listed.into_iter().collect();
    }
}

impl Contacts {
    pub(super) fn is_full(list: &[String]) -> bool {
        list.len() >= MAX_LISTED
    }
}

/// Reads the scheme of an address, if it has one that is known here.
fn scheme(href: &str) -> Option<&'static str> {
    let (scheme, _) = href.split_once(':')?;
    if scheme.is_empty()
        || !scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    {
        return None;
    }
    ["http", "https", "mailto", "tel", "callto"]
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known))
        .or(Some("other"))
}

/// Cuts the host out of an address with a scheme or of `//host/path`.
fn authority(href: &str) -> &str {
    let rest = href
        .split_once(':')
        .filter(|(scheme, _)| !scheme.contains('/'))
        .map_or(href, |(_, rest)| rest);
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Compares hosts; `www.` in front makes no difference.
fn same_host(one: &str, other: &str) -> bool {
    let bare = |host: &str| {
        host.get(..4)
            .is_some_and(|www| www.eq_ignore_ascii_case("www."))
    };
    let strip = |host| {
        if bare(host) {
            host.get(4..).unwrap_or_default()
        } else {
            host
        }
    };
    strip(one.trim_end_matches('.')).eq_ignore_ascii_case(strip(other.trim_end_matches('.')))
}

/// Finds the words, in any case where they are ASCII.
static CONTACT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(CONTACT_WORDS);
    words.ok()
});

fn speaks_of_contact(text: &str) -> bool {
    if text.len() > 200 {
        return false;
    }
    let speaks = |text: &str| CONTACT.as_ref().is_some_and(|words| words.is_match(text));
    match text.is_ascii() {
        true => speaks(text),
        false => speaks(&text.to_lowercase()),
    }
}
