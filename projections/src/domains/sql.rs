//! The statements that move domains and their counts together.

/// For this transaction: every row is looked up by its key and written by its place. The planner, going by statistics of
/// a table that has grown since or by none, would join a page of results to all domains of all campaigns instead. And
/// what is counted is grouped by hashing: the combinations are few, and to sort rows by them compares every column of two
/// rows that are alike.
pub(super) const ROW_BY_ROW: &str = "SELECT set_config('enable_hashjoin', 'off', true), \
    set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true), \
    set_config('enable_sort', 'off', true)";

/// How many ordinals a stretch has. Existing counters are of this length: another one is a migration that recounts them.
macro_rules! ordinals_of_a_stretch {
    () => {
        4096
    };
}

/// The stretch of a row of domains, the prefix with its dot.
macro_rules! stretch_of {
    ($prefix:literal) => {
        concat!(
            $prefix,
            "ordinal / ",
            $crate::domains::sql::ordinals_of_a_stretch!()
        )
    };
}

/// Ordinals of a stretch, each as one bit: those of the rows of an aggregate or, with none, of no row.
macro_rules! members_of {
    ($aggregate:literal) => {
        concat!(
            $aggregate,
            "(set_bit(repeat('0', ",
            $crate::domains::sql::ordinals_of_a_stretch!(),
            ")::bit(",
            $crate::domains::sql::ordinals_of_a_stretch!(),
            "), (ordinal % ",
            $crate::domains::sql::ordinals_of_a_stretch!(),
            ")::integer, 1))"
        )
    };
}

/// The columns of a domain that are counted, each behind the given prefix. They are the key of `domain_totals`, and with
/// the stretch that of `domain_counts`.
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
            "has_contact, ",
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
         former_has_contact, former_lead_status, former_rejection_reason, former_keyword_hit, former_scored, \
         former_high_potential, former_warned"
    };
}

/// Puts what `net` has, rows of counted columns with a stretch, a number and members, into the counters: two expressions,
/// `moved` and `totalled`. Members are exchanged: those that come in are not there yet, and those that go are.
macro_rules! count_net {
    () => {
        concat!(
            "moved AS (INSERT INTO domain_counts AS c (", $crate::domains::sql::categories!(""),
            ", stretch, n, members) SELECT ", $crate::domains::sql::categories!(""),
            ", stretch, n, members FROM net ON CONFLICT (", $crate::domains::sql::categories!(""),
            ", stretch) DO UPDATE SET n = c.n + EXCLUDED.n, members = c.members # EXCLUDED.members), ",
            "totalled AS (INSERT INTO domain_totals AS c (", $crate::domains::sql::categories!(""), ", n) SELECT ",
            $crate::domains::sql::categories!(""), ", sum(n) FROM net GROUP BY ", $crate::domains::sql::categories!(""),
            " HAVING sum(n) <> 0 ON CONFLICT (", $crate::domains::sql::categories!(""),
            ") DO UPDATE SET n = c.n + EXCLUDED.n)"
        )
    };
}

/// An update of domains that moves the counts with the rows: `found` looks each row up once and keeps what it is
/// counted as, the update goes to the rows by their place, and the counts take the difference. Nobody else writes
/// these rows (a projection has one leader), so a place found is a place that holds. Answers each campaign and stretch
/// of which rows were updated, and how many: [`Updated`](super::counts::Updated). `$with` are expressions that go before,
/// each with its comma; `$found` is what `found` keeps besides and where it looks, with the domains as `d`; `$set`
/// assigns, from `i` where it has been found.
macro_rules! counted_update {
    ($with:expr, $found:expr, $set:expr) => {
        concat!(
            "WITH ", $with, "found AS MATERIALIZED (SELECT d.ctid AS place, ",
            "d.campaign_id AS former_campaign_id, d.dns_status AS former_dns_status, ",
            "d.dns_reason AS former_dns_reason, d.http_status AS former_http_status, ",
            "d.http_reason AS former_http_reason, d.has_contact AS former_has_contact, ",
            "d.lead_status AS former_lead_status, ",
            "d.rejection_reason AS former_rejection_reason, d.keyword_hit AS former_keyword_hit, ",
            "d.scored AS former_scored, d.high_potential AS former_high_potential, d.warned AS former_warned",
            $found, "), ",
            "after AS (UPDATE domains d SET ", $set, " FROM found i WHERE d.ctid = i.place RETURNING ",
            $crate::domains::sql::former!(), ", ", $crate::domains::sql::categories!("d."), ", ",
            $crate::domains::sql::stretch_of!("d."), " AS stretch, d.ordinal), ",
            "delta (", $crate::domains::sql::categories!(""), ", stretch, n, members) AS (SELECT ",
            $crate::domains::sql::former!(), ", stretch, -count(*), ",
            $crate::domains::sql::members_of!("bit_xor"), " FROM after GROUP BY ", $crate::domains::sql::former!(),
            ", stretch UNION ALL SELECT ", $crate::domains::sql::categories!(""), ", stretch, count(*), ",
            $crate::domains::sql::members_of!("bit_xor"), " FROM after GROUP BY ",
            $crate::domains::sql::categories!(""), ", stretch), ",
            "net AS (SELECT ", $crate::domains::sql::categories!(""),
            ", stretch, sum(n) AS n, bit_xor(members) AS members FROM delta GROUP BY ",
            $crate::domains::sql::categories!(""),
            ", stretch HAVING sum(n) <> 0 OR bit_count(bit_xor(members)) > 0), ",
            $crate::domains::sql::count_net!(),
            " SELECT campaign_id, stretch, count(*) AS rows FROM after GROUP BY campaign_id, stretch"
        )
    };
}

/// The [`counted_update`] of a batch of results. $1 to $4 are the campaign, name, version and run of each; `$types`
/// are the parameters that follow, with their types, `$names` what they are called in `$set`, which assigns from `i`.
macro_rules! result_update {
    ($types:literal, $names:literal, $set:literal) => {
        $crate::domains::sql::counted_update!(
            concat!(
                "input AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], ",
                $types, ") AS t(campaign_id, name, version, run, ", $names, ")), "
            ),
            ", i.* FROM input i JOIN domains d ON d.campaign_id = i.campaign_id AND d.name = i.name",
            concat!("version = greatest(d.version, i.version), ", $set)
        )
    };
}

pub(super) use categories;
pub(super) use count_net;
pub(super) use counted_update;
pub(super) use former;
pub(super) use members_of;
pub(super) use ordinals_of_a_stretch;
pub(super) use result_update;
pub(super) use stretch_of;
