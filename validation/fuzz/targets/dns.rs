//! Reads a message of DNS the way that a socket reads one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| validation::dns::read_message(data));
