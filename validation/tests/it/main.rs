//! The engines from outside: real sockets against the sandbox, and against servers and proxies that others made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::large_futures,
    missing_docs
)]

mod farm;
mod matrix;
mod peers;
mod pools;
mod support;
