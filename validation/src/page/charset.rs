//! Finding a page's encoding and decoding it.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use memchr::memmem;

/// Bytes of a page that are searched for a declaration, as browsers do.
const PRESCAN: usize = 1024;

/// Decodes a body by its byte order mark, else the `Content-Type` header, else a declaration in the page, else UTF-8 where it is
/// valid and windows-1252 where it is not. Bytes that do not belong become U+FFFD.
///
/// Gives the text and the name of the encoding.
pub(super) fn decode<'b>(
    body: &'b [u8],
    content_type: Option<&str>,
) -> (Cow<'b, str>, &'static str) {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        let body = body.get(mark..).unwrap_or_default();
        return (
            encoding.decode_without_bom_handling(body).0,
            encoding.name(),
        );
    }
    let declared = content_type
        .and_then(parameter)
        .or_else(|| declaration(body.get(..PRESCAN).unwrap_or(body)));
    let encoding = declared.unwrap_or_else(|| match std::str::from_utf8(body) {
        Ok(_) => UTF_8,
        // A body cut at its bound may end inside a character.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    });
    (
        encoding.decode_without_bom_handling(body).0,
        encoding.name(),
    )
}

/// Reads `charset=` of a `Content-Type` value.
fn parameter(content_type: &str) -> Option<&'static Encoding> {
    content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, value)| {
            Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())
        })
}

/// Finds `<meta charset=…>`, its older `http-equiv` form, or the declaration of an XML prolog.
fn declaration(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.to_ascii_lowercase();
    if head.starts_with(b"<?xml")
        && let Some(end) = memmem::find(&head, b"?>")
        && let Some(encoding) = head
            .get(..end)
            .and_then(|prolog| label_after(prolog, b"encoding"))
    {
        return Some(encoding);
    }
    for at in memmem::find_iter(&head, b"<meta") {
        let rest = head.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default();
        if let Some(encoding) = label_after(tag, b"charset") {
            // A page whose declaration could be read as ASCII is not in UTF-16, whatever it says.
            let wide = encoding == encoding_rs::UTF_16BE || encoding == encoding_rs::UTF_16LE;
            return Some(if wide { UTF_8 } else { encoding });
        }
    }
    None
}

fn label_after(text: &[u8], name: &[u8]) -> Option<&'static Encoding> {
    let at = memmem::find(text, name)? + name.len();
    let value = text
        .get(at..)?
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let value = value
        .strip_prefix(b"\"")
        .or_else(|| value.strip_prefix(b"'"))
        .unwrap_or(value);
    let length = value
        .iter()
        .position(|b| matches!(b, b'"' | b'\'' | b';' | b'>' | b'/') || b.is_ascii_whitespace())
        .unwrap_or(value.len());
    Encoding::for_label(value.get(..length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], content_type: Option<&str>) -> String {
        decode(body, content_type).0.into_owned()
    }

    #[test]
    fn the_byte_order_mark_wins_over_everything() {
        assert_eq!(
            text(b"\xef\xbb\xbf\xc3\xa4", Some("text/html; charset=latin1")),
            "ä"
        );
        assert_eq!(text(b"\xff\xfea\0b\0", None), "ab");
    }

    #[test]
    fn the_header_wins_over_the_page() {
        let page = b"<meta charset=utf-8>\xe4";
        assert!(text(page, Some("text/html; Charset=\"ISO-8859-1\"")).ends_with('ä'));
        assert!(text(page, Some("text/html")).ends_with('\u{fffd}'));
    }

    #[test]
    fn the_page_may_declare_itself_in_three_ways() {
        for page in [
            &b"<meta charset='koi8-r'>\xc1"[..],
            b"<META http-equiv=Content-Type content=\"text/html; charset=KOI8-R\">\xc1",
            b"<?xml version='1.0' encoding='koi8-r'?>\xc1",
        ] {
            assert!(text(page, None).ends_with('а'), "{page:?}");
        }
    }

    #[test]
    fn an_undeclared_page_is_utf8_if_it_can_be_and_windows_1252_if_not() {
        assert_eq!(text("grün".as_bytes(), None), "grün");
        assert_eq!(text(b"gr\xfcn \x80", None), "grün €");
        assert_eq!(decode(b"gr\xc3\xbcn \xc3", None).1, "UTF-8");
    }

    #[test]
    fn an_unknown_label_is_ignored() {
        assert_eq!(
            text("ä".as_bytes(), Some("text/html; charset=nonsense")),
            "ä"
        );
    }
}
