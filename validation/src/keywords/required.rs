//! Texts that stand in whatever a regular expression matches, so that most expressions need not be run on most pages.

use regex_syntax::hir::literal::{ExtractKind, Extractor};

/// Shortest text that is worth looking for, in bytes. Shorter ones are in every page.
const MIN_BYTES: usize = 3;
/// Longest text that is looked for; of longer ones a part.
const MAX_BYTES: usize = 24;
/// Most texts of one expression.
const MAX_TEXTS: usize = 16;

/// Finds texts, in lower case, of which one stands in every match of an expression, in some case; nothing where there are
/// none, or too many.
///
/// Only ASCII texts are given: for them comparing folded texts finds all that an expression without case would match.
pub(super) fn required(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    [ExtractKind::Prefix, ExtractKind::Suffix]
        .into_iter()
        .find_map(|kind| {
            let mut extractor = Extractor::new();
            extractor
                .kind(kind)
                .limit_literal_len(MAX_BYTES)
                .limit_total(MAX_TEXTS);
            let found = extractor.extract(&hir);
            let texts: Option<Vec<String>> = found
                .literals()?
                .iter()
                .map(|literal| usable(literal.as_bytes()))
                .collect();
            let mut texts = texts.filter(|texts| !texts.is_empty())?;
            texts.sort_unstable();
            texts.dedup();
            Some(texts)
        })
}

fn usable(literal: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(literal).ok()?;
    (text.is_ascii() && text.len() >= MIN_BYTES).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_begins_or_ends_with_is_found() {
        let given = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        for (pattern, expected) in [
            (r"\bRoast(er|ing)\b", given(&["roaster", "roasting"])),
            (r"^(?:fibre|fiber)\s+optic", given(&["fiber", "fibre"])),
            (r"\d+ euro", given(&[" euro"])),
            (r"[a-z]+shop\b", given(&["shop"])),
            (r"tele.*", given(&["tele"])),
            // Nothing that is long enough, or that every match has.
            (r"\w+", None),
            (r"ab", None),
            (r"coffee|\d\d", None),
            (r"größe", None),
            (r"(?i)kiosk", None),
        ] {
            assert_eq!(required(pattern), expected, "{pattern}");
        }
    }
}
