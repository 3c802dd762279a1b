//! Times reading a page, matching keywords on it and telling its technologies: microseconds for an 8 kB page with 50 keywords, and
//! megabytes a second for a large text with 1,000 literals and 50 regular expressions. Each is timed beside a yardstick: the same
//! work with one regular expression after the other. `cargo bench -p validation --bench page`.
//!
//! On the text of `shop` every eighth word is a keyword, which is many; on that of `blog` hardly any is.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use regex::{Regex, RegexBuilder};
use validation::keywords::{Kind, Matcher, Rule};
use validation::page::{self, Page};
use validation::technologies::{Site, Technologies};

const WORDS: &[&str] = &[
    "workshop", "number", "shelves", "lamps", "chairs", "delivery", "Tuesday", "service",
    "quality", "customer", "online", "fibre", "network", "business", "price", "offer", "contact",
    "garden", "office", "design", "monday", "we", "our", "the", "and", "of", "with", "made",
    "wood", "home", "by", "hand", "to", "in", "a", "for", "all", "new", "more", "about",
];

/// Makes a page of about `bytes`, half of it markup, from all words after the first so many.
fn site(bytes: usize, after: usize) -> String {
    let words = WORDS.get(after..).unwrap_or_default();
    let mut html = String::from(
        "<!doctype html><html><head><title>Furniture shop &amp; more</title><meta name=description content='Chairs and \
         lamps'><meta name=generator content='WordPress 6.4.2'><link rel=stylesheet href='/wp-content/themes/x/style.css'>\
         <script src='https://code.jquery.com/jquery-3.7.1.min.js'></script>\
         <script>var telecom = 'x'; if (a < b && c > d) { run(); }</script><style>.a{color:red}</style></head><body>\
         <h1>Furniture</h1><nav><ul>",
    );
    let mut seed = 1_u32;
    let mut word = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = usize::try_from(seed >> 16).unwrap_or(0) % words.len().max(1);
        words.get(at).copied().unwrap_or_default()
    };
    while html.len() < bytes {
        let link = word();
        let _ = write!(
            html,
            "<li class=\"item nav-item\"><a href=\"/products/{link}\" class=\"link\">{} {link}</a></li>\n<p class=\"text\">",
            word()
        );
        for _ in 0..14 {
            let _ = write!(html, "{} ", word());
        }
        html.push_str(
            "&nbsp;<b>in stock</b></p>\n<div class=\"row\"><img src=\"/i.png\" alt=\"x\"></div>",
        );
    }
    html.push_str("</ul></nav></body></html>");
    html
}

/// Makes keywords: the first five words, and others that no page has.
fn literals(count: usize) -> Vec<Rule> {
    let name = |n: usize| match WORDS.get(n) {
        Some(word) if n < 5 => (*word).to_owned(),
        _ => format!("keyword{n} telecom"),
    };
    (0..count).map(|n| Rule::literal(name(n))).collect()
}

/// Makes regular expressions, of which one matches on the pages of shops.
fn expressions(count: usize) -> Vec<Rule> {
    let pattern = |n: usize| match n {
        0 => r"\b(?:shelves|chairs) \w+ly\b".to_owned(),
        n => format!(r"\b(?:keyword|term){n}[a-z]+\s\d{{2,4}}"),
    };
    (0..count).map(|n| Rule::regex(pattern(n))).collect()
}

fn read(html: &str) -> Page {
    page::read(html.as_bytes(), Some("text/html"), None)
}

fn compile(rules: &[Rule]) -> Matcher {
    Matcher::compile(rules).unwrap_or_else(|error| panic!("{error}"))
}

/// The yardstick: each rule as a regular expression of its own, one after the other.
fn one_by_one(rules: &[Rule]) -> Vec<Regex> {
    let compile = |rule: &Rule| {
        let pattern = match rule.kind {
            Kind::Literal => regex::escape(&rule.pattern),
            Kind::Regex => rule.pattern.clone(),
        };
        RegexBuilder::new(&pattern).case_insensitive(true).build()
    };
    let compiled: Result<_, _> = rules.iter().map(compile).collect();
    compiled.unwrap_or_else(|error| panic!("{error}"))
}

fn count(expressions: &[Regex], text: &str) -> usize {
    let count = |one: &Regex| one.find_iter(text).count();
    expressions.iter().map(count).sum()
}

fn small_page(c: &mut Criterion) {
    let html = site(8_000, 0);
    let keywords = literals(50);
    let (matcher, naive) = (compile(&keywords), one_by_one(&keywords));
    let technologies = Technologies::bundled().unwrap_or_else(|error| panic!("{error}"));
    let headers = [("server", "nginx/1.25.3"), ("x-powered-by", "PHP/8.2.10")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let detect = |page: &Page| {
        technologies.detect(&Site {
            headers: &headers,
            cookies: &[],
            page,
        })
    };
    let mut group = c.benchmark_group("8 kB page");
    group.measurement_time(Duration::from_secs(3));
    group.bench_function("read", |b| b.iter(|| read(black_box(&html))));
    let page = read(&html);
    group.bench_function("match 50 keywords", |b| {
        b.iter(|| matcher.scan(black_box(&page)))
    });
    group.bench_function("yardstick: 50 keywords one by one", |b| {
        b.iter(|| count(&naive, black_box(&page.text)));
    });
    group.bench_function("tell the technologies", |b| {
        b.iter(|| detect(black_box(&page)))
    });
    group.bench_function("tell the language", |b| {
        b.iter(|| page::language_of(black_box(&page.text)));
    });
    group.bench_function("judge whether it is parked", |b| {
        b.iter(|| page::parked(black_box(&page), None, &[]));
    });
    group.bench_function("all of it", |b| {
        b.iter(|| {
            let page = read(black_box(&html));
            let parked = page::parked(&page, None, &[]);
            let language = page::language_of(&page.text);
            (matcher.scan(&page), detect(&page), parked, language)
        });
    });
    group.finish();
}

fn large_text(c: &mut Criterion) {
    let mut rules = literals(1_000);
    let alone = compile(&rules);
    rules.extend(expressions(50));
    let (matcher, only) = (compile(&rules), compile(&expressions(50)));
    let naive = one_by_one(&rules);
    for (name, after) in [("shop", 0), ("blog", 20)] {
        let html = site(1 << 20, after);
        let page = read(&html);
        let mut group = c.benchmark_group(format!("1 MB {name}"));
        group
            .measurement_time(Duration::from_secs(3))
            .sample_size(20);
        group.throughput(Throughput::Bytes(html.len() as u64));
        group.bench_function("read", |b| b.iter(|| read(black_box(&html))));
        group.throughput(Throughput::Bytes(page.text.len() as u64));
        for (what, matcher) in [
            ("1,000 literals and 50 expressions", &matcher),
            ("1,000 literals", &alone),
            ("50 expressions", &only),
        ] {
            group.bench_function(what, |b| b.iter(|| matcher.scan(black_box(&page))));
        }
        group.sample_size(10);
        group.bench_function("yardstick: all one by one", |b| {
            b.iter(|| count(&naive, black_box(&page.text)));
        });
        group.finish();
    }
}

criterion_group!(benches, small_page, large_text);
criterion_main!(benches);
