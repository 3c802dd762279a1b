//! Signed notes: a text and the signatures of it, in one text (C2SP `signed-note`).
//!
//! ```text
//! some lines of text
//!
//! — <name of the key> <base64 of the key id and the signature>
//! ```

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::key::{KeyId, PublicKey, SIGNATURE_BYTES, SigningKey, is_name};

/// The longest note that is read, bytes.
const LONGEST: usize = 1 << 16;
/// The most signatures of a note that is read.
const MOST_SIGNATURES: usize = 16;
/// What stands between the text and the signatures.
const BREAK: &str = "\n\n";
/// What a line of a signature begins with: an em dash.
const MARK: &str = "\u{2014} ";

/// A text with signatures of it, which may be anybody's until they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    key: KeyId,
    bytes: Vec<u8>,
}

/// Why a note is none, or not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not in the form of a signed note.
    #[error("not in the form of a signed note")]
    Form,
    /// None of its signatures is of one of the keys.
    #[error("signed by no key that is known")]
    UnknownKey,
    /// A signature that says that it is of a key is not.
    #[error("the signature is wrong")]
    WrongSignature,
}

impl SignedNote {
    /// Signs a text, which is whole lines of which none is empty.
    ///
    /// # Errors
    /// [`NoteError::Form`] when the text cannot be in a note.
    pub fn sign(text: String, key: &SigningKey) -> Result<Self, NoteError> {
        if !is_text(&text) {
            return Err(NoteError::Form);
        }
        let signature = Signature {
            name: key.public().name().to_owned(),
            key: key.public().id(),
            bytes: key.sign(&text),
        };
        Ok(Self {
            text,
            signatures: vec![signature],
        })
    }

    /// Reads a note. Nothing is said yet of who has signed it.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > LONGEST {
            return Err(NoteError::Form);
        }
        let (text, signatures) = note.rsplit_once(BREAK).ok_or(NoteError::Form)?;
        let text = format!("{text}\n");
        let lines = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures: Option<Vec<_>> = lines.split('\n').map(Signature::parse).collect();
        let signatures = signatures.ok_or(NoteError::Form)?;
        if !is_text(&text) || signatures.len() > MOST_SIGNATURES {
            return Err(NoteError::Form);
        }
        Ok(Self { text, signatures })
    }

    /// Returns the text if one of the keys has signed it. Signatures of other keys say nothing.
    ///
    /// # Errors
    /// [`NoteError::UnknownKey`], or [`NoteError::WrongSignature`] as soon as one of these keys' signatures is wrong.
    pub fn signed_by(&self, keys: &[PublicKey]) -> Result<&str, NoteError> {
        let mut found = Err(NoteError::UnknownKey);
        for signature in &self.signatures {
            let of = |key: &&PublicKey| key.name() == signature.name && key.id() == signature.key;
            let Some(key) = keys.iter().find(of) else {
                continue;
            };
            if !key.has_signed(&self.text, &signature.bytes) {
                return Err(NoteError::WrongSignature);
            }
            found = Ok(self.text.as_str());
        }
        found
    }

    /// Returns the text, whoever has signed it.
    #[must_use]
    pub fn unchecked_text(&self) -> &str {
        &self.text
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (key, bytes) = bytes.split_first_chunk()?;
        // Other kinds of signatures have other lengths.
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            key: *key,
            bytes: bytes.to_vec(),
        })
    }
}

/// Says whether a text can be signed: whole lines, none empty at the end, no control characters but the ends of lines.
fn is_text(text: &str) -> bool {
    let is_control = |c: char| c.is_control() && c != '\n';
    text.len() > 1 && text.ends_with('\n') && !text.ends_with(BREAK) && !text.contains(is_control)
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { name, key, bytes } in &self.signatures {
            let mut signed = Vec::with_capacity(key.len() + SIGNATURE_BYTES);
            signed.extend_from_slice(key);
            signed.extend_from_slice(bytes);
            writeln!(f, "{MARK}{name} {}", STANDARD.encode(signed))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of Go's reference implementation.
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    /// The example of the specification.
    const OTHER_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const OTHER_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    fn secret() -> SigningKey {
        SigningKey::parse(SECRET).unwrap()
    }

    #[test]
    fn notes_are_signed_and_read_as_others_do() {
        let note = SignedNote::sign(TEXT.to_owned(), &secret()).unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(SignedNote::parse(NOTE).as_ref(), Ok(&note));
        let keys = [secret().public().clone()];
        assert_eq!(note.signed_by(&keys), Ok(TEXT));
        let other = SignedNote::parse(OTHER_NOTE).unwrap();
        assert_eq!(other.signed_by(&keys), Err(NoteError::UnknownKey));
        let keys = [secret().public().clone(), OTHER_KEY.parse().unwrap()];
        assert_eq!(other.signed_by(&keys), Ok("This is an example message.\n"));
    }

    #[test]
    fn a_changed_text_or_signature_and_another_key_are_told_apart() {
        let keys = [secret().public().clone()];
        let changed = SignedNote::parse(&NOTE.replace("your", "their")).unwrap();
        assert_eq!(changed.signed_by(&keys), Err(NoteError::WrongSignature));
        let changed = SignedNote::parse(&NOTE.replace("ZJkuBS", "ZJkuBT")).unwrap();
        assert_eq!(changed.signed_by(&keys), Err(NoteError::WrongSignature));
        let namesake = SigningKey::from_seed("PeterNeumann", &[7; 32]).unwrap();
        let note = SignedNote::parse(NOTE).unwrap();
        let other = [namesake.public().clone()];
        assert_eq!(note.signed_by(&other), Err(NoteError::UnknownKey));
        assert_eq!(note.signed_by(&[]), Err(NoteError::UnknownKey));
        // One's own signature is looked at behind somebody else's as well.
        let (_, foreign) = OTHER_NOTE.split_once(BREAK).unwrap();
        let both = NOTE.replacen(BREAK, &format!("{BREAK}{foreign}"), 1);
        assert_eq!(SignedNote::parse(&both).unwrap().signed_by(&keys), Ok(TEXT));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        for text in [
            "",
            "\n",
            "\n\n",
            "text\n",
            "text\n\n",
            "text\n\nno mark\n",
            "text\n\n\u{2014} name\n",
            "text\n\n\u{2014} name AAAA\n",
            "text\n\n\u{2014} na+me AAAAAAAA\n",
            "text\n\n\u{2014} name !!!!\n",
            "text\n\n\u{2014} name AAAAAAAA",
            "te\rxt\n\n\u{2014} name AAAAAAAA\n",
            "\n\n\u{2014} name AAAAAAAA\n",
        ] {
            assert_eq!(SignedNote::parse(text), Err(NoteError::Form), "{text:?}");
        }
        let line = "\u{2014} name AAAAAAAA\n";
        let of = |count: usize| SignedNote::parse(&format!("text\n\n{}", line.repeat(count)));
        assert!(of(MOST_SIGNATURES).is_ok());
        assert_eq!(of(MOST_SIGNATURES + 1), Err(NoteError::Form));
        let long = format!("{}\n\n{line}", "x".repeat(LONGEST));
        assert_eq!(SignedNote::parse(&long), Err(NoteError::Form));
        assert!(SignedNote::sign("no end of line".to_owned(), &secret()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_takes_it_writes_alike(
            text in "(\\PC|\n){0,60}|[a-z]{1,5}\n\n(\u{2014} [a-z+ ]{1,5} [A-Za-z0-9+/]{8}\n){1,3}",
        ) {
            if let Ok(note) = SignedNote::parse(&text) {
                prop_assert_eq!(note.to_string(), text);
                prop_assert!(note.signed_by(&[secret().public().clone()]).is_err());
            }
        }

        #[test]
        fn no_changed_byte_of_a_note_goes_unseen(at in 0..NOTE.len(), byte in any::<u8>()) {
            let mut bytes = NOTE.as_bytes().to_vec();
            let is_same = bytes[at] == byte;
            bytes[at] = byte;
            let keys = [secret().public().clone()];
            let read = String::from_utf8(bytes).ok().and_then(|text| SignedNote::parse(&text).ok());
            let holds = read.is_some_and(|note| note.signed_by(&keys) == Ok(TEXT));
            prop_assert_eq!(holds, is_same);
        }
    }
}
