//! Checking of proofs, with nothing but what the proof brings (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use crate::Hash;

/// A proof that does not prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct Unproven;

/// Checks that a leaf, counted from 0, is in the tree of a size and a root.
///
/// # Errors
/// [`Unproven`].
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
    proof: &[Hash],
) -> Result<(), Unproven> {
    if index >= size {
        return Err(Unproven);
    }
    let mut way = Way {
        node: index,
        last: size - 1,
    };
    let mut hash = leaf;
    for beside in proof {
        if way.last == 0 {
            return Err(Unproven);
        }
        if way.has_left_sibling() {
            hash = Hash::of_node(*beside, hash);
            way.pass_missing_siblings();
        } else {
            hash = Hash::of_node(hash, *beside);
        }
        way.rise();
    }
    if way.last == 0 && hash == root {
        Ok(())
    } else {
        Err(Unproven)
    }
}

/// Checks that the tree of `old_size` leaves and `old_root` is the beginning of that of `new_size` and `new_root`.
///
/// # Errors
/// [`Unproven`].
pub fn verify_consistency(
    (old_size, old_root): (u64, Hash),
    (new_size, new_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), Unproven> {
    if old_size == new_size {
        let alike = old_root == new_root && proof.is_empty();
        return if alike { Ok(()) } else { Err(Unproven) };
    }
    if old_size == 0 || old_size > new_size {
        return Err(Unproven);
    }
    let mut way = Way {
        node: old_size - 1,
        last: new_size - 1,
    };
    // Up to the last subtree of the old tree, which both have.
    while way.node & 1 == 1 {
        way.rise();
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(Unproven)?;
        (*first, rest)
    };
    let (mut old, mut new) = (first, first);
    for beside in rest {
        if way.last == 0 {
            return Err(Unproven);
        }
        if way.has_left_sibling() {
            old = Hash::of_node(*beside, old);
            new = Hash::of_node(*beside, new);
            way.pass_missing_siblings();
        } else {
            new = Hash::of_node(new, *beside);
        }
        way.rise();
    }
    if way.last == 0 && old == old_root && new == new_root {
        Ok(())
    } else {
        Err(Unproven)
    }
}

/// The way from a node to the root, with the last node of the height that was reached.
struct Way {
    node: u64,
    last: u64,
}

impl Way {
    /// Says whether what stands beside the node is to its left: it is a right child, or the last of its height and stands
    /// for the one above it.
    const fn has_left_sibling(&self) -> bool {
        self.node & 1 == 1 || self.node == self.last
    }

    /// Goes up past the heights at which the node has no sibling.
    const fn pass_missing_siblings(&mut self) {
        while self.node & 1 == 0 && self.node != 0 {
            self.rise();
        }
    }

    const fn rise(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}
