//! The statements behind lists of domains. Each page is a walk along an index from its cursor on, so what it costs
//! does not grow with its depth; filters are checked on the way. Walks along the ordinals go through runs of stretches
//! that have a match: see [`super::stretches`].

use super::{Direction, Sort, sql::stretch_of};

macro_rules! columns {
    () => {
        "ordinal, name, pattern_offset, created_at, dns_status, dns_reason, addresses, http_status, http_reason, \
         fetched_at, evidence, keywords, keywords_unique, parked_confidence, has_contact, score, score_breakdown, \
         richness_score, microcrawl_gain, features, lead_status, rejection_reason, version"
    };
}

/// The filters that the counters keep apart, of parameters $1 to $12: conditions that rows and counters share. What only
/// a page can have says so, for pages have an index of their own: with their values at hand the planner takes the
/// conditions apart and sees it.
macro_rules! counted {
    () => {
        "campaign_id = $1 \
         AND ($2::text IS NULL OR dns_status = $2) AND ($3::text IS NULL OR http_status = $3) \
         AND ($4::text IS NULL OR dns_reason = $4) AND ($5::text IS NULL OR http_reason = $5) \
         AND ($8::bool IS NULL OR (has_contact = $8 AND (NOT $8 OR http_status = 'ok'))) \
         AND ($10::bool IS NULL OR (warned = $10 AND (NOT $10 OR http_status = 'ok'))) \
         AND ($11::text[] IS NULL OR (rejection_reason = ANY($11) AND (http_status = 'ok' \
             OR NOT $11 <@ '{qualified,low_score,no_keywords,parked}'::text[]))) \
         AND ($12::bool IS NULL OR (dns_status IN ('error', 'timeout') OR http_status IN ('error', 'timeout')) = $12)"
    };
}

/// The rows that pass all filters, parameters $1 to $12.
macro_rules! filtered {
    () => {
        concat!(
            " FROM read.domains WHERE ",
            counted!(),
            " AND ($6::float8 IS NULL OR (http_status = 'ok' AND score >= $6)) \
             AND ($7::bool IS NULL OR (http_status = 'ok' AND (coalesce(parked_confidence, 0) < 0.45::real) = $7)) \
             AND ($9::text IS NULL OR (http_status = 'ok' AND keywords @> ARRAY[$9]))"
        )
    };
}

/// The counters of rows that may pass: of the filters that they do not keep apart, what those imply.
macro_rules! may_pass {
    () => {
        concat!(
            " FROM read.domain_counts WHERE ",
            counted!(),
            " AND ($6::float8 IS NULL OR (http_status = 'ok' AND scored)) \
             AND ($7::bool IS NULL OR http_status = 'ok') \
             AND ($9::text IS NULL OR (http_status = 'ok' AND keyword_hit))"
        )
    };
}

/// The stretches in which rows may pass the filters, in order, and how many rows that are.
pub(super) const STRETCHES: &str = concat!(
    "SELECT stretch, sum(n)::bigint AS matches",
    may_pass!(),
    " GROUP BY stretch HAVING sum(n) > 0 ORDER BY stretch"
);

/// As [`STRETCHES`], counted over the rows: exact for every filter. In no order, so that nothing is sorted.
pub(super) const RECOUNTED_STRETCHES: &str = concat!(
    "SELECT ",
    stretch_of!(""),
    " AS stretch, count(*) AS matches",
    filtered!(),
    " GROUP BY 1"
);

/// For each stretch in which rows may pass the filters, how many of them may have a value, and how many may lack it.
macro_rules! parted {
    ($has:literal, $lacks:literal) => {
        concat!(
            "SELECT stretch, coalesce(sum(n) FILTER (WHERE ",
            $has,
            "), 0)::bigint AS valued, coalesce(sum(n) FILTER (WHERE ",
            $lacks,
            "), 0)::bigint AS rest",
            may_pass!(),
            " GROUP BY stretch ORDER BY stretch"
        )
    };
}

/// A value that a list is sorted by and that a row may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Richness,
    Gain,
    Keywords,
}

impl Value {
    /// Returns what a sort compares, if it is not the ordinal, which every row has.
    pub(super) const fn of(sort: Sort) -> Option<Self> {
        match sort {
            Sort::Ordinal => None,
            Sort::Richness => Some(Self::Richness),
            Sort::Gain => Some(Self::Gain),
            Sort::KeywordsUnique => Some(Self::Keywords),
        }
    }
}

/// Returns the statement that parts what may have a value from what may lack it, stretch by stretch, $1 to $12.
///
/// Whatever was scored has a richness and a gain, and nothing else does. Whatever a keyword was found for has their
/// number, which may be 0 for any other page, or absent where none was looked for.
pub(super) const fn parted(value: Value) -> &'static str {
    match value {
        Value::Richness | Value::Gain => parted!("scored", "NOT scored"),
        Value::Keywords => parted!("http_status = 'ok'", "NOT keyword_hit"),
    }
}

/// Rows that have the value of a sort and come after the cursor: $13 and $14 are its value and its ordinal, `$bound` is
/// $13 in the column's type, as an index compares only like with like.
macro_rules! valued {
    ($value:literal, $bound:literal, $past:literal) => {
        concat!(
            filtered!(),
            " AND ",
            $value,
            " IS NOT NULL AND ($14::bigint IS NULL OR ($13::float8 IS NOT NULL AND (",
            $value,
            ", ordinal) ",
            $past,
            " (",
            $bound,
            ", $14)))"
        )
    };
}

/// A walk along a value's own index, which has only rows that have it, and how many rows such walks go through in all.
pub(super) struct Valued {
    /// The rows, parameters $1 to $16.
    pub(super) page: &'static str,
    /// Their number, parameters $1 to $14.
    pub(super) count: &'static str,
}

macro_rules! sorted {
    ($value:literal, $bound:literal, $direction:literal, $past:literal) => {
        Valued {
            page: concat!(
                "SELECT ",
                columns!(),
                valued!($value, $bound, $past),
                " ORDER BY ",
                $value,
                " ",
                $direction,
                ", ordinal ",
                $direction,
                " LIMIT $15 OFFSET $16"
            ),
            count: concat!("SELECT count(*)", valued!($value, $bound, $past)),
        }
    };
}

/// Returns the walk along the index of a value.
pub(super) const fn valued(value: Value, direction: Direction) -> Valued {
    match (value, direction) {
        (Value::Richness, Direction::Ascending) => sorted!("richness_score", "$13", "ASC", ">"),
        (Value::Richness, Direction::Descending) => sorted!("richness_score", "$13", "DESC", "<"),
        (Value::Gain, Direction::Ascending) => sorted!("microcrawl_gain", "$13", "ASC", ">"),
        (Value::Gain, Direction::Descending) => sorted!("microcrawl_gain", "$13", "DESC", "<"),
        // A cursor is what a client sends: a value that is no integer must not make the statement fail.
        (Value::Keywords, Direction::Ascending) => sorted!(
            "keywords_unique",
            "least(greatest($13, 0), 2147483647)::integer",
            "ASC",
            ">"
        ),
        (Value::Keywords, Direction::Descending) => sorted!(
            "keywords_unique",
            "least(greatest($13, 0), 2147483647)::integer",
            "DESC",
            "<"
        ),
    }
}

/// Walks along the ordinals from $13 to $14, upwards and downwards.
macro_rules! runs {
    ($lacking:literal) => {
        (
            runs!($lacking, " ORDER BY ordinal"),
            runs!($lacking, " ORDER BY ordinal DESC"),
        )
    };
    ($lacking:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            filtered!(),
            " AND ordinal BETWEEN $13 AND $14",
            $lacking,
            $order,
            " LIMIT $15 OFFSET $16"
        )
    };
}

/// Returns the walk along the ordinals, parameters $1 to $16, through all rows or those that lack a value.
pub(super) const fn run(lacking: Option<Value>, direction: Direction) -> &'static str {
    let (upwards, downwards) = match lacking {
        None => runs!(""),
        Some(Value::Richness) => runs!(" AND richness_score IS NULL"),
        Some(Value::Gain) => runs!(" AND microcrawl_gain IS NULL"),
        Some(Value::Keywords) => runs!(" AND keywords_unique IS NULL"),
    };
    match direction {
        Direction::Ascending => upwards,
        Direction::Descending => downwards,
    }
}

/// One domain, by campaign and name.
pub(super) const BY_NAME: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM read.domains WHERE campaign_id = $1 AND name = $2"
);
