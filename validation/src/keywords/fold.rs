//! Comparing without case, for every script.
//!
//! Both sides are mapped character by character to lower case, which keeps one character one character. Four characters are
//! mapped by hand because lower case alone leaves two forms of a letter apart: the long s, the final sigma and the micro
//! sign, and the dotted capital I of Turkish, of which the first character of its lower case is kept. That is Unicode's simple
//! case folding but for rare letters. It does not equate `ß` with `ss`, nor a letter with its decomposed form.
//!
//! Lower case can be longer or shorter in UTF-8 than upper case (`K`, the Kelvin sign, is three bytes, `k` is one), so a
//! folded text remembers where its offsets and those of the original drift apart.

use std::borrow::Cow;

/// Maps a character to the one that stands for all its cases.
fn fold_char(c: char) -> char {
    match c {
        'ſ' => 's',
        'ς' => 'σ',
        'µ' => 'μ',
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// Folds a pattern.
pub(super) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// A text without case, and the way back to the offsets of the original.
pub(super) struct Folded<'t> {
    pub(super) text: Cow<'t, str>,
    /// Pairs of (folded offset, original offset); between two pairs both run in step.
    drifts: Vec<(usize, usize)>,
}

impl<'t> Folded<'t> {
    /// Folds `text`; ASCII stays as it is, because the automaton compares ASCII letters without case by itself.
    pub(super) fn new(text: &'t str) -> Self {
        if text.is_ascii() {
            return Self {
                text: Cow::Borrowed(text),
                drifts: Vec::new(),
            };
        }
        let mut folded = String::with_capacity(text.len() + 8);
        let mut drifts = Vec::new();
        for (at, c) in text.char_indices() {
            let mapped = fold_char(c);
            folded.push(mapped);
            if mapped.len_utf8() != c.len_utf8() {
                drifts.push((folded.len(), at + c.len_utf8()));
            }
        }
        Self {
            text: Cow::Owned(folded),
            drifts,
        }
    }

    /// Translates an offset of a character border in the folded text into one of the original.
    pub(super) fn original(&self, offset: usize) -> usize {
        let after = self.drifts.partition_point(|(folded, _)| *folded <= offset);
        match after.checked_sub(1).and_then(|last| self.drifts.get(last)) {
            Some((folded, original)) => original + (offset - folded),
            None => offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_to_the_original_where_cases_differ_in_length() {
        let text = "İİ Kelvin ÄÖ ẞ end";
        let folded = Folded::new(text);
        let at = folded.text.find("end").unwrap();
        assert_ne!(at, text.find("end").unwrap());
        assert_eq!(&text[folded.original(at)..], "end");
        let kelvin = folded.text.find("kelvin").unwrap();
        assert_eq!(
            &text[folded.original(kelvin)..folded.original(kelvin + 6)],
            "Kelvin"
        );
    }
}
