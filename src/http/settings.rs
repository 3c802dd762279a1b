//! What the operator decides about how the interface is reached.

use std::net::IpAddr;

use super::{bounds::Bounds, limits::Limits, origins::Origins, peer::Cidr, quotas::Quotas};

/// What the operator decides about how the interface is reached. The default limits how much nobody asks for, and
/// lets no other site in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The networks of proxies that are believed whom they name.
    pub trusted_proxies: Vec<Cidr>,
    /// The other sites that may use the interface from a browser.
    pub origins: Origins,
    /// How much one may ask for.
    pub limits: Limits,
    /// What clients may cost by being many or slow.
    pub bounds: Bounds,
    /// How much a user may own.
    pub quotas: Quotas,
}

impl Settings {
    /// Tells whether an address is a proxy's that is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(address))
    }
}
