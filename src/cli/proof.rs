//! `proof`: evidence of events is checked, without a database.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use event_store::describe;
use transparency::{Evidence, PublicKey};

use super::{Error, say};

/// The largest file of evidence that is read, bytes: larger than any event.
const LARGEST: u64 = 256 << 20;

/// What can be done with evidence.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ProofCommand {
    /// Checks the evidence of an event that `replay prove` has written, with nothing but a public key
    Check(CheckArgs),
}

/// The arguments of `proof check`.
#[derive(Args, Clone, Debug)]
pub(super) struct CheckArgs {
    /// The file of the evidence
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key of the log, as `checkpoint key` tells it; may be repeated
    #[arg(long = "public-key", value_name = "KEY", required = true)]
    public_keys: Vec<PublicKey>,
}

pub(super) fn proof(command: &ProofCommand) -> Result<(), Error> {
    let ProofCommand::Check(args) = command;
    let cannot = |why: String| Error::Failed(format!("{}: {why}", args.file.display()));
    let read = fs::metadata(&args.file).and_then(|file| {
        if file.len() > LARGEST {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        fs::read(&args.file)
    });
    let bytes = read.map_err(|error| cannot(error.to_string()))?;
    let evidence: Evidence = serde_json::from_slice(&bytes)
        .map_err(|error| cannot(format!("this is no evidence: {error}")))?;
    let checkpoint = evidence
        .check(&args.public_keys)
        .map_err(|error| cannot(format!("this proves nothing: {}", describe(&error))))?;
    let event = &evidence.event;
    say(format_args!(
        "proven: {} is event {} of {} {}, at position {} of {}, recorded at {}",
        event.event_type,
        event.sequence,
        event.aggregate_type,
        event.aggregate_id,
        event.position,
        checkpoint.origin,
        event.recorded_at
    ))?;
    say(format_args!(
        "  signed with {} events at {}",
        checkpoint.size, checkpoint.time
    ))
}
