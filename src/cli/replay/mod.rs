//! `replay`: the operator's tool over the log and the read models, a file for what belongs together.

mod lag;
mod progress;
mod rows;
mod show;
mod transfer;
mod witness;

use std::sync::Arc;

use clap::{Args, Subcommand};
use event_store::{ConnectOptions, Database, Position};
use projections::runtime::Projection;

pub(crate) use self::progress::Shown;
use self::{
    lag::LagArgs,
    rows::{Jobs, ProjectionArgs},
    show::ShowArgs,
    transfer::{ExportArgs, ImportArgs},
    witness::{LOG, WitnessArgs},
};
use super::{Error, Shutdown, Store, keys, say};
use crate::config::StoreArgs;

/// What can be done with the log and the read models.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ReplayCommand {
    /// Builds projections again beside the live ones, compares the two and swaps them
    Rebuild(ProjectionArgs),
    /// Builds projections a second time and reports every row that differs
    Compare(ProjectionArgs),
    /// Holds the log against its tree and its signed checkpoints, then compares as `compare` does
    Verify(VerifyArgs),
    /// Checks the log, every checkpoint and every counter
    Check(CheckArgs),
    /// Tells how far each projection, and the tree, is behind the log; exit code 1 where one is further than it may be
    Lag(LagArgs),
    /// Writes evidence that the event at a position is in the log, for `proof check`
    Prove(ProveArgs),
    /// Shows a campaign as it was, or as it is where no time is given
    #[command(visible_alias = "as-of")]
    Show(ShowArgs),
    /// Writes the whole log, an object a line
    Export(ExportArgs),
    /// Takes an exported log into a database that has none
    Import(ImportArgs),
}

/// The arguments of `replay verify`.
#[derive(Args, Clone, Debug)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
    #[command(flatten)]
    jobs: Jobs,
    /// The projections, or `log` for the log itself; all of them and the log where none is named
    #[arg(value_name = "PROJECTION")]
    projections: Vec<String>,
}

impl VerifyArgs {
    /// Says whether the log is to be verified, and which projections are.
    fn parts(&self) -> (bool, Result<Vec<Arc<dyn Projection>>, ::replay::Error>) {
        let (log, names): (Vec<_>, Vec<_>) = self
            .projections
            .iter()
            .cloned()
            .partition(|name| name == LOG);
        let is_log_alone = !log.is_empty() && names.is_empty();
        let projections = if is_log_alone {
            Ok(Vec::new())
        } else {
            ::replay::named(&names)
        };
        (!log.is_empty() || names.is_empty(), projections)
    }
}

/// The arguments of `replay check`.
#[derive(Args, Clone, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    store: StoreArgs,
}

/// The arguments of `replay prove`.
#[derive(Args, Clone, Debug)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
    /// The position
    #[arg(value_name = "POSITION")]
    position: Position,
}

impl ReplayCommand {
    const fn store(&self) -> &StoreArgs {
        match self {
            Self::Rebuild(ProjectionArgs { store, .. })
            | Self::Compare(ProjectionArgs { store, .. })
            | Self::Verify(VerifyArgs { store, .. })
            | Self::Check(CheckArgs { store })
            | Self::Lag(LagArgs { store, .. })
            | Self::Prove(ProveArgs { store, .. })
            | Self::Show(ShowArgs { store, .. })
            | Self::Export(ExportArgs { store, .. })
            | Self::Import(ImportArgs { store, .. }) => store,
        }
    }

    /// Refuses what costs nothing to find out, before a server is started for nothing.
    fn check(&self) -> Result<(), Error> {
        let named = match self {
            Self::Rebuild(args) | Self::Compare(args) => ::replay::named(&args.projections),
            Self::Verify(args) => args.parts().1,
            _ => Ok(Vec::new()),
        };
        named.map_err(|error| Error::Usage(error.to_string()))?;
        match self {
            Self::Verify(VerifyArgs { witnesses, .. })
            | Self::Prove(ProveArgs { witnesses, .. }) => witnesses.check(),
            Self::Import(args) => args.check(),
            _ => Ok(()),
        }
    }
}

pub(super) async fn replay(command: ReplayCommand, shutdown: &Shutdown) -> Result<(), Error> {
    command.check()?;
    let store = match &command {
        // A log is taken in where there is nothing yet.
        ReplayCommand::Import(args) => Store::open(&args.store).await?,
        other => Store::open_existing(other.store()).await?,
    };
    let done = tokio::select! {
        done = replay_on(&command, &store) => done,
        // A rebuild that is broken off leaves the live tables as they were, an import an empty log.
        () = shutdown.requested() => Err(Error::Interrupted),
    };
    store.close().await?;
    done
}

async fn replay_on(command: &ReplayCommand, store: &Store) -> Result<(), Error> {
    let options = ConnectOptions {
        wrap: Some(Arc::new(keys(command.store())?)),
        ..ConnectOptions::default()
    };
    let database = Database::connect(store.url(), options).await?;
    database.migrate().await?;
    let done = match command {
        ReplayCommand::Rebuild(args) => {
            rows::rebuild(&database, &args.projections, args.jobs).await
        }
        ReplayCommand::Compare(args) => compare(&database, args).await,
        ReplayCommand::Verify(args) => verify(&database, args).await,
        ReplayCommand::Check(_) => check(&database).await,
        ReplayCommand::Lag(args) => lag::lag(&database, args).await,
        ReplayCommand::Prove(args) => {
            witness::prove(&database, args.position, &args.witnesses, &args.store).await
        }
        ReplayCommand::Show(args) => show::show(&database, args).await,
        ReplayCommand::Export(args) => transfer::export(&database, args).await,
        ReplayCommand::Import(args) => transfer::import(&database, args).await,
    };
    database.close().await;
    done
}

async fn compare(database: &Database, args: &ProjectionArgs) -> Result<(), Error> {
    let projections = ::replay::named(&args.projections)?;
    verdict(
        rows::compare(database, projections, args.jobs)
            .await?
            .wrong(),
    )
}

/// Whatever is found in the log, the rows are compared as well.
async fn verify(database: &Database, args: &VerifyArgs) -> Result<(), Error> {
    let (log, projections) = args.parts();
    let mut wrong = Vec::new();
    if log {
        let findings = witness::verify_log(database, &args.witnesses, &args.store).await?;
        wrong.extend((findings > 0).then(|| format!("{findings} findings in the log")));
    }
    wrong.extend(
        rows::compare(database, projections?, args.jobs)
            .await?
            .wrong(),
    );
    verdict(wrong)
}

fn verdict(wrong: Vec<String>) -> Result<(), Error> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Failed(wrong.join(", ")))
}

async fn check(database: &Database) -> Result<(), Error> {
    let report = ::replay::check(database).await?;
    say(format_args!(
        "log: {} events in {} streams, {} wait for their positions",
        report.log.events, report.log.streams, report.log.waiting
    ))?;
    for standing in &report.standings {
        say(format_args!(
            "projection {}: at {} of {}, {} events applied of {}",
            standing.projection,
            standing.position,
            standing.head,
            standing.applied,
            standing.matching
        ))?;
    }
    let findings = report.findings();
    for finding in &findings {
        say(format_args!("wrong: {finding}"))?;
    }
    if findings.is_empty() {
        say("everything is as it should be")?;
        return Ok(());
    }
    Err(Error::Failed(format!("{} findings", findings.len())))
}
