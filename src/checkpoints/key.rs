//! The key that checkpoints are signed with, in a file that its owner alone reads.

use std::{fs, io, path::Path};

use sha2::{Digest as _, Sha256};
use transparency::{BadKey, SigningKey};
use zeroize::Zeroizing;

use crate::{auth::hex, cli::read_or_draw};

/// What the name of a key that is drawn here begins with; a part of a hash of the key follows.
const NAME: &str = "domainflow/";
/// How many bytes of the hash.
const HASH_BYTES: usize = 8;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("cannot keep the key of checkpoints")]
    File(#[from] io::Error),
    /// The file holds something else.
    #[error("the file holds no key of checkpoints")]
    Bad(#[from] BadKey),
}

/// Reads the key of a file; one that is not there is drawn. Says whether it was.
///
/// # Errors
/// [`Error`].
pub fn read_or_make(path: &Path) -> Result<(SigningKey, bool), Error> {
    let is_new = !path.exists();
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let drawn = draw()?;
    let text = read_or_draw(directory.unwrap_or_else(|| Path::new(".")), name, || {
        Zeroizing::new(format!("{}\n", drawn.expose().as_str()).into_bytes())
    })?;
    Ok((parse(&text)?, is_new))
}

/// Reads the key of a file.
///
/// # Errors
/// [`Error`], also when there is no such file.
pub fn read(path: &Path) -> Result<SigningKey, Error> {
    parse(&Zeroizing::new(fs::read(path)?))
}

fn parse(bytes: &[u8]) -> Result<SigningKey, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadKey::Form)?;
    Ok(SigningKey::parse(text.trim_end())?)
}

/// Draws a key. Its name, and so the origin of the log, is made of the key: nobody else has it by accident.
fn draw() -> Result<SigningKey, BadKey> {
    let seed = Zeroizing::new(rand::random::<[u8; SigningKey::SEED_BYTES]>());
    let unnamed = SigningKey::from_seed(NAME, &seed)?;
    let hash = Sha256::digest(unnamed.public().to_string());
    let hash = hash.iter().take(HASH_BYTES).copied().collect::<Vec<u8>>();
    SigningKey::from_seed(&format!("{NAME}{}", hex(&hash)), &seed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_drawn_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/checkpoint.key");
        assert!(read(&path).is_err(), "none is drawn to look at it");
        let (key, is_new) = read_or_make(&path).unwrap();
        assert!(is_new);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (again, is_new) = read_or_make(&path).unwrap();
        assert!(!is_new);
        assert_eq!(again.public(), key.public());
        assert_eq!(read(&path).unwrap().public(), key.public());
        let other = read_or_make(&directory.path().join("other")).unwrap().0;
        assert_ne!(other.public().name(), key.public().name());
        fs::write(&path, "damaged").unwrap();
        assert!(matches!(read_or_make(&path), Err(Error::Bad(_))));
    }
}
