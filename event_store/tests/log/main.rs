//! The log on a real PostgreSQL: lanes, feed, order under concurrency, and what a crash leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod bulk;
mod cancelled;
mod checker;
mod connections;
mod feed;
mod import;
mod interactive;
mod interleavings;
mod latest;
mod moments;
mod oracle;
mod past;
mod server_crash;
mod support;
mod transaction;
mod tree;
