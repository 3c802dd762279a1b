use proptest::prelude::*;
use url::Url;

use super::*;

fn html(source: &str) -> Page {
    let base = Url::parse("https://shop.test/dir/index.html").unwrap();
    read(
        source.as_bytes(),
        Some("text/html; charset=utf-8"),
        Some(&base),
    )
}

#[test]
fn title_headings_metas_and_language_are_read() {
    let page = html(
        "<!doctype html><HTML lang=de-AT><head><title> Möbel &amp;\n Lampen </title><title>no</title>\
         <meta name=Description content='Gute&nbsp;M&ouml;bel'><META CONTENT='a, b' NAME=keywords>\
         <meta name=generator content=Hugo></head><body><h1>Eins <b>zwei</b></h1><h1></h1><h1>Drei<p>Text",
    );
    assert_eq!(page.title.as_deref(), Some("Möbel & Lampen"));
    assert_eq!(page.meta_description.as_deref(), Some("Gute Möbel"));
    assert_eq!(page.meta_keywords.as_deref(), Some("a, b"));
    assert_eq!(page.generator.as_deref(), Some("Hugo"));
    assert_eq!(page.language.as_deref(), Some("de-AT"));
    assert_eq!(page.h1_count, 3);
    assert_eq!(page.h1.first().map(String::as_str), Some("Eins zwei"));
}

#[test]
fn only_what_a_visitor_sees_is_text() {
    let page = html(
        "<head><title>t</title><style>s{}</style></head><body>a<script>b()</script><!-- c --><noscript>d</noscript>\
         <template><p>e<template>f</template>g</template><svg><title>h</title><text>i</text></svg><div hidden>j<div>k</div>\
         </div><span style='display: none'>l</span><iframe src=/x>m</iframe><textarea>n &amp;</textarea><p title=o>p</p>",
    );
    assert_eq!(page.text, "a n &\np");
    assert_eq!(page.title.as_deref(), Some("t"));
    assert_eq!(page.frames, ["/x"]);
}

#[test]
fn words_run_through_inline_elements_and_stop_at_blocks() {
    let page = html(
        "<p>tele<b>com</b></p><div>one</div><div>two<br>three</div><td>four</td><td>five</td>",
    );
    assert_eq!(page.text, "telecom\none\ntwo\nthree\nfour five");
    assert_eq!(page.snippet, "telecom one two three four five");
}

#[test]
fn links_are_counted_and_those_of_the_same_host_resolved() {
    let page = html(
        "<a href=a>1</a><a href=/b#x>2</a><a href='https://WWW.shop.test/c'>3</a><a href=//other.test/d>4</a>\
         <a href='http://evil.test\\@shop.test/'>5</a><a href=#top>6</a><a href=javascript:x>7</a><a href=a>8</a><a name=q>9</a>",
    );
    assert_eq!((page.links_internal, page.links_external), (4, 2));
    let links: Vec<_> = page.links.iter().map(Url::as_str).collect();
    assert_eq!(
        links,
        [
            "https://shop.test/dir/a",
            "https://shop.test/b",
            "https://www.shop.test/c"
        ]
    );
    assert_eq!(
        page.anchors().collect::<Vec<_>>(),
        ["1", "2", "3", "4", "5", "6", "7", "8"]
    );
}

#[test]
fn ways_to_reach_the_owner_are_found() {
    let page = html(
        "<a href='MAILTO:Info@Shop.test?subject=x'>m</a><a href='tel:+49%20(30) 123-4567'>p</a><a href=/x>Kontakt</a>\
         <a href=/impressum>i</a><p>sales@shop.test, logo@2x.png, call +1 (212) 555-0100 or +12</p>",
    );
    assert_eq!(page.contacts.mails, ["info@shop.test", "sales@shop.test"]);
    assert_eq!(page.contacts.phones, ["+49301234567", "+12125550100"]);
    assert_eq!(page.contacts.links, ["/x", "/impressum"]);
    assert!(page.contacts.any() && !html("<p>nothing</p>").contacts.any());
}

#[test]
fn plain_text_is_not_taken_for_markup() {
    let page = read(b"a <b> c\n\n  d", Some("text/plain"), None);
    assert_eq!(page.text, "a <b> c\nd");
    assert!(readable(None) && readable(Some("TEXT/HTML;x")) && !readable(Some("image/png")));
}

#[test]
fn an_element_that_is_never_closed_does_not_take_the_whole_page() {
    let page = html(&format!("<h1>x {}", "word ".repeat(2_000)));
    assert_eq!(page.h1_spans.first(), Some(&(0..MAX_FIELD)));
    assert!(page.text.len() > 9_000);
}

#[test]
fn a_page_of_megabytes_keeps_its_bounds() {
    let mut source = "<a href=/x>y</a><h1>z</h1>".repeat(150_000);
    source.push_str(&"word ".repeat(200_000));
    let page = html(&source);
    assert!(page.text.len() <= MAX_TEXT && page.text_truncated);
    assert!(page.h1_spans.len() <= MAX_SPANS && page.anchor_spans.len() <= MAX_SPANS);
    assert_eq!(page.links_internal, 150_000);
    assert_eq!(page.links.len(), 1);
}

#[test]
fn hostile_repetitions_take_linear_time() {
    let started = std::time::Instant::now();
    for piece in [
        "<",
        "<a ",
        "<!--",
        "<a href=\"",
        "<script>",
        "&",
        "&#",
        "</",
        "<a b='",
        "<h1>",
        "<svg>",
        "@",
        "+",
        "<!--<script>",
    ] {
        html(&piece.repeat((1 << 19) / piece.len()));
    }
    // Linear is well under a second even unoptimised; quadratic is hours.
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}

proptest! {
    #[test]
    fn any_bytes_give_a_page(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let page = read(&body, None, None);
        prop_assert!(page.text.len() <= MAX_TEXT);
    }

    #[test]
    fn any_markup_gives_spans_inside_the_text(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "<a href=x>", "</a>", "<h1>", "</h1>", "<p>", "<div hidden>", "</div>", "<svg>", "</svg>", "<script>", "</script>",
            "<!--", "-->", "é", "word ", "&amp;", "&#x1F600;", "<title>", "</title>", "<", "\"", "'", "<textarea>", "=", "\u{a0}",
        ]), 0..60),
    ) {
        let page = html(&pieces.concat());
        for span in page.h1_spans.iter().chain(&page.anchor_spans) {
            prop_assert!(page.text.get(span.clone()).is_some());
        }
        prop_assert!(page.h1_spans.is_sorted_by(|a, b| a.end <= b.start));
        prop_assert!(page.anchor_spans.is_sorted_by(|a, b| a.end <= b.start));
    }
}
