//! Repeatable chance: every decision about a name is drawn from the name itself.

/// A stream of pseudo-random numbers that depends on nothing but a seed and a text.
///
/// FNV-1a spreads the text over 64 bits, SplitMix64 (Steele, Lea and Flood, 2014) makes the stream. Good enough to
/// share names out evenly; of no use where somebody might want to guess.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// Starts the stream of this text under this seed.
    pub(crate) fn new(seed: u64, text: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in text.bytes() {
            hash ^= u64::from(byte.to_ascii_lowercase());
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(hash)
    }

    /// Returns the next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 up to, not including, `bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Is true with this probability, 0 to 1.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        let upper_half = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(upper_half) < probability * 4_294_967_296.0
    }

    /// Picks one of the items, or none from an empty list.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(self.below(count)).unwrap_or(0);
        items.get(index).copied()
    }
}
