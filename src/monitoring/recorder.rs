//! The one recorder of a process.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::names::{COUNTERS, GAUGES, HISTOGRAMS, SECONDS};

/// What was recorded can be read by it; nothing where another recorder was there first, or none could be made.
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Keeps what the process counts from now on; a second start changes nothing.
pub(super) fn start() {
    handle();
}

fn handle() -> Option<&'static PrometheusHandle> {
    HANDLE.get_or_init(install).as_ref()
}

fn install() -> Option<PrometheusHandle> {
    let installed = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .and_then(PrometheusBuilder::install_recorder);
    let handle = match installed {
        Ok(handle) => handle,
        Err(error) => {
            tracing::error!(%error, "nothing is counted for those who watch");
            return None;
        }
    };
    for (name, meaning) in COUNTERS {
        metrics::describe_counter!(name, meaning);
    }
    for (name, meaning) in GAUGES {
        metrics::describe_gauge!(name, meaning);
    }
    for (name, meaning) in HISTOGRAMS {
        metrics::describe_histogram!(name, meaning);
    }
    // What was never counted is 0 and not absent, so that an alarm on it has something to look at.
    for name in [
        crate::reconciliation::LOOKS,
        crate::reconciliation::DRIFT_EVENTS,
        crate::reconciliation::CORRECTIONS,
    ] {
        metrics::counter!(name).increment(0);
    }
    Some(handle)
}

/// Writes what was recorded, and puts away what histograms have gathered.
pub(super) fn render() -> String {
    handle().map_or_else(String::new, |handle| {
        handle.run_upkeep();
        handle.render()
    })
}
