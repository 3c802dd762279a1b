//! `user` and `replay`, as an operator uses them.

use super::{directory, domainflow, text};

#[test]
fn a_user_is_made_once_and_the_log_is_clean() {
    let directory = directory();
    let create = || {
        domainflow(directory.path())
            .args([
                "user",
                "create",
                "--email",
                "Me@Example.com",
                "--role",
                "admin",
                "--password",
                "a long enough password",
            ])
            .output()
            .expect("it runs")
    };
    let made = create();
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(
        text(&made.stdout).starts_with("admin me@example.com is user "),
        "{}",
        text(&made.stdout)
    );
    let again = create();
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("belongs to a user already"),
        "{}",
        text(&again.stderr)
    );
    for command in ["check", "verify", "rebuild", "check"] {
        let checked = domainflow(directory.path())
            .args(["replay", command])
            .output()
            .expect("it runs");
        assert!(
            checked.status.success(),
            "{command}: {}{}",
            text(&checked.stdout),
            text(&checked.stderr)
        );
    }
}

#[test]
fn a_user_that_cannot_be_is_the_command_lines_fault() {
    let directory = directory();
    for (email, password, names) in [
        ("nobody", "a long enough password", "email"),
        ("me@example.com", "short", "password"),
    ] {
        let output = domainflow(directory.path())
            .args(["user", "create", "--email", email, "--password", password])
            .output()
            .expect("it runs");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.starts_with("error: ") && message.contains(names),
            "{message}"
        );
    }
}
