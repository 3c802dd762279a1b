//! scoring_profiles
