//! The suppression list: its entries as they are listed, and as the engines' lists are made of them.

mod query;

use aggregates::suppression::Event;

pub use self::query::{Filter, List, Row, by_id, list, whole};
use crate::row_per_stream::{At, RowPerStream, Statement};

/// The projection behind the table `suppression_entries`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuppressionEntries;

const ADD: &str = "INSERT INTO suppression_entries (entry_id, kind, value, reason, note, added_by, added_at, version) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const REMOVE: &str = "DELETE FROM suppression_entries WHERE entry_id = $1";

impl RowPerStream for SuppressionEntries {
    const TABLE: &'static [&'static str; 1] = &["suppression_entries"];
    const AGGREGATE: &'static [&'static str; 1] = &["suppression_entry"];
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        match event {
            Event::AddedToSuppressionList {
                target,
                reason,
                note,
                added_by,
            } => sqlx::query(ADD)
                .bind(at.id)
                .bind(target.kind().name())
                .bind(target.value().to_owned())
                .bind(reason)
                .bind(note)
                .bind(added_by.0)
                .bind(at.time)
                .bind(at.version),
            Event::RemovedFromSuppressionList { .. } => sqlx::query(REMOVE).bind(at.id),
        }
    }
}
