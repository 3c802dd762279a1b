//! The statement that every batch of results goes through.

/// The columns that are counted, in the order of `domain_counts`' key, each behind the given prefix.
macro_rules! categories {
    ($prefix:literal) => {
        concat!(
            $prefix, "campaign_id, ", $prefix, "dns_status, ", $prefix, "dns_reason, ",
            $prefix, "http_status, ", $prefix, "http_reason, ", $prefix, "lead_status, ",
            $prefix, "rejection_reason, ", $prefix, "keyword_hit, ", $prefix, "scored, ",
            $prefix, "high_potential, ", $prefix, "warned"
        )
    };
}

/// An update of domains that moves the counts with the rows: `before` sees the rows as they were (all parts of a
/// statement see one snapshot), `after` what became of them, and the counts take the difference. Answers how many
/// rows were updated. `$input` selects the batch as columns that begin with campaign id and name; `$set` assigns
/// from `i`.
macro_rules! counted_update {
    ($input:literal, $set:literal) => {
        concat!(
            "WITH input AS MATERIALIZED (", $input, "), ",
            "before AS (SELECT ", $crate::domains::sql::categories!("d."), ", count(*) AS n FROM domains d ",
            "JOIN input i ON d.campaign_id = i.campaign_id AND d.name = i.name ",
            "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), ",
            "after AS (UPDATE domains d SET ", $set, " FROM input i ",
            "WHERE d.campaign_id = i.campaign_id AND d.name = i.name RETURNING ",
            $crate::domains::sql::categories!("d."), "), ",
            "delta AS (SELECT ", $crate::domains::sql::categories!(""), ", -n AS n FROM before UNION ALL SELECT ",
            $crate::domains::sql::categories!(""), ", 1 FROM after), ",
            "moved AS (INSERT INTO domain_counts AS c (", $crate::domains::sql::categories!(""), ", n) SELECT ",
            $crate::domains::sql::categories!(""), ", sum(n) FROM delta GROUP BY ",
            $crate::domains::sql::categories!(""), " HAVING sum(n) <> 0 ON CONFLICT (",
            $crate::domains::sql::categories!(""), ") DO UPDATE SET n = c.n + EXCLUDED.n) ",
            "SELECT count(*) FROM after"
        )
    };
}

pub(super) use categories;
pub(super) use counted_update;
