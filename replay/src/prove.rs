//! Evidence of one event, for whoever has the public key and nothing else.

use event_store::{Database, Position, Walk};
use transparency::{Checkpoint, Evidence};

use crate::{Error, NoProof, Witnesses};

/// Makes evidence that the event at a position is in the log: the event as it is stored, the way to the root of the first
/// checkpoint that covers it, and the checkpoint.
///
/// # Errors
/// [`Error::Unproven`] when there is no such event, no checkpoint covers it, or it is not what was signed; or when the
/// database fails.
pub async fn prove(
    database: &Database,
    position: Position,
    witnesses: &Witnesses,
) -> Result<Evidence, Error> {
    let refused = |reason| Error::Unproven {
        position: position.get(),
        reason,
    };
    let mut connection = database.pool().acquire().await?;
    let event = Walk::event_at(&mut connection, position).await?;
    let event = event.ok_or_else(|| refused(NoProof::NoEvent))?;
    drop(connection);
    let opened = witnesses.checkpoints.iter().filter_map(|file| {
        let checkpoint = Checkpoint::open(&file.text, &witnesses.keys).ok()?;
        Some((checkpoint.size, &file.text))
    });
    let covering = opened.filter(|(size, _)| *size >= position.get());
    let (size, checkpoint) = covering.min().ok_or_else(|| refused(NoProof::NotSigned))?;
    let tree = database.tree();
    if tree.size().await? < size {
        return Err(refused(NoProof::Contradicted));
    }
    let evidence = Evidence {
        event,
        proof: tree.inclusion_proof(position, size).await?,
        checkpoint: checkpoint.clone(),
    };
    // What is handed out holds.
    evidence
        .check(&witnesses.keys)
        .map_err(|_| refused(NoProof::Contradicted))?;
    Ok(evidence)
}
