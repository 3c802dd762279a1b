//! Streams to clients, against the log itself: what a client has in the end is compared with what the feed has.

pub mod client;
mod delivery;
mod left_out;
mod log;
mod run;
mod slow;
mod types;
mod ways_in;
