//! Why a stream was not appended to.

use sqlx::PgConnection;

use super::{Answer, FoundEvent, SameStep, StreamAppend, append::Placed, as_i64};
use crate::Error;

/// Reads what is in the way: the stream's last sequence, and the events at the places that were wanted.
const READ_CONFLICTS: &str = "
SELECT n.ordinal,
       coalesce((SELECT last.sequence FROM events last
                 WHERE last.aggregate_type = n.aggregate_type AND last.aggregate_id = n.aggregate_id
                 ORDER BY last.sequence DESC LIMIT 1), 0) AS actual,
       e.sequence, e.event_type, e.payload::text
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
     AS n (aggregate_type, aggregate_id, expected, events, ordinal)
LEFT JOIN events e ON e.aggregate_type = n.aggregate_type AND e.aggregate_id = n.aggregate_id
     AND e.sequence > n.expected AND e.sequence <= n.expected + n.events
ORDER BY n.ordinal, e.sequence";

/// Which stream, its last sequence, and one event that was found: sequence, type, payload.
type Row = (i64, i64, Option<i64>, Option<String>, Option<String>);

/// What is in the way of one stream.
#[derive(Clone, Default)]
struct Obstacle {
    /// The stream's last sequence.
    actual: u64,
    /// The events at the places that were wanted.
    found: Vec<FoundEvent>,
}

/// Finds out why streams were not appended to. The reading statement begins after the inserting one ended, so it sees
/// the commit that was in the way.
pub(super) async fn explain(
    connection: &mut PgConnection,
    missed: &[Placed<'_>],
    same_step: &SameStep,
) -> Result<Vec<(usize, Answer)>, Error> {
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let obstacles = read(connection, missed).await?;
    Ok(missed
        .iter()
        .zip(obstacles)
        .map(|((place, stream), obstacle)| (*place, answer(stream, obstacle, same_step)))
        .collect())
}

/// Reads what is in the way of each stream, in their order.
async fn read(
    connection: &mut PgConnection,
    missed: &[Placed<'_>],
) -> Result<Vec<Obstacle>, Error> {
    let streams = || missed.iter().map(|(_, stream)| *stream);
    let types: Vec<&str> = streams().map(|s| s.aggregate_type.as_str()).collect();
    let ids: Vec<&str> = streams().map(|s| s.aggregate_id.as_str()).collect();
    let expected: Vec<i64> = streams().map(|s| as_i64(s.expected)).collect();
    let events: Vec<i64> = streams().map(|s| as_i64(s.events.len() as u64)).collect();
    let rows: Vec<Row> = sqlx::query_as(READ_CONFLICTS)
        .bind(types)
        .bind(ids)
        .bind(expected)
        .bind(events)
        .fetch_all(connection)
        .await
        .map_err(Error::database("read what is in the way of an append"))?;
    let mut obstacles = vec![Obstacle::default(); missed.len()];
    for (ordinal, actual, sequence, event_type, payload) in rows {
        let index = usize::try_from(ordinal - 1).ok();
        let Some(obstacle) = index.and_then(|index| obstacles.get_mut(index)) else {
            continue;
        };
        obstacle.actual = as_u64(actual);
        if let (Some(sequence), Some(event_type), Some(payload)) = (sequence, event_type, payload) {
            obstacle.found.push(FoundEvent {
                sequence: as_u64(sequence),
                event_type,
                payload,
            });
        }
    }
    Ok(obstacles)
}

/// The same step at every place that was wanted is no conflict.
fn answer(stream: &StreamAppend, obstacle: Obstacle, same_step: &SameStep) -> Answer {
    let Obstacle { actual, found } = obstacle;
    let mut pairs = stream.events.iter().zip(&found);
    let recorded =
        found.len() == stream.events.len() && pairs.all(|(new, found)| same_step(new, found));
    if recorded {
        Answer::AlreadyRecorded { version: actual }
    } else {
        Answer::Conflict {
            actual,
            found: found.into_iter().next(),
        }
    }
}

fn as_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
