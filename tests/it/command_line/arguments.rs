//! What is wrong with a command line, or with the database that it names, is said in one line.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, process::Output};

use super::{directory, domainflow, server_of, text};

#[test]
fn what_is_wrong_with_a_command_line_is_said_in_one_line_and_ends_with_2() {
    let directory = directory();
    let list = directory.path().join("empty.txt");
    fs::write(&list, "# nothing\n").expect("a file");
    let list = list.display().to_string();
    let pattern = ["run", "--pattern", "prefix", "--tld", "test"];
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec![], "a command is missing"),
        (vec!["fly"], "fly"),
        (vec!["run"], "--pattern"),
        (
            vec!["run", "--domains", "/nowhere/names.txt"],
            "/nowhere/names.txt",
        ),
        (vec!["run", "--domains", &list], "holds no domain name"),
        (
            vec!["run", "--domains", &list, "--pattern", "prefix"],
            "cannot be used with",
        ),
        (
            [pattern.as_slice(), &["--length", "65"]].concat(),
            "--length",
        ),
        // More names than a campaign takes would fill the disk before anybody noticed.
        (
            [pattern.as_slice(), &["--length", "10"]].concat(),
            "--limit",
        ),
        (
            [
                pattern.as_slice(),
                &["--length", "10", "--limit", "10000001"],
            ]
            .concat(),
            "--limit",
        ),
        (
            [pattern.as_slice(), &["--length", "2", "--charset", ""]].concat(),
            "--charset",
        ),
        (
            [pattern.as_slice(), &["--length", "2", "--charset", "-"]].concat(),
            "--charset",
        ),
        (
            vec!["run", "--pattern", "prefix", "--length", "2"],
            "--tld is missing",
        ),
        (
            vec!["run", "--pattern", "sideways", "--length", "2"],
            "none of prefix, suffix, both",
        ),
        (
            vec!["run", "--pattern", "both", "--length", "2", "--tld", "test"],
            "--length is not for this pattern, which takes --prefix-length and --suffix-length",
        ),
        (
            [pattern.as_slice(), &["--prefix-length", "2"]].concat(),
            "--prefix-length is not for this pattern, which takes --length",
        ),
        (
            [pattern.as_slice(), &["--length", "2", "--name", ""]].concat(),
            "--name",
        ),
        (
            vec!["migrate", "--database-url", "mysql://me:hidden@db/x"],
            "--database-url: must begin with postgres://",
        ),
        (
            [
                pattern.as_slice(),
                &["--length", "2", "--resolver", "nobody"],
            ]
            .concat(),
            "nobody",
        ),
        (
            [pattern.as_slice(), &["--length", "2", "--http-port", "0"]].concat(),
            "--http-port",
        ),
        (
            [pattern.as_slice(), &["--length", "2", "--keyword", " "]].concat(),
            "--keyword",
        ),
        (
            [
                pattern.as_slice(),
                &["--length", "2", "--keyword", "\u{200b}"],
            ]
            .concat(),
            "--keyword",
        ),
        (
            [
                pattern.as_slice(),
                &["--length", "2", "--out", "/nowhere/leads.csv"],
            ]
            .concat(),
            "--out",
        ),
        (
            [
                pattern.as_slice(),
                &["--length", "2", "--trust", "/nowhere/ca.pem"],
            ]
            .concat(),
            "--trust",
        ),
        (vec!["serve", "--listen", "somewhere"], "--listen"),
        (
            vec![
                "serve",
                "--database-url",
                "postgres://nobody@127.0.0.1:1/none",
            ],
            "SESSION_SIGNING_SECRET",
        ),
        (vec!["work", "--slots", "49"], "--slots"),
        (
            vec!["migrate", "--database-url", "a server"],
            "--database-url",
        ),
        (vec!["replay", "rebuild", "domians"], "domians"),
        (
            vec!["replay", "show", "not-an-id", "--version", "1"],
            "not-an-id",
        ),
        (
            vec![
                "user",
                "create",
                "--email",
                "a@example.com",
                "--role",
                "king",
            ],
            "king",
        ),
    ];
    for (arguments, names) in cases {
        let Output {
            status,
            stderr,
            stdout,
        } = domainflow(directory.path())
            .args(&arguments)
            .output()
            .expect("it runs");
        let message = text(&stderr);
        assert_eq!(status.code(), Some(2), "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
        assert!(
            message.starts_with("error: ") && message.contains(names),
            "{arguments:?}: {message}"
        );
        assert_eq!(text(&stdout), "", "{arguments:?}");
    }
    assert!(
        server_of(directory.path()).is_none(),
        "no server was started for a command line that is wrong"
    );
}

#[test]
fn a_log_filter_that_does_not_read_is_said_in_one_line_and_ends_with_2() {
    let directory = directory();
    let latin_1 = OsStr::from_bytes(b"info\xe9");
    for wrong in [OsStr::new("info,domainflow=lots"), latin_1] {
        let output = domainflow(directory.path())
            .env("RUST_LOG", wrong)
            .arg("openapi")
            .output()
            .expect("it runs");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{wrong:?}: {message}");
        assert!(
            message.starts_with("error: ") && message.contains("RUST_LOG"),
            "{wrong:?}: {message}"
        );
        assert_eq!(text(&output.stdout), "", "{wrong:?}");
    }
    // One that is empty says nothing.
    let output = domainflow(directory.path())
        .env("RUST_LOG", "")
        .arg("openapi")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_database_that_does_not_answer_is_said_in_one_line_and_ends_with_1() {
    let directory = directory();
    let output = domainflow(directory.path())
        .args([
            "migrate",
            "--database-url",
            "postgres://nobody@127.0.0.1:1/none",
        ])
        .output()
        .expect("it runs");
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(
        message.contains("cannot connect to the database") && message.contains("refused"),
        "{message}"
    );
}
