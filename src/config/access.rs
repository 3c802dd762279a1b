//! How long whoever came in stays in.

use std::time::Duration;

use clap::Args;

use super::duration::duration;
use crate::auth::Settings;

/// How long sessions last.
#[derive(Args, Clone, Copy, Debug)]
pub struct SessionArgs {
    /// How long a session lasts that is not used, such as 30m or 12h
    #[arg(long, env = "DOMAINFLOW_SESSION_IDLE", value_name = "TIME", default_value = "12h", value_parser = duration)]
    pub session_idle: Duration,
    /// How long a session lasts from its log-in, however much it is used
    #[arg(long, env = "DOMAINFLOW_SESSION_LONGEST", value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub session_longest: Duration,
}

impl Default for SessionArgs {
    fn default() -> Self {
        Self {
            session_idle: Settings::SESSION_IDLE,
            session_longest: Settings::SESSION_LONGEST,
        }
    }
}
