//! Times reading a page and matching keywords on it: microseconds for an 8 kB page with 50 keywords, and megabytes a second
//! for a large page with 1,000 literals and 50 regular expressions. `cargo bench -p validation --bench page`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use validation::keywords::{Matcher, Rule};
use validation::page;

const WORDS: &[&str] = &[
    "workshop", "number", "shelves", "lamps", "chairs", "delivery", "Tuesday", "service",
    "quality", "customer", "online", "fibre", "network", "business", "price", "offer", "contact",
    "garden", "office", "design",
];

/// Makes a page of about `bytes`, half of it markup, as shops are.
fn shop(bytes: usize) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=en><head><title>Furniture shop &amp; more</title><meta name=description content='Chairs and \
         lamps'><script>var telecom = 'x'; if (a < b && c > d) { run(); }</script><style>.a{color:red}</style></head><body>\
         <h1>Furniture</h1><nav><ul>",
    );
    let mut seed = 1_u32;
    let mut word = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = usize::try_from(seed >> 16).unwrap_or(0) % WORDS.len();
        WORDS.get(at).copied().unwrap_or_default()
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

fn literals(count: usize) -> Vec<Rule> {
    let name = |n: usize| match WORDS.get(n % 25) {
        Some(word) if n < 25 => (*word).to_owned(),
        _ => format!("keyword{n} telecom"),
    };
    (0..count).map(|n| Rule::literal(name(n))).collect()
}

fn bench(c: &mut Criterion) {
    let small = shop(8_000);
    let matcher = Matcher::compile(&literals(50)).unwrap_or_else(|error| panic!("{error}"));
    let mut group = c.benchmark_group("8 kB page");
    group.measurement_time(Duration::from_secs(3));
    group.bench_function("read", |b| {
        b.iter(|| page::read(black_box(small.as_bytes()), Some("text/html"), None))
    });
    group.bench_function("read and match 50 keywords", |b| {
        b.iter(|| {
            matcher.scan(&page::read(
                black_box(small.as_bytes()),
                Some("text/html"),
                None,
            ))
        });
    });
    group.finish();

    let large = shop(1 << 20);
    let read = page::read(large.as_bytes(), Some("text/html"), None);
    let mut rules = literals(1_000);
    rules.extend((0..50).map(|n| Rule::regex(format!(r"\b(?:keyword|term){n}[a-z]+\s\d{{2,4}}"))));
    let matcher = Matcher::compile(&rules).unwrap_or_else(|error| panic!("{error}"));
    let mut group = c.benchmark_group("1 MB page");
    group
        .measurement_time(Duration::from_secs(3))
        .sample_size(20);
    group.throughput(Throughput::Bytes(u64::try_from(large.len()).unwrap_or(0)));
    group.bench_function("read", |b| {
        b.iter(|| page::read(black_box(large.as_bytes()), Some("text/html"), None))
    });
    group.throughput(Throughput::Bytes(
        u64::try_from(read.text.len()).unwrap_or(0),
    ));
    group.bench_function("match 1,000 literals and 50 expressions", |b| {
        b.iter(|| matcher.scan(black_box(&read)))
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
