//! What `replay verify` and `replay prove` do with the log itself.

use ::replay::{Witnesses, verify_log as verify};
use clap::Args;
use event_store::{Database, Position};
use transparency::PublicKey;

use super::{Error, checkpoint::own_key, replay::bar, say};
use crate::{
    checkpoints::Directory,
    config::{CheckpointPlaces, StoreArgs},
};

/// How the log is called where projections are named.
pub(super) const LOG: &str = "log";

/// What the log is held against.
#[derive(Args, Clone, Debug)]
pub(super) struct WitnessArgs {
    #[command(flatten)]
    places: CheckpointPlaces,
    /// A public key that checkpoints may be signed with besides this installation's own; may be repeated
    #[arg(long = "public-key", value_name = "KEY")]
    public_keys: Vec<PublicKey>,
}

impl WitnessArgs {
    fn read(&self, store: &StoreArgs) -> Result<Witnesses, Error> {
        let mut keys = self.public_keys.clone();
        keys.extend(own_key(&self.places, store)?);
        let directory = Directory::new(self.places.directory(store));
        let checkpoints = directory.read().map_err(|error| {
            Error::Failed(format!(
                "cannot read {}: {error}",
                directory.path().display()
            ))
        })?;
        Ok(Witnesses { checkpoints, keys })
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

/// Verifies the log and tells what was found.
pub(super) async fn verify_log(
    database: &Database,
    args: &WitnessArgs,
    store: &StoreArgs,
) -> Result<(), Error> {
    let witnesses = args.read(store)?;
    let bar = bar(LOG);
    let verified = verify(database, &witnesses, |read, of| {
        bar.set_length(of);
        bar.set_position(read);
    })
    .await?;
    bar.finish_and_clear();
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
    if verified.is_clean() {
        return Ok(());
    }
    let count = verified.findings.len();
    Err(Error::Failed(format!("{count} findings in the log")))
}
