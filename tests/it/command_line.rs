//! The built binary, as an operator runs it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sandbox::{ResolverScript, Sandbox, World};
use tempfile::TempDir;

use crate::support::eventually;

/// A directory that the account of a private server can get through.
fn directory() -> TempDir {
    let permissions = fs::Permissions::from_mode(0o711);
    tempfile::Builder::new()
        .prefix("domainflow-cli-")
        .permissions(permissions)
        .tempdir()
        .expect("a directory")
}

fn domainflow(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domainflow"));
    command
        .env_remove("DATABASE_URL")
        .env_remove("SESSION_SIGNING_SECRET")
        .env_remove("RUST_LOG")
        .env("DOMAINFLOW_DATA_DIR", data_dir)
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The process id of the private server of a data directory, while there is one.
fn server_of(data_dir: &Path) -> Option<i32> {
    let file = find(data_dir, "postmaster.pid")?;
    fs::read_to_string(file)
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    let direct = directory.join("postgres").join(name);
    direct.exists().then_some(direct)
}

fn is_alive(pid: i32) -> bool {
    // A zombie that the container's init does not reap is as good as gone.
    let zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(Pid::from_raw(pid).expect("a process id")).is_ok() && !zombie
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process id");
    kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("the process is there");
}

/// Starts a server and waits until it says where it listens.
fn serve(data_dir: &Path) -> Child {
    let mut child = domainflow(data_dir)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    assert!(first.contains("listens on http://127.0.0.1:"), "{first}");
    child
}

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
        (
            [pattern.as_slice(), &["--length", "2", "--charset", ""]].concat(),
            "--charset",
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
        message.contains("cannot connect to the database"),
        "{message}"
    );
}

/// A sandbox, and the arguments of a `run` over some of its names.
struct Shops {
    sandbox: Sandbox,
    list: PathBuf,
    expected: sandbox::Expected,
}

impl Shops {
    async fn start(directory: &Path, count: usize) -> Self {
        let world = World::generated(11).resolvers([ResolverScript::healthy(); 4]);
        let names: Vec<String> = (0..count)
            .map(|number| format!("shop{number}.test"))
            .collect();
        let expected = world.expected(&names, &["espresso"]);
        let list = directory.join("names.txt");
        fs::write(&list, names.join("\n")).expect("a file");
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        fs::write(directory.join("ca.pem"), sandbox.ca_pem()).expect("a file");
        Self {
            sandbox,
            list,
            expected,
        }
    }

    fn run(&self, directory: &Path, out: &str) -> Command {
        let mut command = domainflow(&directory.join("data"));
        command
            .args([
                "run",
                "--keyword",
                "espresso",
                "--allow-private",
                "--domains",
            ])
            .arg(&self.list);
        for resolver in self.sandbox.resolvers() {
            command.args(["--resolver", &resolver.to_string()]);
        }
        command
            .args(["--http-port", &self.sandbox.http_port().to_string()])
            .args(["--https-port", &self.sandbox.https_port().to_string()])
            .arg("--trust")
            .arg(directory.join("ca.pem"))
            .arg("--out")
            .arg(directory.join(out));
        command
    }

    fn summary(&self) -> Vec<String> {
        let Self { expected, .. } = self;
        let counts = [
            ("names", expected.names),
            ("dns_ok", expected.dns_ok),
            ("nxdomain", expected.nxdomain),
            ("noanswer", expected.no_answer),
            ("http_ok", expected.http_ok),
            ("not_found", expected.not_found),
            ("upstream_5xx", expected.upstream_5xx),
            ("keyword_domains", expected.with_keywords),
            ("parked", expected.parked),
        ];
        counts
            .into_iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect()
    }

    /// Expects the counts that are there, but for the redirected, which the sandbox does not count beforehand.
    #[track_caller]
    fn is_found_by(&self, output: &Output) {
        let (printed, message) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{message}");
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 10, "{printed}");
        assert_eq!(lines[..9], self.summary(), "{message}");
        let redirected: u64 = lines[9]
            .strip_prefix("redirected ")
            .expect("the last count")
            .parse()
            .expect("a number");
        assert!(redirected > 0, "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_a_list_finds_what_is_there_and_the_same_run_answers_again() {
    let directory = directory();
    let shops = Shops::start(directory.path(), 300).await;
    let first = shops
        .run(directory.path(), "leads.csv")
        .output()
        .expect("it runs");
    shops.is_found_by(&first);
    let leads = fs::read_to_string(directory.path().join("leads.csv")).expect("the result");
    assert!(leads.starts_with("domain,"), "{leads}");
    assert!(leads.lines().count() > 1, "a heading and leads: {leads}");
    assert!(
        leads
            .lines()
            .skip(1)
            .all(|line| line.ends_with(",match,qualified")),
        "{leads}"
    );
    assert!(
        server_of(&directory.path().join("data")).is_none(),
        "the private server ended with the run"
    );

    let asked = shops.sandbox.http_total();
    let again = shops
        .run(directory.path(), "leads.ndjson")
        .output()
        .expect("it runs");
    shops.is_found_by(&again);
    assert_eq!(
        shops.sandbox.http_total(),
        asked,
        "a campaign that is complete is not done again"
    );
    let lines = fs::read_to_string(directory.path().join("leads.ndjson")).expect("the result");
    assert_eq!(
        lines.lines().count(),
        leads.lines().count() - 1,
        "the same leads in the other form"
    );
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{lines}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_goes_on_where_it_ended() {
    let directory = directory();
    let shops = Shops::start(directory.path(), 600).await;
    let mut killed = shops
        .run(directory.path(), "leads.csv")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    eventually("pages are fetched", || async {
        (shops.sandbox.http_total() > 20).then_some(())
    })
    .await;
    let server = server_of(&directory.path().join("data")).expect("a private server");
    signal(&killed, Signal::KILL);
    killed.wait().expect("it ends");
    assert!(
        !directory.path().join("leads.csv").exists(),
        "no result before its time"
    );

    let again = shops
        .run(directory.path(), "leads.csv")
        .output()
        .expect("it runs");
    shops.is_found_by(&again);
    assert!(directory.path().join("leads.csv").exists());
    assert!(
        !is_alive(server),
        "the server of the run that was killed is gone"
    );
}

#[test]
fn sigterm_ends_a_server_and_leaves_no_postgres() {
    let directory = directory();
    let mut child = serve(directory.path());
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

#[test]
fn a_server_that_was_killed_is_taken_over_by_the_next_start() {
    let directory = directory();
    let mut killed = serve(directory.path());
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
    assert!(
        text(&second.stderr).contains("in use"),
        "{}",
        text(&second.stderr)
    );
    signal(&killed, Signal::KILL);
    killed.wait().expect("it ends");

    let mut next = serve(directory.path());
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
fn the_description_of_the_interface_is_json_that_any_pipe_may_cut() {
    let directory = directory();
    let output = domainflow(directory.path())
        .arg("openapi")
        .output()
        .expect("it runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(document["paths"].as_object().expect("paths").len() > 20);
    let mut cut = domainflow(directory.path())
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(cut.stdout.take());
    let mut message = String::new();
    cut.stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut message)
        .expect("text");
    assert!(!cut.wait().expect("it ends").success());
    assert!(!message.contains("panicked"), "{message}");
}
