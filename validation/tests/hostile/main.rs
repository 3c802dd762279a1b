//! Pages made to harm whoever reads them: each costs a bounded amount of memory and time, and none panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod charsets;
mod fuzz;
mod memory;
mod pages;
mod support;
