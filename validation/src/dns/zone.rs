//! Whose servers bear the questions for a name.
//!
//! A resolver that is asked for a name it does not know asks the servers of the zone in which the name stands. For a
//! registrable domain those are the servers of its public suffix, which are many and strong; for a name below one, the
//! domain's own, which may be one small machine.

/// The zone in which a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone<'a> {
    /// A public suffix, such as `com` or `co.uk`.
    Suffix(&'a str),
    /// A registrable domain.
    Domain(&'a str),
}

impl<'a> Zone<'a> {
    /// Finds the zone of a name in lower case; a suffix itself stands in its own.
    pub(super) fn of(name: &'a str) -> Self {
        match registrable(name) {
            Some(domain) if domain != name => Self::Domain(domain),
            Some(domain) => Self::Suffix(domain.split_once('.').map_or(domain, |(_, above)| above)),
            None => Self::Suffix(name),
        }
    }

    /// Gives the zone's name.
    pub(super) const fn name(self) -> &'a str {
        match self {
            Self::Suffix(name) | Self::Domain(name) => name,
        }
    }
}

/// Gives the part of a name that somebody registered; nothing for a public suffix.
pub(super) fn registrable(name: &str) -> Option<&str> {
    psl::domain_str(name)
}

/// Lists a name in lower case and those above it, up to the last below a public suffix of the DNS itself: suffixes that
/// companies give out names under are zones like any other.
pub(super) fn up_to_suffix(name: &str) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(name), |name| Some(name.split_once('.')?.1));
    above.take_while(|name| !is_suffix(name))
}

/// Tells whether a name is a public suffix of the DNS itself, such as `com` or `co.uk`, known or not.
fn is_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| {
        suffix.as_bytes().len() == name.len() && suffix.typ() != Some(psl::Type::Private)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrable_domain_stands_in_its_suffix_and_a_name_below_in_the_domain() {
        for (name, zone) in [
            ("example.com", Zone::Suffix("com")),
            ("example.co.uk", Zone::Suffix("co.uk")),
            ("example.test", Zone::Suffix("test")),
            ("www.example.co.uk", Zone::Domain("example.co.uk")),
            ("a.b.example.test", Zone::Domain("example.test")),
            ("com", Zone::Suffix("com")),
        ] {
            assert_eq!(Zone::of(name), zone, "{name}");
        }
    }

    #[test]
    fn the_names_above_one_end_below_what_nobody_registers() {
        for (name, above) in [
            ("example.com", &["example.com"][..]),
            (
                "a.b.example.co.uk",
                &["a.b.example.co.uk", "b.example.co.uk", "example.co.uk"],
            ),
            ("example.test", &["example.test"]),
            ("somebody.github.io", &["somebody.github.io", "github.io"]),
            ("com", &[]),
        ] {
            assert_eq!(up_to_suffix(name).collect::<Vec<_>>(), above, "{name}");
        }
    }
}
