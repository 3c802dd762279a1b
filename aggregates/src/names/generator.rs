//! Offset → name: an odometer whose digits are the variable characters and whose fastest wheel is the TLD.

use std::collections::HashMap;

use super::{
    DomainName, Pattern,
    label::{self, MAX_LABEL, MAX_NAME},
};

/// One offset and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The offset, which is consumed either way.
    pub offset: u64,
    /// The name, or nothing where the combination is no legal name.
    pub name: Option<&'a str>,
}

/// The names of an offset range, computed one after the other into one buffer.
///
/// [`Names::step`] lends the buffer and allocates nothing on plain ASCII patterns; the [`Iterator`] yields owned names.
#[derive(Debug)]
pub struct Names<'p> {
    next: u64,
    end: u64,
    skipped: u64,
    started: bool,
    /// The digits, most significant first, each an index into the symbols.
    digits: Vec<usize>,
    tld: usize,
    tlds: &'p [String],
    speller: Speller<'p>,
    /// The label, and behind it the dot and the TLD.
    buffer: Vec<u8>,
    label_length: usize,
    label_is_legal: bool,
}

/// How the label is written for the digits.
#[derive(Debug)]
enum Speller<'p> {
    /// One ASCII byte a digit: a turn of the odometer changes single bytes of the buffer.
    Bytes {
        symbols: Vec<u8>,
        /// How many digits stand before the constant, and how long that is.
        before: usize,
        constant: usize,
        hyphens: bool,
    },
    /// Words, or characters beyond ASCII: the label is put together anew at every turn.
    Text {
        symbols: Vec<&'p str>,
        before: usize,
        constant: &'p str,
        text: String,
        /// The words by their number, where two words in a row could be split in more than one way.
        splits: Option<HashMap<&'p str, usize>>,
    },
}

impl Pattern {
    /// Enumerates `count` offsets from `start`, or fewer where the pattern ends.
    #[must_use]
    pub fn names(&self, start: u64, count: u64) -> Names<'_> {
        let total = u64::try_from(self.total()).unwrap_or(u64::MAX);
        let (before, after) = self.digits();
        let symbols = self.symbols();
        let (digits, tld) = self.numeral(start, symbols.len(), before + after);
        let (speller, buffer) = Speller::new(self, symbols, before, after);
        let mut names = Names {
            next: start,
            end: start.saturating_add(count).min(total).max(start),
            skipped: 0,
            started: false,
            digits,
            tld,
            tlds: self.tlds(),
            speller,
            label_length: buffer.len(),
            buffer,
            label_is_legal: false,
        };
        if names.next < names.end {
            names.spell();
        }
        names
    }

    /// Splits an offset into its digits, most significant first, and its TLD.
    fn numeral(&self, offset: u64, base: usize, length: usize) -> (Vec<usize>, usize) {
        let digit = |rest: &mut u64, base: usize| {
            let base = u64::try_from(base).unwrap_or(u64::MAX).max(1);
            let digit = *rest % base;
            *rest /= base;
            usize::try_from(digit).unwrap_or_default()
        };
        let mut rest = offset;
        let tld = digit(&mut rest, self.tlds().len());
        let mut digits: Vec<usize> = (0..length).map(|_| digit(&mut rest, base)).collect();
        digits.reverse();
        (digits, tld)
    }
}

impl Names<'_> {
    /// Moves to the next offset and lends its name, until the range is done.
    #[inline]
    pub fn step(&mut self) -> Option<Step<'_>> {
        if self.next >= self.end {
            return None;
        }
        if self.started {
            self.turn();
        }
        self.started = true;
        let offset = self.next;
        self.next += 1;
        let name = if self.write_tld() {
            std::str::from_utf8(&self.buffer).ok()
        } else {
            None
        };
        self.skipped += u64::from(name.is_none());
        Some(Step { offset, name })
    }

    /// Counts the offsets passed so far that hold no legal name.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Turns the odometer by one: the TLD first, then the digits from the right.
    #[inline]
    fn turn(&mut self) {
        self.tld += 1;
        if self.tld < self.tlds.len() {
            return;
        }
        self.tld = 0;
        match &self.speller {
            Speller::Bytes {
                symbols,
                before,
                constant,
                hyphens,
            } => {
                let zero = symbols.first().copied().unwrap_or_default();
                for (at, digit) in self.digits.iter_mut().enumerate().rev() {
                    let place = if at < *before { at } else { at + constant };
                    *digit += 1;
                    let byte = symbols.get(*digit).copied();
                    if let Some(slot) = self.buffer.get_mut(place) {
                        *slot = byte.unwrap_or(zero);
                    }
                    if byte.is_some() {
                        break;
                    }
                    *digit = 0;
                }
                if *hyphens {
                    self.label_is_legal =
                        self.buffer.get(..self.label_length).is_some_and(is_plain);
                }
            }
            Speller::Text { symbols, .. } => {
                for digit in self.digits.iter_mut().rev() {
                    *digit += 1;
                    if *digit < symbols.len() {
                        break;
                    }
                    *digit = 0;
                }
                self.spell();
            }
        }
    }

    /// Writes the whole label for the digits and judges it.
    fn spell(&mut self) {
        match &mut self.speller {
            Speller::Bytes {
                symbols,
                before,
                constant,
                ..
            } => {
                for (at, digit) in self.digits.iter().enumerate() {
                    let place = if at < *before { at } else { at + *constant };
                    if let (Some(slot), Some(byte)) =
                        (self.buffer.get_mut(place), symbols.get(*digit))
                    {
                        *slot = *byte;
                    }
                }
                self.label_is_legal = self.buffer.get(..self.label_length).is_some_and(is_plain);
            }
            Speller::Text {
                symbols,
                before,
                constant,
                text,
                splits,
            } => {
                text.clear();
                let (front, back) = self
                    .digits
                    .split_at_checked(*before)
                    .unwrap_or((&self.digits, &[]));
                let words = |digits: &[usize], text: &mut String| {
                    digits
                        .iter()
                        .filter_map(|digit| symbols.get(*digit))
                        .for_each(|symbol| text.push_str(symbol));
                };
                words(front, text);
                text.push_str(constant);
                words(back, text);
                self.buffer.clear();
                self.label_is_legal = !text.starts_with("xn--")
                    && (text.is_ascii() || label::is_canonical(text))
                    && !splits.as_ref().is_some_and(|words| {
                        has_earlier_split(words, constant, text, &self.digits)
                    })
                    && label::to_wire(text).is_ok_and(|wire| {
                        self.buffer.extend_from_slice(wire.as_bytes());
                        true
                    });
                self.label_length = self.buffer.len();
            }
        }
    }

    /// Puts the current TLD behind the label; false where the result is no legal name.
    #[inline]
    fn write_tld(&mut self) -> bool {
        let Some(tld) = self.tlds.get(self.tld) else {
            return false;
        };
        let length = self.label_length + 1 + tld.len();
        // With a single TLD the buffer already ends as it should, and only the label's bytes were changed.
        if self.tlds.len() > 1 || self.buffer.len() != length {
            self.buffer.truncate(self.label_length);
            self.buffer.push(b'.');
            self.buffer.extend_from_slice(tld.as_bytes());
        }
        self.label_is_legal && length <= MAX_NAME
    }
}

impl Iterator for Names<'_> {
    type Item = (u64, Option<DomainName>);

    fn next(&mut self) -> Option<Self::Item> {
        self.step()
            .map(|step| (step.offset, step.name.map(DomainName::from_checked)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl<'p> Speller<'p> {
    /// Chooses the quick way where every digit is one ASCII byte; also returns the buffer with the constant in place.
    fn new(
        pattern: &'p Pattern,
        symbols: Vec<&'p str>,
        before: usize,
        after: usize,
    ) -> (Self, Vec<u8>) {
        let constant = pattern.constant();
        let bytes: Option<Vec<u8>> = symbols
            .iter()
            .map(|symbol| match symbol.as_bytes() {
                [byte] if byte.is_ascii() => Some(*byte),
                _ => None,
            })
            .collect();
        let length = before + constant.len() + after;
        match bytes {
            Some(symbols) if constant.is_ascii() && length <= MAX_LABEL => {
                let mut buffer = vec![b'-'; before];
                buffer.extend_from_slice(constant.as_bytes());
                buffer.resize(length, b'-');
                let speller = Self::Bytes {
                    hyphens: symbols.contains(&b'-') || constant.contains('-'),
                    symbols,
                    before,
                    constant: constant.len(),
                };
                (speller, buffer)
            }
            _ => {
                let splits = (pattern.dictionary().is_some() && before + after > 1).then(|| {
                    symbols
                        .iter()
                        .enumerate()
                        .map(|(at, word)| (*word, at))
                        .collect()
                });
                let speller = Self::Text {
                    symbols,
                    before,
                    constant,
                    text: String::new(),
                    splits,
                };
                (speller, Vec::with_capacity(MAX_LABEL))
            }
        }
    }
}

/// Judges a label of the quick way. What looks like an A-label is left out: its Unicode spelling is the one enumerated.
#[inline]
fn is_plain(label: &[u8]) -> bool {
    !label.starts_with(b"xn--") && label::check_ldh(label).is_ok()
}

/// Says whether two words that come earlier make the same label, which was then given at their offset.
fn has_earlier_split(
    words: &HashMap<&str, usize>,
    constant: &str,
    label: &str,
    digits: &[usize],
) -> bool {
    label.char_indices().any(|(at, _)| {
        // The constant first: it rules most places out without a look-up.
        let pair = label.split_at_checked(at).and_then(|(first, rest)| {
            let second = words.get(rest.strip_prefix(constant)?)?;
            Some((words.get(first)?, second))
        });
        pair.is_some_and(|(first, second)| [*first, *second].as_slice() < digits)
    })
}
