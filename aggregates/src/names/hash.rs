//! The name under which a pattern's offsets are allocated.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{GENERATOR_VERSION, Pattern};

impl Pattern {
    /// Computes the SHA-256, in hex, of exactly what the pattern enumerates.
    ///
    /// Two patterns share a hash if and only if they have the same digits in the same order, the same text around
    /// them, the same top-level domains in the same order, and the same generator version. How the pattern was put
    /// (prefix of 3, or both with a suffix of 0) makes no difference, and neither does the campaign.
    #[must_use]
    pub fn hash(&self) -> String {
        let (mut before, mut after) = self.digits();
        if self.constant().is_empty() {
            (before, after) = (before + after, 0);
        }
        let symbols = if before + after == 0 {
            Vec::new()
        } else {
            self.symbols()
        };

        let mut hasher = Sha256::new();
        hasher.update(format!("domainflow names v{GENERATOR_VERSION}\n"));
        // Every text goes in behind its length, and every list behind its count, so that no two patterns run together.
        let mut list = |texts: &mut dyn ExactSizeIterator<Item = &str>| {
            hasher.update(format!("{};", texts.len()));
            for text in texts {
                hasher.update(format!("{}:{text},", text.len()));
            }
        };
        list(&mut symbols.into_iter());
        list(&mut std::iter::once(self.constant()));
        list(&mut self.tlds().iter().map(String::as_str));
        hasher.update(format!("{before}+{after}"));

        hasher
            .finalize()
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing into a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

#[cfg(test)]
mod tests {
    use crate::names::{Kind, Pattern, Spec};

    fn pattern(change: impl FnOnce(&mut Spec)) -> Pattern {
        let mut spec = Spec {
            constant: "shop".to_owned(),
            prefix_length: 5,
            charset: "abcdefghij".to_owned(),
            tlds: vec!["test".to_owned()],
            ..Spec::default()
        };
        change(&mut spec);
        Pattern::parse(spec).unwrap()
    }

    #[test]
    fn the_hash_of_a_known_pattern_never_changes() {
        assert_eq!(
            pattern(|_| ()).hash(),
            "889bcded4a1ac55797afc397d37c12d7c56ad5864518d0deae52395e539a192a"
        );
    }

    #[test]
    fn whatever_changes_a_name_changes_the_hash() {
        let known = pattern(|_| ());
        for other in [
            pattern(|s| s.constant = "shops".into()),
            pattern(|s| s.prefix_length = 4),
            pattern(|s| s.charset = "bacdefghij".into()),
            pattern(|s| s.tlds.push("com".into())),
            pattern(|s| {
                s.kind = Kind::Suffix;
                s.prefix_length = 0;
                s.suffix_length = 5;
            }),
        ] {
            assert_ne!(other.hash(), known.hash());
        }
        let order = pattern(|s| s.tlds = vec!["com".into(), "test".into()]);
        assert_ne!(order.hash(), pattern(|s| s.tlds.push("com".into())).hash());
    }

    #[test]
    fn the_same_names_put_differently_have_one_hash() {
        let known = pattern(|_| ());
        assert_eq!(pattern(|s| s.kind = Kind::Both).hash(), known.hash());
        assert_eq!(pattern(|s| s.charset.push('a')).hash(), known.hash());
        let split = |prefix, suffix| {
            pattern(|s| {
                s.kind = Kind::Both;
                s.constant.clear();
                s.prefix_length = prefix;
                s.suffix_length = suffix;
            })
        };
        assert_eq!(split(2, 3).hash(), split(5, 0).hash());
    }

    #[test]
    fn a_pattern_from_the_log_has_the_hash_it_had() {
        let known = pattern(|_| ());
        let json = serde_json::to_string(&known).unwrap();
        let read: Pattern = serde_json::from_str(&json).unwrap();
        assert_eq!(read, known);
        assert_eq!(read.hash(), known.hash());
    }
}
