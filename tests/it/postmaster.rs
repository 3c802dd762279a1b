//! The private server is killed under a running `serve`.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::Mutex,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    command_line::{directory, domainflow, server_of},
    support::eventually,
};

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("it is there");
}

fn ended(child: &Mutex<Child>) -> Option<i32> {
    let mut child = child.lock().expect("a lock");
    child
        .try_wait()
        .expect("a child")
        .map(|status| status.code().unwrap_or(-1))
}

#[tokio::test]
async fn a_server_whose_private_postgres_is_killed_is_ready_again_and_ends_well() {
    let directory = directory();
    let mut child = domainflow(directory.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let pid = i32::try_from(child.id()).expect("a process id");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    let address = first.split("http://").nth(1).expect("an address");
    let address = address.split(';').next().expect("an address").to_owned();
    let child = Mutex::new(child);
    let killed = server_of(directory.path()).expect("a private server");
    signal(killed, Signal::KILL);

    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    // Logging in reads and writes: nobody is known, and that takes the database to say.
    let url = format!("http://{address}/api/v2/auth/login");
    let body = r#"{"email":"nobody@example.com","password":"a long password"}"#;
    eventually("the database answers again", || async {
        assert_eq!(ended(&child), None, "the server goes on");
        let other = server_of(directory.path()).is_some_and(|pid| pid != killed);
        let request = client.post(&url).header("content-type", "application/json");
        let answer = request.body(body).send().await.ok()?;
        (other && answer.status() == 401).then_some(())
    })
    .await;
    signal(pid, Signal::TERM);
    let code = eventually("the server ends", || async { ended(&child) }).await;
    assert_eq!(code, 0);
    assert_eq!(
        server_of(directory.path()),
        None,
        "its database ended with it"
    );
}
