//! Signatures of certificates, each checked once.
//!
//! The chains of most sites meet in the same few intermediate certificates, and sites of one host share theirs, so that the
//! same signature is met again and again. Checking it is most of what a handshake costs. One that was found good stays good:
//! whether the certificate has expired, is for this name, or may sign at all is no part of it and is looked at each time.
//! Signatures made for a handshake are never the same, and nothing of them is kept.

use std::sync::{LazyLock, PoisonError, RwLock};

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm as Algorithm,
};
use sha2::{Digest, Sha256};

/// Good signatures that are remembered; 128 KiB. A later one takes the place of an earlier one.
const PLACES: usize = 4_096;

type Print = [u8; 32];

/// Returns the library's algorithms, of which those for certificates remember what they found good.
pub(super) fn remembered() -> WebPkiSupportedAlgorithms {
    static ALL: LazyLock<Vec<Remembering>> = LazyLock::new(|| {
        let all = algorithms().all.iter();
        all.map(|algorithm| Remembering(*algorithm)).collect()
    });
    static REFERENCES: LazyLock<Vec<&'static dyn Algorithm>> =
        LazyLock::new(|| ALL.iter().map(|algorithm| algorithm as _).collect());
    WebPkiSupportedAlgorithms {
        all: &REFERENCES,
        ..algorithms()
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms
}

/// An algorithm that does not check again what it found good.
#[derive(Debug)]
struct Remembering(&'static dyn Algorithm);

impl Algorithm for Remembering {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        static GOOD: LazyLock<Good> = LazyLock::new(Good::default);
        let print = print(&[
            self.public_key_alg_id().as_ref(),
            self.signature_alg_id().as_ref(),
            public_key,
            message,
            signature,
        ]);
        if GOOD.has(&print) {
            return Ok(());
        }
        self.0.verify_signature(public_key, message, signature)?;
        GOOD.keep(print);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

/// Hashes parts so that no others have the same hash: each with its length before it.
fn print(parts: &[&[u8]]) -> Print {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A bounded set, in which each print has one place.
struct Good(RwLock<Vec<Print>>);

impl Default for Good {
    fn default() -> Self {
        Self(RwLock::new(vec![Print::default(); PLACES]))
    }
}

impl Good {
    fn place(print: &Print) -> usize {
        let [first, second, ..] = *print;
        usize::from(u16::from_le_bytes([first, second])) % PLACES
    }

    fn has(&self, print: &Print) -> bool {
        let prints = self.0.read().unwrap_or_else(PoisonError::into_inner);
        prints.get(Self::place(print)) == Some(print)
    }

    fn keep(&self, print: Print) {
        let mut prints = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = prints.get_mut(Self::place(&print)) {
            *place = print;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts what it is asked, and finds good what is signed with its own key.
    #[derive(Debug)]
    struct Counting(AtomicUsize);

    impl Algorithm for Counting {
        fn verify_signature(
            &self,
            public_key: &[u8],
            _: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            self.0.fetch_add(1, Ordering::Relaxed);
            match public_key == signature {
                true => Ok(()),
                false => Err(InvalidSignature),
            }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(b"a key of these tests")
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(b"a signature of these tests")
        }
    }

    #[test]
    fn what_was_good_is_not_checked_again_and_what_was_not_always_is() {
        static COUNTING: Counting = Counting(AtomicUsize::new(0));
        let algorithm = Remembering(&COUNTING);
        let asked = || COUNTING.0.load(Ordering::Relaxed);
        for _ in 0..3 {
            assert!(
                algorithm
                    .verify_signature(b"key", b"message", b"key")
                    .is_ok()
            );
        }
        assert_eq!(asked(), 1);
        // Another message, or the same bytes cut elsewhere, is another signature.
        assert!(algorithm.verify_signature(b"key", b"other", b"key").is_ok());
        assert!(
            algorithm
                .verify_signature(b"keym", b"essage", b"keym")
                .is_ok()
        );
        assert_eq!(asked(), 3);
        for _ in 0..2 {
            assert!(
                algorithm
                    .verify_signature(b"key", b"message", b"bad")
                    .is_err()
            );
        }
        assert_eq!(asked(), 5);
    }

    #[test]
    fn the_set_keeps_to_its_size_and_forgets_only_what_shares_a_place() {
        let good = Good::default();
        let (one, mut other) = ([7; 32], [7; 32]);
        other[31] = 8;
        good.keep(one);
        assert!(good.has(&one) && !good.has(&other));
        good.keep(other);
        assert!(good.has(&other) && !good.has(&one));
        good.keep([9; 32]);
        assert!(good.has(&other));
        assert_eq!(good.0.read().unwrap().len(), PLACES);
    }
}
