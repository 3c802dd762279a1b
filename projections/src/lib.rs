//! The read side: every table that a query reads is a projection of the log.
//!
//! [`runtime`] turns batches of events into rows exactly once, keeps several processes out of each other's way, and
//! rebuilds a projection beside the live one. Each other folder is one read model: its tables (made by
//! `migrations/`), how events become rows, and its queries. Nothing here knows HTTP.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod audit;
pub mod campaigns;
pub mod domains;
pub mod holdings;
pub mod keyword_sets;
pub mod owned;
pub mod personas;
pub mod proxies;
pub mod proxy_pools;
mod row_per_stream;
pub mod runtime;
pub mod scoring_profiles;
mod snapshot;
pub mod suppression;
mod tables;
pub mod then;
pub mod users;
mod whose;

use std::sync::Arc;

pub use self::{
    snapshot::{snapshot, snapshot_of_campaign},
    whose::Whose,
};

/// Lists every projection of the system.
#[must_use]
pub fn all() -> Vec<Arc<dyn runtime::Projection>> {
    vec![
        Arc::new(campaigns::Campaigns),
        Arc::new(domains::Domains),
        Arc::new(personas::Personas),
        Arc::new(proxies::Proxies),
        Arc::new(proxy_pools::ProxyPools),
        Arc::new(keyword_sets::KeywordSets),
        Arc::new(scoring_profiles::ScoringProfiles),
        Arc::new(suppression::SuppressionEntries),
        Arc::new(users::Users),
        Arc::new(audit::Audit),
    ]
}
