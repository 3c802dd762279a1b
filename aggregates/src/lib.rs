//! The rules of DomainFlow: what may happen, decided without a clock, without chance and without I/O.
//!
//! Each folder is one aggregate (commands, events, state) or one pure computation that a command rests on (names,
//! scoring, lead). Time and new ids arrive inside commands. `apply` only assigns and cannot fail, so a log that was
//! written once can always be read again; everything that can be refused is refused in a `decide`.
//!
//! Called by the shell's commands (interactive lane), by its workers (bulk lane, through [`domain`]) and by the
//! projections (which read the events and recompute generated names).
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

pub mod campaign;
pub mod domain;
pub mod ids;
pub mod keyword_set;
pub mod lead;
mod metadata;
pub mod names;
pub mod pattern;
pub mod persona;
pub mod personal;
pub mod proxy;
pub mod proxy_pool;
pub mod scoring;
pub mod scoring_profile;
pub mod settings;
pub mod suppression;
#[cfg(test)]
pub(crate) mod testing;
pub mod user;

pub use metadata::{Actor, Metadata};
