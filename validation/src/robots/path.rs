//! Paths and the patterns that they are compared with (RFC 9309 §2.2.2 and §2.2.3).

use std::borrow::Cow;

use memchr::memmem;

/// A pattern of a rule: pieces with anything between them.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// What stands between the stars; the first piece begins the path.
    pieces: Vec<String>,
    /// Whether the last piece ends the path.
    to_end: bool,
    octets: usize,
}

impl Pattern {
    /// Reads a pattern. One that is empty matches nothing, as does one that no path begins like.
    pub(super) fn parse(source: &str) -> Option<Self> {
        if !source.starts_with(['/', '*']) {
            return None;
        }
        let (body, to_end) = match source.strip_suffix('$') {
            Some(body) => (body, true),
            None => (source, false),
        };
        let pieces: Vec<String> = body
            .split('*')
            .map(|piece| encoded(piece, false).into_owned())
            .collect();
        let stars = pieces.len() - 1;
        let octets = pieces.iter().map(String::len).sum::<usize>() + stars + usize::from(to_end);
        Some(Self {
            pieces,
            to_end,
            octets,
        })
    }

    /// Counts its octets, by which the most specific of several is found.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Tells whether it matches the beginning of a [normalized] path, or all of it.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some((first, others)) = self.pieces.split_first() else {
            return false;
        };
        let Some(mut rest) = path.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, between)) = others.split_last() else {
            return !self.to_end || rest.is_empty();
        };
        // Each piece at its first place: what is left for those after it is then the longest.
        for piece in between {
            match after(rest, piece) {
                Some(left) => rest = left,
                None => return false,
            }
        }
        match self.to_end {
            true => rest.ends_with(last.as_str()),
            false => after(rest, last).is_some(),
        }
    }
}

/// Gives what follows the first place of a piece.
fn after<'t>(text: &'t str, piece: &str) -> Option<&'t str> {
    let at = memmem::find(text.as_bytes(), piece.as_bytes())?;
    text.get(at + piece.len()..)
}

/// Brings a path into the one form in which it is compared.
pub(super) fn normalized(path: &str) -> Cow<'_, str> {
    encoded(path, true)
}

/// Encodes what is beyond ASCII, decodes what need not be encoded, and writes the rest of the escapes in upper case. The
/// characters that mean something in a pattern are encoded in a path, where they mean themselves.
fn encoded(text: &str, is_path: bool) -> Cow<'_, str> {
    let special = |byte: u8| is_path && matches!(byte, b'*' | b'$');
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%' && !special(byte);
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let decoded = (*byte == b'%').then(|| escape(after)).flatten();
        match decoded {
            Some(value) => {
                rest = after.get(2..).unwrap_or_default();
                if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
                    out.push(char::from(value));
                } else {
                    push_escaped(&mut out, value);
                }
            }
            None if plain(*byte) || *byte == b'%' => out.push(char::from(*byte)),
            None => push_escaped(&mut out, *byte),
        }
    }
    Cow::Owned(out)
}

/// Reads two hexadecimal digits.
fn escape(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn push_escaped(out: &mut String, byte: u8) {
    let digit = |value: u8| char::from_digit(value.into(), 16).map(|c| c.to_ascii_uppercase());
    out.push('%');
    out.extend([digit(byte >> 4), digit(byte & 15)].into_iter().flatten());
}
