//! A PostgreSQL server of the program's own, for when `DATABASE_URL` names none.
//!
//! Called by the shell (`serve`, `demo`, …) and by every test that needs a database ([`testing`]). [`Programs`] finds
//! the server programs, [`Cluster`] makes a cluster below the data directory, runs `postgres` as a child in the
//! foreground and stops it with itself. The server listens on a unix socket in a private directory and nowhere else.
//!
//! The invariant: one data directory has at most one owner, and an owner that is gone leaves nothing that keeps the
//! next one out. The owner holds a file lock, which the kernel drops with the process; a server that outlived its
//! owner is recognised by its working directory and stopped before a new one starts.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account;
mod cluster;
mod error;
mod launcher;
mod log;
mod make;
mod place;
mod programs;
mod room;
mod server;
mod supervise;
mod takeover;
pub mod testing;

pub use self::{
    cluster::{Cluster, Options},
    error::Error,
    programs::Programs,
};
