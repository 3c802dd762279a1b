//! Rebuilding: a projection is built again from the log, compared, and put in the live tables' place.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event_store::{Database, Position};
use projections::runtime::{Comparison, Projection, Rebuild, SWAP_PATIENCE};

use crate::{
    Error, Progress,
    verify::{compare, throw_away},
};

/// What a rebuild came to.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The projection.
    pub projection: &'static str,
    /// The position that the tables were at when they took the live ones' place.
    pub position: Position,
    /// Events that were applied up to the comparison and beyond, before the swap.
    pub applied: u64,
    /// How the old tables compare with the new: what the rebuild has changed.
    pub comparison: Comparison,
    /// How long it took.
    pub elapsed: Duration,
}

/// Builds a projection again from the first event and swaps it in, while the live tables go on serving queries and
/// taking events in. A live projection that stands still because of an event is replaced as well, provided that this
/// version of the program can apply the event.
///
/// # Errors
/// When an event cannot be applied, the database fails, readers hold the live tables for half an hour, or another rebuild
/// of the projection is under way. The live tables are as they were then, and nothing is left of the rebuild's.
pub async fn rebuild(
    database: &Database,
    projection: Arc<dyn Projection>,
    mut report: impl FnMut(Progress),
) -> Result<Rebuilt, Error> {
    let began = Instant::now();
    let name = projection.name();
    let mut rebuild = Rebuild::begin(database.clone(), projection).await?;
    let prepared = prepare(database, &mut rebuild, name, &mut report).await;
    let comparison = match prepared {
        Ok(comparison) => comparison,
        Err(error) => {
            throw_away(rebuild, name).await;
            return Err(error);
        }
    };
    let applied = rebuild.applied();
    let position = rebuild.swap(SWAP_PATIENCE).await?;
    Ok(Rebuilt {
        projection: name,
        position,
        applied,
        comparison,
        elapsed: began.elapsed(),
    })
}

/// Compares at the live position, then goes on to the end of the log, where the live tables may not be able to follow.
async fn prepare(
    database: &Database,
    rebuild: &mut Rebuild,
    name: &'static str,
    report: &mut impl FnMut(Progress),
) -> Result<Comparison, Error> {
    let comparison = compare(rebuild, name, report).await?;
    let head = database.feed().head().await?;
    while rebuild.step(head).await? {
        report(Progress {
            projection: name,
            position: rebuild.position(),
            target: head,
            applied: rebuild.applied(),
        });
    }
    Ok(comparison)
}
