//! The application layer between the entrances (REST, command line) and the aggregates: what a command needs besides
//! the aggregate itself, and what a caller may rely on afterwards.

pub mod execute;
pub mod import;
mod in_transaction;
pub mod pin;
mod repeat;
pub mod snapshot;
pub mod start;

pub use self::{
    execute::{Done, READ_MODELS_WAIT},
    repeat::Recorded,
    snapshot::Snapshot,
};
