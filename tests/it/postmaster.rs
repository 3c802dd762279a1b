//! The private server is killed under a running `serve`.

use std::process::Child;

use rustix::process::Signal;

use crate::{
    command_line::{directory, served::Served, server_of, signal, signal_process},
    support::eventually,
};

fn ended(child: &mut Child) -> Option<i32> {
    let status = child.try_wait().expect("a child")?;
    Some(status.code().unwrap_or(-1))
}

#[tokio::test]
async fn a_server_whose_private_postgres_is_killed_is_ready_again_and_ends_well() {
    let directory = directory();
    let Served {
        mut child, address, ..
    } = Served::start(directory.path());
    let killed = server_of(directory.path()).expect("a private server");
    signal_process(killed, Signal::KILL);

    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    // Logging in reads and writes: nobody is known, and that takes the database to say.
    let url = format!("http://{address}/api/v2/auth/login");
    let body = r#"{"email":"nobody@example.com","password":"a long password"}"#;
    eventually("the database answers again", || {
        assert_eq!(ended(&mut child), None, "the server goes on");
        let other = server_of(directory.path()).is_some_and(|pid| pid != killed);
        let request = client.post(&url).header("content-type", "application/json");
        let request = request.body(body);
        async move {
            let answer = request.send().await.ok()?;
            (other && answer.status() == 401).then_some(())
        }
    })
    .await;
    signal(&child, Signal::TERM);
    let code = eventually("the server ends", || std::future::ready(ended(&mut child))).await;
    assert_eq!(code, 0);
    assert_eq!(
        server_of(directory.path()),
        None,
        "its database ended with it"
    );
}
