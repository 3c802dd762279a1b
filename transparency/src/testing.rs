//! The tree as RFC 9162 defines it, word by word, for comparison; and the leaves that Certificate Transparency tests with.

use crate::{Growth, Hash, Tile, Tiles, tiles_of_edge};

/// MTH(D) of section 2.1.1.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_nothing(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Hash::of_node(root(left), root(right))
        }
    }
}

/// PATH(m, D) of section 2.1.3.1.
pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        [path(index, left), vec![root(right)]].concat()
    } else {
        [path(index - left.len(), right), vec![root(left)]].concat()
    }
}

/// SUBPROOF(m, D, b) of section 2.1.4.1.
pub(crate) fn subproof(old: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        let own = if is_whole { vec![] } else { vec![root(leaves)] };
        return own;
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if old <= left.len() {
        [subproof(old, left, is_whole), vec![root(right)]].concat()
    } else {
        [subproof(old - left.len(), right, false), vec![root(left)]].concat()
    }
}

/// The largest power of two below a number.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

pub(crate) fn numbered(count: usize) -> Vec<Hash> {
    let leaf = |number: usize| Hash::of_leaf(&number.to_be_bytes());
    (0..count).map(leaf).collect()
}

/// Grows a tree in steps, each from nothing but the tiles that the last has left.
pub(crate) fn grown(leaves: &[Hash], steps: &[usize]) -> Tiles {
    let mut stored: Vec<Tile> = Vec::new();
    let (mut size, mut rest) = (0, leaves);
    let mut steps = steps.iter().copied();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(steps.next().unwrap_or(rest.len()).min(rest.len()));
        rest = later;
        let edge = tiles_of_edge(size);
        let edge: Vec<Tile> = stored
            .iter()
            .filter(|tile| edge.contains(&tile.id))
            .cloned()
            .collect();
        let mut growth = Growth::resume(size, &edge).unwrap();
        now.iter().for_each(|leaf| growth.push(*leaf));
        size = growth.size();
        for tile in growth.take_changed() {
            stored.retain(|old| old.id != tile.id);
            stored.push(tile);
        }
        assert_eq!(
            growth.root(),
            crate::root(size, &stored.iter().cloned().collect()).unwrap()
        );
    }
    stored.into_iter().collect()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

pub(crate) fn hash(text: &str) -> Hash {
    Hash::from_bytes(&hex(text)).unwrap()
}

/// The leaves of Certificate Transparency's reference tree.
pub(crate) fn reference() -> Vec<Hash> {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    leaves
        .iter()
        .map(|leaf| Hash::of_leaf(&hex(leaf)))
        .collect()
}
