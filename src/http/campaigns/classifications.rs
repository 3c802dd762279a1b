//! A campaign's domains by class.

use projections::domains::{Class, Classes, Sample, classes_of};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, Query, State, query};

/// Domains that are shown of each class at most, and where nothing is said.
const MOST: i64 = 50;
const DEFAULT: i64 = 5;

/// What may be asked.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Domains that are shown of each class.
    #[param(minimum = 1, maximum = 50, default = 5)]
    limit: Option<i64>,
}

/// A campaign's domains by class; each is in exactly one, the first that applies.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CampaignClassificationsResponse {
    /// How many domains each class has; together as many as the campaign.
    counts: ClassificationCounts,
    /// The richest domains of each class that has any.
    samples: Vec<CampaignClassificationBucketSample>,
}

/// How many domains each class has.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClassificationCounts {
    /// Analyzed, with a score of at least 80.
    high_potential: u64,
    /// Analyzed, with a score of at least 50.
    emerging: u64,
    /// Analyzed, with a warning.
    at_risk: u64,
    /// Analyzed and decided to be a lead.
    lead_candidate: u64,
    /// Analyzed, and none of the above.
    low_value: u64,
    /// Not analyzed.
    other: u64,
}

/// A class on the wire.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ClassificationBucket {
    HighPotential,
    Emerging,
    AtRisk,
    LeadCandidate,
    LowValue,
    Other,
}

/// Domains of a class.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CampaignClassificationBucketSample {
    /// The class.
    bucket: ClassificationBucket,
    /// Its richest domains.
    domains: Vec<ClassifiedDomain>,
}

/// A domain of a class.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ClassifiedDomain {
    /// Its name.
    domain: String,
    /// Its richness, 0 to 1; absent where its page was not scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    richness: Option<f64>,
}

impl From<Class> for ClassificationBucket {
    fn from(class: Class) -> Self {
        match class {
            Class::HighPotential => Self::HighPotential,
            Class::Emerging => Self::Emerging,
            Class::AtRisk => Self::AtRisk,
            Class::LeadCandidate => Self::LeadCandidate,
            Class::LowValue => Self::LowValue,
            Class::Other => Self::Other,
        }
    }
}

impl From<&Sample> for ClassifiedDomain {
    fn from(sample: &Sample) -> Self {
        Self {
            domain: sample.name.clone(),
            richness: sample.richness,
        }
    }
}

impl From<&Classes> for CampaignClassificationsResponse {
    fn from(classes: &Classes) -> Self {
        let shown = Class::ALL
            .into_iter()
            .filter(|class| classes.count(*class) > 0);
        Self {
            counts: ClassificationCounts {
                high_potential: classes.count(Class::HighPotential),
                emerging: classes.count(Class::Emerging),
                at_risk: classes.count(Class::AtRisk),
                lead_candidate: classes.count(Class::LeadCandidate),
                low_value: classes.count(Class::LowValue),
                other: classes.count(Class::Other),
            },
            samples: shown
                .map(|class| CampaignClassificationBucketSample {
                    bucket: class.into(),
                    domains: classes
                        .samples(class)
                        .iter()
                        .map(ClassifiedDomain::from)
                        .collect(),
                })
                .collect(),
        }
    }
}

/// Answers a campaign's domains by class.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/classifications", tag = "campaigns",
    params(("campaignId" = Uuid, Path), Wanted),
    responses((status = 200, body = CampaignClassificationsResponse), (status = 400), (status = 404))
)]
pub(super) async fn classifications(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<CampaignClassificationsResponse>, Error> {
    let shown = query::page(wanted.limit, None, MOST, DEFAULT)?.limit;
    let id = access::owned(&state, &caller, id).await?;
    let classes = classes_of(state.app.database.pool(), id, shown).await?;
    Ok(Answer::ok((&classes).into()))
}
