//! Streams to clients, against the log itself: what a client has in the end is compared with what the feed has.

mod client;
mod delivery;
mod log;
mod run;
mod slow;
mod ways_in;
