//! The account that the server programs run as.
//!
//! `initdb` and `postgres` refuse root. Started by root they run as `postgres`, or as `nobody` where that account is
//! missing; started by anybody else they run as that user. Changing the user is left to the standard library, which
//! also drops root's supplementary groups.

use std::{
    os::unix::{fs as unix_fs, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Error;

/// Who runs the server programs.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// The user that runs this program.
    Own,
    /// Another account, because this program runs as root.
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// Chooses the account.
    pub(crate) fn choose() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| {
                let (uid, gid) = (id_of("-u", name)?, id_of("-g", name)?);
                (uid != 0).then(|| Self::Other {
                    name: (*name).to_owned(),
                    uid,
                    gid,
                })
            })
            .inspect(|account| {
                if account.name() == "nobody" {
                    tracing::warn!("there is no account `postgres`, so PostgreSQL runs as `nobody`: any other program of that account has all that it keeps");
                }
            })
            .ok_or(Error::NoAccount)
    }

    /// Names the account for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Own => "of this program".to_owned(),
            Self::Other { name, .. } => name.clone(),
        }
    }

    /// The user id that the server runs with.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => *uid,
        }
    }

    /// Starts a command as this account, away from the terminal and from the caller's working directory, which the
    /// account may not be able to enter.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir("/").stdin(Stdio::null());
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Gives a file or directory to the account.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => unix_fs::chown(path, Some(*uid), Some(*gid))
                .map_err(Error::io("change the owner of", path)),
        }
    }

    /// Returns the first directory on the way to `directory` that the account cannot enter.
    pub(crate) fn obstacle(&self, directory: &Path) -> Option<PathBuf> {
        if matches!(self, Self::Own) || self.can_enter(directory) {
            return None;
        }
        let mut way: Vec<&Path> = directory.ancestors().collect();
        way.reverse();
        way.into_iter()
            .find(|step| !self.can_enter(step))
            .map(Path::to_owned)
    }

    /// Tries it, since access lists and mount options decide as well as the mode does.
    fn can_enter(&self, directory: &Path) -> bool {
        self.command("/bin/sh")
            .args(["-c", r#"cd -- "$0""#])
            .arg(directory)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Asks `id`, which knows every directory service that the machine uses.
fn id_of(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([which, name])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
