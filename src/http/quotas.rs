//! How much a user may own.
//!
//! Asked of the read models before the command, for every route that makes something: one layer, so that no route can forget
//! it. The read models are behind the log by as long as they take, so a user who makes many at once comes to own as many more
//! as are on their way, which the limit of requests bounds.

use std::fmt;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use projections::owned::{self, Kind};

use super::{
    caller::Caller,
    error::Error,
    router::{BASE, State},
    v1,
};

/// The most that a user may own; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Campaigns of all types.
    pub campaigns: u32,
    /// Keyword sets, personas, proxies, pools and scoring profiles, of each.
    pub objects: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            campaigns: 10_000,
            objects: 5_000,
        }
    }
}

impl Quotas {
    const fn of(&self, kind: Kind) -> Option<u32> {
        let most = match kind {
            Kind::Campaigns => self.campaigns,
            _ => self.objects,
        };
        match most {
            0 => None,
            most => Some(most),
        }
    }
}

/// Refuses to make what its user would own too many of.
///
/// # Errors
/// [`Error::Conflict`] with the code `QUOTA_EXCEEDED`.
pub(super) async fn within_quota(
    axum::extract::State(state): axum::extract::State<State>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let kind = made_by(&request);
    let quota = kind.and_then(|kind| Some((kind, state.settings.quotas.of(kind)?)));
    let caller = request.extensions().get::<Caller>();
    if let (Some((kind, most)), Some(caller)) = (quota, caller) {
        let pool = state.app.database.pool();
        if owned::owns(pool, caller.user_id, kind, most).await? {
            return Err(Error::Conflict {
                code: "QUOTA_EXCEEDED",
                message: format!(
                    "you have {most} {}, and nobody may have more",
                    InWords(kind)
                ),
            });
        }
    }
    Ok(next.run(request).await)
}

/// Tells what a request makes; nothing where it makes none of what is counted.
fn made_by(request: &Request) -> Option<Kind> {
    if request.method() != Method::POST {
        return None;
    }
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    if let Some(route) = route.strip_prefix(v1::BASE) {
        return (route == "/campaigns/{type}").then_some(Kind::Campaigns);
    }
    Some(match route.strip_prefix(BASE)? {
        "/campaigns" | "/campaigns/{campaignId}/duplicate" => Kind::Campaigns,
        "/keyword-sets" => Kind::KeywordSets,
        "/personas" => Kind::Personas,
        "/proxies" => Kind::Proxies,
        "/proxy-pools" => Kind::ProxyPools,
        "/scoring-profiles" => Kind::ScoringProfiles,
        _ => return None,
    })
}

struct InWords(Kind);

impl fmt::Display for InWords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Kind::Campaigns => "campaigns",
            Kind::KeywordSets => "keyword sets",
            Kind::Personas => "personas",
            Kind::Proxies => "proxies",
            Kind::ProxyPools => "pools of proxies",
            Kind::ScoringProfiles => "scoring profiles",
        })
    }
}
