//! The disk of PostgreSQL fills up under a running campaign.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
};

use rustix::process::Signal;
use serde_json::json;

use super::{Lived, cluster, directory, is_outage};
use crate::{command_line::signal_process, support::eventually};

/// A small disk in memory.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// Mounts one; nothing where this account may not.
    fn mount(at: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                "size=320m,mode=0711",
                "domainflow-test",
            ])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(at))
    }

    /// Takes what is left.
    fn fill(&self) {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .expect("a file");
        let block = vec![0_u8; 64 << 10];
        while ballast.write_all(&block).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).expect("the ballast");
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: a server that is still ending has files on it.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_answered_503_and_loses_nothing() {
    let directory = directory();
    let Some(disk) = Disk::mount(directory.path()) else {
        eprintln!("not tried: only root may mount a small disk");
        return;
    };
    let database = cluster(directory.path()).await;
    let lived = Lived::start(&database.url("domainflow")).await;
    let path = lived.in_the_middle().await;
    let supervised = async {
        let keyed = || {
            lived
                .user
                .post("/campaigns")
                .header("X-Idempotency-Key", "meanwhile")
                .json(&json!({"name": "meanwhile"}))
        };
        // Room that the server has set aside lasts for a while.
        eventually("a command finds no room", || async {
            disk.fill();
            let reply = lived
                .user
                .post("/campaigns")
                .json(&json!({"name": "more"}))
                .send()
                .await;
            (reply.status != 201).then(|| is_outage(&reply))
        })
        .await;
        is_outage(&keyed().send().await);
        // Nor is there room to start again.
        signal_process(database.pid(), Signal::KILL);
        database.ended().await;
        disk.fill();
        is_outage(&keyed().send().await);

        disk.free();
        lived.serves_again(&path).await;
        let made = eventually("commands are taken again", || async {
            let reply = keyed().send().await;
            match reply.status {
                201 => Some(reply.json()),
                _ => {
                    is_outage(&reply);
                    None
                }
            }
        })
        .await;
        assert_eq!(keyed().send().await.ok(201)["id"], made["id"]);
        lived.ends_well(&path).await;
    };
    tokio::select! {
        error = database.keep_running() => panic!("given up: {error}"),
        () = supervised => {}
    }
    database.stop().await.expect("the database stops");
}
