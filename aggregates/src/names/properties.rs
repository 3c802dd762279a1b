//! What must hold for every pattern, and the names of some known ones.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{DomainName, Kind, Pattern, Spec};

fn spec(
    kind: Kind,
    constant: &str,
    prefix: u32,
    suffix: u32,
    charset: &str,
    tlds: &[&str],
) -> Spec {
    Spec {
        kind,
        constant: constant.to_owned(),
        prefix_length: prefix,
        suffix_length: suffix,
        variable_length: None,
        charset: charset.to_owned(),
        tlds: tlds.iter().map(|&tld| tld.to_owned()).collect(),
        dictionary: None,
    }
}

fn names(spec: Spec) -> Vec<Option<String>> {
    let pattern = Pattern::parse(spec).unwrap();
    let total = u64::try_from(pattern.total()).unwrap();
    pattern
        .names(0, total)
        .map(|(_, name)| name.map(|name| name.to_string()))
        .collect()
}

fn legal(spec: Spec) -> Vec<String> {
    names(spec).into_iter().flatten().collect()
}

#[test]
fn the_rightmost_variable_character_varies_fastest() {
    let pattern =
        Pattern::parse(spec(Kind::Prefix, "shop", 5, 0, "abcdefghij", &["test"])).unwrap();
    assert_eq!(pattern.total(), 100_000);
    let first: Vec<String> = pattern
        .names(0, 11)
        .filter_map(|(_, name)| Some(name?.to_string()))
        .collect();
    assert_eq!(first[..2], ["aaaaashop.test", "aaaabshop.test"]);
    assert_eq!(first[9..], ["aaaajshop.test", "aaabashop.test"]);
    let last = pattern.names(99_999, 5).collect::<Vec<_>>();
    assert_eq!(last.len(), 1, "the range ends with the pattern");
    assert_eq!(last[0].1.as_ref().unwrap().as_str(), "jjjjjshop.test");
}

#[test]
fn each_kind_puts_the_variable_part_where_its_name_says() {
    assert_eq!(
        legal(spec(Kind::Prefix, "x", 2, 0, "ba", &["de"])),
        ["bbx.de", "bax.de", "abx.de", "aax.de"]
    );
    assert_eq!(
        legal(spec(Kind::Suffix, "x", 0, 2, "ba", &["de"])),
        ["xbb.de", "xba.de", "xab.de", "xaa.de"]
    );
    assert_eq!(
        legal(spec(Kind::Both, "x", 1, 1, "ba", &["de"])),
        ["bxb.de", "bxa.de", "axb.de", "axa.de"]
    );
    assert_eq!(legal(spec(Kind::Prefix, "x", 0, 0, "", &["de"])), ["x.de"]);
}

#[test]
fn the_tld_is_the_fastest_digit_of_all() {
    assert_eq!(
        legal(spec(Kind::Suffix, "x", 0, 1, "ab", &["com", "co.uk", "de"])),
        ["xa.com", "xa.co.uk", "xa.de", "xb.com", "xb.co.uk", "xb.de"]
    );
}

#[test]
fn an_illegal_combination_is_skipped_counted_and_its_offset_consumed() {
    let pattern = Pattern::parse(spec(Kind::Prefix, "", 2, 0, "a-", &["com", "de"])).unwrap();
    let mut names = pattern.names(0, 100);
    let mut seen = Vec::new();
    while let Some(step) = names.step() {
        seen.push((step.offset, step.name.map(str::to_owned)));
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(seen[0], (0, Some("aa.com".to_owned())));
    assert_eq!(seen[1], (1, Some("aa.de".to_owned())));
    assert!(seen[2..].iter().all(|(_, name)| name.is_none()));
    assert_eq!(names.skipped(), 6);
}

#[test]
fn what_looks_like_an_a_label_is_not_enumerated() {
    let all = names(spec(Kind::Prefix, "n--a", 1, 0, "xy", &["com"]));
    assert_eq!(all, [None, Some("yn--a.com".to_owned())]);
}

#[test]
fn unicode_patterns_give_a_labels() {
    assert_eq!(
        legal(spec(Kind::Prefix, "cher", 2, 0, "üb", &["de"])),
        [
            "xn--cher-zraa.de",
            "xn--bcher-jva.de",
            "xn--bcher-kva.de",
            "bbcher.de"
        ]
    );
}

#[test]
fn words_stand_in_place_of_the_variable_parts() {
    let words = |kind, constant: &str, words: &[&str]| {
        let mut spec = spec(kind, constant, 0, 0, "", &["com"]);
        spec.dictionary = Some(words.iter().map(|&word| word.to_owned()).collect());
        spec
    };
    assert_eq!(
        legal(words(Kind::Prefix, "shop", &["red", "Blue", "red"])),
        ["redshop.com", "blueshop.com"]
    );
    assert_eq!(
        legal(words(Kind::Both, "-", &["a", "b"])),
        ["a-a.com", "a-b.com", "b-a.com", "b-b.com"]
    );
    // "aa" + "a" is "a" + "aa" again: the later offset is consumed without a name.
    assert_eq!(
        names(words(Kind::Both, "", &["a", "aa"])),
        [
            Some("aa.com".to_owned()),
            Some("aaa.com".to_owned()),
            None,
            Some("aaaa.com".to_owned())
        ]
    );
}

#[test]
fn a_pattern_of_any_size_can_be_entered_anywhere() {
    let pattern = Pattern::parse(spec(
        Kind::Prefix,
        "",
        12,
        0,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        &["com"],
    ))
    .unwrap();
    assert_eq!(pattern.total(), 36_u128.pow(12));
    let name = DomainName::parse("domainflow42.com").unwrap();
    let offset = pattern.offset_of(name.as_str()).unwrap();
    assert_eq!(pattern.names(offset, 1).next(), Some((offset, Some(name))));
}

fn specs() -> impl Strategy<Value = Spec> {
    let charset = prop_oneof!["[a-d0-1]{1,4}", "[a-c-]{2,3}", "[aéüß]{1,3}"];
    let tlds = proptest::collection::vec(
        prop_oneof![Just("com"), Just("co.uk"), Just("test"), Just("рф")],
        1..4,
    );
    let words = proptest::option::of(proptest::collection::vec("[ab-]{1,3}|é", 1..6));
    (
        prop_oneof![Just(Kind::Prefix), Just(Kind::Suffix), Just(Kind::Both)],
        "[a-c-]{0,3}|xn|ü",
        0_u32..4,
        0_u32..3,
        charset,
        tlds,
        words,
    )
        .prop_map(|(kind, constant, before, after, charset, tlds, words)| {
            let mut spec = spec(kind, &constant, before, after, &charset, &tlds);
            match kind {
                Kind::Prefix => spec.suffix_length = 0,
                Kind::Suffix => spec.prefix_length = 0,
                Kind::Both => {}
            }
            if words.is_some() {
                spec = Spec {
                    charset: String::new(),
                    prefix_length: 0,
                    suffix_length: 0,
                    dictionary: words,
                    ..spec
                };
            }
            spec
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_pattern_is_ordered_unique_legal_and_invertible(spec in specs()) {
        let Ok(pattern) = Pattern::parse(spec) else { return Ok(()) };
        let total = u64::try_from(pattern.total()).unwrap();
        let mut seen = HashSet::new();
        let mut skipped = 0;
        let mut names = pattern.names(0, u64::MAX);
        let mut expected = 0;
        while let Some(step) = names.step() {
            prop_assert_eq!(step.offset, expected, "every offset once, in order");
            expected += 1;
            let Some(name) = step.name else { skipped += 1; continue };
            prop_assert!(seen.insert(name.to_owned()), "{} twice", name);
            let parsed = DomainName::parse(name);
            prop_assert_eq!(parsed.as_ref().map(DomainName::as_str), Ok(name), "legal as it is");
            prop_assert_eq!(pattern.offset_of(name), Some(step.offset));
        }
        prop_assert_eq!(expected, total);
        prop_assert_eq!(names.skipped(), skipped);
        prop_assert_eq!(u64::try_from(seen.len()).unwrap() + skipped, total);
    }

    #[test]
    fn a_range_gives_the_same_names_wherever_it_is_cut(spec in specs(), cut in 0_u64..50) {
        let Ok(pattern) = Pattern::parse(spec) else { return Ok(()) };
        let whole: Vec<_> = pattern.names(0, 200).collect();
        let parts: Vec<_> = pattern.names(0, cut).chain(pattern.names(cut, 200 - cut)).collect();
        prop_assert_eq!(whole, parts);
    }
}
