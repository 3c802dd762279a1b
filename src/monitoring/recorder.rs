//! The one recorder of a process.

use std::{sync::OnceLock, thread, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::names::{COUNTERS, GAUGES, HISTOGRAMS, SECONDS};

/// How often samples are put away into their histograms: until then each is kept by itself.
const UPKEEP: Duration = Duration::from_secs(5);

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
    keep_up(handle.clone());
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

/// Puts samples away for as long as the process lives, whether or not anybody reads.
fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            thread::sleep(UPKEEP);
            handle.run_upkeep();
        }
    };
    let started = thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(upkeep);
    if let Err(error) = started {
        tracing::error!(%error, "samples are put away only when somebody reads them");
    }
}

/// Writes what was recorded, and puts away what histograms have gathered.
pub(super) fn render() -> String {
    handle().map_or_else(String::new, |handle| {
        handle.run_upkeep();
        handle.render()
    })
}
