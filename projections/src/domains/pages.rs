//! Reading the rows of a page: walks along an index, from the cursor on, until the page is full.

use aggregates::ids::CampaignId;
use sqlx::PgConnection;

use super::{
    Direction, Filter, Listed, Page,
    list::filtered,
    runs::Runs,
    statements::{self, Value},
    stretches::{Parted, Stretches},
};

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
        let runs = self.runs(page, direction, matching).await?;
        self.walk(&runs, None, direction, page.limit).await
    }

    /// Finds out what a page by ordinal walks through.
    async fn runs(
        &mut self,
        page: &Page,
        direction: Direction,
        matching: Option<&Stretches>,
    ) -> Result<Runs, sqlx::Error> {
        let cursor = page.cursor();
        if let Some(matching) = matching {
            return Ok(Runs::of(matching, cursor, direction, page.offset));
        }
        // Without a filter every row is a match.
        if page.offset == 0 && *self.filter == Filter::default() {
            return Ok(Runs::everywhere(cursor, direction));
        }
        let (connection, campaign_id) = (&mut *self.connection, self.campaign_id);
        let matching = match page.offset {
            0 => Stretches::counted(connection, campaign_id, self.filter).await?,
            _ => Stretches::exact(connection, campaign_id, self.filter).await?,
        };
        Ok(Runs::of(&matching, cursor, direction, page.offset))
    }

    /// Reads a page sorted by a value that a row may lack: first along the value's own index, then, for what is missing of
    /// the page, along the ordinals through the rest.
    async fn sorted(
        mut self,
        page: &Page,
        value: Value,
        direction: Direction,
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let parted = Parted::counted(self.connection, self.campaign_id, self.filter, value).await?;
        let in_the_rest = matches!(page.after, Some((None, _)));
        let (mut rows, mut offset) = (Vec::new(), page.offset);
        if !in_the_rest && parted.valued > 0 {
            (rows, offset) = self.valued(page, value, direction).await?;
        }
        let cursor = page.cursor().filter(|_| in_the_rest);
        let runs = Runs::of(&parted.rest, cursor, direction, offset);
        let missing = missing(page.limit, &rows);
        let rest = self.walk(&runs, Some(value), direction, missing).await?;
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
        let statements = statements::valued(value, direction);
        let rows: Vec<Listed> = filtered!(
            sqlx::query_as(statements.page),
            self.campaign_id,
            self.filter
        )
        .bind(page.after.and_then(|(value, _)| value))
        .bind(page.cursor())
        .bind(page.limit)
        .bind(page.offset)
        .fetch_all(&mut *self.connection)
        .await?;
        if page.offset == 0 || !rows.is_empty() {
            return Ok((rows, 0));
        }
        let left_out: i64 = filtered!(
            sqlx::query_scalar(statements.count),
            self.campaign_id,
            self.filter
        )
        .bind(page.after.and_then(|(value, _)| value))
        .bind(page.cursor())
        .fetch_one(&mut *self.connection)
        .await?;
        Ok((rows, page.offset - left_out))
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
            let statement = sqlx::query_as(statements::run(lacking, direction));
            let found: Vec<Listed> = filtered!(statement, self.campaign_id, self.filter)
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

/// Returns how many rows a page has still room for.
fn missing(limit: i64, rows: &[Listed]) -> i64 {
    limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}
