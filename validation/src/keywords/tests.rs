use super::*;
use crate::page::{self, Page};

fn read(html: &str) -> Page {
    page::read(html.as_bytes(), Some("text/html; charset=utf-8"), None)
}

fn scan(rules: &[Rule], html: &str) -> Hits {
    Matcher::compile(rules).unwrap().scan(&read(html))
}

fn count(rule: Rule, html: &str) -> u32 {
    scan(&[rule], html)
        .rules
        .first()
        .map_or(0, |found| found.count)
}

#[test]
fn every_match_counts_once_in_its_place() {
    let html = "<title>Telecom services</title><meta name=description content='telecom'><meta name=keywords content='telecom, x'>\
                <script>var s='telecom telecom';</script><style>.telecom{}</style><!-- telecom --><body class=telecom>\
                <h1>Telecom <a href=/telecom>telecom</a></h1><p>Business telecom and fibre.</p><a href=/x>TELECOM</a>";
    let hits = scan(&[Rule::literal("telecom")], html);
    let found = &hits.rules[0];
    let places = Places {
        title: 1,
        h1: 2,
        meta: 2,
        anchor: 1,
        body: 1,
    };
    assert_eq!(found.places, places);
    assert_eq!((found.count, hits.hits_total, hits.unique), (7, 7, 1));
    assert_eq!(found.matched, "Telecom");
    assert_eq!(places.distinct(), 5);
}

#[test]
fn a_word_that_is_only_in_scripts_styles_comments_or_attributes_is_not_found() {
    let html = "<script>telecom</script><style>telecom</style><!--telecom--><p title=telecom alt=telecom>x</p>";
    assert_eq!(
        scan(&[Rule::literal("telecom"), Rule::regex("tele.om")], html),
        Hits::default()
    );
}

#[test]
fn case_is_ignored_in_every_script_unless_the_rule_says_otherwise() {
    for (pattern, html) in [
        ("größe", "<p>GRÖSSE GRÖßE"),
        ("ΟΔΟΣ", "<p>οδος"),
        ("связь", "<p>СВЯЗЬ"),
        ("istanbul", "<p>İstanbul"),
        ("kelvin", "<p>\u{212a}elvin"),
    ] {
        assert_eq!(count(Rule::literal(pattern), html), 1, "{pattern}");
    }
    let exact = Rule {
        case_sensitive: true,
        ..Rule::literal("Öl")
    };
    assert_eq!(count(exact, "<p>Öl öl ÖL"), 1);
    let exact = Rule {
        case_sensitive: true,
        ..Rule::regex("Ö.")
    };
    assert_eq!(count(exact, "<p>Öl öl ÖL"), 2);
    assert_eq!(count(Rule::regex("ö."), "<p>Öl öl ÖL"), 3);
}

#[test]
fn a_literal_is_a_substring_with_white_space_folded() {
    assert_eq!(count(Rule::literal("tele"), "<p>telecom televised"), 2);
    assert_eq!(
        count(
            Rule::literal(" fibre \n optic "),
            "<p>fibre&nbsp; <b>optic</b></p><p>fibre</p><p>optic</p>"
        ),
        1
    );
    assert_eq!(count(Rule::regex(r"\btele\b"), "<p>telecom tele"), 1);
    assert_eq!(count(Rule::literal("a.c"), "<p>abc a.c"), 1);
}

#[test]
fn overlapping_matches_of_one_rule_are_one_and_of_two_rules_are_two() {
    assert_eq!(count(Rule::literal("aa"), "<p>aaaaa"), 2);
    let hits = scan(
        &[
            Rule::literal("tele"),
            Rule::literal("telecom"),
            Rule::literal("com"),
        ],
        "<p>telecom",
    );
    assert_eq!((hits.hits_total, hits.unique), (3, 3));
}

#[test]
fn rules_that_say_the_same_count_once_in_the_totals() {
    let again = Rule {
        id: "second set".into(),
        ..Rule::literal("TELE")
    };
    let hits = scan(&[Rule::literal("tele"), again], "<p>tele tele");
    assert_eq!((hits.hits_total, hits.unique, hits.rules.len()), (2, 1, 2));
}

#[test]
fn contexts_are_at_most_five_and_never_cut_a_character() {
    let rule = Rule {
        context_chars: 3,
        ..Rule::literal("x")
    };
    let hits = scan(&[rule], "<p>äöüxäöü</p><p>…é🎉x🎉é…</p><p>xxxx xxxx</p>");
    let found = &hits.rules[0];
    assert_eq!(found.count, 10);
    assert_eq!(found.contexts.len(), MAX_CONTEXTS);
    assert_eq!(found.contexts[..2], ["äöüxäöü", "…é🎉x🎉é…"]);
    let bare = Rule {
        context_chars: 0,
        ..Rule::literal("é")
    };
    assert_eq!(scan(&[bare], "<p>äéü").rules[0].contexts, ["é"]);
}

#[test]
fn a_rule_that_cannot_work_is_refused_by_name() {
    let named = |rule: Rule| Rule {
        id: "rule 7".into(),
        ..rule
    };
    for (rule, says) in [
        (Rule::regex("te(le"), "unclosed group"),
        (Rule::regex(r"\w{1000}{1000}"), "needs more than"),
        (Rule::regex("(?=x)y"), "look-around"),
        (Rule::regex("x*"), "empty text"),
        (Rule::literal("  "), "empty pattern"),
        (Rule::literal("x".repeat(1_001)), "1001 characters"),
        (
            Rule {
                context_chars: 501,
                ..Rule::literal("x")
            },
            "501 characters of context",
        ),
        (
            Rule {
                weight: f64::NAN,
                ..Rule::literal("x")
            },
            "weight",
        ),
    ] {
        let error = Matcher::compile(&[Rule::literal("fine"), named(rule)])
            .unwrap_err()
            .to_string();
        assert!(error.contains("rule 7") && error.contains(says), "{error}");
    }
}

#[test]
fn the_expression_that_exceeds_the_memory_of_all_together_is_refused_by_name() {
    // Each is fine alone: it takes less than half of a megabyte, for each of two directions.
    let rules: Vec<_> = (0..400)
        .map(|n| Rule {
            id: format!("rule {n}"),
            ..Rule::regex(format!(r"\w{{8}}{n}"))
        })
        .collect();
    let error = Matcher::compile(&rules).unwrap_err().to_string();
    assert!(error.contains("64 MiB"), "{error}");
    let named = (64..400).find(|n| error.contains(&format!("\"rule {n}\"")));
    let fine = &rules[..named.unwrap()];
    assert!(Matcher::compile(fine).is_ok(), "{error}");
}

#[test]
fn a_thousand_honest_expressions_are_not_too_many() {
    let rules: Vec<_> = (0..1_000)
        .map(|n| Rule::regex(format!(r"\bword{n:04}s?\b")))
        .collect();
    let matcher = Matcher::compile(&rules).unwrap();
    let hits = matcher.scan(&read("<p>word0007 and words0007 word0999s</p>"));
    let found: Vec<_> = hits.rules.iter().map(|found| found.rule).collect();
    assert_eq!(found, [7, 999]);
}

#[test]
fn an_expression_made_to_be_slow_is_stopped_and_said_to_be() {
    let same = format!("<p>{}", "a".repeat(1 << 20));
    let mixed: String = (0_u32..1 << 20)
        .map(|n| {
            if n.wrapping_mul(2_654_435_761) >> 31 == 0 {
                'a'
            } else {
                'b'
            }
        })
        .collect();
    // The first finds quadratically, the second needs a state for each of 2 to the 600 texts, or one at a time.
    for (pattern, html) in [
        ("(?:.*[^a]|a)", same),
        ("[ab]*a[ab]{600}[^ab]", format!("<p>{mixed}")),
    ] {
        let started = std::time::Instant::now();
        let hits = scan(&[Rule::regex(pattern)], &html);
        assert!(hits.incomplete, "{pattern}");
        assert!(
            started.elapsed() < std::time::Duration::from_secs(20),
            "{pattern}"
        );
    }
}

#[test]
fn literals_inside_one_another_are_stopped_at_a_bound() {
    let mut rules: Vec<_> = (1..=1_000).map(|n| Rule::literal("a".repeat(n))).collect();
    // What it requires lies behind the bound.
    rules.push(Rule::regex(r"kiosk\d+"));
    let started = std::time::Instant::now();
    let html = format!("<p>{}<p>a kiosk77", "a".repeat(1 << 19));
    let hits = scan(&rules, &html);
    assert!(hits.incomplete);
    assert_eq!(hits.rules.last().map(|hits| hits.rule), Some(1_000));
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn expressions_find_everything_in_a_text_of_many_pieces() {
    let html = "<p>one 12345 two</p>".repeat(5_000) + &"long ".repeat(10_000) + "<b>67890</b>";
    let hits = scan(&[Rule::regex(r"\b\d{5}\b"), Rule::literal("67890")], &html);
    assert_eq!(
        (hits.rules[0].count, hits.rules[1].count, hits.incomplete),
        (5_001, 1, false)
    );
    assert!(hits.rules[0].contexts[4].contains("12345"));
}

#[test]
fn a_thousand_rules_each_find_their_own() {
    let rules: Vec<_> = (0..1_000)
        .map(|n| Rule::literal(format!("word{n:04}x")))
        .collect();
    let html: String = (0..1_000).map(|n| format!("<p>word{n:04}x</p>")).collect();
    let hits = scan(&rules, &html);
    assert_eq!((hits.hits_total, hits.unique), (1_000, 1_000));
    assert!(
        hits.rules
            .iter()
            .enumerate()
            .all(|(at, found)| found.rule == at)
    );
}

#[test]
fn contexts_keep_to_their_bytes_and_those_without_room_are_counted() {
    let rules: Vec<_> = (0..10)
        .map(|n| Rule {
            context_chars: 10,
            ..Rule::literal(format!("word{n}"))
        })
        .collect();
    let html = "<p>word0 word1 word2 word3 word4 word5 word6 word7 word8 word9</p>".repeat(9);
    let matcher = Matcher::compile(&rules).unwrap();
    let whole = matcher.scan(&read(&html));
    let bytes = |hits: &Hits| -> usize {
        let contexts = hits.rules.iter().flat_map(|rule| &rule.contexts);
        contexts.map(String::len).sum()
    };
    assert_eq!((whole.contexts_left_out, whole.rules.len()), (0, 10));
    let cut = matcher.scan_within(&read(&html), 300);
    assert!(bytes(&whole) > 600 && bytes(&cut) <= 300, "{}", bytes(&cut));
    let kept: usize = cut.rules.iter().map(|rule| rule.contexts.len()).sum();
    // Five of each rule, kept or not; every match counts all the same.
    assert_eq!(kept + cut.contexts_left_out as usize, 50);
    assert_eq!(cut.hits_total, whole.hits_total);
}
