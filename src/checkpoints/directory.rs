//! The directory of the checkpoints: a file each, never written again.

use std::{
    collections::HashSet,
    fs, io,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use replay::CheckpointFile;
use transparency::{Checkpoint, PublicKey};

/// What the name of a checkpoint's file ends with.
const ENDING: &str = ".checkpoint";
/// Checkpoints are no secrets: whoever copies them off the machine need not be their owner, as far as his umask says.
const MODE: u32 = 0o644;

/// A directory of checkpoints, which need not be there yet.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Names a directory.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads every checkpoint, the smallest tree first.
    ///
    /// # Errors
    /// When a file cannot be read; a directory that is not there has none.
    pub fn read(&self) -> io::Result<Vec<CheckpointFile>> {
        self.names()?
            .into_iter()
            .map(|name| self.file(name))
            .collect()
    }

    /// Returns the checkpoint of the smallest tree that has a size and that one of the keys has signed, with its text.
    ///
    /// Checkpoints that were kept here are found by their names; what was put here by others is not looked at.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn first_from(&self, size: u64, keys: &[PublicKey]) -> io::Result<Option<CheckpointFile>> {
        let least = name_of(size);
        for name in self.names()?.into_iter().filter(|name| *name >= least) {
            let file = self.file(name)?;
            if Checkpoint::open(&file.text, keys).is_ok_and(|read| read.size >= size) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Keeps a checkpoint of a tree of so many leaves: all of it or nothing, and none in the place of another.
    ///
    /// # Errors
    /// When it cannot be written, or there is one of this size.
    pub fn keep(&self, size: u64, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut aside = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(MODE))
            .tempfile_in(&self.0)?;
        aside.write_all(text.as_bytes())?;
        aside.as_file().sync_all()?;
        aside.persist_noclobber(self.0.join(name_of(size)))?;
        fs::File::open(&self.0)?.sync_all()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(ENDING) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn file(&self, name: String) -> io::Result<CheckpointFile> {
        // Bytes that are no text are no checkpoint, which is found when it is read.
        let bytes = fs::read(self.0.join(&name))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(CheckpointFile { name, text })
    }
}

/// Names the file of a checkpoint. Twenty digits hold every size, so that names sort as sizes do.
fn name_of(size: u64) -> String {
    format!("{size:020}{ENDING}")
}

/// The checkpoint of the largest tree that a key has signed, as far as a directory was read.
#[derive(Debug, Default)]
pub(super) struct Newest {
    checkpoint: Option<Checkpoint>,
    /// Some 5 MB for a year of checkpoints every ten minutes.
    read: HashSet<String>,
}

impl Newest {
    /// Reads the files that are new, whatever they are called: a copy under another name is the same checkpoint.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn look(
        &mut self,
        directory: &Directory,
        key: &PublicKey,
    ) -> io::Result<Option<Checkpoint>> {
        let keys = [key.clone()];
        for name in directory.names()? {
            if self.read.contains(&name) {
                continue;
            }
            let file = directory.file(name)?;
            if let Ok(found) = Checkpoint::open(&file.text, &keys)
                && self.size() < found.size
            {
                self.checkpoint = Some(found);
            }
            self.read.insert(file.name);
        }
        Ok(self.checkpoint.clone())
    }

    fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |newest| newest.size)
    }
}
