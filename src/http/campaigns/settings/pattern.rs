//! Patterns as the wire spells them, in three places with three vocabularies.

use aggregates::names::{Kind, Pattern, Spec};

use super::MOST_NAMES;
use crate::http::Error;

/// The top-level domain of patterns that name none.
const DEFAULT_TLD: &str = "com";

/// How a request calls the fields of a pattern, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// What stands before every field.
    pub place: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The constant.
    pub constant: &'static str,
    /// The charset.
    pub charset: &'static str,
    /// The only top-level domain, where the request can name just one.
    pub tld: &'static str,
}

/// The names of the discovery previews.
pub const PREVIEW_NAMES: Names = Names {
    place: "",
    kind: "patternType",
    constant: "constantString",
    charset: "characterSet",
    tld: "tld",
};

/// The fields of a pattern, whatever the request calls them.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Where the variable part stands; found from the lengths where absent.
    pub kind: Option<Kind>,
    /// The constant.
    pub constant: Option<String>,
    /// Variable characters before it.
    pub prefix_length: Option<u32>,
    /// Variable characters after it.
    pub suffix_length: Option<u32>,
    /// The length of the only variable part.
    pub variable_length: Option<u32>,
    /// The digits of the numeral.
    pub charset: Option<String>,
    /// Top-level domains, `com` where absent.
    pub tlds: Option<Vec<String>>,
    /// Words in place of variable characters.
    pub dictionary: Option<Vec<String>>,
}

impl Names {
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    /// Translates a field of [`Spec`] into the request's word for it.
    fn translate(&self, field: &str, only_tld: bool) -> String {
        self.field(match field {
            "kind" => self.kind,
            "constant" => self.constant,
            "charset" => self.charset,
            "prefix_length" => "prefixVariableLength",
            "suffix_length" => "suffixVariableLength",
            "variable_length" => "variableLength",
            tld if tld.starts_with("tlds") && only_tld => self.tld,
            other => other,
        })
    }
}

/// Checks a pattern.
///
/// # Errors
/// 422 naming the field as the request calls it.
pub fn build(fields: Fields, names: &Names) -> Result<Pattern, Error> {
    let prefix_length = fields.prefix_length.unwrap_or(0);
    let suffix_length = fields.suffix_length.unwrap_or(0);
    let kind = fields.kind.unwrap_or(match (prefix_length, suffix_length) {
        (0, 0) | (1.., 0) => Kind::Prefix,
        (0, 1..) => Kind::Suffix,
        (1.., 1..) => Kind::Both,
    });
    let only_tld = fields.tlds.as_ref().is_none_or(|tlds| tlds.len() == 1) && names.tld == "tld";
    let tlds = fields.tlds.unwrap_or_else(|| vec![DEFAULT_TLD.to_owned()]);
    Pattern::parse(Spec {
        kind,
        constant: fields.constant.unwrap_or_default(),
        prefix_length,
        suffix_length,
        variable_length: fields.variable_length.filter(|length| *length > 0),
        charset: fields.charset.unwrap_or_default(),
        tlds,
        dictionary: fields.dictionary,
    })
    .map_err(|error| Error::unprocessable(names.translate(error.field(), only_tld), error.reason()))
}

/// Says how many offsets a campaign takes of a pattern.
///
/// # Errors
/// 422 where the number is outside its range, above what the campaign may have, or missing for a pattern of more names
/// than one campaign generates.
pub(in crate::http) fn count(
    pattern: &Pattern,
    wanted: Option<u64>,
    max_domains: Option<u64>,
    field: &str,
) -> Result<Option<u64>, Error> {
    if let Some(wanted) = wanted {
        super::in_range(field, wanted, 1..=max_domains.unwrap_or(MOST_NAMES))?;
    }
    let count = wanted.or(max_domains);
    let total = pattern.total();
    if count.is_none() && total > u128::from(MOST_NAMES) {
        let message = format!(
            "the pattern has {total} names, more than a campaign takes: say how many of them"
        );
        return Err(Error::unprocessable(field, message));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(fields: Fields) -> String {
        match build(fields, &PREVIEW_NAMES).unwrap_err() {
            Error::Unprocessable(details) => details[0].field.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn shop() -> Fields {
        Fields {
            constant: Some("shop".to_owned()),
            prefix_length: Some(2),
            charset: Some("ab".to_owned()),
            ..Fields::default()
        }
    }

    #[test]
    fn a_pattern_is_refused_in_the_words_of_the_request() {
        let with = |change: fn(&mut Fields)| {
            let mut fields = shop();
            change(&mut fields);
            field_of(fields)
        };
        assert_eq!(
            with(|f| f.constant = Some("a_b".to_owned())),
            "constantString"
        );
        assert_eq!(with(|f| f.charset = None), "characterSet");
        assert_eq!(with(|f| f.prefix_length = Some(65)), "prefixVariableLength");
        assert_eq!(with(|f| f.tlds = Some(vec!["not a tld".to_owned()])), "tld");
        assert_eq!(
            with(|f| f.tlds = Some(vec!["com".to_owned(), "1".to_owned()])),
            "tlds[1]"
        );
    }

    #[test]
    fn the_kind_follows_from_the_lengths_where_none_is_named() {
        assert_eq!(build(shop(), &PREVIEW_NAMES).unwrap().kind(), Kind::Prefix);
        let suffix = Fields {
            prefix_length: None,
            suffix_length: Some(1),
            ..shop()
        };
        assert_eq!(build(suffix, &PREVIEW_NAMES).unwrap().kind(), Kind::Suffix);
        let both = Fields {
            suffix_length: Some(1),
            ..shop()
        };
        assert_eq!(build(both, &PREVIEW_NAMES).unwrap().kind(), Kind::Both);
    }

    #[test]
    fn a_pattern_of_too_many_names_needs_a_number() {
        let pattern = build(
            Fields {
                prefix_length: Some(24),
                ..shop()
            },
            &PREVIEW_NAMES,
        )
        .unwrap();
        assert!(count(&pattern, None, None, "n").is_err());
        assert_eq!(count(&pattern, None, Some(5), "n").unwrap(), Some(5));
        assert_eq!(count(&pattern, Some(3), Some(5), "n").unwrap(), Some(3));
        assert!(count(&pattern, Some(6), Some(5), "n").is_err());
        assert!(count(&pattern, Some(0), None, "n").is_err());
    }
}
