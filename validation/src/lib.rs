//! The network engines: DNS, and over HTTP the pages and their keywords.
//!
//! The workers call these with plain types and get plain types back; nothing here knows campaigns, events or
//! the database, so the engines can be tested and measured by themselves.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]

pub mod dns;
pub mod http;
pub mod keywords;
pub mod page;
pub mod robots;
pub mod suppression;
pub mod technologies;
mod waits;

pub use waits::Waits;
