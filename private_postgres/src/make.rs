//! Making a cluster.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::Path,
    process::{Command, Output},
};

use crate::{Error, Programs, account::Account, cluster::ROLE, log::last_lines};

/// Makes the cluster beside its place and moves it there, so that a half-made one is never mistaken for a whole.
pub(crate) fn make(
    directory: &Path,
    programs: &Programs,
    account: &Account,
    durable: bool,
) -> Result<(), Error> {
    let unfinished = directory.with_file_name("postgres.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(Error::io("make", &unfinished))?;
    account.give(&unfinished)?;
    let mut command = account.command(programs.path("initdb"));
    command
        .args([
            "--username",
            ROLE,
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .arg("--no-instructions")
        .arg("--pgdata")
        .arg(&unfinished);
    if !durable {
        command.arg("--no-sync");
    }
    run(command, "initdb")?;
    fs::rename(&unfinished, directory).map_err(Error::io("move into place", &unfinished))
}

fn run(mut command: Command, program: &'static str) -> Result<(), Error> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(Error::io("run", Path::new(command.get_program())))?;
    if status.success() {
        return Ok(());
    }
    let output = [stdout, stderr].concat();
    Err(Error::Failed {
        program,
        output: last_lines(&String::from_utf8_lossy(&output)),
    })
}
