//! Pages and sites made to harm whoever reads them or goes there: each costs a bounded amount of memory and time, and none
//! panics or leads where nobody may go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod charsets;
mod fetches;
mod fuzz;
mod kept;
mod memory;
mod metadata;
mod network;
mod pages;
mod support;
