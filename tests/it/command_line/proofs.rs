//! Evidence that a server gives holds where nobody has the server.

use std::fs;

use domainflow::http::router::BASE;
use private_postgres::Cluster;
use rustix::process::Signal;
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{directory, domainflow, served::Served, signal, text};
use crate::support::{eventually, server::Client};

const PASSWORD: &str = "a long enough password";

/// Logs a user in.
async fn log_in(served: &Served, email: &str) -> Client {
    let mut client = Client {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        base: format!("http://{}{BASE}", served.address),
        token: None,
        user_id: None,
    };
    let body = json!({"email": email, "password": PASSWORD});
    let session = client.post("/auth/login").json(&body).send().await.ok(200);
    client.token = Some(session["token"].as_str().unwrap().to_owned());
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evidence_that_a_server_gives_an_administrator_holds_offline_until_the_event_is_altered()
 {
    let directory = directory();
    let data_dir = directory.path();
    for role in ["admin", "user"] {
        let made = domainflow(data_dir)
            .args(["user", "create", "--password", PASSWORD, "--role", role])
            .args(["--email", &format!("{role}@example.com")])
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    let mut served = Served::start_with(data_dir, &["--checkpoint-interval", "1"]);
    let user = log_in(&served, "user@example.com").await;
    user.get("/audit/1/proof").send().await.ok(403);
    let admin = log_in(&served, "admin@example.com").await;
    let prove = || async {
        let reply = admin.get("/audit/1/proof").send().await;
        (reply.status == 200).then_some(reply.text)
    };
    let evidence = eventually("a checkpoint covers the event", prove).await;
    let file = data_dir.join("evidence.json");
    fs::write(&file, &evidence).expect("a file");
    let key = domainflow(data_dir)
        .args(["checkpoint", "key"])
        .output()
        .expect("it runs");
    let check = || {
        domainflow(data_dir)
            .args(["proof", "check", "--public-key", text(&key.stdout).trim()])
            .arg(&file)
            .output()
            .expect("it runs")
    };
    let checked = check();
    let told = text(&checked.stdout) + &text(&checked.stderr);
    assert!(checked.status.success(), "{told}");
    assert!(
        told.contains("proven: Registered is event 1 of user "),
        "{told}"
    );
    let forged = evidence.replace("operator", "somebody");
    assert_ne!(forged, evidence);
    fs::write(&file, forged).expect("a file");
    assert_eq!(check().status.code(), Some(1));

    let url = Cluster::url_of_running(data_dir, "domainflow").expect("a server");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for statement in [
        "SET session_replication_role = replica",
        "UPDATE events SET metadata = '{}' WHERE aggregate_type = 'user' AND sequence = 1",
    ] {
        connection.execute(statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let refused = admin.get("/audit/1/proof").send().await.ok(409);
    assert_eq!(refused["error"]["code"], "LOG_CONTRADICTED");
    signal(&served.child, Signal::TERM);
    assert!(served.child.wait().expect("it ends").success());
}
