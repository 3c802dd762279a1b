//! The tree against the reference vectors of Certificate Transparency and against the definition.

use proptest::prelude::*;

use crate::{
    DamagedEdge, Growth, Hash, OutOfTree, TILE_WIDTH, Tile, TileId, Tiles, Unproven,
    consistency_proof, inclusion_proof, root,
    testing::{self, grown, hash, numbered, reference},
    tiles_of_consistency, tiles_of_edge, tiles_of_inclusion, tiles_of_root, verify_consistency,
    verify_inclusion,
};

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_reference_tree() {
    let leaves = reference();
    for (size, expected) in ROOTS.iter().enumerate() {
        let tiles = grown(&leaves[..size], &[]);
        assert_eq!(root(size as u64, &tiles), Ok(hash(expected)), "{size}");
    }
}

#[test]
fn proofs_are_those_of_the_reference_tree() {
    let tiles = grown(&reference(), &[3, 1]);
    let of = |texts: &[&str]| texts.iter().map(|text| hash(text)).collect::<Vec<_>>();
    let first_of_eight = of(&[
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]);
    assert_eq!(inclusion_proof(0, 8, &tiles), Ok(first_of_eight.clone()));
    assert_eq!(consistency_proof(1, 8, &tiles), Ok(first_of_eight));
    let sixth_of_eight = of(&[
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(inclusion_proof(5, 8, &tiles), Ok(sixth_of_eight));
    let third_of_three = of(&["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
    assert_eq!(inclusion_proof(2, 3, &tiles), Ok(third_of_three));
    let six_to_eight = of(&[
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(consistency_proof(6, 8, &tiles), Ok(six_to_eight));
}

/// Every leaf and every pair of sizes of small trees, across the border between two levels of tiles.
#[test]
fn every_proof_of_a_tree_holds_and_is_the_one_of_the_definition() {
    for size in [1, 2, 3, 7, 8, 9, 64, 65, 255, 256, 257, 300] {
        let leaves = numbered(size);
        let tiles = grown(&leaves, &[1, 100, 7]);
        let whole = testing::root(&leaves);
        let n = size as u64;
        assert_eq!(root(n, &tiles), Ok(whole));
        for at in 0..size {
            let proof = inclusion_proof(at as u64, n, &tiles).unwrap();
            assert_eq!(proof, testing::path(at, &leaves), "{at} of {size}");
            verify_inclusion(leaves[at], at as u64, n, whole, &proof).unwrap();
            let old = at + 1;
            let (m, begin) = (old as u64, testing::root(&leaves[..old]));
            assert_eq!(root(m, &tiles), Ok(begin), "{old} in tiles of {size}");
            let proof = consistency_proof(m, n, &tiles).unwrap();
            assert_eq!(
                proof,
                testing::subproof(old, &leaves, true),
                "{old} of {size}"
            );
            verify_consistency((m, begin), (n, whole), &proof).unwrap();
        }
    }
}

#[test]
fn what_is_in_no_tree_is_refused() {
    let tiles = grown(&numbered(5), &[]);
    let leaf = OutOfTree::Leaf { index: 5, size: 5 };
    assert_eq!(inclusion_proof(5, 5, &tiles), Err(leaf));
    assert_eq!(tiles_of_inclusion(5, 5), Err(leaf));
    for old in [0, 6] {
        let sizes = OutOfTree::Sizes { old, new: 5 };
        assert_eq!(consistency_proof(old, 5, &tiles), Err(sizes));
    }
    assert!(matches!(
        inclusion_proof(0, 6, &tiles),
        Err(OutOfTree::Missing(_))
    ));
    assert!(root(6, &tiles).is_err());
    assert_eq!(root(0, &Tiles::default()), Ok(Hash::of_nothing()));
}

#[test]
fn an_edge_that_does_not_fit_the_size_is_not_grown_on() {
    let mut growth = Growth::default();
    numbered(300).into_iter().for_each(|leaf| growth.push(leaf));
    let mut edge = growth.take_changed();
    edge.retain(|tile| tiles_of_edge(300).contains(&tile.id));
    let shape: Vec<_> = edge
        .iter()
        .map(|tile| (tile.id.level, tile.id.index, tile.hashes.len()))
        .collect();
    assert_eq!(shape, [(0, 1, 44), (1, 0, 1)]);
    assert!(Growth::resume(300, &edge).is_ok());
    let damaged = Growth::resume(301, &edge).unwrap_err();
    let tile = TileId { level: 0, index: 1 };
    let expected = DamagedEdge {
        tile,
        found: 44,
        expected: 45,
    };
    assert_eq!(damaged, expected);
    edge.truncate(1);
    assert!(Growth::resume(300, &edge).is_err(), "a level is missing");
}

/// A tile is written again only when it was changed.
#[test]
fn growing_rewrites_the_edge_and_nothing_else() {
    let mut growth = Growth::default();
    numbered(65_536)
        .into_iter()
        .for_each(|leaf| growth.push(leaf));
    let ids = |tiles: &[Tile]| {
        tiles
            .iter()
            .map(|tile| (tile.id.level, tile.id.index))
            .collect::<Vec<_>>()
    };
    let tiles = growth.take_changed();
    assert_eq!(
        tiles.len(),
        256 + 1 + 1,
        "two levels are complete, one has a hash"
    );
    growth.push(Hash::of_leaf(b"one more"));
    assert_eq!(ids(&growth.take_changed()), [(0, 256)]);
    assert!(growth.take_changed().is_empty());
    numbered(255).into_iter().for_each(|leaf| growth.push(leaf));
    assert_eq!(ids(&growth.take_changed()), [(0, 256), (1, 1)]);
}

/// What a proof is checked with, of which one thing is to be changed.
#[derive(Clone, Debug)]
struct Claim {
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
    proof: Vec<Hash>,
}

impl Claim {
    fn holds(&self) -> Result<(), Unproven> {
        verify_inclusion(self.leaf, self.index, self.size, self.root, &self.proof)
    }
}

fn wrong() -> Hash {
    Hash::of_leaf(b"wrong")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_a_tree_is_grown_it_is_the_one_of_the_definition(
        size in 1..1_500_usize,
        steps in proptest::collection::vec(1..400_usize, 0..12),
        draws in (any::<u64>(), any::<u64>()),
    ) {
        let leaves = numbered(size);
        let tiles = grown(&leaves, &steps);
        let n = size as u64;
        let index = draws.0 % n;
        let old = draws.1 % n + 1;
        let whole = testing::root(&leaves);
        // With the tiles that are listed and no others.
        let only = |ids: Vec<TileId>| -> Tiles {
            ids.into_iter().map(|id| Tile { id, hashes: tiles.hashes(id).unwrap().to_vec() }).collect()
        };
        prop_assert_eq!(root(n, &only(tiles_of_root(n))), Ok(whole));
        let proof = inclusion_proof(index, n, &only(tiles_of_inclusion(index, n).unwrap())).unwrap();
        prop_assert_eq!(&proof, &testing::path(index as usize, &leaves));
        let proof = consistency_proof(old, n, &only(tiles_of_consistency(old, n).unwrap())).unwrap();
        prop_assert_eq!(&proof, &testing::subproof(old as usize, &leaves, true));
    }

    #[test]
    fn a_proof_of_which_anything_was_changed_proves_nothing(size in 2..600_usize, draw in any::<u64>(), at in any::<usize>()) {
        let leaves = numbered(size);
        let tiles = grown(&leaves, &[]);
        let n = size as u64;
        let index = draw % n;
        let proof = inclusion_proof(index, n, &tiles).unwrap();
        let at = at % proof.len();
        let root = testing::root(&leaves);
        let claim = Claim { leaf: leaves[index as usize], index, size: n, root, proof };
        prop_assert_eq!(claim.holds(), Ok(()));
        let changes: [&dyn Fn(&mut Claim); 8] = [
            &|claim| claim.leaf = wrong(),
            &|claim| claim.root = wrong(),
            &|claim| claim.index = (claim.index + 1) % claim.size,
            &|claim| claim.index = claim.size,
            &|claim| claim.proof[at] = wrong(),
            &|claim| { claim.proof.remove(at); },
            &|claim| claim.proof.insert(at, wrong()),
            &|claim| claim.proof.push(wrong()),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = claim.clone();
            change(&mut changed);
            prop_assert_eq!(changed.holds(), Err(Unproven), "change {}", number);
        }
    }

    #[test]
    fn a_consistency_proof_of_which_anything_was_changed_proves_nothing(size in 2..600_usize, draw in any::<u64>(), at in any::<usize>()) {
        let leaves = numbered(size);
        let tiles = grown(&leaves, &[]);
        let n = size as u64;
        let m = draw % (n - 1) + 1;
        let (old, new) = ((m, root(m, &tiles).unwrap()), (n, root(n, &tiles).unwrap()));
        let proof = consistency_proof(m, n, &tiles).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &proof), Ok(()));
        prop_assert!(verify_consistency((m, wrong()), new, &proof).is_err());
        prop_assert!(verify_consistency(old, (n, wrong()), &proof).is_err());
        prop_assert!(verify_consistency(new, old, &proof).is_err());
        let at = at % proof.len();
        let mut changed = proof.clone();
        changed[at] = wrong();
        prop_assert!(verify_consistency(old, new, &changed).is_err());
        let mut changed = proof.clone();
        changed.remove(at);
        prop_assert!(verify_consistency(old, new, &changed).is_err());
        let mut changed = proof;
        changed.insert(at, wrong());
        prop_assert!(verify_consistency(old, new, &changed).is_err());
    }

    #[test]
    fn no_claim_makes_the_verification_panic(numbers in (any::<u64>(), any::<u64>()), count in 0..70_usize) {
        let proof = numbered(count);
        prop_assert!(verify_inclusion(wrong(), numbers.0, numbers.1, wrong(), &proof).is_err());
        let (old, new) = ((numbers.0, wrong()), (numbers.1, wrong()));
        prop_assert_eq!(verify_consistency(old, new, &proof).is_ok(), numbers.0 == numbers.1 && count == 0);
        let (index, size) = (numbers.0.min(numbers.1), numbers.0.max(numbers.1));
        if index < size {
            prop_assert!(tiles_of_inclusion(index, size).unwrap().len() <= 3 * 64 / TILE_WIDTH.ilog2() as usize * 3);
        }
        let _ = (tiles_of_edge(size), tiles_of_root(size), tiles_of_consistency(index, size));
    }
}
