//! Reads a page and judges it in every way, within the bounds that tests hold too. The first byte says what the site says
//! of it.
#![no_main]
#![allow(dead_code, reason = "the tests make use of more")]

#[path = "../../tests/hostile/support.rs"]
mod support;

/// What a site says of its page.
const CONTENT_TYPES: [Option<&str>; 6] = [
    None,
    Some("text/html"),
    Some("text/html; charset=utf-8"),
    Some("text/plain"),
    Some("text/html; charset=gb18030"),
    Some("text/html; charset=iso-2022-jp"),
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((kind, body)) = data.split_first() {
        let kind = CONTENT_TYPES[usize::from(*kind) % CONTENT_TYPES.len()];
        support::make(body, kind);
    }
});
