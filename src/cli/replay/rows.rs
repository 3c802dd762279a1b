//! `replay rebuild`, `replay compare` and the second half of `replay verify`: the read models' rows.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use ::replay::Verified;
use clap::Args;
use event_store::{Database, describe};
use futures::{StreamExt as _, stream};
use projections::runtime::Projection;

use super::progress::Bars;
use crate::{
    cli::{Error, say},
    config::StoreArgs,
};

/// The arguments of `replay rebuild` and `replay compare`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ProjectionArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    #[command(flatten)]
    pub(super) jobs: Jobs,
    /// The projections; all of them where none is named
    #[arg(value_name = "PROJECTION")]
    pub(super) projections: Vec<String>,
}

/// How many projections are built at once.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Jobs {
    /// Projections that are built at once; as many as the machine has processors where nothing is said
    #[arg(long, short, value_name = "NUMBER")]
    jobs: Option<NonZero<usize>>,
}

impl Jobs {
    fn get(self) -> usize {
        let machine = || available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.jobs.unwrap_or_else(machine).get()
    }
}

/// Builds projections again and swaps them in, each by itself. One that cannot be built keeps no other from being built.
pub(super) async fn rebuild(
    database: &Database,
    names: &[String],
    jobs: Jobs,
) -> Result<(), Error> {
    let bars = &Bars::default();
    let build = |projection: Arc<dyn Projection>| async move {
        let name = projection.name();
        let mut shown = bars.begin(name);
        let rebuilt = ::replay::rebuild(database, projection, |progress| {
            shown.at(progress.position.get(), progress.target.get());
        });
        let rebuilt = rebuilt.await;
        shown.finish();
        (name, rebuilt)
    };
    let mut building = stream::iter(::replay::named(names)?)
        .map(build)
        .buffer_unordered(jobs.get());
    let mut failed = 0;
    while let Some((name, rebuilt)) = building.next().await {
        bars.aside(|| match rebuilt {
            Ok(rebuilt) => say(format_args!(
                "{name}: rebuilt from {} events in {}, at position {}; {} rows compared, {} differed",
                rebuilt.applied,
                seconds(rebuilt.elapsed),
                rebuilt.position,
                rebuilt.comparison.rows,
                rebuilt.comparison.differing
            )),
            Err(error) => {
                failed += 1;
                say(format_args!("wrong: {name}: {}", describe(&error)))
            }
        })?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(Error::Failed(unbuilt(failed))),
    }
}

fn unbuilt(failed: usize) -> String {
    format!("{failed} projections could not be built again")
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compared {
    differing: u64,
    failed: usize,
}

impl Compared {
    /// Lists what is wrong, in words.
    pub(super) fn wrong(self) -> Vec<String> {
        let Self { differing, failed } = self;
        let rows =
            (differing > 0).then(|| format!("{differing} rows differ from what the log says"));
        let unbuilt = (failed > 0).then(|| unbuilt(failed));
        rows.into_iter().chain(unbuilt).collect()
    }
}

/// Builds projections a second time and tells every row that differs. One that cannot be built is told as well and does
/// not keep the others from being compared.
pub(super) async fn compare(
    database: &Database,
    projections: Vec<Arc<dyn Projection>>,
    jobs: Jobs,
) -> Result<Compared, Error> {
    let bars = &Bars::default();
    let verify = |projection: Arc<dyn Projection>| async move {
        let name = projection.name();
        let mut shown = bars.begin(name);
        let verified = ::replay::verify(database, projection, |progress| {
            shown.at(progress.position.get(), progress.target.get());
        });
        let verified = verified.await;
        shown.finish();
        (name, verified)
    };
    let mut verifying = stream::iter(projections)
        .map(verify)
        .buffer_unordered(jobs.get());
    let mut compared = Compared::default();
    while let Some((name, verified)) = verifying.next().await {
        bars.aside(|| match verified {
            Ok(verified) => {
                compared.differing += verified.comparison.differing;
                tell(&verified)
            }
            Err(error) => {
                compared.failed += 1;
                say(format_args!("wrong: {name}: {}", describe(&error)))
            }
        })?;
    }
    Ok(compared)
}

fn tell(verified: &Verified) -> Result<(), Error> {
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

/// Writes a time as people read it.
pub(super) fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
