//! The pages that a fuzzer keeps, those that broke something once among them.

use std::{fs, path::Path};

use super::support::make;

#[test]
fn no_page_that_a_fuzzer_kept_breaks_a_bound() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/page");
    let mut inputs = 0;
    for entry in fs::read_dir(kept).unwrap() {
        let input = fs::read(entry.unwrap().path()).unwrap();
        for kind in [None, Some("text/html"), Some("text/html; charset=gb18030")] {
            make(input.get(1..).unwrap_or_default(), kind);
        }
        inputs += 1;
    }
    assert!(inputs > 0);
}
