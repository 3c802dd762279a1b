//! Checkpoints: how large the tree was, with which root, when, and who says so (C2SP `tlog-checkpoint`).
//!
//! ```text
//! <origin>
//! <size>
//! <root in base64>
//! time <RFC 3339, UTC, microseconds>
//! log <hash of the first leaf in base64>
//!
//! — <origin> <signature>
//! ```
//!
//! The lines of the time and of the log are extension lines, which other readers pass over. By the last one it is told
//! whether a tree that has another root is of this log at all; checkpoints of former versions do without.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{Hash, NoteError, PublicKey, SignedNote, SigningKey, key::is_name};

/// What the line of the time begins with.
const TIME: &str = "time ";
/// What the line that names the log begins with.
const LOG: &str = "log ";

/// What the log was at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of the key that signs for it.
    pub origin: String,
    /// How many leaves the tree had, which is the last position.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// When it was said; microseconds count.
    pub time: DateTime<Utc>,
    /// The hash of the first leaf, by which logs are told apart; a checkpoint of a former version has none.
    pub log: Option<Hash>,
}

/// Why a text is no checkpoint, or nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is none, or nobody's.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note says something else.
    #[error("the note is not in the form of a checkpoint")]
    Form,
    /// The origin is not the name of the key that has signed it.
    #[error("the checkpoint is of another log than its key")]
    Origin,
}

impl Checkpoint {
    /// Signs the checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] when the key is of another log.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedNote, CheckpointError> {
        if self.origin != key.public().name() {
            return Err(CheckpointError::Origin);
        }
        Ok(SignedNote::sign(self.text(), key)?)
    }

    /// Reads a checkpoint that one of the keys has signed.
    ///
    /// # Errors
    /// [`CheckpointError`] when it is none, or not one of a log of these keys.
    pub fn open(note: &str, keys: &[PublicKey]) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Self::parse(note.unchecked_text())?;
        let own: Vec<PublicKey> = keys
            .iter()
            .filter(|key| key.name() == checkpoint.origin)
            .cloned()
            .collect();
        match note.signed_by(&own) {
            Err(NoteError::UnknownKey) if note.signed_by(keys).is_ok() => {
                Err(CheckpointError::Origin)
            }
            signed => {
                signed?;
                Ok(checkpoint)
            }
        }
    }

    /// Reads what a checkpoint says, whoever says it.
    ///
    /// # Errors
    /// [`CheckpointError::Form`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let mut lines = text.strip_suffix('\n')?.split('\n');
            let origin = lines.next()?.to_owned();
            let size = lines.next()?.parse().ok()?;
            let root = lines.next()?.parse().ok()?;
            let time = DateTime::parse_from_rfc3339(lines.next()?.strip_prefix(TIME)?).ok()?;
            let log = match lines.next() {
                Some(line) => Some(line.strip_prefix(LOG)?.parse().ok()?),
                None => None,
            };
            Some(Self {
                origin,
                size,
                root,
                time: time.to_utc(),
                log,
            })
        };
        // One checkpoint has one text.
        let read = read().filter(|read| is_name(&read.origin) && read.text() == text);
        read.ok_or(CheckpointError::Form)
    }

    fn text(&self) -> String {
        let Self {
            origin,
            size,
            root,
            time,
            log,
        } = self;
        let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
        let log = log.map(|log| format!("{LOG}{log}\n")).unwrap_or_default();
        format!("{origin}\n{size}\n{root}\n{TIME}{time}\n{log}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, &[seed; 32]).unwrap()
    }

    fn checkpoint(origin: &str) -> Checkpoint {
        Checkpoint {
            origin: origin.to_owned(),
            size: 20_852_163,
            root: Hash::of_nothing(),
            time: DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap(),
            log: Some(Hash::of_leaf(b"first")),
        }
    }

    #[test]
    fn a_checkpoint_is_a_signed_text_that_reads_back() {
        let key = key("example.com/log", 1);
        let signed = checkpoint("example.com/log")
            .sign(&key)
            .unwrap()
            .to_string();
        let log = Hash::of_leaf(b"first");
        let text = format!(
            "example.com/log\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
             time 2026-01-01T00:00:00.000001Z\nlog {log}\n"
        );
        assert!(
            signed.starts_with(&format!("{text}\n\u{2014} example.com/log ")),
            "{signed}"
        );
        let opened = Checkpoint::open(&signed, &[key.public().clone()]);
        assert_eq!(opened, Ok(checkpoint("example.com/log")));
    }

    /// Written by a version that did not name the log: such checkpoints are kept for ever.
    #[test]
    fn a_checkpoint_that_does_not_name_the_log_still_reads() {
        let text = "log\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-01-01T00:00:00.000001Z\n";
        let read = Checkpoint::parse(text).unwrap();
        assert_eq!((read.size, read.log), (3, None));
        assert_eq!(read.text(), text);
    }

    #[test]
    fn a_checkpoint_of_another_key_or_log_or_with_a_wrong_signature_is_refused() {
        let (one, two) = (key("one", 1), key("two", 2));
        let keys = [one.public().clone(), two.public().clone()];
        assert_eq!(checkpoint("one").sign(&two), Err(CheckpointError::Origin));
        let signed = checkpoint("one").sign(&one).unwrap().to_string();
        let opened = Checkpoint::open(&signed, &keys[1..]);
        assert_eq!(opened, Err(NoteError::UnknownKey.into()));
        let changed = signed.replace("20852163", "20852164");
        let opened = Checkpoint::open(&changed, &keys);
        assert_eq!(opened, Err(NoteError::WrongSignature.into()));
        // Each log's key signs for it alone.
        let foreign = SignedNote::sign(checkpoint("one").text(), &two).unwrap();
        let opened = Checkpoint::open(&foreign.to_string(), &keys);
        assert_eq!(opened, Err(CheckpointError::Origin));
        let words = SignedNote::sign("some words\n".to_owned(), &one).unwrap();
        let opened = Checkpoint::open(&words.to_string(), &keys);
        assert_eq!(opened, Err(CheckpointError::Form));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_checkpoint_has_one_text(size in any::<u64>(), micros in 0..4_000_000_000_000_000_i64, bytes in any::<[u8; 32]>(), names_log in any::<bool>()) {
            let checkpoint = Checkpoint {
                origin: "log".to_owned(),
                size,
                root: Hash::from_bytes(&bytes).unwrap(),
                time: DateTime::from_timestamp_micros(micros).unwrap(),
                log: names_log.then(|| Hash::of_leaf(&bytes)),
            };
            let text = checkpoint.text();
            prop_assert_eq!(Checkpoint::parse(&text), Ok(checkpoint));
            for other in [
                format!("{text}\n"),
                text.trim_end().to_owned(),
                text.replacen('\n', "\n0", 1),
                text.replacen('\n', "\n+", 1),
                text.replace('Z', "+00:00"),
                text.replace("log\n", "\n"),
                format!("{text}more\n"),
            ] {
                prop_assert_eq!(Checkpoint::parse(&other), Err(CheckpointError::Form), "{}", other);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\PC|\n){0,80}|log\n[0-9]{1,22}\n[A-Za-z0-9+/=]{40,46}\ntime [0-9TZ:.-]{5,30}\n(log [A-Za-z0-9+/=]{43,45}\n)?") {
            if let Ok(read) = Checkpoint::parse(&text) {
                prop_assert_eq!(read.text(), text.as_str());
            }
            prop_assert!(Checkpoint::open(&text, &[]).is_err());
        }
    }
}
