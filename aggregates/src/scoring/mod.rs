//! Scores: how much a fetched page promises, as a weighted sum of components, and how rich it is in keywords.
//!
//! Called by the analysis worker for every domain of a run, and by the API to explain a score. Everything comes in
//! with the [`Evidence`], the age of the fetch included, so that the same evidence and weights give the same score on
//! every machine and in every replay. Scores, components and richness lie in 0 to 1 here; the API multiplies by 100.

mod breakdown;
mod component;
mod error;
mod evidence;
mod richness;
mod weights;

pub use breakdown::{
    Breakdown, Completeness, ComponentScore, PARKED_FROM, PARKED_PENALTY, PARKED_SURELY, State,
    Summary, Unavailable,
};
pub use component::Component;
pub use error::Error;
pub use evidence::{Evidence, Occurrences};
pub use richness::{ANCHORS_ABOVE, REPEATED_ABOVE, RICHNESS_VERSION, Richness};
pub use weights::Weights;

/// Rounds to a number of decimals; keeps what the log holds short and exact to read back.
fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}
