//! One campaign's counters held against its rows, and put right.
//!
//! Rows and counters move together, so that they agree at every moment, also of a campaign that runs: what differs is
//! wrong. A look is one statement, which sees one moment. A correction holds the projection's lock, so that nobody
//! counts meanwhile, and the statement that corrects finds anew what is to be corrected.

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::sql::{categories, members_of, stretch_of};

/// How the counters of a campaign stand to its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Domains of the campaign.
    pub domains: u64,
    /// Counters that are not the recount of their rows.
    pub counters: u64,
    /// Domains that are counted where they do not belong, or not where they do.
    pub wrong: u64,
}

impl Drift {
    /// Returns how much is counted wrongly, in percent of the domains; of a campaign without any, of one.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of domains are far below 2^52"
    )]
    pub fn percent(&self) -> f64 {
        self.wrong as f64 / self.domains.max(1) as f64 * 100.0
    }
}

/// What a correction came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// What was found.
    pub drift: Drift,
    /// Counters that were put right.
    pub corrections: u64,
}

/// Counters of campaign $1 that differ from their rows: `of_stretches`, and `of_all` over all stretches. Where there are
/// no rows, `n` is absent. A counter with the right number of domains and others than it should have is as wrong as the
/// number of those.
macro_rules! drifted {
    () => {
        concat!(
            "WITH recounted AS MATERIALIZED (SELECT ", categories!(""), ", ", stretch_of!(""),
            " AS stretch, count(*) AS n, ", members_of!("bit_or"),
            " AS members FROM read.domains WHERE campaign_id = $1 GROUP BY ", categories!(""), ", stretch), ",
            "of_stretches AS MATERIALIZED (SELECT ", categories!(""), ", stretch, recounted.n, recounted.members, ",
            "greatest(abs(coalesce(counted.n, 0) - coalesce(recounted.n, 0)), ",
            "coalesce(bit_count(counted.members # recounted.members), 0)) AS wrong ",
            "FROM (SELECT * FROM read.domain_counts WHERE campaign_id = $1) counted FULL JOIN recounted USING (",
            categories!(""), ", stretch) WHERE counted.n IS DISTINCT FROM recounted.n ",
            "OR counted.members IS DISTINCT FROM recounted.members), ",
            "of_all AS MATERIALIZED (SELECT ", categories!(""), ", recounted.n, ",
            "abs(coalesce(counted.n, 0) - coalesce(recounted.n, 0)) AS wrong ",
            "FROM (SELECT * FROM read.domain_totals WHERE campaign_id = $1) counted FULL JOIN (SELECT ",
            categories!(""), ", sum(n)::bigint AS n FROM recounted GROUP BY ", categories!(""),
            ") recounted USING (", categories!(""), ") WHERE counted.n IS DISTINCT FROM recounted.n)"
        )
    };
}

/// What that comes to. A domain that is wrong in a stretch is mostly wrong in all as well, and is one.
macro_rules! sums {
    () => {
        "coalesce((SELECT sum(n) FROM recounted), 0)::bigint, \
         (SELECT count(*) FROM of_stretches) + (SELECT count(*) FROM of_all), \
         greatest(coalesce((SELECT sum(wrong) FROM of_stretches), 0), \
                  coalesce((SELECT sum(wrong) FROM of_all), 0))::bigint"
    };
}

const LOOK: &str = concat!(drifted!(), " SELECT ", sums!());

/// The first $2 of them put right, those that answers are made of before those that lists are walked by.
const CORRECT: &str = concat!(
    drifted!(),
    ", all_chosen AS MATERIALIZED (SELECT * FROM of_all ORDER BY ",
    categories!(""),
    " LIMIT $2), ",
    "chosen AS MATERIALIZED (SELECT * FROM of_stretches ORDER BY stretch, ",
    categories!(""),
    " LIMIT $2 - (SELECT count(*) FROM all_chosen)), ",
    "all_gone AS (DELETE FROM read.domain_totals c USING all_chosen d WHERE d.n IS NULL AND (",
    categories!("c."),
    ") = (",
    categories!("d."),
    ")), ",
    "all_put AS (INSERT INTO read.domain_totals (",
    categories!(""),
    ", n) SELECT ",
    categories!(""),
    ", n FROM all_chosen WHERE n IS NOT NULL ON CONFLICT (",
    categories!(""),
    ") DO UPDATE SET n = EXCLUDED.n), ",
    "gone AS (DELETE FROM read.domain_counts c USING chosen d WHERE d.n IS NULL AND c.stretch = d.stretch AND (",
    categories!("c."),
    ") = (",
    categories!("d."),
    ")), ",
    "put AS (INSERT INTO read.domain_counts (",
    categories!(""),
    ", stretch, n, members) SELECT ",
    categories!(""),
    ", stretch, n, members FROM chosen WHERE n IS NOT NULL ON CONFLICT (",
    categories!(""),
    ", stretch) DO UPDATE SET n = EXCLUDED.n, members = EXCLUDED.members) ",
    "SELECT ",
    sums!(),
    ", (SELECT count(*) FROM all_chosen) + (SELECT count(*) FROM chosen)"
);

/// The lock that the projection's leader holds for each of its steps, and a rebuild for its swap.
const HOLD: &str = "SELECT pg_advisory_xact_lock(hashtext('projection'), hashtext('domains'))";
/// A rebuild may hold the lock for long: then the next look corrects.
const NO_LONGER: &str = "SELECT set_config('lock_timeout', '10s', true)";

const CAMPAIGNS: &str = "SELECT campaign_id FROM read.campaigns WHERE campaign_id > $1 \
    UNION SELECT campaign_id FROM read.domain_totals WHERE campaign_id > $1 ORDER BY 1 LIMIT $2";

/// Lists campaigns that have or should have counters, in order: those after one, or from the first on.
///
/// # Errors
/// When the database does not answer.
pub async fn campaigns_after(
    pool: &PgPool,
    after: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<CampaignId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(CAMPAIGNS)
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    Ok(ids.into_iter().map(CampaignId).collect())
}

/// Holds a campaign's counters against its rows, both of the same moment.
///
/// # Errors
/// When the database does not answer.
pub async fn drift_of(pool: &PgPool, campaign_id: CampaignId) -> Result<Drift, sqlx::Error> {
    let (domains, counters, wrong) = sqlx::query_as(LOOK)
        .bind(campaign_id.0)
        .fetch_one(pool)
        .await?;
    Ok(drift(domains, counters, wrong))
}

/// Puts at most so many of a campaign's counters right, in the caller's transaction, until whose end the projection
/// stands still. The transaction must let each statement see what was committed before it (READ COMMITTED).
///
/// # Errors
/// When the database does not answer, or somebody else has the projection for longer than ten seconds.
pub async fn correct(
    transaction: &mut PgConnection,
    campaign_id: CampaignId,
    most: u64,
) -> Result<Corrected, sqlx::Error> {
    sqlx::query(NO_LONGER).execute(&mut *transaction).await?;
    sqlx::query(HOLD).execute(&mut *transaction).await?;
    let (domains, counters, wrong, corrections): (i64, i64, i64, i64) = sqlx::query_as(CORRECT)
        .bind(campaign_id.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_one(transaction)
        .await?;
    Ok(Corrected {
        drift: drift(domains, counters, wrong),
        corrections: number(corrections),
    })
}

fn drift(domains: i64, counters: i64, wrong: i64) -> Drift {
    Drift {
        domains: number(domains),
        counters: number(counters),
        wrong: number(wrong),
    }
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_told_in_percent_of_the_domains() {
        let drift = Drift {
            domains: 200,
            counters: 2,
            wrong: 1,
        };
        assert!((drift.percent() - 0.5).abs() < 1e-12);
        let nothing = Drift::default();
        assert!(nothing.percent().abs() < 1e-12);
        let of_nobody = Drift {
            wrong: 3,
            ..nothing
        };
        assert!(of_nobody.percent() > 100.0);
    }
}
