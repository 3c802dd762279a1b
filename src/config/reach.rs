//! From where the interface may be reached, and how often.

use clap::Args;

use super::BoundArgs;
use crate::http::{Cidr, Limits, OtherOrigin, Quotas, Rate, Settings};

/// Requests a second where nobody says otherwise.
const REQUESTS: u32 = 100;
/// Log-ins a minute from an address where nobody says otherwise.
const LOG_INS: u32 = 60;
/// Log-ins a minute to an account where nobody says otherwise.
const LOG_INS_OF_ACCOUNT: u32 = 20;

/// From where the interface may be reached, and how often.
#[derive(Args, Clone, Debug)]
pub struct ReachArgs {
    /// A proxy, or a network of proxies, that is believed whom it names in X-Forwarded-For; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "DOMAINFLOW_TRUSTED_PROXIES",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<Cidr>,
    /// An origin whose scripts may use the interface from a browser: with the user's cookie where it is of the same site, with a bearer otherwise; may be repeated
    #[arg(
        long = "cors-origin",
        env = "DOMAINFLOW_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub origins: Vec<OtherOrigin>,
    /// Requests a second of a user, an API key, and an address without either, twice as many at once; 0 is no limit
    #[arg(long, env = "DOMAINFLOW_REQUESTS_PER_SECOND", value_name = "NUMBER", default_value_t = REQUESTS)]
    pub requests_per_second: u32,
    /// Log-ins a minute from an address; 0 is no limit
    #[arg(long, env = "DOMAINFLOW_LOG_INS_PER_MINUTE", value_name = "NUMBER", default_value_t = LOG_INS)]
    pub log_ins_per_minute: u32,
    /// Log-ins a minute to an account; 0 is no limit
    #[arg(long, env = "DOMAINFLOW_ACCOUNT_LOG_INS_PER_MINUTE", value_name = "NUMBER", default_value_t = LOG_INS_OF_ACCOUNT)]
    pub account_log_ins_per_minute: u32,
    /// Campaigns that a user may have; 0 is no limit
    #[arg(long, env = "DOMAINFLOW_CAMPAIGNS_PER_USER", value_name = "NUMBER", default_value_t = Quotas::default().campaigns)]
    pub campaigns_per_user: u32,
    /// Keyword sets, personas, proxies, pools and scoring profiles that a user may have, of each; 0 is no limit
    #[arg(long, env = "DOMAINFLOW_OBJECTS_PER_USER", value_name = "NUMBER", default_value_t = Quotas::default().objects)]
    pub objects_per_user: u32,
    /// What clients may cost by being many or slow.
    #[command(flatten)]
    pub bounds: BoundArgs,
}

impl Default for ReachArgs {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            requests_per_second: REQUESTS,
            log_ins_per_minute: LOG_INS,
            account_log_ins_per_minute: LOG_INS_OF_ACCOUNT,
            campaigns_per_user: Quotas::default().campaigns,
            objects_per_user: Quotas::default().objects,
            bounds: BoundArgs::default(),
        }
    }
}

impl ReachArgs {
    /// Puts together what the interface goes by.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            trusted_proxies: self.trusted_proxies.clone(),
            origins: self.origins.iter().cloned().collect(),
            limits: Limits {
                requests: Rate::a_second(self.requests_per_second),
                log_ins: Rate::a_minute(self.log_ins_per_minute),
                log_ins_of_account: Rate::a_minute(self.account_log_ins_per_minute),
            },
            bounds: self.bounds.bounds(),
            quotas: Quotas {
                campaigns: self.campaigns_per_user,
                objects: self.objects_per_user,
            },
        }
    }
}
