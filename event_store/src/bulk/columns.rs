//! The events of an append, turned into the columns that `unnest` takes.

use sqlx::{Postgres, postgres::PgArguments, query::Query};

use super::{NewEvent, StreamAppend, as_i64};

/// The columns of an insert, one entry an event.
#[derive(Default)]
pub(super) struct Columns<'a> {
    aggregate_types: Vec<&'a str>,
    aggregate_ids: Vec<&'a str>,
    /// What the statement counts from: the expected version, or the event's own sequence.
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn push(&mut self, stream: &'a StreamAppend, sequence: u64, event: &'a NewEvent) {
        self.aggregate_types.push(&stream.aggregate_type);
        self.aggregate_ids.push(&stream.aggregate_id);
        self.sequences.push(as_i64(sequence));
        self.event_types.push(&event.event_type);
        self.event_versions.push(&event.event_version);
        self.payloads.push(&event.payload);
    }

    pub(super) fn len(&self) -> usize {
        self.payloads.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    /// Binds the columns, and behind them the metadata that all events share, to the statement of an insert.
    pub(super) fn query(
        &self,
        text: &'static str,
        metadata: &'a str,
    ) -> Query<'_, Postgres, PgArguments> {
        sqlx::query(text)
            .bind(&self.aggregate_types)
            .bind(&self.aggregate_ids)
            .bind(&self.sequences)
            .bind(&self.event_types)
            .bind(&self.event_versions)
            .bind(&self.payloads)
            .bind(metadata)
    }
}
