//! `replay rebuild`, `replay compare` and the second half of `replay verify`: the read models' rows.

use std::{sync::Arc, time::Duration};

use ::replay::Verified;
use clap::Args;
use event_store::{Database, describe};
use projections::runtime::Projection;

use super::Shown;
use crate::{
    cli::{Error, say},
    config::StoreArgs,
};

/// The arguments of `replay rebuild` and `replay compare`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ProjectionArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The projections; all of them where none is named
    #[arg(value_name = "PROJECTION")]
    pub(super) projections: Vec<String>,
}

/// Builds projections again and swaps them in, one after the other.
pub(super) async fn rebuild(database: &Database, names: &[String]) -> Result<(), Error> {
    for projection in ::replay::named(names)? {
        let mut shown = Shown::new(projection.name());
        let rebuilt = ::replay::rebuild(database, projection, |progress| {
            shown.at(progress.position.get(), progress.target.get());
        })
        .await?;
        shown.finish();
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
        let unbuilt =
            (failed > 0).then(|| format!("{failed} projections could not be built again"));
        rows.into_iter().chain(unbuilt).collect()
    }
}

/// Builds projections a second time and tells every row that differs. One that cannot be built is told as well and does
/// not keep the others from being compared.
pub(super) async fn compare(
    database: &Database,
    projections: Vec<Arc<dyn Projection>>,
) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    for projection in projections {
        let name = projection.name();
        let mut shown = Shown::new(name);
        let verified = ::replay::verify(database, projection, |progress| {
            shown.at(progress.position.get(), progress.target.get());
        })
        .await;
        shown.finish();
        match verified {
            Ok(verified) => {
                tell(&verified)?;
                compared.differing += verified.comparison.differing;
            }
            Err(error) => {
                say(format_args!("wrong: {name}: {}", describe(&error)))?;
                compared.failed += 1;
            }
        }
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
