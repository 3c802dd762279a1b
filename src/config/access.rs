//! How long whoever came in stays in.

use std::time::Duration;

use clap::Args;

use super::duration::duration;
use crate::auth::Settings;

/// How long sessions last.
#[derive(Args, Clone, Copy, Debug)]
pub struct SessionArgs {
    /// How long a session lasts that is not used, such as 30m or 12h; 10m at least
    #[arg(long, env = "DOMAINFLOW_SESSION_IDLE", value_name = "TIME", default_value = "12h", value_parser = idle)]
    pub session_idle: Duration,
    /// How long a session lasts from its log-in, however much it is used
    #[arg(long, env = "DOMAINFLOW_SESSION_LONGEST", value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub session_longest: Duration,
}

/// The shortest time: that a session was used is written once a minute at most, which is to make no difference.
const SHORTEST_IDLE: Duration = Duration::from_secs(10 * 60);

fn idle(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < SHORTEST_IDLE => Err("must be at least 10m".to_owned()),
        idle => Ok(idle),
    }
}

impl Default for SessionArgs {
    fn default() -> Self {
        Self {
            session_idle: Settings::SESSION_IDLE,
            session_longest: Settings::SESSION_LONGEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_would_end_before_its_use_is_written_is_refused() {
        assert_eq!(idle("10m"), Ok(SHORTEST_IDLE));
        assert!(idle("9m").is_err() && idle("599s").is_err());
    }
}
