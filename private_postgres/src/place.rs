//! Where a cluster's files and its socket are.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::{Error, account::Account};

/// Where clusters go when root's data directory is behind a directory that the server's account cannot enter.
const SYSTEM_STATE: &str = "/var/lib/domainflow";
/// The longest directory for a socket: `sun_path` has 104 bytes on some systems, and `/.s.PGSQL.5432` takes 14.
const MAX_SOCKET_DIRECTORY: usize = 88;

/// The exclusive right to a data directory; the kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Ownership {
    lock: File,
}

impl Drop for Ownership {
    /// Closing the file is not enough: a child that another thread has just forked holds it open until it runs its
    /// program, and the lock with it.
    fn drop(&mut self) {
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

impl Ownership {
    /// Takes the data directory, making it where it is missing.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(data_dir).map_err(Error::io("make", data_dir))?;
        let path = data_dir.join("owner.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut owner = String::new();
            lock.read_to_string(&mut owner)
                .map_err(Error::io("read", &path))?;
            let owner = if owner.trim().is_empty() {
                "unknown".to_owned()
            } else {
                owner.trim().to_owned()
            };
            return Err(Error::InUse {
                data_dir: data_dir.to_owned(),
                owner,
            });
        }
        let write = |lock: &mut File| {
            lock.set_len(0)?;
            lock.rewind()?;
            write!(lock, "{}", std::process::id())
        };
        write(&mut lock).map_err(Error::io("write", &path))?;
        Ok(Self { lock })
    }
}

/// Returns the directory of the cluster below `data_dir`, which the account can reach.
///
/// Root's data directory may be behind `/root`. Then the cluster goes to [`SYSTEM_STATE`] under a fresh name and
/// `data_dir/postgres` links to it, so that a data directory that is deleted and made again starts empty.
pub(crate) fn of_cluster(data_dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    let data_dir = data_dir
        .canonicalize()
        .map_err(Error::io("find", data_dir))?;
    let preferred = data_dir.join("postgres");
    if preferred.is_symlink() {
        return fs::read_link(&preferred).map_err(Error::io("read", &preferred));
    }
    if let Some(obstacle) = account.obstacle(&data_dir) {
        if obstacle == data_dir {
            // Our own directory, made with a narrow umask or by `mktemp -d`: others may pass, not look.
            open_for_passing(&data_dir)?;
        }
        if let Some(obstacle) = account.obstacle(&data_dir) {
            return elsewhere(&preferred, &obstacle, account);
        }
    }
    Ok(preferred)
}

fn open_for_passing(directory: &Path) -> Result<(), Error> {
    let mode = fs::metadata(directory)
        .map_err(Error::io("look at", directory))?
        .mode();
    fs::set_permissions(directory, fs::Permissions::from_mode(mode | 0o011))
        .map_err(Error::io("change the mode of", directory))
}

fn elsewhere(link: &Path, obstacle: &Path, account: &Account) -> Result<PathBuf, Error> {
    let unreachable = || Error::Unreachable {
        account: account.name(),
        path: obstacle.to_owned(),
    };
    let name = format!(
        "{:016x}",
        hash_of(&(link, std::process::id(), std::time::SystemTime::now()))
    );
    let home = Path::new(SYSTEM_STATE).join(name);
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&home)
        .map_err(|_| unreachable())?;
    if account.obstacle(&home).is_some() {
        return Err(unreachable());
    }
    let cluster = home.join("postgres");
    symlink(&cluster, link).map_err(Error::io("link", link))?;
    tracing::warn!(
        obstacle = %obstacle.display(), account = %account.name(), cluster = %cluster.display(),
        "the server's account cannot enter the data directory, so the cluster is kept elsewhere"
    );
    Ok(cluster)
}

/// Returns a private directory for the socket: the cluster's own, or a short one where that path is too long.
pub(crate) fn of_socket(cluster: &Path, account: &Account) -> Result<PathBuf, Error> {
    // A comma would divide the server's list of directories, whatever the quoting in old versions.
    if cluster.as_os_str().len() <= MAX_SOCKET_DIRECTORY
        && !cluster.to_string_lossy().contains([',', '"', '\\'])
    {
        return Ok(cluster.to_owned());
    }
    let base = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|base| {
            matches!(account, Account::Own) && base.is_dir() && base.as_os_str().len() < 60
        })
        .unwrap_or_else(|| PathBuf::from("/tmp"));
    let directory = base.join(format!(
        "domainflow-{:016x}",
        hash_of(&(cluster, account.uid()))
    ));
    match DirBuilder::new().mode(0o700).create(&directory) {
        Ok(()) => account.give(&directory)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // Anybody may have made that name in /tmp; only a private directory of the account's own will do.
            let found =
                fs::symlink_metadata(&directory).map_err(Error::io("look at", &directory))?;
            if !found.is_dir() || found.uid() != account.uid() || found.mode() & 0o077 != 0 {
                return Err(Error::Unreachable {
                    account: account.name(),
                    path: directory,
                });
            }
        }
        Err(source) => return Err(Error::io("make", &directory)(source)),
    }
    Ok(directory)
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_let_go_can_be_taken_although_a_fork_holds_its_lock_file() {
        let directory = tempfile::tempdir().unwrap();
        let first = Ownership::take(directory.path()).unwrap();
        let refused = Ownership::take(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::InUse { .. }), "{refused}");
        // What a child has between its fork and its program: the same open file.
        let forked = first.lock.try_clone().unwrap();
        drop(first);
        Ownership::take(directory.path()).unwrap();
        drop(forked);
    }
}
