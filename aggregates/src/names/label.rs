//! One label of a host name: legality, and its form on the wire.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::Illegal;

/// The most bytes of a label (RFC 1035 §2.3.4).
pub(super) const MAX_LABEL: usize = 63;
/// The most bytes of a whole name without its trailing dot.
pub(super) const MAX_NAME: usize = 253;

/// Says why lower-case ASCII bytes are no LDH label, or that they are one.
///
/// A `--` in third place is let through: such names exist. Only `xn--` carries a meaning that has to hold, which
/// [`to_wire`] checks.
pub(super) fn check_ldh(label: &[u8]) -> Result<(), Illegal> {
    match label {
        [] => return Err(Illegal::EmptyLabel),
        [b'-', ..] | [.., b'-'] => return Err(Illegal::Hyphen),
        _ if label.len() > MAX_LABEL => return Err(Illegal::LabelTooLong),
        _ => {}
    }
    match label
        .iter()
        .find(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    {
        Some(&byte) => Err(Illegal::Character(char::from(byte))),
        None => Ok(()),
    }
}

/// Converts one lower-case label into its LDH form: as it is, or the A-label of UTS-46 (non-transitional).
pub(super) fn to_wire(label: &str) -> Result<Cow<'_, str>, Illegal> {
    if label.is_ascii() && !label.starts_with("xn--") {
        return check_ldh(label.as_bytes()).map(|()| Cow::Borrowed(label));
    }
    let wire = Uts46::new()
        .to_ascii(
            label.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map_err(|_| Illegal::Idna)?;
    // UTS-46 knows other full stops, and may fold what was one label here into several or into none.
    check_ldh(wire.as_bytes())?;
    Ok(wire)
}

/// Brings a piece of a label (a word, a constant) into the one spelling that UTS-46 maps to itself.
///
/// Returns nothing when no label could contain it. Hyphens may stand anywhere: the piece is not a whole label.
pub(super) fn canonical_piece(piece: &str) -> Option<String> {
    let lower = piece.to_lowercase();
    if lower.is_ascii() && !lower.starts_with("xn--") {
        return lower
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            .then_some(lower);
    }
    let (unicode, result) =
        Uts46::new().to_unicode(lower.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
    (result.is_ok() && !unicode.contains('.')).then(|| unicode.into_owned())
}

/// Says whether UTS-46 keeps the label as it is written, so that no other spelling shares its A-label.
pub(super) fn is_canonical(label: &str) -> bool {
    canonical_piece(label).is_some_and(|canonical| canonical == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_labels_become_a_labels_and_false_ones_are_refused() {
        assert_eq!(to_wire("bücher").unwrap(), "xn--bcher-kva");
        assert_eq!(to_wire("straße").unwrap(), "xn--strae-oqa");
        assert_eq!(to_wire("xn--bcher-kva").unwrap(), "xn--bcher-kva");
        assert_eq!(to_wire("xn--zzzzzz--"), Err(Illegal::Idna));
        assert_eq!(to_wire("a\u{3002}b"), Err(Illegal::Character('.')));
    }

    #[test]
    fn the_ascii_path_and_uts46_agree_on_every_short_label() {
        let alphabet = ["a", "-", "9", "_"];
        for first in alphabet {
            for second in alphabet {
                for third in alphabet {
                    let label = [first, second, third].concat();
                    let uts46 = Uts46::new().to_ascii(
                        label.as_bytes(),
                        AsciiDenyList::STD3,
                        Hyphens::CheckFirstLast,
                        DnsLength::Verify,
                    );
                    assert_eq!(to_wire(&label).is_ok(), uts46.is_ok(), "{label}");
                }
            }
        }
    }
}
