//! The latest stretches of the log, for connections that keep up.

use std::{collections::VecDeque, sync::Arc};

use event_store::Position;

use super::block::Block;

/// What the ring keeps at most, bytes.
pub(super) const RING_BYTES: usize = 16 * 1024 * 1024;
/// Stretches that the ring keeps at most.
pub(super) const RING_BLOCKS: usize = 4_096;

/// Stretches of the log without a gap between them, the latest last.
#[derive(Debug, Default)]
pub(super) struct Ring {
    blocks: VecDeque<Arc<Block>>,
    start: Position,
    end: Position,
    size: usize,
}

/// Where a cursor is.
#[derive(Debug)]
pub(super) enum Place {
    /// This block has what comes next.
    Inside(Arc<Block>),
    /// Nothing comes next yet.
    Level,
    /// What comes next is not in the ring any more.
    Behind,
}

impl Ring {
    /// Begins anew at a position.
    pub(super) fn restart(&mut self, at: Position) {
        *self = Self {
            start: at,
            end: at,
            ..Self::default()
        };
    }

    /// Adds the next stretch and lets go of the oldest past the bounds.
    pub(super) fn push(&mut self, block: Block) {
        self.end = block.upto;
        self.size += block.size();
        self.blocks.push_back(Arc::new(block));
        while self.size > RING_BYTES || self.blocks.len() > RING_BLOCKS {
            let Some(oldest) = self.blocks.pop_front() else {
                break;
            };
            self.size -= oldest.size();
            self.start = oldest.upto;
        }
    }

    /// Says where a cursor is.
    pub(super) fn place(&self, cursor: Position) -> Place {
        if cursor < self.start {
            return Place::Behind;
        }
        let next = self.blocks.partition_point(|block| block.upto <= cursor);
        match self.blocks.get(next) {
            Some(block) if block.follows(cursor) => Place::Inside(Arc::clone(block)),
            _ if cursor < self.end => Place::Behind,
            _ => Place::Level,
        }
    }
}
