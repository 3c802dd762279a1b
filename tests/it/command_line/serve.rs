//! `serve` and its private PostgreSQL: both end together, or the next start takes over.

use rustix::process::Signal;

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use super::{directory, domainflow, is_alive, served::Served, server_of, signal, text};

#[test]
fn sigterm_ends_a_server_and_leaves_no_postgres() {
    let directory = directory();
    let mut child = Served::start(directory.path()).child;
    let server = server_of(directory.path()).expect("a private server");
    assert!(is_alive(server));
    signal(&child, Signal::TERM);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(
        !is_alive(server),
        "the private server ended with the program"
    );
    assert!(server_of(directory.path()).is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_may_have_as_many_descriptors_open_as_the_system_lets_it() {
    let directory = directory();
    let serve = domainflow(directory.path());
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -S -n 256; exec \"$0\" \"$@\""])
        .arg(serve.get_program())
        .args(serve.get_args())
        .envs(
            serve
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = limited.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    lines.next().expect("a line").expect("text");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("limits");
    let open = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let open: Vec<&str> = open.expect("a line").split_whitespace().collect();
    signal(&child, Signal::TERM);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(open[3], open[4], "the limit is the hard one: {open:?}");
}

#[test]
fn a_server_that_was_killed_is_taken_over_by_the_next_start() {
    let directory = directory();
    let mut killed = Served::start(directory.path()).child;
    let before = server_of(directory.path()).expect("a private server");
    let second = domainflow(directory.path())
        .args(["migrate"])
        .output()
        .expect("it runs");
    assert_eq!(
        second.status.code(),
        Some(1),
        "a data directory has one owner"
    );
    let refused = text(&second.stderr);
    assert!(refused.contains("in use"), "{refused}");
    let beside = refused.split('\'').nth(1).expect("an address in quotes");
    let third = domainflow(directory.path())
        .args(["migrate", "--database-url", beside])
        .output()
        .expect("it runs");
    assert!(third.status.success(), "{}", text(&third.stderr));
    signal(&killed, Signal::KILL);
    killed.wait().expect("it ends");

    let mut next = Served::start(directory.path()).child;
    let after = server_of(directory.path()).expect("a private server");
    assert_ne!(before, after);
    assert!(
        !is_alive(before),
        "the server that outlived its owner was stopped"
    );
    signal(&next, Signal::TERM);
    assert!(next.wait().expect("it ends").success());
    assert!(!is_alive(after));
}

#[tokio::test]
async fn a_server_without_users_tells_a_token_that_makes_the_first_and_one_with_users_tells_none() {
    let directory = directory();
    let mut served = Served::start(directory.path());
    let line = served.lines.next().expect("a second line").expect("text");
    let token = line.rsplit(' ').next().expect("a token").to_owned();
    let body = format!(
        r#"{{"token":"{token}","email":"root@example.com","username":"root","password":"a long password"}}"#
    );
    let made = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .post(format!("http://{}/api/v2/auth/setup", served.address))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(made.status(), 201);
    signal(&served.child, Signal::TERM);
    assert!(served.child.wait().expect("it ends").success());

    let mut served = Served::start(directory.path());
    signal(&served.child, Signal::TERM);
    assert!(served.child.wait().expect("it ends").success());
    assert!(served.lines.next().is_none(), "it said more");
}

#[test]
fn what_is_wrong_with_a_servers_command_line_is_told_before_a_database_is_started() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = listener.local_addr().expect("an address").to_string();
    let refused: [(&[&str], i32, &str); 2] = [
        (
            &["--listen", "127.0.0.1:0", "--secret", "short"],
            2,
            "shorter than",
        ),
        (&["--listen", &taken], 1, "cannot listen on"),
    ];
    for (arguments, code, why) in refused {
        let directory = directory();
        let mut serve = domainflow(directory.path());
        let ended = serve.arg("serve").args(arguments).output();
        let ended = ended.expect("it runs");
        let message = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{message}");
        assert!(message.contains(why), "{message}");
        assert!(!directory.path().join("postgres").exists(), "{arguments:?}");
    }
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let directory = directory();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").expect("a file");
    for wrong in [file.as_path(), std::path::Path::new("/proc/nowhere")] {
        let ended = domainflow(wrong)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .output()
            .expect("it runs");
        let message = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{message}");
        assert!(message.contains(&wrong.display().to_string()), "{message}");
    }
}
