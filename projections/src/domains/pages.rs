//! Reading the rows of a page: at the places that the counters tell, or by walks along an index from the cursor on until
//! the page is full.

use std::collections::HashMap;

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, types::BitVec};

use super::{
    Direction, Filter, Listed, Page,
    kinds::Kinds,
    list::filtered,
    members::Places,
    runs::Runs,
    statements::{self, Value},
    stretches::Stretches,
};
use crate::tables::Tables;

/// For this transaction. A table that grew by a million rows a moment ago has no statistics yet, and the planner, who
/// then takes a campaign, or what a filter leaves of it, for small, would fetch and sort all of it for every page.
pub(super) const FOLLOW_THE_INDEX: &str = "SELECT set_config('enable_bitmapscan', 'off', true), \
    set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), \
    set_config('enable_incremental_sort', 'off', true)";

impl Page {
    /// Returns the value that the page is sorted by, if it is not the ordinal, and the direction.
    pub(super) const fn order(&self) -> (Option<Value>, Direction) {
        match self.sort {
            None => (None, Direction::Ascending),
            Some((sort, direction)) => (Value::of(sort), direction),
        }
    }

    fn cursor(&self) -> Option<i64> {
        self.after.map(|(_, ordinal)| ordinal)
    }
}

/// A campaign's rows that pass a filter, read in one transaction.
pub(super) struct Reader<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) tables: Tables,
    pub(super) campaign_id: CampaignId,
    pub(super) filter: &'a Filter,
}

impl Reader<'_> {
    /// Reads a page; where its rows are, if that is known already. Goes along the indexes for the rest of the transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn page(
        mut self,
        page: &Page,
        matching: Option<&Stretches>,
    ) -> Result<Vec<Listed>, sqlx::Error> {
        sqlx::query(FOLLOW_THE_INDEX)
            .execute(&mut *self.connection)
            .await?;
        let (value, direction) = page.order();
        if let Some(value) = value {
            return self.sorted(page, value, direction).await;
        }
        // Without a filter every row is a match.
        if page.offset == 0 && *self.filter == Filter::default() {
            let everywhere = Runs::everywhere(page.cursor(), direction);
            return self.walk(&everywhere, None, direction, page.limit).await;
        }
        let counted;
        let matching = match matching {
            Some(matching) => matching,
            None => {
                counted = self.matching(page.offset).await?;
                &counted
            }
        };
        let along = Along {
            lacking: None,
            cursor: page.cursor(),
            direction,
            offset: page.offset,
            limit: page.limit,
        };
        self.along(matching, &along).await
    }

    /// Finds out where the matches are, exact where an offset is to be taken off them.
    async fn matching(&mut self, offset: i64) -> Result<Stretches, sqlx::Error> {
        let (connection, tables) = (&mut *self.connection, self.tables);
        let campaign_id = self.campaign_id;
        match offset {
            0 => Stretches::counted(connection, tables, campaign_id, self.filter, None).await,
            _ => Stretches::exact(connection, tables, campaign_id, self.filter).await,
        }
    }

    /// Reads a page sorted by a value that a row may lack: first along the value's own index, then, for what is missing of
    /// the page, along the ordinals through the rest.
    async fn sorted(
        mut self,
        page: &Page,
        value: Value,
        direction: Direction,
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let in_the_rest = matches!(page.after, Some((None, _)));
        let (mut rows, mut offset) = (Vec::new(), page.offset);
        if !in_the_rest {
            (rows, offset) = self.valued(page, value, direction).await?;
        }
        let missing = missing(page.limit, &rows);
        if missing == 0 {
            return Ok(rows);
        }
        let (connection, tables) = (&mut *self.connection, self.tables);
        let campaign_id = self.campaign_id;
        let rest =
            Stretches::counted(connection, tables, campaign_id, self.filter, Some(value)).await?;
        let along = Along {
            lacking: Some(value),
            cursor: page.cursor().filter(|_| in_the_rest),
            direction,
            offset,
            limit: missing,
        };
        let rest = self.along(&rest, &along).await?;
        rows.extend(rest);
        Ok(rows)
    }

    /// Reads the part of a page that has the value, and answers what of the offset is left for the rest.
    async fn valued(
        &mut self,
        page: &Page,
        value: Value,
        direction: Direction,
    ) -> Result<(Vec<Listed>, i64), sqlx::Error> {
        let (connection, tables) = (&mut *self.connection, self.tables);
        let campaign_id = self.campaign_id;
        let kinds = Kinds::of(connection, tables, campaign_id, self.filter, value).await?;
        if kinds.is_empty() {
            return Ok((Vec::new(), page.offset));
        }
        let statements = statements::valued(value, direction);
        let after = page.after.and_then(|(value, _)| value);
        let statement = tables.of(statements.page);
        let query = sqlx::query_as(&statement);
        let rows: Vec<Listed> = filtered!(query, self.campaign_id, self.filter)
            .bind(after)
            .bind(page.cursor())
            .bind(kinds.reasons)
            .bind(kinds.contacts)
            .bind(kinds.warnings)
            .bind(page.limit)
            .bind(page.offset)
            .bind(page.limit.saturating_add(page.offset))
            .fetch_all(&mut *self.connection)
            .await?;
        if page.offset == 0 || !rows.is_empty() {
            return Ok((rows, 0));
        }
        let statement = tables.of(statements.count);
        let query = sqlx::query_scalar(&statement);
        let left_out: i64 = filtered!(query, self.campaign_id, self.filter)
            .bind(after)
            .bind(page.cursor())
            .fetch_one(&mut *self.connection)
            .await?;
        Ok((rows, page.offset - left_out))
    }

    /// Reads rows in the order of their ordinals.
    async fn along(
        &mut self,
        matching: &Stretches,
        along: &Along,
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let (cursor, direction, offset) = (along.cursor, along.direction, along.offset);
        if !self.filter.is_counted() {
            let runs = Runs::of(matching, cursor, direction, offset);
            return self
                .walk(&runs, along.lacking, direction, along.limit)
                .await;
        }
        let mut places = Places::new(matching, cursor, direction, offset, along.limit);
        let mut rows = Vec::new();
        loop {
            self.find(&mut places, along).await?;
            let found = places.take();
            let there = self.at(&found, along).await?;
            let lost = found.len() - there.len();
            rows.extend(there);
            if lost == 0 {
                return Ok(rows);
            }
            // A list that ended here would look complete.
            tracing::error!(campaign = %self.campaign_id.0, lost, "counters name domains that do not pass: run `replay check`");
            places.want(lost);
        }
    }

    /// Asks the counters until the page is full or nothing is left.
    async fn find(&mut self, places: &mut Places, along: &Along) -> Result<(), sqlx::Error> {
        loop {
            let parts = places.next();
            if parts.is_empty() {
                return Ok(());
            }
            let stretches: Vec<i64> = parts.iter().map(|part| part.stretch).collect();
            let statement = self.tables.of(statements::members(along.lacking));
            let query = sqlx::query_as(&statement);
            let members: Vec<(i64, BitVec)> = filtered!(query, self.campaign_id, self.filter)
                .bind(stretches)
                .fetch_all(&mut *self.connection)
                .await?;
            let members: HashMap<i64, BitVec> = members.into_iter().collect();
            for part in &parts {
                if let Some(members) = members.get(&part.stretch) {
                    places.add(part, members);
                }
            }
        }
    }

    /// Reads the rows at these ordinals.
    async fn at(&mut self, ordinals: &[i64], along: &Along) -> Result<Vec<Listed>, sqlx::Error> {
        if ordinals.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.tables.of(statements::at_places(along.lacking));
        let query = sqlx::query_as(&statement);
        let mut rows: Vec<Listed> = filtered!(query, self.campaign_id, self.filter)
            .bind(ordinals)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.sort_unstable_by_key(|row| row.ordinal);
        if along.direction == Direction::Descending {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Walks through runs, one after the other, until so many rows are found.
    async fn walk(
        &mut self,
        runs: &Runs,
        lacking: Option<Value>,
        direction: Direction,
        limit: i64,
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let mut rows = Vec::new();
        let mut offset = runs.offset;
        for run in &runs.runs {
            let missing = missing(limit, &rows);
            if missing == 0 {
                break;
            }
            let statement = self.tables.of(statements::run(lacking, direction));
            let query = sqlx::query_as(&statement);
            let found: Vec<Listed> = filtered!(query, self.campaign_id, self.filter)
                .bind(run.first)
                .bind(run.last)
                .bind(missing)
                .bind(offset)
                .fetch_all(&mut *self.connection)
                .await?;
            rows.extend(found);
            offset = 0;
        }
        Ok(rows)
    }
}

/// What a page takes along the ordinals.
struct Along {
    /// Only rows that lack this value.
    lacking: Option<Value>,
    /// The ordinal after which it begins.
    cursor: Option<i64>,
    direction: Direction,
    /// Matches to leave out.
    offset: i64,
    /// Rows at most.
    limit: i64,
}

/// Returns how many rows a page has still room for.
fn missing(limit: i64, rows: &[Listed]) -> i64 {
    limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}
