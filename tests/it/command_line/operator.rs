//! `user` and `replay`, as an operator uses them.

use private_postgres::{Cluster, Options};
use sqlx::{Connection as _, PgConnection};

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
fn an_operator_changes_lists_and_shuts_out_users_and_every_change_is_an_event() {
    let directory = directory();
    let user = |arguments: &[&str]| {
        let output = domainflow(directory.path())
            .arg("user")
            .args(arguments)
            .output()
            .expect("it runs");
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let done = |arguments: &[&str]| {
        let (code, stdout, stderr) = user(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        stdout
    };
    let (ann, password) = (["--email", "ann@example.com"], "a long enough password");
    let with = |command: &'static str, rest: &[&'static str]| {
        let arguments = [&[command], ann.as_slice(), rest].concat();
        done(&arguments)
    };
    with("create", &["--password", password, "--role", "auditor"]);
    with("role", &["--role", "admin"]);
    with("password", &["--password", "another long password"]);
    with("deactivate", &[]);
    let (code, _, refused) = user(&[
        "password",
        "--email",
        "ann@example.com",
        "--password",
        password,
    ]);
    assert_eq!(
        (code, refused.as_str()),
        (Some(2), "error: the user is deactivated\n")
    );
    let list = done(&["list"]);
    let row = list.lines().last().expect("a row");
    for part in ["ann@example.com", "admin", "deactivated"] {
        assert!(row.contains(part), "{list}");
    }
    with("reactivate", &[]);
    assert!(done(&["list"]).contains("active"));
    let (code, _, refused) = user(&["deactivate", "--email", "bob@example.com"]);
    assert_eq!(code, Some(2));
    assert_eq!(
        refused,
        "error: nobody has the mail address bob@example.com\n"
    );
    for command in ["check", "verify"] {
        let checked = domainflow(directory.path())
            .args(["replay", command])
            .output();
        assert!(checked.expect("it runs").status.success(), "{command}");
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

#[tokio::test]
async fn projections_are_built_again_at_once_and_one_that_cannot_be_keeps_no_other_from_it() {
    let directory = directory();
    let database = Cluster::start(Options::new(directory.path().join("cluster")))
        .await
        .expect("a cluster");
    database
        .create_database("domainflow")
        .await
        .expect("a database");
    let url = database.url("domainflow");
    let replay = |arguments: &[&str]| {
        domainflow(directory.path())
            .args(["replay", "rebuild", "--database-url", &url])
            .args(arguments)
            .output()
            .expect("it runs")
    };
    let migrated = domainflow(directory.path())
        .args(["migrate", "--database-url", &url])
        .output()
        .expect("it runs");
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));

    // Somebody else rebuilds the users.
    let mut other = PgConnection::connect(&url).await.expect("a connection");
    let hold = "SELECT pg_advisory_lock(hashtext('rebuild'), hashtext('users'))";
    sqlx::query(hold).execute(&mut other).await.expect("a lock");
    let rebuilt = replay(&["--jobs", "3"]);
    assert_eq!(rebuilt.status.code(), Some(1));
    let (said, errors) = (text(&rebuilt.stdout), text(&rebuilt.stderr));
    assert!(said.contains("wrong: users: "), "{said}");
    assert!(
        errors.contains("1 projections could not be built"),
        "{errors}"
    );
    let done = said.lines().filter(|line| line.contains(": rebuilt from "));
    assert_eq!(done.count(), projections::all().len() - 1, "{said}");

    other.close().await.expect("it closes");
    let rebuilt = replay(&["--jobs", "1", "users"]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    database.stop().await.expect("it stops");
}
