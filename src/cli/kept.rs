//! Secrets that are drawn once and kept in the data directory, readable by their owner alone.

use std::{fs, io, io::Write as _, path::Path};

use zeroize::Zeroizing;

/// Reads a secret of the data directory, which is drawn when it is first needed.
///
/// # Errors
/// When it can be neither read nor kept.
pub(crate) fn read_or_draw(
    directory: &Path,
    name: &str,
    draw: impl FnOnce() -> Zeroizing<Vec<u8>>,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let path = directory.join(name);
    match fs::read(&path) {
        Ok(kept) => return Ok(Zeroizing::new(kept)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // Another one in its place would open nothing of what this one sealed.
        Err(error) => return Err(error),
    }
    fs::create_dir_all(directory)?;
    let drawn = draw();
    // Written aside, so that a kill in between leaves either all of it or none; readable by its owner alone.
    let mut aside = tempfile::NamedTempFile::new_in(directory)?;
    aside.write_all(&drawn)?;
    aside.as_file().sync_all()?;
    match aside.persist_noclobber(&path) {
        Ok(_) => Ok(drawn),
        // Somebody else has drawn one meanwhile.
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Zeroizing::new(fs::read(&path)?))
        }
        Err(refused) => Err(refused.error),
    }
}
