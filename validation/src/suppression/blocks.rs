//! Blocks of addresses, found by the addresses in them.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use uuid::Uuid;

/// Blocks of one length, by their network.
type OfOneLength<N> = HashMap<N, Uuid>;

/// Blocks by the length of their prefix, so that an address costs a look-up for each length that there is: at most 33, or
/// 129.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    v4: BTreeMap<u32, OfOneLength<u32>>,
    v6: BTreeMap<u32, OfOneLength<u128>>,
}

impl Blocks {
    /// Adds a block that is written as `network/length`; nothing where it is none.
    pub(super) fn insert(&mut self, text: &str, id: Uuid) -> Option<()> {
        let (network, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        match network.parse().ok()? {
            IpAddr::V4(network) if length <= 32 => {
                let network = u32::from(network) & mask4(length);
                self.v4.entry(length).or_default().insert(network, id);
            }
            IpAddr::V6(network) if length <= 128 => {
                let network = u128::from(network) & mask6(length);
                self.v6.entry(length).or_default().insert(network, id);
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Finds the smallest block around an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<Uuid> {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let address = u32::from(address);
                let mut blocks = self.v4.iter().rev();
                blocks.find_map(|(length, blocks)| blocks.get(&(address & mask4(*length))))
            }
            IpAddr::V6(address) => {
                let address = u128::from(address);
                let mut blocks = self.v6.iter().rev();
                blocks.find_map(|(length, blocks)| blocks.get(&(address & mask6(*length))))
            }
        }
        .copied()
    }
}

fn mask4(length: u32) -> u32 {
    u32::MAX
        .checked_shl(32_u32.saturating_sub(length))
        .unwrap_or(0)
}

fn mask6(length: u32) -> u128 {
    u128::MAX
        .checked_shl(128_u32.saturating_sub(length))
        .unwrap_or(0)
}
