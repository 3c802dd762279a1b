use super::*;
use crate::sse::{
    block::Block,
    ring::{Place, RING_BLOCKS, Ring},
    scope::Scope,
};

const MINE: Scope = Scope {
    whose: Whose::Of(OWNER),
    campaign: None,
};

fn block(after: u64, upto: u64) -> Block {
    let facts = (after + 1..=upto)
        .map(|n| Arc::new(found(n, u128::from(n % 2), "a.test")))
        .collect();
    Block::new(Position::new(after), Position::new(upto), facts)
}

fn positions(facts: &[Arc<Fact>]) -> Vec<u64> {
    facts.iter().map(|fact| fact.position.get()).collect()
}

#[test]
fn a_block_is_read_in_pieces_of_a_budget_without_gap_or_overlap() {
    let (block, mut cursor, mut seen) = (block(10, 30), Position::new(10), Vec::new());
    let one = block.after(cursor, &MINE, usize::MAX).0[0].size();
    while cursor < Position::new(30) {
        let (facts, reached) = block.after(cursor, &MINE, 3 * one);
        assert!(facts.len() <= 3 && reached > cursor);
        seen.extend(positions(&facts));
        cursor = reached;
    }
    assert_eq!(seen, (11..=30).collect::<Vec<_>>());
}

#[test]
fn a_stream_shows_its_campaign_and_its_owner_only() {
    let block = block(0, 6);
    let of_one = Scope {
        campaign: Some(campaign(1)),
        ..MINE
    };
    let (facts, reached) = block.after(Position::START, &of_one, usize::MAX);
    assert_eq!(
        (positions(&facts), reached),
        (vec![1, 3, 5], Position::new(6))
    );
    let mut foreign = found(2, 1, "b.test");
    foreign.owner = UserId(Uuid::from_u128(2));
    let mixed = Block::new(
        Position::START,
        Position::new(2),
        vec![Arc::new(found(1, 1, "a.test")), Arc::new(foreign)],
    );
    assert_eq!(
        positions(&mixed.after(Position::START, &of_one, usize::MAX).0),
        [1]
    );
    let everything = Scope {
        whose: Whose::Everybodys,
        campaign: None,
    };
    let (facts, _) = mixed.after(Position::START, &everything, usize::MAX);
    assert_eq!(positions(&facts), [1, 2]);
    let somebody = Scope {
        whose: Whose::Of(UserId(Uuid::from_u128(2))),
        campaign: Some(campaign(1)),
    };
    let (facts, reached) = block.after(Position::START, &somebody, usize::MAX);
    assert_eq!((positions(&facts), reached), (Vec::new(), Position::new(6)));
}

#[test]
fn the_ring_is_bounded_and_sends_whoever_is_behind_it_to_the_log() {
    let mut ring = Ring::default();
    ring.restart(Position::new(100));
    assert!(matches!(ring.place(Position::new(100)), Place::Level));
    assert!(matches!(ring.place(Position::new(99)), Place::Behind));
    let blocks = RING_BLOCKS as u64 + 10;
    for n in 0..blocks {
        ring.push(block(100 + 2 * n, 102 + 2 * n));
    }
    let end = 100 + 2 * blocks;
    assert!(matches!(ring.place(Position::new(end)), Place::Level));
    assert!(
        matches!(ring.place(Position::new(119)), Place::Behind),
        "ten blocks are gone"
    );
    for cursor in [120, 121, 122, end - 1] {
        let Place::Inside(block) = ring.place(Position::new(cursor)) else {
            panic!("{cursor} is in the ring")
        };
        assert!(block.follows(Position::new(cursor)));
    }
}
