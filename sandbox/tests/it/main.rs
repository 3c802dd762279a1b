//! The sandbox from outside: every fault observed on real sockets, with clients that are not its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::large_futures,
    missing_docs
)]

mod ask;
mod campaign;
mod dns;
mod encrypted_dns;
mod fetch;
mod lifecycle;
mod proxies;
mod sites;
mod tls;
