//! The operator's tool against real PostgreSQL, with writers and readers beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod check;
mod lag;
mod log;
mod rebuild;
mod runs;
mod service_role;
mod support;
mod swap;
mod time_travel;
mod transfer;
