//! The directory of the checkpoints: a file each, never written again.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use replay::CheckpointFile;
use transparency::{Checkpoint, PublicKey};

/// What the name of a checkpoint's file ends with.
const ENDING: &str = ".checkpoint";

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

    /// Returns the checkpoint of the largest tree that a key has signed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn newest_of(&self, key: &PublicKey) -> io::Result<Option<Checkpoint>> {
        let keys = [key.clone()];
        for name in self.names()?.into_iter().rev() {
            if let Ok(checkpoint) = Checkpoint::open(&self.file(name)?.text, &keys) {
                return Ok(Some(checkpoint));
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
        let mut aside = tempfile::NamedTempFile::new_in(&self.0)?;
        aside.write_all(text.as_bytes())?;
        aside.as_file().sync_all()?;
        // Twenty digits hold every size, so that names sort as sizes do.
        let path = self.0.join(format!("{size:020}{ENDING}"));
        aside.persist_noclobber(path)?;
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
