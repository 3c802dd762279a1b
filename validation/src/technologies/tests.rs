use std::collections::BTreeSet;

use super::definition::Place;
use super::*;
use crate::page;

/// Every definition that is part of the program, with the text of its file.
fn bundled() -> Vec<(&'static str, definition::Definition)> {
    BUNDLED
        .iter()
        .flat_map(|(file, text)| {
            let read = parse::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            read.into_iter().map(move |definition| (*text, definition))
        })
        .collect()
}

/// The examples that stand under a line of a file.
fn examples(text: &str, line: usize) -> Vec<(&str, Option<&str>)> {
    text.lines()
        .skip(line)
        .map_while(|line| line.trim().strip_prefix("example:"))
        .map(|example| parse::split_example(example.trim()))
        .collect()
}

/// An answer with one thing in it.
#[derive(Default)]
struct Answer {
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    page: Page,
}

impl Answer {
    /// Puts a value where a rule looks, as a server would send it.
    fn with(place: Place, name: &str, value: &str) -> Self {
        let quoted = value.replace('&', "&amp;").replace('"', "&quot;");
        let html = match place {
            Place::Header => {
                let headers = vec![(name.to_owned(), value.to_owned())];
                return Self {
                    headers,
                    ..Self::default()
                };
            }
            Place::Cookie => {
                let cookies = vec![value.to_owned()];
                return Self {
                    cookies,
                    ..Self::default()
                };
            }
            Place::Meta => format!("<meta name=\"{name}\" content=\"{quoted}\">"),
            Place::Script => format!("<script src=\"{quoted}\"></script>"),
            Place::Link => format!("<link rel=stylesheet href=\"{quoted}\">"),
            Place::Markup => format!("{value} text"),
        };
        Self::page(&html)
    }

    fn page(html: &str) -> Self {
        Self {
            page: page::read(html.as_bytes(), Some("text/html"), None),
            ..Self::default()
        }
    }

    fn detect(&self, technologies: &Technologies) -> Vec<Technology> {
        technologies.detect(&Site {
            headers: &self.headers,
            cookies: &self.cookies,
            page: &self.page,
        })
    }
}

fn detect(html: &str) -> Vec<Technology> {
    Answer::page(html).detect(&Technologies::bundled().unwrap())
}

fn error(text: &str) -> String {
    let files = [("own.rules".to_owned(), text.to_owned())];
    Technologies::with(&files).unwrap_err().to_string()
}

#[test]
fn at_least_150_technologies_are_told_by_rules_of_every_place() {
    let all = bundled();
    assert_eq!(Technologies::bundled().unwrap().len(), all.len());
    assert!(all.len() >= 150, "{}", all.len());
    let places: BTreeSet<&str> = all
        .iter()
        .flat_map(|(_, definition)| definition.rules.iter().map(|rule| rule.place.word()))
        .collect();
    assert_eq!(places.len(), Place::ALL.len());
}

#[test]
fn every_rule_has_an_example_that_shows_its_technology_on_a_page() {
    let technologies = Technologies::bundled().unwrap();
    for (text, definition) in bundled() {
        for rule in &definition.rules {
            let at = format!("{}, line {}", definition.name, rule.line);
            let examples = examples(text, rule.line);
            assert!(!examples.is_empty(), "{at} has no example");
            for (value, version) in examples {
                let found = Answer::with(rule.place, &rule.name, value).detect(&technologies);
                let own = found.iter().find(|found| found.name == definition.name);
                let own = own.unwrap_or_else(|| panic!("{at}: {value:?} gives {found:?}"));
                assert!(own.evidence.starts_with(rule.place.word()), "{own:?}");
                if version.is_some() {
                    assert_eq!(own.version.as_deref(), version, "{at}");
                }
            }
        }
    }
}

#[test]
fn no_rule_matches_plain_pages() {
    let article = "We moved from WordPress and nginx to Drupal, PHP, jQuery, React, Shopify, Google Analytics, Vue.js, \
                   WooCommerce, Laravel, Django, Bootstrap and Cloudflare. See /wp-content/ and window.__NEXT_DATA__, \
                   googletagmanager.com/gtm.js, cdn.shopify.com, matomo.php and static.hotjar.com.";
    for html in [
        String::new(),
        "<p>Nothing".to_owned(),
        format!("<html lang=en><head><title>{article}</title></head><body><h1>{article}</h1><p>{article}</p></body></html>"),
        "<a href='https://wordpress.org/wp-content/uploads/x'>WordPress</a><a href='https://cdn.shopify.com/a.js'>x</a>".to_owned(),
        "<html lang=de><head><meta charset=utf-8><meta name=viewport content='width=device-width'><link rel=icon href=/favicon.ico>\
         <link rel=stylesheet href=/style.css><script src=/main.js></script><style>.a{}</style></head><body class=home>\
         <header id=top><nav class='menu main'><ul><li class=item><a href=/contact>Kontakt</a></li></ul></nav></header>\
         <form action=/search method=get><input name=q type=text></form><img src=/images/logo.png alt=Logo>\
         <script>document.querySelector('.menu').addEventListener('click', () => {});</script></body></html>".to_owned(),
        "<table border=0 cellpadding=4><tr><td bgcolor=#ffffff><font face=Arial>Old page</font></td></tr></table>".to_owned(),
    ] {
        assert_eq!(detect(&html), [], "{html}");
    }
    let plain = Answer {
        headers: [
            ("content-type", "text/html; charset=utf-8"),
            ("server", "in-house"),
            ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("strict-transport-security", "max-age=31536000"),
            ("x-frame-options", "DENY"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        cookies: ["session", "lang", "id"].map(str::to_owned).to_vec(),
        page: Page::default(),
    };
    assert_eq!(plain.detect(&Technologies::bundled().unwrap()), []);
}

#[test]
fn what_is_implied_is_told_with_what_implies_it() {
    let found = detect("<link rel=stylesheet href='/wp-content/plugins/woocommerce/assets/a.css'>");
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.name.as_str(), one.evidence.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("PHP", "implied by WordPress"),
            ("WooCommerce", "link: /plugins/woocommerce/"),
            ("WordPress", "link: /wp-content/"),
        ]
    );
    // From a technology that is itself implied.
    let found = detect("<meta name=generator content='Elementor 3.18.3'>");
    let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Elementor", "PHP", "WordPress"]);
}

#[test]
fn the_rule_that_shows_a_version_is_the_one_that_is_told() {
    let found = detect(
        "<link href=/wp-content/a.css><meta name=generator content='WordPress 6.4.2'><script src=/wp-includes/js/x.js></script>",
    );
    let wordpress = found.iter().find(|one| one.name == "WordPress").unwrap();
    assert_eq!(wordpress.version.as_deref(), Some("6.4.2"));
    assert_eq!(wordpress.evidence, "meta generator: WordPress 6.4.2");
    assert_eq!(wordpress.category, "cms");
}

#[test]
fn a_file_of_ones_own_adds_technologies_and_replaces_those_of_the_same_name() {
    let own = "technology: In-House Shop\ncategory: commerce\nimplies: PHP\nmarkup: data-inhouse={version}\n\
               technology: WordPress\ncategory: own-words\nscript: /my-wordpress.js\n";
    let files = [("own.rules".to_owned(), own.to_owned())];
    let technologies = Technologies::with(&files).unwrap();
    let html =
        "<body data-inhouse=3.1><script src=/my-wordpress.js></script><link href=/wp-content/x>";
    let found = Answer::page(html).detect(&technologies);
    let told: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.category.as_str(),
                one.version.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("In-House Shop", "commerce", Some("3.1")),
            ("PHP", "language", None),
            ("WordPress", "own-words", None),
        ]
    );
}

#[test]
fn a_bad_file_is_refused_by_line_and_field() {
    let shop = "technology: Shop\ncategory: commerce\n";
    for (text, says) in [
        (
            "technology: Shop\n\n# no category\nscript: /a.js\n".to_owned(),
            "own.rules, line 1, category: Shop has none",
        ),
        (shop.to_owned(), "line 1, technology: Shop has no rule"),
        (
            format!("{shop}colour: red\n"),
            "line 3, colour: is no field",
        ),
        (format!("{shop}script\n"), "line 3, script: a line is"),
        (
            format!("{shop}header: x\n"),
            "line 3, header: says which one",
        ),
        (
            format!("{shop}header x-own: y\n"),
            "line 3, header x-own: this header is not kept",
        ),
        (
            format!("{shop}cookie name: y\n"),
            "line 3, cookie name: takes no name",
        ),
        (
            format!("{shop}script: a\n"),
            "line 3, script: begins with a text",
        ),
        (
            format!("{shop}script: a{{version?}}b\n"),
            "line 3, script: {version?} can only",
        ),
        (
            format!("{shop}script: /a.js\nexample: /b.js\n"),
            "line 4, example: the rule of line 3 does not match it",
        ),
        (
            format!("{shop}script: /a-{{version}}\nexample: /a-2.0 -> 3.0\n"),
            "line 4, example: the rule of line 3 finds 2.0 in it",
        ),
        (
            format!("{shop}example: x\n"),
            "line 3, example: stands before",
        ),
        (
            format!("{shop}implies: Nothing\nscript: /a.js\n"),
            "line 3, implies: no technology is called",
        ),
        (
            format!("{shop}category: cms\n"),
            "line 3, category: there is one",
        ),
        (
            "category: cms\n".to_owned(),
            "line 1, category: stands before",
        ),
        (
            "technology: X\ncategory: Big Words\n".to_owned(),
            "line 2, category: a category is",
        ),
        (
            format!("{shop}script: /a.js\ntechnology: Shop\n"),
            "line 4, technology: Shop is described on line 1",
        ),
    ] {
        let error = error(&text);
        assert!(error.contains(says), "{text:?} gives {error}");
    }
    assert!(error(&"#".repeat(MAX_FILE_BYTES + 1)).contains("longer than"));
}

#[test]
fn literals_inside_one_another_are_stopped_at_a_bound() {
    let mut own = String::from("technology: Hostile\ncategory: test\n");
    for length in 3..190 {
        own.push_str(&format!("markup: {}{{version}}\n", "a".repeat(length)));
    }
    let technologies = Technologies::with(&[("own.rules".to_owned(), own)]).unwrap();
    let answer = Answer::page(&format!("<!--{}-->", "a".repeat(500)).repeat(500));
    let started = std::time::Instant::now();
    assert_eq!(answer.detect(&technologies), []);
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn a_page_shows_at_most_a_bounded_number_of_technologies() {
    let mut all = String::new();
    for (text, definition) in bundled() {
        for rule in &definition.rules {
            if rule.place == Place::Script {
                for (value, _) in examples(text, rule.line) {
                    all.push_str(&format!("<script src=\"{value}\"></script>"));
                }
            }
        }
    }
    assert_eq!(detect(&all).len(), MAX_FOUND);
}
