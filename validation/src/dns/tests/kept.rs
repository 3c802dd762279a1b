//! The inputs that a fuzzer keeps, those that broke something once among them.

use std::{fs, path::Path};

use super::super::fuzzing::read_message;

#[test]
fn no_message_that_a_fuzzer_kept_breaks_the_reader() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/dns");
    let mut inputs = 0;
    for entry in fs::read_dir(kept).unwrap() {
        read_message(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0);
}
