//! The shell of DomainFlow: everything that meets the outside, on top of the rooms that do not.
//!
//! [`app`] is what a process shares; [`commands`] is the layer between entrances and aggregates; [`work`] coordinates
//! runs and carries them out. A handler reads: extract, authorize, one command or one query, typed answer.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod app;
pub mod auth;
pub mod checkpoints;
pub mod cli;
pub mod commands;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod erasure;
pub mod http;
pub mod installation;
pub mod monitoring;
pub mod reconciliation;
pub mod sse;
pub mod suppression;
pub mod telemetry;
pub mod work;
