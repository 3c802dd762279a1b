//! Patterns of which no name is legal, told before a campaign is made of one.

use super::{Error, Pattern};

/// The most offsets that are looked at; a greater pattern without a legal name is found out by whoever enumerates it.
const MOST_LOOKS: u64 = 4_096;

impl Pattern {
    /// Refuses a pattern that is sure to give nothing.
    ///
    /// # Errors
    /// Names the constant where its hyphen begins or ends every label, else what the variable part is made of.
    pub(super) fn check_emptiness(&self) -> Result<(), Error> {
        let (before, after) = self.digits();
        let constant = self.constant();
        if (before == 0 && constant.starts_with('-')) || (after == 0 && constant.ends_with('-')) {
            return Err(Error::new(
                "constant",
                "every label would start or end with a hyphen",
            ));
        }
        if self.total() > u128::from(MOST_LOOKS) || self.names(0, MOST_LOOKS).any(is_legal) {
            return Ok(());
        }
        let field = match (self.dictionary(), before + after) {
            (Some(_), _) => "dictionary",
            (None, 0) => "constant",
            (None, _) => "charset",
        };
        Err(Error::new(field, "no name of the pattern is legal"))
    }
}

fn is_legal((_, name): (u64, Option<super::DomainName>)) -> bool {
    name.is_some()
}

#[cfg(test)]
mod tests {
    use crate::names::{Kind, Pattern, Spec};

    fn refused(kind: Kind, constant: &str, charset: &str, length: u32) -> Option<String> {
        let spec = Spec {
            kind,
            constant: constant.to_owned(),
            variable_length: Some(length),
            charset: charset.to_owned(),
            tlds: vec!["test".to_owned(), "example".to_owned()],
            ..Spec::default()
        };
        let refused = Pattern::parse(spec).err()?;
        Some(refused.field().to_owned())
    }

    #[test]
    fn what_gives_no_legal_name_is_refused_by_what_makes_it_so() {
        let at = |field: &str| Some(field.to_owned());
        assert_eq!(refused(Kind::Prefix, "shop", "-", 2), at("charset"));
        assert_eq!(refused(Kind::Prefix, "", "-", 2), at("charset"));
        assert_eq!(refused(Kind::Suffix, "-shop", "abc", 9), at("constant"));
        assert_eq!(refused(Kind::Prefix, "shop-", "abc", 9), at("constant"));
        assert_eq!(refused(Kind::Prefix, "-", "", 0), at("constant"));
        assert_eq!(refused(Kind::Prefix, "-shop", "a-", 2), None);
        assert_eq!(refused(Kind::Suffix, "shop", "-a", 1), None);
    }

    #[test]
    fn words_of_which_none_can_begin_a_name_are_refused() {
        let spec = |words: &[&str]| Spec {
            constant: "shop".to_owned(),
            tlds: vec!["test".to_owned()],
            dictionary: Some(words.iter().map(|word| (*word).to_owned()).collect()),
            ..Spec::default()
        };
        let none = Pattern::parse(spec(&["-my", "-our"])).unwrap_err();
        assert_eq!(none.field(), "dictionary");
        assert!(Pattern::parse(spec(&["-my", "our"])).is_ok());
    }
}
