//! What statements do when they run.

use std::collections::BTreeSet;

use serde_json::Value;

/// What the statements of a page did when they ran.
#[derive(Debug)]
pub(super) struct Ran {
    /// Rows of domains that they looked at.
    pub(super) looked_at: i64,
    /// Rows that they answered.
    pub(super) answered: i64,
    /// How many kinds of rows they merged, at least 1.
    pub(super) kinds: i64,
    /// The most rows that one sorted at once.
    pub(super) sorted: i64,
    /// How they came to rows of domains.
    pub(super) ways: BTreeSet<String>,
    /// Whether each way was a range of the campaign.
    pub(super) inside: bool,
}

impl Ran {
    /// Returns what no statement did.
    pub(super) const fn nothing() -> Self {
        Self {
            looked_at: 0,
            answered: 0,
            kinds: 1,
            sorted: 0,
            ways: BTreeSet::new(),
            inside: true,
        }
    }

    /// Adds what a statement did and answers how many rows it gave.
    pub(super) fn add(&mut self, explained: &Value) -> i64 {
        let plan = &explained[0]["Plan"];
        self.add_node(plan);
        let answered = number(plan, "Actual Rows");
        self.answered += answered;
        answered
    }

    fn add_node(&mut self, node: &Value) {
        let kind = node["Node Type"].as_str().unwrap();
        let below = node["Plans"].as_array().map_or(&[][..], Vec::as_slice);
        if kind.ends_with("Sort") {
            let fed: i64 = below.iter().map(|node| number(node, "Actual Rows")).sum();
            self.sorted = self.sorted.max(fed);
        }
        if node["Relation Name"] == "domains" {
            let removed = number(node, "Rows Removed by Filter");
            self.looked_at += number(node, "Actual Rows") + removed;
            let index = node["Index Name"].as_str().unwrap_or_default();
            self.ways
                .insert(format!("{kind} {index}").trim().to_owned());
        }
        if kind.contains("Index") {
            let range = node["Index Cond"].as_str().unwrap_or_default();
            self.inside &= range.contains("campaign_id");
        }
        self.inside &= kind != "Seq Scan" || node["Relation Name"] != "domains";
        for node in below {
            self.add_node(node);
        }
    }
}

/// Of all loops together. What is told is the mean of a loop, rounded up to PostgreSQL 17 and with decimals since.
fn number(node: &Value, key: &str) -> i64 {
    let loops = node["Actual Loops"].as_f64().unwrap_or(1.0);
    let rows = node[key].as_f64();
    rows.map_or(0, |rows| format!("{:.0}", rows * loops).parse().unwrap())
}
