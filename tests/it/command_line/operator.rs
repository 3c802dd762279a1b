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

#[test]
fn replay_looks_only_at_what_is_there() {
    let directory = directory();
    let nothing = directory.path().join("nothing");
    let id = "01a1ffac-affe-7306-a54d-bef332ecea07";
    let commands: [&[&str]; 4] = [&["check"], &["verify"], &["rebuild"], &["show", id]];
    for command in commands {
        let refused = domainflow(&nothing)
            .arg("replay")
            .args(command)
            .output()
            .expect("it runs");
        let message = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {message}");
        assert_eq!(
            message,
            format!(
                "error: there is no DomainFlow data in {}\n",
                nothing.display()
            )
        );
        assert!(!nothing.exists(), "{command:?} made nothing");
    }
}
