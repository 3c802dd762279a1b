//! The log is signed, proven and tampered with.

use std::{fs, path::Path, process::Command};

use private_postgres::{Cluster, Options};
use rustix::process::Signal;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{directory, domainflow, served::Served, signal, text};

/// An example of a page of the documentation, by what is in it.
pub fn example(page: &str, part: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = fs::read_to_string(path).expect("the page");
    let blocks = page.split("```sh\n").skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    let example = blocks.find(|block| block.contains(part));
    example.expect("an example").to_owned()
}

/// Runs commands of a shell in a directory, with the program on the path.
pub fn shell(directory: &Path, data_dir: &Path, commands: &str) -> (bool, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_domainflow"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a directory").display(),
        std::env::var("PATH").expect("a path")
    );
    let ran = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(directory)
        .env("PATH", path)
        .env("DOMAINFLOW_DATA_DIR", data_dir)
        .env_remove("DATABASE_URL")
        .output()
        .expect("a shell");
    (ran.status.success(), text(&ran.stdout) + &text(&ran.stderr))
}

/// Does to a log that nobody serves what its owner can do.
pub async fn tamper(data_dir: &Path, statement: &str) {
    let cluster = Cluster::start(Options::new(data_dir)).await.unwrap();
    let mut connection = PgConnection::connect(&cluster.url("domainflow"))
        .await
        .unwrap();
    connection
        .execute("SET session_replication_role = replica")
        .await
        .unwrap();
    connection.execute(statement).await.unwrap();
    connection.close().await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_signs_what_it_recorded_when_it_ends_and_an_event_is_proven_until_it_is_altered() {
    let directory = directory();
    let data_dir = directory.path();
    let made = domainflow(data_dir)
        .args([
            "user",
            "create",
            "--email",
            "me@example.com",
            "--password",
            "a long enough password",
        ])
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let no_key = domainflow(data_dir)
        .args(["checkpoint", "key"])
        .output()
        .expect("it runs");
    assert_eq!(no_key.status.code(), Some(1), "no key is drawn to show it");
    let mut served = Served::start(data_dir).child;
    signal(&served, Signal::TERM);
    assert!(served.wait().expect("it ends").success());
    let checkpoints = fs::read_dir(data_dir.join("checkpoints")).expect("a directory");
    assert_eq!(checkpoints.count(), 1, "signed at the end");

    let (is_proven, told) = shell(
        data_dir,
        data_dir,
        &example("docs/tamper-evidence.md", "proof check"),
    );
    assert!(is_proven, "{told}");
    assert!(
        told.contains("proven: ") && told.contains(" is event 1 of user "),
        "{told}"
    );
    let (is_clean, told) = shell(data_dir, data_dir, "domainflow replay verify log");
    assert!(
        is_clean && told.contains("1 checkpoints of 1 agree"),
        "{told}"
    );
    let forged = "sed -i 's/\"sequence\": 1/\"sequence\": 2/' evidence.json; \
                  domainflow proof check evidence.json --public-key \"$(domainflow checkpoint key)\"";
    let (is_proven, told) = shell(data_dir, data_dir, forged);
    assert!(!is_proven && told.contains("this proves nothing"), "{told}");

    tamper(
        data_dir,
        "UPDATE events SET metadata = '{}' WHERE aggregate_type = 'user' AND sequence = 1",
    )
    .await;
    let (is_clean, told) = shell(data_dir, data_dir, "domainflow replay verify");
    assert!(!is_clean, "{told}");
    let found = "wrong: position 1 is the first that was tampered with: event 1 of user ";
    assert!(
        told.contains(found) && told.contains("is not what was recorded"),
        "{told}"
    );
    assert!(
        told.contains("users: ") && told.contains("audit: "),
        "the rows are compared all the same: {told}"
    );
    let (is_proven, told) = shell(data_dir, data_dir, "domainflow replay prove 1");
    assert!(
        !is_proven && told.contains("the log is not what the checkpoint says"),
        "{told}"
    );
}

/// Whoever names what the log is to be held against is told when it was held against nothing.
#[tokio::test]
async fn checkpoints_and_keys_that_are_named_count_and_no_others() {
    let directory = directory();
    let data_dir = directory.path();
    let mut served = Served::start(data_dir).child;
    // Something happens.
    let url = Cluster::url_of_running(data_dir, "domainflow").expect("a server");
    let made = domainflow(data_dir)
        .args(["user", "create", "--email", "me@example.com"])
        .args(["--password", "a long enough password"])
        .args(["--database-url", &url])
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", text(&made.stderr));
    signal(&served, Signal::TERM);
    assert!(served.wait().expect("it ends").success());

    let verify = |arguments: &str| {
        let command = format!("domainflow replay verify log {arguments}");
        shell(data_dir, data_dir, &command)
    };
    for clean in [
        "",
        "--checkpoint-dir checkpoints",
        "--public-key \"$(domainflow checkpoint key)\"",
    ] {
        let (is_clean, told) = verify(clean);
        assert!(is_clean, "{clean}: {told}");
        assert!(told.contains("1 checkpoints of 1 agree"), "{clean}: {told}");
    }
    let (is_clean, told) = verify("--checkpoint-dir nowhere");
    assert!(
        !is_clean && told.contains("--checkpoint-dir: there is no directory nowhere"),
        "{told}"
    );
    fs::create_dir(data_dir.join("empty")).expect("a directory");
    let (is_clean, told) = verify("--checkpoint-dir empty");
    assert!(
        !is_clean && told.contains("no checkpoint vouches for the log"),
        "{told}"
    );
    // The machine's own key vouches for nothing where the auditor brings another.
    let (is_clean, told) =
        verify("--public-key PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    assert!(
        !is_clean && told.contains("signed by no key that is known"),
        "{told}"
    );
    let ignored = domainflow(data_dir)
        .args(["checkpoint", "key", "--checkpoint-dir", "checkpoints"])
        .output()
        .expect("it runs");
    assert_eq!(
        ignored.status.code(),
        Some(2),
        "it has nothing to do with the key"
    );
}
