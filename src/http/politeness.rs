//! How polite this node is: its limits, and what they have come to.

use axum::extract;
use chrono::{DateTime, TimeDelta, Utc};
use projections::Whose;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use validation::http::politeness::{BackedOff, Bound, Standing, Why};

use super::{Answer, Caller, Error, State};
use crate::suppression::{self, Follower};

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(show))
}

/// How much is asked of one domain or address.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolitenessBound {
    /// Connections at once.
    connections: u16,
    /// Requests a second, evenly spaced.
    requests_per_second: f64,
}

impl From<Bound> for PolitenessBound {
    fn from(bound: Bound) -> Self {
        Self {
            connections: bound.connections,
            requests_per_second: bound.per_second,
        }
    }
}

/// Why a site is left alone.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BackOffReason {
    /// It answered 429.
    TooManyRequests,
    /// It answered 503.
    Unavailable,
    /// It said nothing in time.
    Silence,
}

impl From<Why> for BackOffReason {
    fn from(why: Why) -> Self {
        match why {
            Why::TooManyRequests => Self::TooManyRequests,
            Why::Unavailable => Self::Unavailable,
            Why::Silence => Self::Silence,
        }
    }
}

/// A site that is left alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackedOffSite {
    /// Its registrable domain, or its address where it has no name.
    key: String,
    /// Until when.
    until: DateTime<Utc>,
    reason: BackOffReason,
}

impl BackedOffSite {
    fn of(site: BackedOff, now: DateTime<Utc>) -> Self {
        let left = TimeDelta::from_std(site.left).unwrap_or_default();
        Self {
            key: site.whom,
            until: now + left,
            reason: site.why.into(),
        }
    }
}

/// How a node's suppression list stands to the log.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SuppressionState {
    /// It was not read yet: nothing is sent.
    Unread,
    /// It has everything that was recorded.
    Level,
    /// The log cannot be read at the moment: the list stays what it was.
    Behind,
    /// The log has an entry that this program does not understand: nothing is sent.
    Halted,
}

impl From<suppression::Standing> for SuppressionState {
    fn from(standing: suppression::Standing) -> Self {
        match standing {
            suppression::Standing::Unread => Self::Unread,
            suppression::Standing::Level => Self::Level,
            suppression::Standing::Behind => Self::Behind,
            suppression::Standing::Halted => Self::Halted,
        }
    }
}

/// The suppression list of a node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuppressionInForce {
    state: SuppressionState,
    /// Entries in force; absent where nobody knows them, and nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<usize>,
    /// Up to where in the log it was read.
    cursor: u64,
}

impl SuppressionInForce {
    fn of(follower: &Follower) -> Self {
        let list = follower.list().list();
        Self {
            state: follower.standing().into(),
            entries: list.ok().map(|list| list.entries()),
            cursor: follower.position().get(),
        }
    }
}

/// The limits of this node over HTTP, and what they have come to since it started. Rates are options of its start, where no
/// administrator sets them under `/config/politeness`; connections, and whom the limits are not for, are options alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolitenessResponse {
    /// What is asked of a registrable domain, all of its names together.
    per_domain: PolitenessBound,
    /// What is asked of an address, all sites there together; an IPv6 network of 64 bits counts as one.
    per_address: PolitenessBound,
    /// Requests a second of the whole node, evenly spaced.
    requests_per_second: f64,
    /// Blocks of addresses and ends of names that are asked without these limits.
    exempt: Vec<String>,
    /// Whether loopback addresses are, too.
    loopback_exempt: bool,
    /// Requests under these limits.
    requests: u64,
    /// Those of them that had to wait for their turn.
    requests_delayed: u64,
    /// How long they waited, all together, in milliseconds.
    total_delay_ms: u64,
    /// Times that a site was left alone because it said, or showed, that it was too much.
    back_offs: u64,
    /// Requests that were given up because the site wanted to be left alone for longer than is waited.
    given_up: u64,
    /// Domains and pages that were left alone because of the suppression list.
    suppressed: u64,
    /// The list itself.
    suppression: SuppressionInForce,
    /// How many sites are left alone now.
    backed_off_count: usize,
    /// Those, a thousand at most, the longest first; for administrators and auditors, because the names are those of
    /// everybody's campaigns.
    #[serde(skip_serializing_if = "Option::is_none")]
    backed_off: Option<Vec<BackedOffSite>>,
}

/// Shows how often this node asks sites at most, whom it asks without a limit, and what that has come to.
#[utoipa::path(get, path = "/politeness", tag = "politeness",
    responses((status = 200, body = PolitenessResponse)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
) -> Result<Answer<PolitenessResponse>, Error> {
    let network = &state.app.defaults.network;
    let Standing {
        limits,
        exempt,
        requests,
        delayed,
        delay,
        back_offs,
        given_up,
        left_alone,
        backed_off,
    } = network.politeness.standing();
    let now = Utc::now();
    let sites = backed_off.into_iter();
    let sites = sites.map(|site| BackedOffSite::of(site, now)).collect();
    Ok(Answer::ok(PolitenessResponse {
        per_domain: limits.domain.into(),
        per_address: limits.address.into(),
        requests_per_second: limits.per_second,
        exempt,
        loopback_exempt: network.allow_private && !network.polite_to_loopback,
        requests,
        requests_delayed: delayed,
        total_delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        back_offs,
        given_up,
        suppressed: network.suppression.counted(),
        suppression: SuppressionInForce::of(&state.app.suppression),
        backed_off_count: left_alone,
        backed_off: (caller.whose() == Whose::Everybodys).then_some(sites),
    }))
}
