//! `checkpoint`: the key that checkpoints of the log are signed with.

use std::time::Duration;

use clap::{Args, Subcommand};
use event_store::describe;
use transparency::PublicKey;

use super::{Error, Node, say};
use crate::{
    checkpoints::{Checkpointer, Directory, Prover, Signer, key},
    config::{CheckpointArgs, CheckpointKey, StoreArgs},
};

/// What can be asked of checkpoints.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum CheckpointCommand {
    /// Prints the public key that this installation's checkpoints are checked with
    Key(KeyArgs),
}

/// The arguments of `checkpoint key`.
#[derive(Args, Clone, Debug)]
pub(super) struct KeyArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    key: CheckpointKey,
}

pub(super) fn checkpoint(command: &CheckpointCommand) -> Result<(), Error> {
    let CheckpointCommand::Key(args) = command;
    let public = own_key(&args.key, &args.store)?;
    let path = args.key.file(&args.store);
    let public = public.ok_or_else(|| {
        Error::Failed(format!(
            "there is no key of checkpoints in {}: serve draws one when it first starts",
            path.display()
        ))
    })?;
    say(public)
}

/// Returns the public key of this installation, if it has one.
pub(super) fn own_key(key: &CheckpointKey, store: &StoreArgs) -> Result<Option<PublicKey>, Error> {
    let path = key.file(store);
    if !path.exists() {
        return Ok(None);
    }
    let key = key::read(&path).map_err(|error| unusable(&path, &error))?;
    Ok(Some(key.public().clone()))
}

/// Starts signing checkpoints of a node's log; tells of a key that was drawn for it. Returns what proves events by them.
pub(super) fn start(
    node: &Node,
    args: &CheckpointArgs,
    store: &StoreArgs,
) -> Result<Prover, Error> {
    let path = args.places.key.file(store);
    let (key, is_new) = key::read_or_make(&path).map_err(|error| unusable(&path, &error))?;
    if is_new {
        tracing::info!(
            file = %path.display(),
            public_key = %key.public(),
            "a key of checkpoints was drawn; keep its public key where this machine's administrators cannot change it"
        );
    }
    let directory = Directory::new(args.places.directory.of(store));
    let database = &node.app.database;
    let prover = Prover::new(database.clone(), directory.clone(), key.public().clone());
    let signer = Signer::new(database.clone(), key, directory);
    let interval = Duration::from_secs(args.checkpoint_interval);
    let task = Checkpointer::new(signer, interval);
    node.tracker.spawn(task.run(node.cancel.clone()));
    Ok(prover)
}

fn unusable(path: &std::path::Path, error: &key::Error) -> Error {
    Error::Failed(format!("{}: {}", path.display(), describe(error)))
}
