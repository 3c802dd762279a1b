//! Pages of the largest size that is fetched, made of whatever costs most.

use std::time::{Duration, Instant};

use super::memory;
use super::support::make;

/// The size at which a body is cut.
const BODY: usize = 5 << 20;
/// Bytes of texts that may be kept of one page: its text and its markup, and lists of short things.
const MOST_KEPT: usize = 2 << 20;
/// How much the process may grow while it reads one page: its decoded form, its text with and without case, and what an
/// allocator keeps back. Without bounds it would be hundreds of megabytes.
const MOST_MEMORY: usize = 96 << 20;
/// Time for one page in an unoptimised build; what is not linear takes hours.
const MOST_TIME: Duration = Duration::from_secs(30);

/// Pieces that are repeated up to the size of the body.
const PIECES: &[&str] = &[
    "<a href=/page>link</a>",
    "<a href='https://other.test/'>x</a>",
    "<a href=mailto:a@b.test>m</a>",
    "<h1>x</h1>",
    "<h1>",
    "<a href=x>",
    "<meta name=keywords content='a b c'>",
    "<meta property=og:title content=x>",
    "<script src=/wp-includes/js/a.js></script>",
    "<script>gtag('x')</script>",
    "<link rel=stylesheet href=/wp-content/a.css>",
    "<div hidden>",
    "<svg>",
    "<template>",
    "<iframe src=/x></iframe>",
    "<!-- wp-content -->",
    "<!--",
    "<![CDATA[",
    "<div a=\"",
    "<div a='b' c=d e>",
    "<div a",
    "</div>",
    "&amp;",
    "&#x1F600;",
    "&#",
    "&",
    "<",
    "<<",
    "aa",
    "word ",
    "\u{0130}",
    "\u{fb03}",
    "\u{200b}",
    "   \t\n",
    "a@b.test ",
    "@",
    "+49 30 1234567 ",
    "+",
    "<textarea>",
    "<title>",
    "<noscript><img src=/x></noscript>",
    "domain for sale ",
    "fibre optic abc1 ",
];

/// Makes a page when its turn has come.
type Make = Box<dyn Fn() -> String>;

/// A page of one piece, over and over.
fn repeated(piece: &str) -> String {
    piece.repeat(BODY / piece.len())
}

/// Reads every page, one after the other so that the memory of one is told from that of another.
#[test]
fn pages_of_the_largest_size_cost_bounded_time_and_memory() {
    let _alone = memory::alone();
    make(b"<p>what is compiled once is", None);
    let attributes = || format!("<p {}>", "a=b ".repeat(BODY / 4 - 4));
    let deep = || "<div>".repeat(BODY / 11) + &"</div>".repeat(BODY / 11);
    let links = || -> String {
        let link = |n| format!("<a href=/{n}/contact>{n}</a>\n");
        (0..100_000).map(link).collect()
    };
    let mut pages: Vec<(&str, Make)> = Vec::new();
    for piece in PIECES {
        pages.push((piece, Box::new(|| repeated(piece))));
    }
    pages.push((
        "one attribute",
        Box::new(|| format!("<p title=\"{}\">", "x".repeat(BODY - 20))),
    ));
    pages.push(("a million attributes", Box::new(attributes)));
    pages.push((
        "one name",
        Box::new(|| format!("<{}>", "x".repeat(BODY - 2))),
    ));
    pages.push(("deep", Box::new(deep)));
    pages.push(("100,000 links", Box::new(links)));
    let measured = memory::reset_peak();
    if !measured {
        println!("the memory is not measured: this machine does not tell its peak");
    }
    for (what, page) in &pages {
        let page = page();
        memory::reset_peak();
        let before = memory::current();
        let started = Instant::now();
        let made = make(page.as_bytes(), Some("text/html"));
        let took = started.elapsed();
        assert!(took < MOST_TIME, "{what:?} took {took:?}");
        assert!(
            made.bytes() <= MOST_KEPT,
            "{what:?} keeps {} bytes",
            made.bytes()
        );
        if measured {
            let grew = memory::peak().unwrap().saturating_sub(before.unwrap());
            assert!(grew <= MOST_MEMORY, "{what:?} took {grew} bytes");
        }
    }
}

#[test]
fn of_a_hundred_thousand_links_all_are_counted_and_few_are_kept() {
    let page: String = (0..100_000)
        .map(|n| format!("<a href=/{n}>{n}</a><a href=https://o{n}.test/>x</a>"))
        .collect();
    let made = make(page.as_bytes(), Some("text/html"));
    assert_eq!(made.page.links_internal, 100_000);
    assert_eq!(made.page.links_external, 100_000);
    assert_eq!(made.page.links.len(), validation::page::MAX_LINKS);
}
