//! `replay`: the read models against the log.

use std::{sync::Arc, time::Duration};

use ::replay::{At, Progress, Verified};
use aggregates::ids::CampaignId;
use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use event_store::{ConnectOptions, Database, Position};
use indicatif::{ProgressBar, ProgressStyle};
use projections::runtime::Projection;

use super::{
    Error, Shutdown, Store, say,
    verify_log::{LOG, WitnessArgs, prove, verify_log},
};
use crate::config::StoreArgs;

/// What can be done with the read models.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ReplayCommand {
    /// Builds projections again beside the live ones, compares the two and swaps them
    Rebuild(ProjectionArgs),
    /// Holds the log against its tree and its signed checkpoints, then builds projections a second time and reports every
    /// row that differs
    Verify(VerifyArgs),
    /// Checks the log, every checkpoint and every counter
    Check(CheckArgs),
    /// Writes evidence that the event at a position is in the log, for `proof check`
    Prove(ProveArgs),
    /// Shows a campaign as it was, or as it is where no time is given
    Show(ShowArgs),
}

/// The arguments of `replay rebuild`.
#[derive(Args, Clone, Debug)]
pub(super) struct ProjectionArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The projections; all of them where none is named
    #[arg(value_name = "PROJECTION")]
    projections: Vec<String>,
}

/// The arguments of `replay verify`.
#[derive(Args, Clone, Debug)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
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

/// The arguments of `replay show`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("when"))]
pub(super) struct ShowArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The campaign
    #[arg(value_name = "CAMPAIGN")]
    campaign: CampaignId,
    /// After the event with this sequence
    #[arg(long, group = "when", value_name = "NUMBER")]
    version: Option<u64>,
    /// At this moment (RFC 3339)
    #[arg(long, group = "when", value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// When the log ended at this position
    #[arg(long, group = "when", value_name = "POSITION")]
    cursor: Option<Position>,
}

impl ShowArgs {
    /// Says which time is meant of a log that ends at `head`.
    fn when(&self, head: Position) -> Result<At, Error> {
        match (self.version, self.at, self.cursor) {
            (Some(version), _, _) => Ok(At::Version(version)),
            (_, Some(moment), _) => Ok(At::Moment(moment)),
            (_, _, Some(cursor)) if cursor > head => Err(Error::Failed(format!(
                "the log ends at position {head}, before --cursor {cursor}"
            ))),
            (_, _, cursor) => Ok(At::Cursor(cursor.unwrap_or(head))),
        }
    }
}

pub(super) async fn replay(command: ReplayCommand, shutdown: &Shutdown) -> Result<(), Error> {
    let (ReplayCommand::Rebuild(ProjectionArgs { store: args, .. })
    | ReplayCommand::Verify(VerifyArgs { store: args, .. })
    | ReplayCommand::Check(CheckArgs { store: args })
    | ReplayCommand::Prove(ProveArgs { store: args, .. })
    | ReplayCommand::Show(ShowArgs { store: args, .. })) = &command;
    // Before a server is started for nothing.
    let named = match &command {
        ReplayCommand::Rebuild(args) => ::replay::named(&args.projections),
        ReplayCommand::Verify(args) => args.parts().1,
        ReplayCommand::Check(_) | ReplayCommand::Prove(_) | ReplayCommand::Show(_) => {
            Ok(Vec::new())
        }
    };
    named.map_err(|error| Error::Usage(error.to_string()))?;
    let store = Store::open_existing(args).await?;
    let done = tokio::select! {
        done = replay_on(&command, &store) => done,
        // A rebuild that is broken off leaves the live tables as they were.
        () = shutdown.requested() => Err(Error::Interrupted),
    };
    store.close().await?;
    done
}

async fn replay_on(command: &ReplayCommand, store: &Store) -> Result<(), Error> {
    let database = Database::connect(store.url(), ConnectOptions::default()).await?;
    database.migrate().await?;
    let done = match command {
        ReplayCommand::Rebuild(args) => rebuild(&database, &args.projections).await,
        ReplayCommand::Verify(args) => verify(&database, args).await,
        ReplayCommand::Check(_) => check(&database).await,
        ReplayCommand::Prove(args) => {
            prove(&database, args.position, &args.witnesses, &args.store).await
        }
        ReplayCommand::Show(args) => show(&database, args).await,
    };
    database.close().await;
    done
}

async fn rebuild(database: &Database, names: &[String]) -> Result<(), Error> {
    for projection in ::replay::named(names)? {
        let bar = bar(projection.name());
        let rebuilt = ::replay::rebuild(database, projection, |progress| {
            show_progress(&bar, progress)
        })
        .await?;
        bar.finish_and_clear();
        say(format_args!(
            "{}: rebuilt from {} events in {}, at position {}; {} rows compared, {} differed",
            rebuilt.projection,
            rebuilt.applied,
            seconds(rebuilt.elapsed),
            rebuilt.position,
            rebuilt.comparison.rows,
            rebuilt.comparison.differing
        ))?;
    }
    Ok(())
}

async fn verify(database: &Database, args: &VerifyArgs) -> Result<(), Error> {
    let (log, projections) = args.parts();
    if log {
        verify_log(database, &args.witnesses, &args.store).await?;
    }
    let mut different = 0;
    for projection in projections? {
        let bar = bar(projection.name());
        let verified = ::replay::verify(database, projection, |progress| {
            show_progress(&bar, progress)
        })
        .await?;
        bar.finish_and_clear();
        print_verified(&verified)?;
        different += verified.comparison.differing;
    }
    match different {
        0 => Ok(()),
        different => Err(Error::Failed(format!(
            "{different} rows differ from what the log says"
        ))),
    }
}

fn print_verified(verified: &Verified) -> Result<(), Error> {
    say(format_args!(
        "{}: {} events, {} rows compared in {} at position {}, {} differ",
        verified.projection,
        verified.applied,
        verified.comparison.rows,
        seconds(verified.elapsed),
        verified.comparison.position,
        verified.comparison.differing
    ))?;
    for difference in &verified.comparison.differences {
        say(format_args!(
            "  {} only in {}: {}",
            difference.table, difference.only_in, difference.row
        ))?;
    }
    Ok(())
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

async fn show(database: &Database, args: &ShowArgs) -> Result<(), Error> {
    let at = args.when(database.feed().head().await?)?;
    let then = ::replay::campaign_at(database, args.campaign, at).await?;
    let then =
        then.ok_or_else(|| Error::Failed(format!("there was no campaign {} then", args.campaign)))?;
    if let At::Version(version) = at
        && version > then.version
    {
        return Err(Error::Failed(format!(
            "the campaign {} is at version {}, before --version {version}",
            args.campaign, then.version
        )));
    }
    let shown = serde_json::json!({
        "campaignId": args.campaign,
        "version": then.version,
        "status": then.status,
        "state": then.state,
    });
    let text = serde_json::to_string_pretty(&shown).map_err(Error::step("write the campaign"))?;
    say(text)
}

/// Makes the bar of a rebuild.
pub(crate) fn bar(projection: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>18} [{bar:40}] {pos}/{len} {elapsed}");
    ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(projection)
}

/// Moves the bar of a rebuild.
pub(crate) fn show_progress(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.target.get());
    bar.set_position(progress.position.get());
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
