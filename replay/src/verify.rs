//! Verifying: a projection is built a second time and every row is compared.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_store::{Database, Position, describe};
use projections::runtime::{Comparison, Projection, Rebuild};

use crate::{Error, Progress};

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The projection.
    pub projection: &'static str,
    /// Events that were applied a second time.
    pub applied: u64,
    /// How the rows compare.
    pub comparison: Comparison,
    /// How long it took.
    pub elapsed: Duration,
}

impl Verified {
    /// Says whether every row is the same.
    #[must_use]
    pub const fn is_equal(&self) -> bool {
        self.comparison.differing == 0
    }
}

/// Builds a projection a second time, compares every row with the live tables at the live position, and throws the
/// second copy away.
///
/// # Errors
/// When an event cannot be applied, the database fails, or a rebuild of the projection is under way.
pub async fn verify(
    database: &Database,
    projection: Arc<dyn Projection>,
    mut report: impl FnMut(Progress),
) -> Result<Verified, Error> {
    let began = Instant::now();
    let name = projection.name();
    let mut rebuild = Rebuild::begin(database.clone(), projection).await?;
    let compared = compare(&mut rebuild, name, &mut report).await;
    let applied = rebuild.applied();
    throw_away(rebuild, name).await;
    Ok(Verified {
        projection: name,
        applied,
        comparison: compared?,
        elapsed: began.elapsed(),
    })
}

/// Throws a shadow away. What is left of one where that fails, the next rebuild throws away; the failure must not take
/// the place of what the work came to.
pub(crate) async fn throw_away(rebuild: Rebuild, projection: &str) {
    if let Err(error) = rebuild.discard().await {
        tracing::warn!(projection, error = %describe(&error), "the shadow tables are left behind");
    }
}

/// A shadow that is this many positions behind is left to the comparison itself, which holds the live tables still for
/// as long: while writers append, a shadow that follows freely would never be level.
const CLOSE: u64 = 2_000;

/// Brings a fresh rebuild to where the live tables are and compares the two.
pub(crate) async fn compare(
    rebuild: &mut Rebuild,
    projection: &'static str,
    report: &mut impl FnMut(Progress),
) -> Result<Comparison, Error> {
    loop {
        let target = rebuild.live_position().await?;
        let behind = target.get().saturating_sub(rebuild.position().get());
        let first = rebuild.position() == Position::START;
        if behind == 0 || (behind < CLOSE && !first) {
            break;
        }
        rebuild.step(target).await?;
        report(Progress {
            projection,
            position: rebuild.position(),
            target,
            applied: rebuild.applied(),
        });
    }
    rebuild.analyze().await?;
    Ok(rebuild.compare().await?)
}
