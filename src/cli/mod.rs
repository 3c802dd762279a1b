//! The command line: one file a subcommand, and what they share.
//!
//! [`run()`] is all that `main` calls. A subcommand opens a [`Store`], starts the parts of the system that it needs as a
//! [`Node`], does its work, and ends both: nothing is left running, whichever way it ends. Errors are one line; those
//! about the command line itself end the program with 2, all others with 1.

mod checkpoint;
mod descriptors;
mod error;
mod kept;
mod keys;
mod metrics;
mod migrate;
mod node;
mod openapi;
mod proof;
pub(crate) mod replay;
pub mod run;
mod say;
mod serve;
mod shutdown;
mod store;
mod user;
mod work;

use std::{ffi::OsString, time::Duration};

use clap::{Parser, Subcommand, error::ErrorKind};

pub use self::{
    error::Error,
    node::{Node, Parts},
    serve::{Entrance, Server},
    shutdown::Shutdown,
    store::Store,
};
pub(crate) use self::{kept::read_or_draw, keys::keys, say::say};
use crate::{config::LogArgs, demo, telemetry};

/// Finds and qualifies web domains in campaigns, with every step kept as an event.
#[derive(Debug, Parser)]
#[command(name = "domainflow", version, about)]
struct Cli {
    #[command(flatten)]
    log: LogArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the interface, with the read side, the coordinator and workers
    Serve(Box<serve::ServeArgs>),
    /// Works on campaigns that other nodes serve
    Work(Box<work::WorkArgs>),
    /// Shows the main job on this machine, in a small internet of its own
    Demo(Box<demo::DemoArgs>),
    /// Does one campaign and writes its result
    Run(Box<run::RunArgs>),
    /// Brings the database's schema up to date
    Migrate(migrate::MigrateArgs),
    /// Manages users
    #[command(subcommand)]
    User(user::UserCommand),
    /// Tells of the checkpoints that are signed of the log
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    /// Checks evidence of events
    #[command(subcommand)]
    Proof(proof::ProofCommand),
    /// Prints the interface's description
    Openapi,
    /// Rebuilds, verifies and checks the read models against the log, and the log against its tree and checkpoints; takes
    /// the log out of one database and into another
    #[command(subcommand)]
    Replay(replay::ReplayCommand),
}

impl Command {
    /// What is logged where the environment does not say: a server tells what happens, a command what goes wrong.
    const fn log_level(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Work(_) => "info",
            _ => "error",
        }
    }
}

/// How long the end waits for what blocks a thread: a read of standard input that nobody answers would hold it up for ever.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// Does what the command line says.
///
/// # Errors
/// See [`Error`].
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Error> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(answer)
            if matches!(
                answer.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            return say(answer.to_string().trim_end());
        }
        Err(refused) => return Err(Error::Usage(in_one_line(&refused))),
    };
    telemetry::start(cli.log.log_format, cli.command.log_level())
        .map_err(|refused| Error::Usage(refused.to_string()))?;
    // What needs neither a database nor tasks.
    match &cli.command {
        Command::Openapi => return openapi::openapi(),
        Command::Checkpoint(command) => return checkpoint::checkpoint(command),
        Command::Proof(command) => return proof::proof(command),
        _ => {}
    }
    descriptors::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::step("start the runtime"))?;
    let done = runtime.block_on(Box::pin(dispatch(cli.command)));
    runtime.shutdown_timeout(LEFT_BEHIND);
    done
}

async fn dispatch(command: Command) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals()?;
    match command {
        Command::Serve(args) => serve::serve(*args, &shutdown).await,
        Command::Work(args) => work::work(*args, &shutdown).await,
        Command::Demo(args) => demo::demo(*args, &shutdown).await,
        Command::Run(args) => run::run(*args, &shutdown).await,
        Command::Migrate(args) => migrate::migrate(args).await,
        Command::User(command) => user::user(command).await,
        Command::Checkpoint(command) => checkpoint::checkpoint(&command),
        Command::Proof(command) => proof::proof(&command),
        Command::Openapi => openapi::openapi(),
        Command::Replay(command) => replay::replay(command, &shutdown).await,
    }
}

/// Takes the message of an error of clap's, which goes up to the first blank line, and puts it in one line.
fn in_one_line(refused: &clap::Error) -> String {
    if refused.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; domainflow --help lists them".to_owned();
    }
    let text = refused.to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
