//! Read models against real PostgreSQL: events in, rows out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod apart;
mod bounded_lists;
mod counters;
mod filtered_lists;
mod followed;
mod halted;
mod insights;
mod keywords;
mod one_moment;
mod page_bytes;
mod pages;
mod reruns;
mod sorted_lists;
mod support;
mod trail;
mod typed;
mod writes;
