//! Work: the coordinator that turns started runs into work orders, and the workers that carry them out.
//!
//! The log says what should happen (a run was started, paused, stopped); the coordinator compares that with the work
//! orders and does what is missing. Every step may be repeated by anybody: orders of a run are written once, a run is
//! completed once, and a crash between two steps is mended by the next pass. Workers hold an order under a lease, do
//! the network work outside any transaction, and record all results of the order in one transaction together with
//! «done», fenced by the run's gate and the lease's epoch.

mod analysis;
mod auto_start;
pub mod compilers;
mod coordinator;
mod discovery;
mod engines;
mod enrichment;
mod extraction;
mod manner;
mod network;
mod order_size;
mod orders;
mod postgres_orders;
pub mod proxies;
mod record;
mod slots;
mod taken;
#[cfg(test)]
mod testing;
pub mod trials;
mod unread;
pub mod usable;
mod validation;
mod watchdog;
mod what_if;
mod worker;

pub use self::{
    coordinator::Coordinator,
    engines::Engines,
    network::{BadCertificate, Network},
    orders::{Finished, Order, OrderError, Orders, Release},
    postgres_orders::PostgresOrders,
    unread::{Unread, unread},
    watchdog::{Cause, PATIENCE, Standstill, standstills},
    what_if::{WhatIf, what_if},
    worker::{Settings, Worker},
};
