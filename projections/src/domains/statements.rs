//! The statements behind lists of domains. A page looks at its own rows, however deep it is and wherever its filter's
//! matches lie: along the ordinals by the counters' members, see [`super::members`], and along a value by a walk for
//! each kind of rows, see [`super::kinds`]. Conditions that the counters do not keep apart are checked on the way.

use super::{Direction, Sort, sql::stretch_of};

macro_rules! columns {
    () => {
        "ordinal, name, pattern_offset, created_at, dns_status, dns_reason, addresses, http_status, http_reason, \
         fetched_at, evidence, keywords, keywords_unique, parked_confidence, has_contact, score, score_breakdown, \
         richness_score, microcrawl_gain, features, lead_status, rejection_reason, version"
    };
}

/// The filters that the counters keep apart, of parameters $1 to $12: conditions that rows and counters share.
macro_rules! counted {
    () => {
        "campaign_id = $1 \
         AND ($2::text IS NULL OR dns_status = $2) AND ($3::text IS NULL OR http_status = $3) \
         AND ($4::text IS NULL OR dns_reason = $4) AND ($5::text IS NULL OR http_reason = $5) \
         AND ($8::bool IS NULL OR has_contact = $8) AND ($10::bool IS NULL OR warned = $10) \
         AND ($11::text[] IS NULL OR rejection_reason = ANY($11)) \
         AND ($12::bool IS NULL OR (dns_status IN ('error', 'timeout') OR http_status IN ('error', 'timeout')) = $12)"
    };
}

/// Those that the counters do not keep apart.
macro_rules! uncounted {
    () => {
        " AND ($6::float8 IS NULL OR (http_status = 'ok' AND score >= $6)) \
         AND ($7::bool IS NULL OR (http_status = 'ok' AND (coalesce(parked_confidence, 0) < 0.45::real) = $7)) \
         AND ($9::text IS NULL OR (http_status = 'ok' AND keywords @> ARRAY[$9]))"
    };
}

/// What only a page can have, said so, for pages have an index of their own: with their values at hand the planner takes
/// the conditions apart and sees it.
macro_rules! of_pages {
    () => {
        " AND (NOT coalesce($8::bool, false) OR http_status = 'ok') \
         AND (NOT coalesce($10::bool, false) OR http_status = 'ok') \
         AND (NOT coalesce($11::text[] <@ '{qualified,low_score,no_keywords,parked}'::text[], false) \
             OR http_status = 'ok')"
    };
}

/// The rows that pass all filters, parameters $1 to $12.
macro_rules! filtered {
    () => {
        concat!(
            " FROM read.domains WHERE ",
            counted!(),
            of_pages!(),
            uncounted!()
        )
    };
}

/// The counters of rows that may pass: of the filters that they do not keep apart, what those imply.
macro_rules! may_pass {
    ($counters:literal) => {
        concat!(
            " FROM read.",
            $counters,
            " WHERE ",
            counted!(),
            of_pages!(),
            " AND ($6::float8 IS NULL OR (http_status = 'ok' AND scored)) \
             AND ($7::bool IS NULL OR http_status = 'ok') \
             AND ($9::text IS NULL OR (http_status = 'ok' AND keyword_hit))"
        )
    };
}

/// Returns a statement for all counters, for those of rows that lack a richness or a gain, or a number of keywords.
///
/// Whatever was scored has a richness and a gain, and nothing else does. Where keywords were looked for there is their
/// number, which may be 0.
macro_rules! lacking {
    ($lacking:expr, $statement:ident) => {
        match $lacking {
            None => $statement!(""),
            Some(Value::Richness | Value::Gain) => $statement!(" AND NOT scored"),
            Some(Value::Keywords) => $statement!(" AND NOT searched"),
        }
    };
}

/// Returns the statement for the stretches in which rows may pass the filters, in order, and how many rows that are: of
/// all rows, or of those that lack a value.
pub(super) const fn stretches(lacking: Option<Value>) -> &'static str {
    macro_rules! stretches {
        ($lacking:literal) => {
            concat!(
                "SELECT stretch, sum(n)::bigint AS matches",
                may_pass!("domain_counts"),
                $lacking,
                " GROUP BY stretch HAVING sum(n) > 0 ORDER BY stretch"
            )
        };
    }
    lacking!(lacking, stretches)
}

/// As [`stretches`], for the members of the stretches in $13.
pub(super) const fn members(lacking: Option<Value>) -> &'static str {
    macro_rules! members {
        ($lacking:literal) => {
            concat!(
                "SELECT stretch, bit_or(members) AS members",
                may_pass!("domain_counts"),
                $lacking,
                " AND stretch = ANY($13) GROUP BY stretch"
            )
        };
    }
    lacking!(lacking, members)
}

/// Stretches with the numbers of rows that pass, counted over the rows: exact for every filter. In no order, so that
/// nothing is sorted.
pub(super) const RECOUNTED_STRETCHES: &str = concat!(
    "SELECT ",
    stretch_of!(""),
    " AS stretch, count(*) AS matches",
    filtered!(),
    " GROUP BY 1"
);

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

/// Returns the statement for the kinds of rows that may pass the filters and have a value, parameters $1 to $12.
pub(super) const fn kinds(value: Value) -> &'static str {
    macro_rules! kinds {
        ($has:literal) => {
            concat!(
                "SELECT rejection_reason, has_contact, warned",
                may_pass!("domain_totals"),
                " AND ",
                $has,
                " AND n > 0 GROUP BY rejection_reason, has_contact, warned"
            )
        };
    }
    match value {
        Value::Richness | Value::Gain => kinds!("scored"),
        Value::Keywords => kinds!("searched"),
    }
}

/// Rows that have the value of a sort and come after the cursor: $13 and $14 are its value and its ordinal, `$bound` is
/// $13 in the column's type, as an index compares only like with like.
macro_rules! valued {
    ($value:literal, $bound:literal, $past:literal) => {
        concat!(
            " FROM read.domains WHERE ",
            counted!(),
            uncounted!(),
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

/// Walks along a value's own index, which has only rows that have it, and how many rows such walks go through in all.
pub(super) struct Valued {
    /// The rows, parameters $1 to $20: a walk for each kind of rows, merged. $18 and $19 are limit and offset, $20 both.
    pub(super) page: &'static str,
    /// Their number, parameters $1 to $14.
    pub(super) count: &'static str,
}

macro_rules! sorted {
    ($value:literal, $bound:literal, $direction:literal, $past:literal) => {
        Valued {
            page: concat!(
                "SELECT found.* FROM (SELECT place, value FROM unnest($15::text[], $16::bool[], $17::bool[]) \
                 AS kind(reason, contact, warning) CROSS JOIN LATERAL (SELECT ordinal AS place, ",
                $value,
                " AS value",
                valued!($value, $bound, $past),
                " AND sorted_reason = kind.reason AND has_contact = kind.contact AND warned = kind.warning ORDER BY ",
                $value,
                " ",
                $direction,
                ", ordinal ",
                $direction,
                " LIMIT $20) of_kind ORDER BY value ",
                $direction,
                ", place ",
                $direction,
                " LIMIT $18 OFFSET $19) page CROSS JOIN LATERAL (SELECT ",
                columns!(),
                " FROM read.domains WHERE campaign_id = $1 AND ordinal = page.place LIMIT 1) found ORDER BY value ",
                $direction,
                ", place ",
                $direction
            ),
            count: concat!("SELECT count(*)", valued!($value, $bound, $past)),
        }
    };
}

/// Returns the walks along the index of a value.
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

/// The rows at the ordinals in $13, all or those that lack a value, in no order. Each is looked up by itself: a planner
/// without statistics would rather filter a walk through the campaign by them.
pub(super) const fn at_places(lacking: Option<Value>) -> &'static str {
    macro_rules! places {
        ($lacking:literal) => {
            concat!(
                "SELECT found.* FROM unnest($13::bigint[]) AS wanted(place) CROSS JOIN LATERAL (SELECT ",
                columns!(),
                filtered!(),
                " AND ordinal = wanted.place",
                $lacking,
                " LIMIT 1) found"
            )
        };
    }
    match lacking {
        None => places!(""),
        Some(Value::Richness) => places!(" AND richness_score IS NULL"),
        Some(Value::Gain) => places!(" AND microcrawl_gain IS NULL"),
        Some(Value::Keywords) => places!(" AND keywords_unique IS NULL"),
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
