//! Evidence: an event with all that shows, to whoever has the public key and nothing else, that it is in the log.

use serde::{Deserialize, Serialize};

use crate::{Checkpoint, CheckpointError, Event, Hash, PublicKey, Unproven, verify_inclusion};

/// An event, the way from its leaf to a root, and the checkpoint that the root is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The event as it is stored.
    pub event: Event,
    /// The hashes beside the way to the root, the lowest first, each in base64.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why evidence shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The checkpoint is none, or nobody's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The event is not in the tree of the checkpoint.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

impl Evidence {
    /// Checks the evidence and returns the checkpoint that vouches for the event.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn check(&self, keys: &[PublicKey]) -> Result<Checkpoint, EvidenceError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, keys)?;
        // Position 0 wraps to a leaf that no tree has.
        let leaf = self.event.position.wrapping_sub(1);
        let Checkpoint { size, root, .. } = checkpoint;
        verify_inclusion(self.event.leaf_hash(), leaf, size, root, &self.proof)?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{NoteError, SigningKey, inclusion_proof, root, testing::grown};

    fn event(position: u64) -> Event {
        Event {
            position,
            aggregate_type: "tally".to_owned(),
            aggregate_id: "a".to_owned(),
            sequence: position,
            event_type: "Added".to_owned(),
            event_version: "1".to_owned(),
            payload: "{\"Added\": \"\\u00e9\"}".to_owned(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap(),
        }
    }

    #[test]
    fn evidence_holds_after_it_was_written_and_read_and_no_longer_when_anything_of_it_was_changed()
    {
        let key = SigningKey::from_seed("log", &[1; 32]).unwrap();
        let keys = [key.public().clone()];
        let leaves: Vec<Hash> = (1..=5).map(|at| event(at).leaf_hash()).collect();
        let tiles = grown(&leaves, &[]);
        let checkpoint = Checkpoint {
            origin: "log".to_owned(),
            size: 5,
            root: root(5, &tiles).unwrap(),
            time: DateTime::UNIX_EPOCH,
            log: leaves.first().copied(),
        };
        let evidence = Evidence {
            event: event(4),
            proof: inclusion_proof(3, 5, &tiles).unwrap(),
            checkpoint: checkpoint.sign(&key).unwrap().to_string(),
        };
        assert_eq!(evidence.check(&keys), Ok(checkpoint));
        let unknown = CheckpointError::Note(NoteError::UnknownKey).into();
        assert_eq!(evidence.check(&[]), Err(unknown));
        let changes: [fn(&mut Evidence); 5] = [
            |evidence| evidence.event.payload = "{}".to_owned(),
            |evidence| evidence.event.position = 0,
            |evidence| evidence.event.position = 5,
            |evidence| evidence.proof.clear(),
            |evidence| evidence.checkpoint = evidence.checkpoint.replace("log\n5\n", "log\n4\n"),
        ];
        for change in changes {
            let mut changed = evidence.clone();
            change(&mut changed);
            assert!(changed.check(&keys).is_err(), "{changed:?}");
        }
    }
}
