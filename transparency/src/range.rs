//! Which complete subtrees a range of leaves is made of.

/// A complete subtree: the leaves from `index << level` on, `1 << level` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    /// Its height over the leaves.
    pub(crate) level: u32,
    /// Its place among the nodes of its height.
    pub(crate) index: u64,
}

/// Leaves from `begin` up to and without `end`, which are one subtree of some tree: `begin` is a multiple of the least
/// power of two that is no less than their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl Range {
    pub(crate) const fn size(self) -> u64 {
        self.end.saturating_sub(self.begin)
    }

    /// Lists the complete subtrees of the range from left to right, each smaller than the one before. The hash of the range
    /// is theirs, folded from the right.
    pub(crate) fn peaks(self) -> Vec<Node> {
        let mut peaks = Vec::new();
        let mut at = self.begin;
        while at < self.end {
            let level = (self.end - at).ilog2();
            peaks.push(Node {
                level,
                index: at >> level,
            });
            at += 1 << level;
        }
        peaks
    }

    /// Splits a range of two leaves or more as RFC 9162 does: the left part is the greatest power of two below its number.
    pub(crate) fn split(self) -> (Self, Self) {
        let left = 1_u64 << (self.size() - 1).ilog2();
        let middle = self.begin + left;
        let (begin, end) = (self.begin, self.end);
        (Self { begin, end: middle }, Self { begin: middle, end })
    }
}
