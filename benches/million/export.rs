//! The memory of a server that streams a million rows to somebody.

use std::time::Instant;

use reqwest::Method;

use crate::{
    NAMES,
    support::{Server, Session, mb},
};

/// What the server may take, bytes.
const GOAL: u64 = 64_000_000;

/// Downloads the whole campaign in every format.
pub(crate) async fn measure(server: &Server, client: &Session, path: &str) {
    let before = server.peak();
    for (format, around) in [("csv", 1), ("ndjson", 0), ("json", 0)] {
        let begun = Instant::now();
        let export = format!("{path}/export?format={format}");
        let response = client.request(Method::GET, &export).send().await.unwrap();
        let mut response = response.error_for_status().unwrap();
        let (mut bytes, mut lines, mut items) = (0_u64, 0_usize, 0_usize);
        while let Some(chunk) = response.chunk().await.unwrap() {
            bytes += chunk.len() as u64;
            lines += chunk.iter().filter(|byte| **byte == b'\n').count();
            items += chunk.iter().filter(|byte| **byte == b'{').count();
        }
        if format == "json" {
            assert!(items >= NAMES, "{items} objects of {format}");
        } else {
            assert_eq!(lines, NAMES + around, "lines of {format}");
        }
        let peak = server.peak();
        println!(
            "export: {NAMES} rows as {format}, {} MB in {:.1} s; the server's peak {} MB (goal {} MB; ratio {:.2}), {} MB before",
            mb(bytes),
            begun.elapsed().as_secs_f64(),
            mb(peak),
            mb(GOAL),
            peak as f64 / GOAL as f64,
            mb(before),
        );
    }
}
