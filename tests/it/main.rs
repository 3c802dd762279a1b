//! The whole system from outside: real PostgreSQL, real sockets, the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod access;
mod access_table;
mod api_keys;
mod audit;
mod bodies;
mod campaign_run;
mod campaigns;
mod chaos;
mod command_line;
mod contract;
mod control;
mod effects;
mod erasure;
mod health;
mod idempotency;
mod invariants;
mod keyword_sets;
mod late_commands;
mod log_in;
mod monitoring;
mod one_of_each;
mod outages;
mod own_sessions;
mod parts;
mod personas;
mod pinned;
mod plain_json;
mod plans;
mod politeness;
mod pools;
mod postmaster;
mod proxies;
mod quotas;
mod reach;
mod read_models;
mod reconciliation;
mod refused_starts;
mod repeats;
mod roles;
mod rooms;
mod scales;
mod scoring_profiles;
mod settings;
mod setup;
mod slow_clients;
mod sse;
mod support;
mod suppression;
mod tidy;
mod trials;
mod typed;
mod updates;
