//! The statements behind lists of domains. Each page is a walk along an index from its cursor on, so what it costs
//! does not grow with its depth; filters are checked on the way.

use super::{Direction, Sort};

macro_rules! columns {
    () => {
        "ordinal, name, pattern_offset, created_at, dns_status, dns_reason, addresses, http_status, http_reason, \
         fetched_at, evidence, keywords, keywords_unique, parked_confidence, has_contact, score, score_breakdown, \
         richness_score, microcrawl_gain, features, lead_status, rejection_reason, version"
    };
}

/// The filters, parameters $1 to $12. What only a page can have says so, for pages have an index of their own: with their
/// values at hand the planner takes the conditions apart and sees it.
macro_rules! filtered {
    () => {
        " FROM read.domains WHERE campaign_id = $1 \
         AND ($2::text IS NULL OR dns_status = $2) AND ($3::text IS NULL OR http_status = $3) \
         AND ($4::text IS NULL OR dns_reason = $4) AND ($5::text IS NULL OR http_reason = $5) \
         AND ($6::float8 IS NULL OR (http_status = 'ok' AND score >= $6)) \
         AND ($7::bool IS NULL OR (http_status = 'ok' AND (coalesce(parked_confidence, 0) < 0.45::real) = $7)) \
         AND ($8::bool IS NULL OR (has_contact = $8 AND (NOT $8 OR http_status = 'ok'))) \
         AND ($9::text IS NULL OR (http_status = 'ok' AND keywords @> ARRAY[$9])) \
         AND ($10::bool IS NULL OR (warned = $10 AND (NOT $10 OR http_status = 'ok'))) \
         AND ($11::text[] IS NULL OR (rejection_reason = ANY($11) AND (http_status = 'ok' \
             OR NOT $11 <@ '{qualified,low_score,no_keywords,parked}'::text[]))) \
         AND ($12::bool IS NULL OR (dns_status IN ('error', 'timeout') OR http_status IN ('error', 'timeout')) = $12)"
    };
}

/// A page sorted by a value that a row may lack: first a walk along the value's own index, which has only rows that
/// have it, then, for what is missing of the page, one along the ordinals for the rest. $13 and $14 are the value and
/// the ordinal of the cursor; `$bound` is $13 in the column's type, as an index compares only like with like. An offset
/// is what a client sends: the sum with the page's length stops at the largest number.
macro_rules! sorted {
    ($value:literal, $bound:literal, $direction:literal, $past:literal) => {
        concat!(
            "WITH valued AS (SELECT ",
            columns!(),
            filtered!(),
            " AND ",
            $value,
            " IS NOT NULL AND ($14::bigint IS NULL \
             OR ($13::float8 IS NOT NULL AND (",
            $value,
            ", ordinal) ",
            $past,
            " (",
            $bound,
            ", $14))) ORDER BY ",
            $value,
            " ",
            $direction,
            ", ordinal ",
            $direction,
            " LIMIT $15::bigint + least($16::bigint, 9223372036854775807 - $15)), \
             rest AS (SELECT ",
            columns!(),
            filtered!(),
            " AND ",
            $value,
            " IS NULL AND ($14 IS NULL OR $13 IS NOT NULL \
             OR ordinal ",
            $past,
            " $14) ORDER BY ordinal ",
            $direction,
            " LIMIT greatest($15 + least($16, 9223372036854775807 - $15) - (SELECT count(*) FROM valued), 0)) \
             SELECT ",
            columns!(),
            " FROM (SELECT 0 AS part, * FROM valued UNION ALL SELECT 1, * FROM rest) both_parts \
             ORDER BY part, ",
            $value,
            " ",
            $direction,
            ", ordinal ",
            $direction,
            " LIMIT $15 OFFSET $16"
        )
    };
}

const BY_ORDINAL: &str = concat!(
    "SELECT ",
    columns!(),
    filtered!(),
    " AND ($13::float8 IS NULL OR true) AND ordinal > coalesce($14, -1) ORDER BY ordinal LIMIT $15 OFFSET $16"
);
const BY_ORDINAL_DESCENDING: &str = concat!(
    "SELECT ",
    columns!(),
    filtered!(),
    " AND ($13::float8 IS NULL OR true) AND ordinal < coalesce($14, 9223372036854775807) \
     ORDER BY ordinal DESC LIMIT $15 OFFSET $16"
);
const RICHNESS_ASCENDING: &str = sorted!("richness_score", "$13", "ASC", ">");
const RICHNESS_DESCENDING: &str = sorted!("richness_score", "$13", "DESC", "<");
const GAIN_ASCENDING: &str = sorted!("microcrawl_gain", "$13", "ASC", ">");
const GAIN_DESCENDING: &str = sorted!("microcrawl_gain", "$13", "DESC", "<");
// A cursor is what a client sends: a value that is no integer must not make the statement fail.
const KEYWORDS_ASCENDING: &str = sorted!(
    "keywords_unique",
    "least(greatest($13, 0), 2147483647)::integer",
    "ASC",
    ">"
);
const KEYWORDS_DESCENDING: &str = sorted!(
    "keywords_unique",
    "least(greatest($13, 0), 2147483647)::integer",
    "DESC",
    "<"
);

/// Returns the statement of a page, parameters $1 to $16.
pub(super) const fn page(sort: Option<(Sort, Direction)>) -> &'static str {
    match sort {
        None | Some((Sort::Ordinal, Direction::Ascending)) => BY_ORDINAL,
        Some((Sort::Ordinal, Direction::Descending)) => BY_ORDINAL_DESCENDING,
        Some((Sort::Richness, Direction::Ascending)) => RICHNESS_ASCENDING,
        Some((Sort::Richness, Direction::Descending)) => RICHNESS_DESCENDING,
        Some((Sort::Gain, Direction::Ascending)) => GAIN_ASCENDING,
        Some((Sort::Gain, Direction::Descending)) => GAIN_DESCENDING,
        Some((Sort::KeywordsUnique, Direction::Ascending)) => KEYWORDS_ASCENDING,
        Some((Sort::KeywordsUnique, Direction::Descending)) => KEYWORDS_DESCENDING,
    }
}

/// How many domains a filter lets through.
pub(super) const TOTAL: &str = concat!("SELECT count(*)", filtered!());

/// One domain, by campaign and name.
pub(super) const BY_NAME: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM read.domains WHERE campaign_id = $1 AND name = $2"
);
