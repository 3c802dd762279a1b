//! The whole system from outside: real PostgreSQL, real sockets, the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub, dead_code)]

mod campaign_run;
mod campaigns;
mod control;
mod access;
mod command_line;
mod rooms;
mod idempotency;
mod keyword_sets;
mod log_in;
mod personas;
mod read_models;
mod scoring_profiles;
mod sse;
mod support;
