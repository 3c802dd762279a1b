//! Name → offset: where in a pattern a name stands.

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use super::Pattern;

impl Pattern {
    /// Finds the offset at which the pattern gives `name`, a lower-case name as the generator spells it.
    ///
    /// Where a dictionary could make the name from several pairs of words, the answer is the offset that has it.
    #[must_use]
    pub fn offset_of(&self, name: &str) -> Option<u64> {
        let (label, tld) = name.split_once('.')?;
        let tld = self.tlds().iter().position(|known| known == tld)?;
        let label = if label.starts_with("xn--") {
            let (unicode, valid) =
                Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
            valid.ok()?;
            unicode.into_owned()
        } else {
            label.to_owned()
        };
        let symbols = self.symbols();
        let numeral = if self.dictionary().is_some() {
            self.numeral_of_words(&label, &symbols)?
        } else {
            self.numeral_of_characters(&label, &symbols)?
        };
        let tlds = u64::try_from(self.tlds().len()).ok()?;
        let offset = numeral
            .checked_mul(tlds)?
            .checked_add(u64::try_from(tld).ok()?)?;
        // What is spelled like a name of the pattern may still be one that the generator skips.
        let given = self.names(offset, 1).next()?.1?;
        (given.as_str() == name).then_some(offset)
    }

    fn numeral_of_characters(&self, label: &str, symbols: &[&str]) -> Option<u64> {
        let (before, after) = self.digits();
        let characters: Vec<&str> = label.split_inclusive(|_| true).collect();
        let constant = characters.len().checked_sub(before + after)?;
        let middle = characters.get(before..before + constant)?.concat();
        if middle != self.constant() {
            return None;
        }
        let base = u64::try_from(symbols.len()).ok()?;
        let variable = characters
            .iter()
            .take(before)
            .chain(characters.iter().skip(before + constant));
        variable.into_iter().try_fold(0_u64, |numeral, character| {
            let digit = symbols.iter().position(|symbol| symbol == character)?;
            numeral
                .checked_mul(base)?
                .checked_add(u64::try_from(digit).ok()?)
        })
    }

    fn numeral_of_words(&self, label: &str, symbols: &[&str]) -> Option<u64> {
        let number = |word: &str| {
            let at = symbols.iter().position(|symbol| *symbol == word)?;
            u64::try_from(at).ok()
        };
        let base = u64::try_from(symbols.len()).ok()?;
        match self.digits() {
            (1, 0) => number(label.strip_suffix(self.constant())?),
            (0, 1) => number(label.strip_prefix(self.constant())?),
            _ => label
                .char_indices()
                .filter_map(|(at, _)| {
                    let (first, rest) = label.split_at_checked(at)?;
                    let first = number(first)?;
                    let second = number(rest.strip_prefix(self.constant())?)?;
                    first.checked_mul(base)?.checked_add(second)
                })
                .min(),
        }
    }
}
