//! What the operator decides about how the interface is reached.

use super::{limits::Limits, origins::Origins, peer::Cidr};

/// What the operator decides about how the interface is reached. The default limits nobody and lets no other site in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The networks of proxies that are believed whom they name.
    pub trusted_proxies: Vec<Cidr>,
    /// The other sites that may use the interface from a browser.
    pub origins: Origins,
    /// How much one may ask for.
    pub limits: Limits,
}
