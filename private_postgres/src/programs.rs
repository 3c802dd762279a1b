//! Where the server programs are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

/// Directories that packages use, besides the search path; a star stands for any text inside one path component.
const PACKAGED: [&str; 7] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The PostgreSQL server programs of one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    directory: PathBuf,
    major: u32,
}

impl Programs {
    /// Finds the server programs: `PG_BIN_DIR`, `pg_config --bindir`, the search path, then the newest of the
    /// directories that packages use.
    ///
    /// # Errors
    /// [`Error::NotFound`] says in one line how to get them; [`Error::BadBinDir`] when `PG_BIN_DIR` is wrong.
    pub fn find() -> Result<Self, Error> {
        Self::all()?.into_iter().next().ok_or(Error::NotFound)
    }

    /// Finds programs of one major version, for a cluster that exists; without any of that version, the first found.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_major(major: u32) -> Result<Self, Error> {
        let all = Self::all()?;
        let first = all.first().cloned();
        all.into_iter()
            .find(|programs| programs.major == major)
            .or(first)
            .ok_or(Error::NotFound)
    }

    /// Uses the programs of one directory.
    ///
    /// # Errors
    /// [`Error::BadBinDir`] when it has no `initdb` and `postgres`.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        if !has_programs(&directory) {
            return Err(Error::BadBinDir(directory));
        }
        let major = version_of(&directory.join("postgres"))?;
        Ok(Self { directory, major })
    }

    /// Returns the directory that the programs are in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the programs' major version.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// Every installation, best first. `PG_BIN_DIR` is an order: when it is set nothing else is looked at.
    fn all() -> Result<Vec<Self>, Error> {
        if let Some(directory) = env::var_os("PG_BIN_DIR").filter(|value| !value.is_empty()) {
            return Ok(vec![Self::in_directory(directory)?]);
        }
        let mut directories: Vec<PathBuf> = configured().into_iter().collect();
        directories.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
        let mut packaged: Vec<Self> = PACKAGED
            .iter()
            .flat_map(|pattern| expand(pattern))
            .filter_map(|path| Self::in_directory(path).ok())
            .collect();
        packaged.sort_by_key(|programs| std::cmp::Reverse(programs.major));
        let mut all: Vec<Self> = directories
            .into_iter()
            .filter_map(|path| Self::in_directory(path).ok())
            .collect();
        all.extend(packaged);
        Ok(all)
    }
}

fn has_programs(directory: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| directory.join(program).is_file())
}

/// What `pg_config` says; it belongs to the development files and may be there without a server.
fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// Reads the major version out of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version_of(program: &Path) -> Result<u32, Error> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(Error::io("run", program))?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    major_in(&answer).ok_or_else(|| Error::UnknownVersion {
        program: program.to_owned(),
        answer,
    })
}

fn major_in(answer: &str) -> Option<u32> {
    let version = answer
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    // 15.14, but also 18beta1 and 17devel.
    let digits = version
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

/// Expands the one star of a pattern against the file system.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::major_in;

    #[test]
    fn the_major_version_is_read_from_every_form_of_the_answer() {
        assert_eq!(
            major_in("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_in("postgres (PostgreSQL) 16.4"), Some(16));
        assert_eq!(major_in("command not found"), None);
    }
}
