//! What `replay verify` and `replay prove` do with the log itself.

use ::replay::{Witnesses, verify_log as verify};
use clap::Args;
use event_store::{Database, Position};
use transparency::PublicKey;

use super::Shown;
use crate::{
    checkpoints::Directory,
    cli::{Error, checkpoint::own_key, say},
    config::{CheckpointPlaces, StoreArgs},
};

/// How the log is called where projections are named.
pub(super) const LOG: &str = "log";

/// What the log is held against.
#[derive(Args, Clone, Debug)]
pub(super) struct WitnessArgs {
    #[command(flatten)]
    places: CheckpointPlaces,
    /// A public key that checkpoints may be signed with; where one is named, the key of this installation vouches for
    /// nothing; may be repeated
    #[arg(long = "public-key", value_name = "KEY")]
    public_keys: Vec<PublicKey>,
}

impl WitnessArgs {
    /// Refuses a directory that was named and is not there: nothing would be held against nothing.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.places.directory.checkpoint_dir {
            Some(named) if !named.is_dir() => Err(Error::Usage(format!(
                "--checkpoint-dir: there is no directory {}",
                named.display()
            ))),
            _ => Ok(()),
        }
    }

    fn read(&self, store: &StoreArgs) -> Result<Witnesses, Error> {
        let keys = if self.public_keys.is_empty() {
            let own = own_key(&self.places.key, store)?;
            own.into_iter().collect()
        } else {
            self.public_keys.clone()
        };
        let directory = Directory::new(self.places.directory.of(store));
        let checkpoints = directory.read().map_err(|error| {
            Error::Failed(format!(
                "cannot read {}: {error}",
                directory.path().display()
            ))
        })?;
        Ok(Witnesses {
            checkpoints,
            keys,
            are_named: self.places.directory.checkpoint_dir.is_some()
                || !self.public_keys.is_empty(),
        })
    }
}

/// Writes evidence of an event.
pub(super) async fn prove(
    database: &Database,
    position: Position,
    args: &WitnessArgs,
    store: &StoreArgs,
) -> Result<(), Error> {
    let evidence = ::replay::prove(database, position, &args.read(store)?).await?;
    let text = serde_json::to_string_pretty(&evidence).map_err(Error::step("write evidence"))?;
    say(text)
}

/// Verifies the log, tells what was found, and returns how much that is.
pub(super) async fn verify_log(
    database: &Database,
    args: &WitnessArgs,
    store: &StoreArgs,
) -> Result<usize, Error> {
    let witnesses = args.read(store)?;
    let mut shown = Shown::new(LOG);
    let verified = verify(database, &witnesses, |read, of| shown.at(read, of)).await?;
    shown.finish();
    say(format_args!(
        "log: {} events, {} of them in the tree, {} checkpoints of {} agree",
        verified.events,
        verified.covered,
        verified.agreeing,
        witnesses.checkpoints.len()
    ))?;
    match &verified.newest {
        Some(newest) => say(format_args!(
            "  signed up to position {} at {}",
            newest.size, newest.time
        ))?,
        None => {
            say("  no checkpoint vouches for it: whoever rewrites the tree as well is not found")?
        }
    }
    for finding in &verified.findings {
        say(format_args!("wrong: {finding}"))?;
    }
    Ok(verified.findings.len())
}
