//! A fuzzer of pages: the same inputs each time, bent from honest pages by what breaks readers of HTML.

use std::time::{Duration, Instant};

use super::support::{Draw, make};

/// Inputs that are tried.
const INPUTS: usize = 6_000;
/// Longest input, bytes.
const LONGEST: usize = 8 << 10;
/// Each so many inputs, one is repeated to half a megabyte: what is quadratic in some input shows there.
const STRETCHED: usize = 200;

/// Pages that inputs are bent from.
const CORPUS: &[&str] = &[
    "<!doctype html><html lang=de><head><meta charset=utf-8><title>Möbel &amp; Lampen</title><meta name=description content='Gute M&ouml;bel'>\
     <meta name=generator content='WordPress 6.4.2'><link rel=stylesheet href='/wp-content/a.css'><base href='/x/'></head><body>\
     <h1>Eins <b>zwei</b></h1><p>word 12 Größe</p><a href='/kontakt'>Kontakt</a></body></html>",
    "<p>text<script>if (a < b) { '</scr' + 'ipt>' }</script><!-- <script> --><style>a{}</style><noscript><img src=x></noscript>",
    "<svg viewBox='0 0 1 1'><title>x</title><text>y</text></svg><math><mi>z</mi></math><div hidden>h<div>i</div></div>",
    "<a href=\"mailto:Info@Shop.test?subject=x\">m</a><a href='tel:+49%20(30) 123-4567'>p</a> sales@shop.test +1 (212) 555-0100",
    "<table><tr><td>a<td>b</table><ul><li>c<li>d</ul><select><option>e</select><textarea>f &lt;</textarea><xmp><b></xmp>",
    "<meta http-equiv=refresh content='0; url=https://sedoparking.com/x'><iframe src='//other.test/'>x</iframe><h1>domain for sale</h1>",
    "<?xml version='1.0' encoding='iso-8859-1'?><!DOCTYPE html><p>\u{e9}\u{1f600}\u{130}\u{fb03}\u{200b}&#x1F600;&#0;&#xD800;&notanentity;</p>",
    "aaaaaaaaaa word word fibre optic abc1 abc22 \u{212a}elvin \u{17f}",
];

/// Tokens that are put in anywhere.
const TOKENS: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"<!--",
    b"-->",
    b"--!>",
    b"<!",
    b"<?",
    b"<script>",
    b"</script>",
    b"<script",
    b"<svg>",
    b"</svg>",
    b"<title>",
    b"</title>",
    b"<textarea>",
    b"<h1>",
    b"</h1>",
    b"<a href=",
    b"</a>",
    b"<div hidden>",
    b"</div>",
    b"=",
    b"\"",
    b"'",
    b"&",
    b"&#",
    b"&#x",
    b";",
    b"&amp;",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xed\xa0\x80",
    b"<meta charset=",
    b"utf-16",
    b"iso-2022-jp",
    b"\x1b$B",
    b"//",
    b"http://",
    b"\\\\",
    b"@",
    b"+",
    b"%40",
    b"\r\n",
    b"\t",
    b"\xc2\xa0",
    b"<base href=",
    b"javascript:",
    b"[",
    b"::1",
    b"wp-content/",
    b"ng-version=\"",
    b"9999999999999999999999",
];

/// Bends an input once.
fn bend(input: &mut Vec<u8>, draw: &mut Draw) {
    let at = draw.below(input.len() + 1);
    match draw.below(7) {
        0 => input.truncate(at),
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << draw.below(8);
            }
        }
        2 => {
            let end = (at + draw.below(64)).min(input.len());
            input.drain(at..end);
        }
        3 => {
            let end = (at + draw.below(64)).min(input.len());
            let piece = input[at..end].to_vec();
            for _ in 0..=draw.below(8) {
                input.splice(at..at, piece.iter().copied());
            }
        }
        4 => {
            let other = CORPUS[draw.below(CORPUS.len())].as_bytes();
            let from = draw.below(other.len());
            let to = (from + draw.below(200)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        _ => {
            let token = TOKENS[draw.below(TOKENS.len())];
            let times = if draw.below(10) == 0 { 200 } else { 1 };
            for _ in 0..times {
                input.splice(at..at, token.iter().copied());
            }
        }
    }
    input.truncate(LONGEST);
}

#[test]
fn no_bent_page_breaks_a_bound_or_takes_more_than_linear_time() {
    let mut draw = Draw::new(20_261_121);
    let kinds = [
        None,
        Some("text/html"),
        Some("text/html; charset=utf-8"),
        Some("text/plain"),
        Some("text/html; charset=gb18030"),
    ];
    for n in 0..INPUTS {
        let mut input = CORPUS[draw.below(CORPUS.len())].as_bytes().to_vec();
        for _ in 0..=draw.below(12) {
            bend(&mut input, &mut draw);
        }
        let kind = kinds[draw.below(kinds.len())];
        make(&input, kind);
        if n % STRETCHED == 0 && !input.is_empty() {
            let long = input.repeat((512 << 10) / input.len());
            let started = Instant::now();
            make(&long, kind);
            let took = started.elapsed();
            assert!(
                took < Duration::from_secs(20),
                "{took:?} for {}",
                String::from_utf8_lossy(&input)
            );
        }
    }
}
