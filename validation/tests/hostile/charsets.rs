//! Bytes that are not what they are said to be.

use super::support::{Draw, make};

const LABELS: &str = include_str!("labels.txt");

fn labels() -> impl Iterator<Item = &'static str> {
    LABELS.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn any_bytes_are_read_under_every_label_wherever_it_stands() {
    let mut draw = Draw::new(7);
    let noise: Vec<u8> = (0..2_000).map(|_| draw.next().to_le_bytes()[0]).collect();
    assert_eq!(labels().count(), 228);
    for label in labels() {
        let header = format!("text/html; charset={label}");
        let by_header = make(&noise, Some(&header));
        assert!(!by_header.page.encoding.is_empty(), "{label}");
        let mut declared = format!("<meta charset=\"{label}\"><p>word</p><p>").into_bytes();
        declared.extend_from_slice(&noise);
        let by_meta = make(&declared, None);
        let mut prolog = format!("<?xml version=\"1.0\" encoding='{label}'?><p>").into_bytes();
        prolog.extend_from_slice(&noise);
        let by_prolog = make(&prolog, None);
        // A page whose declaration could be read is not in UTF-16; in all other encodings a label means the same anywhere.
        if !by_header.page.encoding.starts_with("UTF-16") {
            assert_eq!(by_header.page.encoding, by_meta.page.encoding, "{label}");
            assert_eq!(by_header.page.encoding, by_prolog.page.encoding, "{label}");
        }
    }
}

#[test]
fn broken_utf_8_is_replaced_and_what_stands_around_it_is_read() {
    for broken in [
        &b"\xff"[..],
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x80\x80\x80",
    ] {
        let body = [
            &b"<title>a "[..],
            broken,
            b" z</title><p>word ",
            broken,
            b"<p>word",
        ]
        .concat();
        let made = make(&body, Some("text/html; charset=utf-8"));
        let title = made.page.title.unwrap();
        assert!(
            title.starts_with("a ") && title.contains('\u{fffd}') && title.ends_with(" z"),
            "{title}"
        );
        assert_eq!(made.hits.hits_total, 2, "{broken:?}");
    }
}
