use proptest::prelude::*;

use super::*;

const AGENT: &str = "ExampleBot/1.0 (+https://example.com/bot)";

fn allows(text: &str, path: &str) -> bool {
    Rules::parse(text, AGENT).allow(path)
}

/// One group for everybody with these lines.
fn everybody(lines: &str) -> String {
    format!("User-agent: *\n{lines}\n")
}

#[test]
fn the_examples_of_rfc_9309_section_5_1_hold() {
    let text = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n\
                User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\n\
                User-Agent: quxbot\n";
    for (agent, path, allowed) in [
        ("otherbot", "/a.gif", false),
        ("otherbot", "/a.gif?x", true),
        ("otherbot", "/example/x", false),
        ("otherbot", "/publications/x", true),
        ("otherbot", "/", true),
        ("foobot", "/", false),
        ("foobot", "/example/page.html", true),
        ("foobot", "/example/allowed.gif", true),
        ("FooBot/2.1", "/publications/", false),
        ("barbot", "/example/page.html", false),
        ("bazbot", "/example/page.html", false),
        ("bazbot", "/a.gif", true),
        ("quxbot", "/example/", true),
    ] {
        let rules = Rules::parse(text, agent);
        assert_eq!(rules.allow(path), allowed, "{agent} {path}");
    }
}

#[test]
fn the_longest_match_of_section_5_2_wins_and_of_equal_ones_the_one_that_allows() {
    let text =
        "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n";
    let rules = Rules::parse(text, "foobot");
    assert!(!rules.allow("/example/page/disallowed.gif"));
    assert!(rules.allow("/example/page/other.gif"));
    assert!(allows(&everybody("Disallow: /a\nAllow: /a"), "/a"));
    assert!(allows(&everybody("Disallow: /\nAllow: /$"), "/"));
    assert!(!allows(&everybody("Disallow: /\nAllow: /$"), "/x"));
}

#[test]
fn the_escapes_of_section_2_2_2_are_compared_in_one_form() {
    for (rule, path) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        (
            "/foo/bar?baz=https://foo.bar",
            "/foo/bar?baz=https://foo.bar",
        ),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
        ("/100%", "/100%"),
    ] {
        assert!(
            !allows(&everybody(&format!("Disallow: {rule}")), path),
            "{rule} {path}"
        );
    }
    // An escape that means a separator is another path than the separator.
    assert!(allows(&everybody("Disallow: /a/b"), "/a%2Fb"));
}

#[test]
fn stars_and_the_end_mean_what_section_2_2_3_says() {
    for (rule, matching, other) in [
        (
            "/*.php$",
            &["/a.php", "/x/a.php", "/a.php.php"][..],
            &["/a.php5", "/a.php?x"][..],
        ),
        ("/fish*", &["/fish", "/fishes/x"], &["/Fish", "/catfish"]),
        ("/a*b*c", &["/abc", "/a1b2c3"], &["/acb", "/ab"]),
        ("/a*$", &["/a", "/abc"], &["/b"]),
        ("*/private/", &["/private/", "/x/private/y"], &["/privat"]),
        ("/x$", &["/x"], &["/xy", "/x/"]),
        ("/aa*aa$", &["/aaaa", "/aabaa"], &["/aaa", "/aa"]),
    ] {
        let text = everybody(&format!("Disallow: {rule}"));
        for path in matching {
            assert!(!allows(&text, path), "{rule} matches {path}");
        }
        for path in other {
            assert!(allows(&text, path), "{rule} does not match {path}");
        }
    }
}

#[test]
fn groups_are_merged_and_lines_are_read_in_every_spelling() {
    let text = "\u{feff}# hello\r\nUSER-AGENT : examplebot # us\r\nDisallow:/a\r\rUser-agent: other\nDisallow: /\n\
                Sitemap: https://example.com/sitemap.xml\nuser-agent: ExampleBot/7\ndisallow : /b # not\nnonsense\nDisallow:\n";
    for (path, allowed) in [
        ("/a", false),
        ("/b", false),
        ("/c", true),
        ("/robots.txt", true),
    ] {
        assert_eq!(allows(text, path), allowed, "{path}");
    }
    // Rules before the first group belong to nobody, and a blank line does not end a group.
    assert!(allows("Disallow: /\n", "/"));
    assert!(!allows("User-agent: *\n\n\nDisallow: /\n", "/"));
    assert!(allows("User-agent: *\nDisallow: \n", "/"));
    assert!(allows("", "/"));
    assert!(!Rules::nothing().allow("/") && !Rules::nothing().allow("/a?b"));
    assert!(allows(&everybody("Disallow: /"), "/robots.txt"));
    // A name that is only the beginning of ours is another's.
    assert!(allows("User-agent: Example\nDisallow: /\n", "/"));
    assert!(allows("<html><body>Disallow: /</body></html>", "/"));
}

#[test]
fn no_more_than_the_bound_is_read_and_no_line_in_part() {
    let filler = "# filler filler filler\n".repeat(MAX_BYTES / 23);
    assert!(!allows(&(everybody("Disallow: /a") + &filler), "/a"));
    assert!(allows(&(everybody("") + &filler + "Disallow: /a\n"), "/a"));
    let cut = everybody("Disallow: /x") + "Disallow: /" + &"é".repeat(MAX_BYTES);
    assert!(!allows(&cut, "/x") && allows(&cut, "/é"));
}

#[test]
fn a_hostile_file_costs_a_bounded_time() {
    let path = format!("/{}", "a".repeat(8_000));
    let started = std::time::Instant::now();
    for line in [
        "Disallow: /*a*a*a*a*a*a*a*a*a*b\n",
        "Disallow: *a\n",
        "User-agent: x\n",
        ":",
        "Disallow: /%\n",
    ] {
        let text = everybody(&line.repeat(MAX_BYTES / line.len()));
        allows(&text, &path);
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}

proptest! {
    #[test]
    fn any_text_gives_rules(text in "(?s).{0,400}", path in "/.{0,80}") {
        let rules = Rules::parse(&everybody(&text), AGENT);
        rules.allow(&path);
    }

    #[test]
    fn a_rule_that_is_a_path_matches_what_begins_with_it(path in "/[ -~é]{0,20}", more in "[a-z/]{0,10}") {
        let rule = path.replace('*', "%2A").replace('$', "%24").replace('#', "%23");
        let rule = rule.trim_end();
        let text = everybody(&format!("Disallow: {rule}"));
        let found = allows(&text, &format!("{}{more}", path.replace('#', "%23").trim_end()));
        prop_assert_eq!(found, false);
    }
}
