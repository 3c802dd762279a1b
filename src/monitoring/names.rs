//! How everything is called that is counted, with what it means.

use crate::reconciliation;

/// What becomes more and never less.
pub(super) const COUNTERS: [(&str, &str); 12] = [
    (
        REQUESTS,
        "Requests that were answered, by operation and status",
    ),
    (
        RESULTS,
        "Domains of which a result was recorded, by phase and outcome",
    ),
    (
        STREAM_MESSAGES,
        "Messages that streams to clients were sent",
    ),
    (
        POLITE_REQUESTS,
        "HTTP requests to sites under the limits of politeness",
    ),
    (
        POLITE_DELAYED,
        "Those of them that had to wait for their turn",
    ),
    (
        BACK_OFFS,
        "Times that a site was left alone because it was too much for it",
    ),
    (
        GIVEN_UP,
        "Requests that were given up because a site wanted to be left alone for longer",
    ),
    (
        SUPPRESSED,
        "Domains and pages that were left alone because of the suppression list",
    ),
    (
        CPU_SECONDS,
        "Processor time of the process, user and system, in seconds",
    ),
    (
        reconciliation::LOOKS,
        "Looks at the counters of every campaign that this process took",
    ),
    (
        reconciliation::DRIFT_EVENTS,
        "Counters that were found not to be the recount of their domains",
    ),
    (reconciliation::CORRECTIONS, "Counters that were put right"),
];

/// What becomes more and less.
pub(super) const GAUGES: [(&str, &str); 17] = [
    (DATABASE_UP, "Whether the database answers"),
    (
        MIGRATED,
        "Whether the schema is the one that this program is for",
    ),
    (
        LOG_POSITION,
        "The last position of the log: events that have one",
    ),
    (
        UNSEQUENCED,
        "Events that were committed and wait for a position",
    ),
    (UNSEQUENCED_AGE, "Seconds that the first of them has waited"),
    (
        FOLLOWER_BEHIND,
        "Events that a projection, or the tree, has not taken in",
    ),
    (FOLLOWER_AGE, "Seconds that the first of them has waited"),
    (FOLLOWER_HALTED, "Whether a projection stands still"),
    (
        ORDERS,
        "Work orders of runs under way that are not done, by state",
    ),
    (
        STANDSTILLS,
        "Runs and phases that should be moving and are not",
    ),
    (STREAMS, "Streams to clients that are open"),
    (BACKED_OFF, "Sites that are left alone now"),
    (POOL_CONNECTIONS, "Connections to the database, by state"),
    (POOL_MOST, "Connections to the database that there may be"),
    (MEMORY, "Resident memory of the process in bytes"),
    (UPTIME, "Seconds since the server began"),
    (BUILD, "1, with the version of the program"),
];

/// What is spread over buckets.
pub(super) const HISTOGRAMS: [(&str, &str); 1] = [(
    REQUEST_SECONDS,
    "Seconds from the head of a request to that of its answer, by operation",
)];

/// The upper ends of the buckets of times, seconds.
pub(super) const SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Requests by operation and status.
pub const REQUESTS: &str = "domainflow_http_requests_total";
/// Times of requests by operation.
pub const REQUEST_SECONDS: &str = "domainflow_http_request_duration_seconds";
/// Results by phase and outcome.
pub const RESULTS: &str = "domainflow_results_total";
pub(super) const STREAM_MESSAGES: &str = "domainflow_sse_messages_total";
pub(super) const POLITE_REQUESTS: &str = "domainflow_politeness_requests_total";
pub(super) const POLITE_DELAYED: &str = "domainflow_politeness_delayed_total";
pub(super) const BACK_OFFS: &str = "domainflow_politeness_back_offs_total";
pub(super) const GIVEN_UP: &str = "domainflow_politeness_given_up_total";
pub(super) const SUPPRESSED: &str = "domainflow_suppressed_total";
pub(super) const CPU_SECONDS: &str = "process_cpu_seconds_total";
pub(super) const DATABASE_UP: &str = "domainflow_database_up";
pub(super) const MIGRATED: &str = "domainflow_database_migrated";
pub(super) const LOG_POSITION: &str = "domainflow_log_position";
pub(super) const UNSEQUENCED: &str = "domainflow_sequencer_waiting";
pub(super) const UNSEQUENCED_AGE: &str = "domainflow_sequencer_waiting_seconds";
pub(super) const FOLLOWER_BEHIND: &str = "domainflow_projection_behind";
pub(super) const FOLLOWER_AGE: &str = "domainflow_projection_behind_seconds";
pub(super) const FOLLOWER_HALTED: &str = "domainflow_projection_halted";
pub(super) const ORDERS: &str = "domainflow_work_orders";
pub(super) const STANDSTILLS: &str = "domainflow_standstills";
pub(super) const STREAMS: &str = "domainflow_sse_connections";
pub(super) const BACKED_OFF: &str = "domainflow_politeness_backed_off";
pub(super) const POOL_CONNECTIONS: &str = "domainflow_database_connections";
pub(super) const POOL_MOST: &str = "domainflow_database_connections_most";
pub(super) const MEMORY: &str = "process_resident_memory_bytes";
pub(super) const UPTIME: &str = "domainflow_uptime_seconds";
pub(super) const BUILD: &str = "domainflow_build_info";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_runbook() {
        let runbook = include_str!("../../docs/operation.md");
        let all = COUNTERS.iter().chain(&GAUGES).chain(&HISTOGRAMS);
        for (name, meaning) in all {
            assert!(runbook.contains(&format!("`{name}`")), "{name}");
            assert!(!meaning.is_empty(), "{name}");
        }
    }
}
