//! Which entries are wanted, read from the query. An unknown value is refused, not an empty list.

use aggregates::{Actor, ids::UserId};
use chrono::{DateTime, Utc};
use projections::audit::{Filter, Order};

use super::words;
use crate::http::{Error, query};

/// Entries a page at most.
const MOST: i64 = 1_000;
/// Entries a page where nothing is said.
const DEFAULT: i64 = 100;
/// The longest id that is looked for, characters; none that the system gives is as long.
const LONGEST_ID: usize = 512;

/// Declares a query struct with what is asked of entries everywhere besides its own fields.
macro_rules! entries_query {
    ($(#[$doc:meta])* $visible:vis struct $name:ident, $order:literal { $($(#[$own:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[into_params(parameter_in = Query, rename_all = "camelCase")]
        $visible struct $name {
            $($(#[$own])* $field: $type,)*
            /// Who: a user by his id (`user:<id>`, or the id alone), `worker:<name>`, `operator` or `anonymous`.
            actor: Option<String>,
            /// What happened, as the event is called.
            action: Option<String>,
            /// Recorded at this moment or later (RFC 3339).
            #[param(format = DateTime)]
            from: Option<String>,
            /// Recorded before this moment (RFC 3339).
            #[param(format = DateTime)]
            to: Option<String>,
            /// The request that led to it, or the run.
            correlation_id: Option<String>,
            /// What led to it.
            causation_id: Option<String>,
            /// Entries a page at most, 1 to 1,000; 100 where absent. A page of entries that say much, 8 MiB together, has fewer.
            #[param(minimum = 1, maximum = 1000)]
            first: Option<i64>,
            /// The cursor that the page before ended with.
            after: Option<String>,
            #[doc = concat!("`asc`, as it happened, or `desc`, the newest first; `", $order, "` where absent.")]
            #[param(value_type = Option<$crate::http::vocabulary::SortDirection>, inline)]
            dir: Option<String>,
            /// `json` for a page, which is what is answered where absent; `csv` or `ndjson` for a download of everything that
            /// passes the filters. `Accept: text/csv` and `Accept: application/x-ndjson` ask for the same.
            #[param(value_type = Option<$crate::http::vocabulary::EntriesFormat>, inline)]
            format: Option<String>,
        }
    };
}

pub(in crate::http) use entries_query;

/// The filters as a query has them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::http) struct Texts<'a> {
    pub(in crate::http) actor: Option<&'a str>,
    pub(in crate::http) action: Option<&'a str>,
    pub(in crate::http) resource_type: Option<&'a str>,
    pub(in crate::http) resource_id: Option<&'a str>,
    pub(in crate::http) from: Option<&'a str>,
    pub(in crate::http) to: Option<&'a str>,
    pub(in crate::http) correlation_id: Option<&'a str>,
    pub(in crate::http) causation_id: Option<&'a str>,
}

impl Texts<'_> {
    /// Reads the filters of entries of the audit trail.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(in crate::http) fn filter(self) -> Result<Filter, Error> {
        let types = words::resource_types();
        let resource_type = one_of("resourceType", self.resource_type, &types)?;
        let actions = words::actions(resource_type.as_deref());
        self.filter_among(resource_type, &actions)
    }

    /// Reads the filters of what was found out about a domain.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(in crate::http) fn filter_of_domain(self) -> Result<Filter, Error> {
        self.filter_among(None, &words::OF_A_DOMAIN)
    }

    fn filter_among(
        self,
        resource_type: Option<String>,
        actions: &[&str],
    ) -> Result<Filter, Error> {
        let (from, to) = (time("from", self.from)?, time("to", self.to)?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Error::bad("to", "must be later than from"));
        }
        Ok(Filter {
            actor: self.actor.map(actor).transpose()?,
            action: one_of("action", self.action, actions)?,
            resource_type,
            resource_id: id("resourceId", self.resource_id)?,
            from,
            to,
            correlation_id: id("correlationId", self.correlation_id)?,
            causation_id: id("causationId", self.causation_id)?,
        })
    }
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

fn actor(given: &str) -> Result<String, Error> {
    let user = given.parse::<UserId>().map(Actor::User);
    let actor = user.or_else(|_| given.parse::<Actor>());
    let actor = actor.map_err(|error| Error::bad("actor", error))?;
    Ok(actor.to_string())
}

/// Reads a moment.
///
/// # Errors
/// 400 naming the parameter.
pub(in crate::http) fn moment(name: &str, text: &str) -> Result<DateTime<Utc>, Error> {
    let read = DateTime::parse_from_rfc3339(text);
    let refusal = "must be a time as RFC 3339 has it, such as 2026-01-01T00:00:00Z (a + is %2B)";
    Ok(read
        .map_err(|_| Error::bad(name, refusal))?
        .with_timezone(&Utc))
}

fn time(name: &str, given: Option<&str>) -> Result<Option<DateTime<Utc>>, Error> {
    given.map(|text| moment(name, text)).transpose()
}

fn id(name: &str, given: Option<&str>) -> Result<Option<String>, Error> {
    match given {
        Some(text) if text.is_empty() || text.chars().count() > LONGEST_ID => Err(Error::bad(
            name,
            format!("must have 1 to {LONGEST_ID} characters"),
        )),
        given => Ok(given.map(str::to_owned)),
    }
}

/// Reads the direction.
///
/// # Errors
/// 400 naming the parameter.
pub(in crate::http) fn order(given: Option<&str>, absent: Order) -> Result<Order, Error> {
    Ok(match one_of("dir", given, &["asc", "desc"])?.as_deref() {
        None => absent,
        Some("asc") => Order::OldestFirst,
        Some(_) => Order::NewestFirst,
    })
}

/// Where a page of entries begins and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Place {
    /// The last entry of the page before.
    pub(in crate::http) after: Option<i64>,
    /// Entries at most.
    pub(in crate::http) first: i64,
}

/// Reads which page is wanted; cursors are numbers of the log.
///
/// # Errors
/// 400 naming the parameter.
pub(in crate::http) fn place(first: Option<i64>, after: Option<&str>) -> Result<Place, Error> {
    if first.is_some_and(|first| !(1..=MOST).contains(&first)) {
        return Err(Error::bad("first", format!("must be from 1 to {MOST}")));
    }
    let page = query::page(first, None, MOST, DEFAULT)?;
    let after = after.map(|text| match text.parse::<i64>() {
        Ok(number @ 0..) => Ok(number),
        _ => Err(Error::bad("after", "is no cursor of this list")),
    });
    Ok(Place {
        after: after.transpose()?,
        first: page.limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(texts: Texts<'_>) -> String {
        match texts.filter().unwrap_err() {
            Error::BadRequest(details) => details[0].field.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_that_nothing_has_are_refused_by_name() {
        let none = Texts::default();
        let later = Some("2026-01-02T00:00:00Z");
        for (texts, name) in [
            (
                Texts {
                    actor: Some("somebody"),
                    ..none
                },
                "actor",
            ),
            (
                Texts {
                    action: Some("Exploded"),
                    ..none
                },
                "action",
            ),
            (
                Texts {
                    action: Some("Stopped"),
                    resource_type: Some("persona"),
                    ..none
                },
                "action",
            ),
            (
                Texts {
                    resource_type: Some("domain"),
                    ..none
                },
                "resourceType",
            ),
            (
                Texts {
                    resource_id: Some(""),
                    ..none
                },
                "resourceId",
            ),
            (
                Texts {
                    from: Some("yesterday"),
                    ..none
                },
                "from",
            ),
            (
                Texts {
                    to: Some("2026-01-01"),
                    ..none
                },
                "to",
            ),
            (
                Texts {
                    from: later,
                    to: later,
                    ..none
                },
                "to",
            ),
            (
                Texts {
                    correlation_id: Some(""),
                    ..none
                },
                "correlationId",
            ),
            (
                Texts {
                    causation_id: Some(""),
                    ..none
                },
                "causationId",
            ),
        ] {
            assert_eq!(refused(texts), name);
        }
        assert!(place(Some(0), None).is_err());
        assert!(place(Some(1_001), None).is_err());
        assert!(place(None, Some("-1")).is_err());
        assert!(place(None, Some("e30")).is_err());
        assert!(order(Some("up"), Order::NewestFirst).is_err());
    }

    #[test]
    fn a_user_is_named_by_his_id_with_and_without_the_word_before_it() {
        let id = "0192f0a0-0000-7000-8000-000000000002";
        assert_eq!(actor(id).unwrap(), format!("user:{id}"));
        assert_eq!(actor(&format!("user:{id}")).unwrap(), format!("user:{id}"));
        assert_eq!(actor("operator").unwrap(), "operator");
    }
}
