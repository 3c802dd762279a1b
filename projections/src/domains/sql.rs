//! The statement that every batch of results goes through.

/// The columns that are counted, in the order of `domain_counts`' key, each behind the given prefix.
macro_rules! categories {
    ($prefix:literal) => {
        concat!(
            $prefix,
            "campaign_id, ",
            $prefix,
            "dns_status, ",
            $prefix,
            "dns_reason, ",
            $prefix,
            "http_status, ",
            $prefix,
            "http_reason, ",
            $prefix,
            "lead_status, ",
            $prefix,
            "rejection_reason, ",
            $prefix,
            "keyword_hit, ",
            $prefix,
            "scored, ",
            $prefix,
            "high_potential, ",
            $prefix,
            "warned"
        )
    };
}

/// The same columns as they were before an update.
macro_rules! former {
    () => {
        "former_campaign_id, former_dns_status, former_dns_reason, former_http_status, former_http_reason, \
         former_lead_status, former_rejection_reason, former_keyword_hit, former_scored, former_high_potential, \
         former_warned"
    };
}

/// An update of domains that moves the counts with the rows: `found` looks each row up once and keeps what it is
/// counted as, the update goes to the rows by their place, and the counts take the difference. Nobody else writes
/// these rows (a projection has one leader), so a place found is a place that holds. Answers how many rows were
/// updated. `$input` selects the batch as columns that begin with campaign id and name; `$set` assigns from `i`.
macro_rules! counted_update {
    ($input:literal, $set:literal) => {
        concat!(
            "WITH input AS MATERIALIZED (", $input, "), ",
            "found AS MATERIALIZED (SELECT d.ctid AS place, ",
            "d.campaign_id AS former_campaign_id, d.dns_status AS former_dns_status, ",
            "d.dns_reason AS former_dns_reason, d.http_status AS former_http_status, ",
            "d.http_reason AS former_http_reason, d.lead_status AS former_lead_status, ",
            "d.rejection_reason AS former_rejection_reason, d.keyword_hit AS former_keyword_hit, ",
            "d.scored AS former_scored, d.high_potential AS former_high_potential, d.warned AS former_warned, ",
            "i.* FROM input i JOIN domains d ON d.campaign_id = i.campaign_id AND d.name = i.name), ",
            "after AS (UPDATE domains d SET ", $set, " FROM found i WHERE d.ctid = i.place RETURNING ",
            $crate::domains::sql::former!(), ", ", $crate::domains::sql::categories!("d."), "), ",
            "delta AS (SELECT ", $crate::domains::sql::former!(), ", -count(*) AS n FROM after GROUP BY ",
            $crate::domains::sql::former!(), " UNION ALL SELECT ", $crate::domains::sql::categories!(""),
            ", count(*) FROM after GROUP BY ", $crate::domains::sql::categories!(""), "), ",
            "net (", $crate::domains::sql::categories!(""), ", n) AS (SELECT * FROM delta), ",
            "moved AS (INSERT INTO domain_counts AS c (", $crate::domains::sql::categories!(""), ", n) SELECT ",
            $crate::domains::sql::categories!(""), ", sum(n) FROM net GROUP BY ",
            $crate::domains::sql::categories!(""), " HAVING sum(n) <> 0 ON CONFLICT (",
            $crate::domains::sql::categories!(""), ") DO UPDATE SET n = c.n + EXCLUDED.n) ",
            "SELECT count(*) FROM after"
        )
    };
}

pub(super) use categories;
pub(super) use counted_update;
pub(super) use former;
