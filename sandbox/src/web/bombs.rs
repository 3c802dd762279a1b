//! Bodies that are small on the wire and large once they are unpacked.

use std::io::{Result, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Size of a gzip or deflate bomb once it is unpacked, in bytes.
pub const BOMB_SIZE: usize = 64 * 1024 * 1024;
/// Size of a brotli bomb once it is unpacked, in bytes: four gibibytes, in some kilobytes.
pub const BROTLI_BOMB_SIZE: u64 = BROTLI_BLOCKS * BLOCK;

/// Meta-blocks of the brotli bomb.
const BROTLI_BLOCKS: u64 = 256;
/// Bytes that a meta-block unpacks to: the most that its header can say (RFC 7932, 9.2).
const BLOCK: u64 = 1 << 24;

/// Returns the gzip bomb, which is made once and only when somebody asks for it.
pub(super) fn gzip() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let made = BOMB.get_or_init(|| {
        let mut encoder = GzEncoder::new(Vec::with_capacity(128 * 1024), Compression::fast());
        let written = zeros(&mut encoder).and_then(|()| encoder.finish());
        // Writing to memory cannot fail; a short bomb would be seen by whoever unpacks it.
        written.map(Bytes::from).unwrap_or_default()
    });
    made.clone()
}

/// Returns the deflate bomb, in the zlib format (RFC 9110, 8.4.1.2).
pub(super) fn deflate() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let made = BOMB.get_or_init(|| {
        let mut encoder = ZlibEncoder::new(Vec::with_capacity(128 * 1024), Compression::fast());
        let written = zeros(&mut encoder).and_then(|()| encoder.finish());
        written.map(Bytes::from).unwrap_or_default()
    });
    made.clone()
}

fn zeros(encoder: &mut impl Write) -> Result<()> {
    let zeros = vec![0; 64 * 1024];
    for _ in 0..BOMB_SIZE / zeros.len() {
        encoder.write_all(&zeros)?;
    }
    Ok(())
}

/// Returns the brotli bomb (RFC 7932). Each of its meta-blocks is one command: a letter, and a copy of it over and over. Its
/// prefix codes have one symbol each, which takes no bits at all, so that a meta-block of 16 MiB takes 13 bytes.
pub(super) fn brotli() -> Bytes {
    let mut bits = Bits::default();
    // A window of 64 KiB.
    bits.put(0, 1);
    for _ in 0..BROTLI_BLOCKS {
        // Not the last one; six nibbles of length; not stored as it is.
        bits.put(0, 1);
        bits.put(2, 2);
        bits.put(BLOCK - 1, 24);
        bits.put(0, 1);
        // One type of blocks of each kind; distances without postfix or direct codes; one context mode; one tree each.
        bits.put(0, 3);
        bits.put(0, 6);
        bits.put(0, 2);
        bits.put(0, 2);
        bits.only_symbol(u64::from(b'a'), 8);
        bits.only_symbol(ONE_LETTER_AND_LONG_COPY, 10);
        bits.only_symbol(DISTANCE_OF_ONE_OR_TWO, 6);
        bits.put(BLOCK - 1 - LONG_COPY_FROM, 24);
        // A distance of one.
        bits.put(0, 1);
    }
    // The last one, and empty.
    bits.put(3, 2);
    bits.bytes.into()
}

/// The insert and copy length code of one letter and of copies from 2,118 bytes on, whose length has 24 further bits.
const ONE_LETTER_AND_LONG_COPY: u64 = 384 + (1 << 3) + 7;
const LONG_COPY_FROM: u64 = 2_118;
/// The distance code of the distances 1 and 2, of which one further bit chooses.
const DISTANCE_OF_ONE_OR_TWO: u64 = 16;

/// Bits in the order of RFC 7932, 1.5.1: the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        for nth in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                let bit = u8::from(value >> nth & 1 == 1);
                *last |= bit << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// Writes a simple prefix code of one symbol (RFC 7932, 3.4).
    fn only_symbol(&mut self, symbol: u64, alphabet_bits: u32) {
        self.put(1, 2);
        self.put(0, 2);
        self.put(symbol, alphabet_bits);
    }
}
