//! The filters of domain lists and exports, read from the query. An unknown value is refused, not an empty list.

use aggregates::{
    domain::{DnsReason, HttpReason},
    lead,
};
use projections::domains::{Direction, Filter, Sort, Warnings};

use crate::http::Error;

const STATUSES: [&str; 4] = ["pending", "ok", "error", "timeout"];

/// The longest keyword that can be looked for, characters.
const MAX_KEYWORD: usize = aggregates::keyword_set::MAX_PATTERN_CHARS;

/// Declares a query struct with the filters and sorts of domains besides its own fields.
macro_rules! domains_query {
    ($(#[$doc:meta])* $name:ident { $($(#[$own:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[into_params(parameter_in = Query, rename_all = "camelCase")]
        pub(super) struct $name {
            $($(#[$own])* $field: $type,)*
            /// `pending`, `ok`, `error` or `timeout`.
            #[param(value_type = Option<$crate::http::vocabulary::CheckStatus>, inline)]
            dns_status: Option<String>,
            /// `pending`, `ok`, `error` or `timeout`.
            #[param(value_type = Option<$crate::http::vocabulary::CheckStatus>, inline)]
            http_status: Option<String>,
            /// `NXDOMAIN`, `SERVFAIL`, `REFUSED`, `NOANSWER`, `TIMEOUT` or `ERROR`.
            #[param(value_type = Option<$crate::http::vocabulary::DnsReasonEnum>, inline)]
            dns_reason: Option<String>,
            /// `TIMEOUT`, `NOT_FOUND`, `UPSTREAM_5XX`, `PROXY_ERROR`, `TLS_ERROR`, `SSL_EXPIRED`, `CONNECTION_RESET` or `ERROR`.
            #[param(value_type = Option<$crate::http::vocabulary::HttpReasonEnum>, inline)]
            http_reason: Option<String>,
            /// The smallest score, 0 to 100.
            min_score: Option<f64>,
            /// Fetched domains that do not look parked (true) or do (false).
            not_parked: Option<bool>,
            /// Whether the page shows a way to reach the owner.
            has_contact: Option<bool>,
            /// A keyword that was found, by its pattern.
            keyword: Option<String>,
            /// `richness_score`, `microcrawl_gain` or `keywords_unique`; by the order of generation where absent.
            #[param(value_type = Option<$crate::http::vocabulary::DomainSort>, inline)]
            sort: Option<String>,
            /// `asc` or `desc`. Beside `sort` it is `desc` where absent; ties follow it, in the order of generation, and
            /// domains without the value come last in both. Without `sort` it is of the order of generation, and `asc`
            /// where absent.
            #[param(value_type = Option<$crate::http::vocabulary::SortDirection>, inline)]
            dir: Option<String>,
            /// `has` or `none`.
            #[param(value_type = Option<$crate::http::vocabulary::WarningsFilter>, inline)]
            warnings: Option<String>,
            /// One reason of the lead decision or several, separated by commas.
            #[param(value_type = Option<Vec<$crate::http::vocabulary::DomainRejectionReasonEnum>>, inline, explode = false)]
            rejection_reason: Option<String>,
        }

        impl $name {
            fn filter(&self) -> Result<projections::domains::Filter, crate::http::Error> {
                $crate::http::campaigns::filters::filter($crate::http::campaigns::filters::Texts {
                    dns_status: self.dns_status.as_deref(),
                    http_status: self.http_status.as_deref(),
                    dns_reason: self.dns_reason.as_deref(),
                    http_reason: self.http_reason.as_deref(),
                    min_score: self.min_score,
                    not_parked: self.not_parked,
                    has_contact: self.has_contact,
                    keyword: self.keyword.as_deref(),
                    warnings: self.warnings.as_deref(),
                    rejection_reason: self.rejection_reason.as_deref(),
                })
            }

            fn sorting(
                &self,
            ) -> Result<Option<(projections::domains::Sort, projections::domains::Direction)>, crate::http::Error> {
                $crate::http::campaigns::filters::sorting(self.sort.as_deref(), self.dir.as_deref())
            }
        }
    };
}

pub(in crate::http) use domains_query;

/// The filters as the query has them.
pub(in crate::http) struct Texts<'a> {
    pub(in crate::http) dns_status: Option<&'a str>,
    pub(in crate::http) http_status: Option<&'a str>,
    pub(in crate::http) dns_reason: Option<&'a str>,
    pub(in crate::http) http_reason: Option<&'a str>,
    pub(in crate::http) min_score: Option<f64>,
    pub(in crate::http) not_parked: Option<bool>,
    pub(in crate::http) has_contact: Option<bool>,
    pub(in crate::http) keyword: Option<&'a str>,
    pub(in crate::http) warnings: Option<&'a str>,
    pub(in crate::http) rejection_reason: Option<&'a str>,
}

/// Reads the filters.
pub(in crate::http) fn filter(texts: Texts<'_>) -> Result<Filter, Error> {
    let dns_reasons: Vec<&str> = DnsReason::ALL.iter().map(|reason| reason.name()).collect();
    let http_reasons: Vec<&str> = HttpReason::ALL.iter().map(|reason| reason.name()).collect();
    Ok(Filter {
        dns_status: one_of("dnsStatus", texts.dns_status, &STATUSES)?,
        http_status: one_of("httpStatus", texts.http_status, &STATUSES)?,
        dns_reason: one_of("dnsReason", texts.dns_reason, &dns_reasons)?,
        http_reason: one_of("httpReason", texts.http_reason, &http_reasons)?,
        min_score: min_score(texts.min_score)?,
        not_parked: texts.not_parked,
        has_contact: texts.has_contact,
        keyword: keyword(texts.keyword)?,
        warnings: match one_of("warnings", texts.warnings, &["has", "none"])?.as_deref() {
            Some("has") => Some(Warnings::Has),
            Some(_) => Some(Warnings::None),
            None => None,
        },
        rejection_reasons: texts.rejection_reason.map(rejection_reasons).transpose()?,
        failed: None,
    })
}

/// Reads how the list is sorted.
pub(in crate::http) fn sorting(
    sort: Option<&str>,
    dir: Option<&str>,
) -> Result<Option<(Sort, Direction)>, Error> {
    let direction = match one_of("dir", dir, &["asc", "desc"])?.as_deref() {
        Some("asc") => Some(Direction::Ascending),
        Some(_) => Some(Direction::Descending),
        None => None,
    };
    let sort = match sort {
        None => {
            let backwards = direction == Some(Direction::Descending);
            return Ok(backwards.then_some((Sort::Ordinal, Direction::Descending)));
        }
        Some("richness_score") => Sort::Richness,
        Some("microcrawl_gain") => Sort::Gain,
        Some("keywords_unique") => Sort::KeywordsUnique,
        Some(_) => {
            return Err(Error::bad(
                "sort",
                "must be one of richness_score, microcrawl_gain, keywords_unique",
            ));
        }
    };
    Ok(Some((sort, direction.unwrap_or_default())))
}

fn one_of(name: &str, given: Option<&str>, allowed: &[&str]) -> Result<Option<String>, Error> {
    match given {
        None => Ok(None),
        Some(text) if allowed.contains(&text) => Ok(Some(text.to_owned())),
        Some(_) => Err(Error::bad(
            name,
            format!("must be one of {}", allowed.join(", ")),
        )),
    }
}

fn min_score(given: Option<f64>) -> Result<Option<f64>, Error> {
    match given {
        Some(score) if !(0.0..=100.0).contains(&score) => {
            Err(Error::bad("minScore", "must be from 0 to 100"))
        }
        // Kept as 0 to 1 with three decimals; the rounding undoes what the division adds.
        given => Ok(given.map(|score| (score * 10.0).ceil() / 1_000.0)),
    }
}

fn keyword(given: Option<&str>) -> Result<Option<String>, Error> {
    match given {
        Some(text)
            if text.is_empty() || text.contains('\0') || text.chars().count() > MAX_KEYWORD =>
        {
            Err(Error::bad(
                "keyword",
                format!("must have 1 to {MAX_KEYWORD} characters and no NUL"),
            ))
        }
        given => Ok(given.map(str::to_owned)),
    }
}

fn rejection_reasons(given: &str) -> Result<Vec<String>, Error> {
    let known: Vec<&str> = lead::Reason::ALL
        .iter()
        .map(|reason| reason.name())
        .collect();
    let mut wanted = Vec::new();
    for reason in given.split(',').map(str::trim) {
        if !known.contains(&reason) {
            return Err(Error::bad(
                "rejectionReason",
                format!("must be of {}", known.join(", ")),
            ));
        }
        wanted.push(reason.to_owned());
    }
    Ok(wanted)
}
