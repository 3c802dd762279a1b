//! A list, made once and asked often: by name label for label, by address prefix for prefix, never entry for entry.

use std::{fmt, net::IpAddr};

use uuid::Uuid;

use super::{Held, blocks::Blocks, names::Names};

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A domain and the names below it.
    Domain,
    /// The end of names.
    Suffix,
    /// A block of addresses.
    Cidr,
    /// A name server, or those below its name.
    NameServer,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "domain",
            Self::Suffix => "suffix",
            Self::Cidr => "address",
            Self::NameServer => "name server",
        })
    }
}

/// An entry, its value in the one form in which it is written: names in lower case A-labels, blocks as `network/length`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What names it.
    pub id: Uuid,
    /// What it names.
    pub kind: Kind,
    /// Whom.
    pub value: String,
}

/// An entry that cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the suppression entry {0} names no block of addresses")]
pub struct BadEntry(pub Uuid);

/// Whom to leave alone.
#[derive(Clone, Debug, Default)]
pub struct List {
    names: Names<Kind>,
    servers: Names<()>,
    blocks: Blocks,
    entries: usize,
}

impl List {
    /// Makes a list.
    ///
    /// # Errors
    /// The first entry that cannot be honoured: a list without it would let through what it is to hold.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Result<Self, BadEntry> {
        let mut list = Self::default();
        for Entry { id, kind, value } in entries {
            list.entries += 1;
            match kind {
                Kind::Domain | Kind::Suffix => list.names.insert(value, kind, id),
                Kind::NameServer => list.servers.insert(value, (), id),
                Kind::Cidr => list.blocks.insert(&value, id).ok_or(BadEntry(id))?,
            }
        }
        Ok(list)
    }

    /// Tells how many entries it has.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// Tells what holds a name: an entry for it or for one above it, the nearest first. Upper and lower case are the same,
    /// and a dot at the end counts for nothing.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<Held> {
        let (kind, id) = self.names.find(name)?;
        Some(Held::By(id, kind))
    }

    /// Tells what holds an address: the smallest block that it lies in. IPv4 written as IPv6 counts as IPv4.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> Option<Held> {
        let id = self.blocks.find(address)?;
        Some(Held::By(id, Kind::Cidr))
    }

    /// Tells what holds a host by its name, or by its address where it has none.
    #[must_use]
    pub fn host(&self, host: &str) -> Option<Held> {
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => self.address(address),
            Err(_) => self.name(host),
        }
    }

    /// Tells what holds a domain with these name servers: an entry for one of them, or for a name above one.
    #[must_use]
    pub fn name_servers(&self, servers: &[String]) -> Option<Held> {
        let ((), id) = servers
            .iter()
            .find_map(|server| self.servers.find(server))?;
        Some(Held::By(id, Kind::NameServer))
    }

    /// Tells whether some entry names addresses.
    #[must_use]
    pub fn names_addresses(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Tells whether some entry names sites by their names.
    #[must_use]
    pub fn names_sites(&self) -> bool {
        !self.names.is_empty()
    }

    /// Tells whether some entry names a name server, so that it matters which ones a domain has.
    #[must_use]
    pub fn names_servers(&self) -> bool {
        !self.servers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u128, kind: Kind, value: &str) -> Entry {
        Entry {
            id: Uuid::from_u128(id),
            kind,
            value: value.to_owned(),
        }
    }

    fn list() -> List {
        List::new([
            entry(1, Kind::Domain, "example.com"),
            entry(2, Kind::Suffix, "gov"),
            entry(3, Kind::Cidr, "192.0.2.0/24"),
            entry(4, Kind::Cidr, "192.0.2.8/32"),
            entry(5, Kind::Cidr, "2001:db8::/32"),
            entry(6, Kind::NameServer, "parking.example"),
        ])
        .unwrap()
    }

    fn id(held: Option<Held>) -> Option<u128> {
        match held? {
            Held::By(id, _) => Some(id.as_u128()),
            Held::Unread | Held::ServersUnknown => None,
        }
    }

    #[test]
    fn a_name_is_held_by_itself_and_by_what_is_above_it_and_by_no_namesake() {
        for (name, by) in [
            ("example.com", Some(1)),
            ("WWW.Example.COM.", Some(1)),
            ("a.b.example.com", Some(1)),
            ("notexample.com", None),
            ("example.com.test", None),
            ("com", None),
            ("gov", Some(2)),
            ("a.gov", Some(2)),
            ("gov.test", None),
            ("", None),
        ] {
            assert_eq!(id(list().name(name)), by, "{name}");
        }
        assert_eq!(List::default().name("example.com"), None);
    }

    #[test]
    fn an_address_is_held_by_the_smallest_block_around_it() {
        for (address, by) in [
            ("192.0.2.7", Some(3)),
            ("192.0.2.8", Some(4)),
            ("::ffff:192.0.2.8", Some(4)),
            ("192.0.3.0", None),
            ("2001:db8:1::1", Some(5)),
            ("2001:db9::1", None),
        ] {
            assert_eq!(
                id(list().address(address.parse().unwrap())),
                by,
                "{address}"
            );
        }
    }

    #[test]
    fn a_block_of_everything_holds_every_address_of_its_family() {
        let all = List::new([entry(1, Kind::Cidr, "0.0.0.0/0")]).unwrap();
        assert_eq!(id(all.address("8.8.8.8".parse().unwrap())), Some(1));
        assert_eq!(id(all.address("2001:db8::1".parse().unwrap())), None);
    }

    #[test]
    fn a_domain_is_held_by_one_of_its_name_servers() {
        let servers = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let held = servers(&["ns.example.net", "NS1.parking.example."]);
        assert_eq!(id(list().name_servers(&held)), Some(6));
        let free = servers(&["ns.example.net", "ns1.notparking.example"]);
        assert_eq!(list().name_servers(&free), None);
        // The name of a server is no name of a site.
        assert_eq!(list().name("www.parking.example"), None);
        assert!(list().names_servers() && !List::default().names_servers());
    }

    #[test]
    fn a_list_with_an_entry_that_cannot_be_honoured_is_none() {
        let bad = List::new([entry(9, Kind::Cidr, "everywhere")]);
        assert_eq!(bad.unwrap_err(), BadEntry(Uuid::from_u128(9)));
    }
}
