//! Unpacking bodies, bounded by what they unpack to.

use std::io::{Error, ErrorKind, Result, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

/// Working memory of a decoder besides its window.
const BUFFER: usize = 8 << 10;
/// Packed bytes that are read of a body beyond the bound of what they unpack to; a body that is longer unpacks to nothing.
const PACKED_SLACK: usize = 64 << 10;

/// What became of a piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Fed {
    /// There is room for more.
    More,
    /// The bound is reached: the rest is not wanted.
    Full,
}

/// Takes a body piece by piece and keeps what it unpacks to.
pub(in crate::http) struct Decoder {
    coding: Coding,
    /// Packed bytes so far.
    packed: usize,
    most: usize,
}

enum Coding {
    Identity(Kept),
    Gzip(Box<GzDecoder<Kept>>),
    /// `deflate` is the zlib format (RFC 9110 §8.4.1.2), but some send the bare one; its first byte tells.
    Undecided(Kept),
    Deflate(Box<Inflate>),
    Brotli(Box<DecompressorWriter<Kept>>),
}

/// How a stream begins whose window may have a gibibyte (RFC 7932 §9.1 has no such window): the decoder would take that
/// memory before it gives a byte.
const LARGE_WINDOW: u8 = 0x11;

/// Bytes up to a bound.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    most: usize,
    full: bool,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let room = self.most - self.bytes.len();
        if bytes.len() > room {
            self.bytes
                .extend_from_slice(bytes.get(..room).unwrap_or_default());
            self.full = true;
            return Err(Error::new(ErrorKind::StorageFull, "the bound is reached"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// Makes a decoder for a content coding that keeps at most so many bytes. A coding that was not asked for is left as
    /// it is.
    pub(in crate::http) fn new(coding: Option<&str>, most: usize) -> Self {
        let kept = Kept {
            most,
            ..Kept::default()
        };
        let coding = match coding
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "gzip" | "x-gzip" => Coding::Gzip(Box::new(GzDecoder::new(kept))),
            "deflate" => Coding::Undecided(kept),
            "br" => Coding::Brotli(Box::new(DecompressorWriter::new(kept, BUFFER))),
            _ => Coding::Identity(kept),
        };
        Self {
            coding,
            packed: 0,
            most,
        }
    }

    /// Takes a piece.
    ///
    /// # Errors
    ///
    /// When the bytes are not what the coding says.
    pub(in crate::http) fn feed(&mut self, piece: &[u8]) -> Result<Fed> {
        let begins = self.packed == 0;
        self.packed = self.packed.saturating_add(piece.len());
        if let Coding::Undecided(kept) = &mut self.coding
            && let Some(first) = piece.first()
        {
            let kept = std::mem::take(kept);
            // RFC 1950 §2.2: compression method 8 in the lower half.
            let zlib = first & 0x0f == 8;
            self.coding = Coding::Deflate(Box::new(Inflate::new(kept, zlib)));
        }
        if let (Coding::Brotli(_), true, Some(first)) = (&self.coding, begins, piece.first())
            && first & 0x7f == LARGE_WINDOW
        {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the window is too large",
            ));
        }
        let done = match &mut self.coding {
            Coding::Identity(kept) | Coding::Undecided(kept) => kept.write(piece).map(|_| ()),
            Coding::Gzip(decoder) => feed(decoder.as_mut(), piece),
            Coding::Deflate(decoder) => feed(decoder.as_mut(), piece),
            Coding::Brotli(decoder) => feed(decoder.as_mut(), piece),
        };
        match done {
            _ if self.kept().full => Ok(Fed::Full),
            Err(error) => Err(error),
            Ok(()) if self.packed > self.most.saturating_add(PACKED_SLACK) => Ok(Fed::Full),
            Ok(()) => Ok(Fed::More),
        }
    }

    /// Ends the body and gives what it unpacked to, and whether that is not all of it.
    ///
    /// # Errors
    ///
    /// When the packed bytes end before their end. An empty body is one in every coding.
    pub(in crate::http) fn finish(mut self) -> Result<(Vec<u8>, bool)> {
        let ended = match &mut self.coding {
            _ if self.packed == 0 => Ok(()),
            Coding::Identity(_) | Coding::Undecided(_) => Ok(()),
            Coding::Gzip(decoder) => decoder.try_finish(),
            Coding::Deflate(decoder) => decoder.finish(),
            Coding::Brotli(decoder) => decoder.close(),
        };
        let kept = std::mem::take(self.kept());
        if !kept.full {
            ended?;
        }
        Ok((kept.bytes, kept.full))
    }

    /// Gives what there is of a body whose end is not wanted.
    pub(in crate::http) fn cut(mut self) -> Vec<u8> {
        std::mem::take(self.kept()).bytes
    }

    fn kept(&mut self) -> &mut Kept {
        match &mut self.coding {
            Coding::Identity(kept) | Coding::Undecided(kept) => kept,
            Coding::Gzip(decoder) => decoder.get_mut(),
            Coding::Deflate(decoder) => &mut decoder.kept,
            Coding::Brotli(decoder) => decoder.get_mut(),
        }
    }
}

/// Writes as much as the decoder takes. What follows the end of a packed body is passed over, as browsers do.
fn feed(decoder: &mut impl Write, mut piece: &[u8]) -> Result<()> {
    while !piece.is_empty() {
        match decoder.write(piece)? {
            0 => return Ok(()),
            taken => piece = piece.get(taken..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Unpacks deflate, with or without the wrapping of zlib, and knows whether it came to its end.
struct Inflate {
    state: Decompress,
    buffer: Vec<u8>,
    ended: bool,
    kept: Kept,
}

impl Inflate {
    fn new(kept: Kept, zlib: bool) -> Self {
        Self {
            state: Decompress::new(zlib),
            buffer: Vec::with_capacity(BUFFER),
            ended: false,
            kept,
        }
    }

    /// Gives out what is left and tells whether the end was there.
    fn finish(&mut self) -> Result<()> {
        self.step(&[])?;
        match self.ended {
            true => Ok(()),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Unpacks until the buffer is full or the input is used up; tells how much of it was.
    fn step(&mut self, piece: &[u8]) -> Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let mut taken = 0;
        loop {
            let before = self.state.total_in();
            self.buffer.clear();
            let rest = piece.get(taken..).unwrap_or_default();
            let status = self
                .state
                .decompress_vec(rest, &mut self.buffer, FlushDecompress::None)
                .map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
            taken += usize::try_from(self.state.total_in() - before).unwrap_or(rest.len());
            self.kept.write_all(&self.buffer)?;
            self.ended = status == Status::StreamEnd;
            if self.ended
                || self.buffer.is_empty()
                || taken == piece.len() && self.buffer.len() < BUFFER
            {
                return Ok(taken);
            }
        }
    }
}

impl Write for Inflate {
    fn write(&mut self, piece: &[u8]) -> Result<usize> {
        self.step(piece)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn text() -> Vec<u8> {
        (0..20_000_u32)
            .flat_map(|n| format!("{} ", n * n).into_bytes())
            .collect()
    }

    fn packed(coding: &str) -> Vec<u8> {
        let text = text();
        match coding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn unpack(coding: &str, most: usize, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, bool)> {
        let mut decoder = Decoder::new(Some(coding), most);
        for piece in bytes.chunks(piece) {
            if decoder.feed(piece)? == Fed::Full {
                return Ok((decoder.cut(), true));
            }
        }
        decoder.finish()
    }

    #[test]
    fn every_coding_is_unpacked_whatever_the_pieces_and_what_follows_its_end() {
        for (name, coding) in [("gzip", "gzip"), ("zlib", "deflate"), ("bare", "deflate")] {
            for piece in [1, 7, 1_000, 1 << 20] {
                let mut bytes = packed(name);
                assert_eq!(
                    unpack(coding, 1 << 20, &bytes, piece).unwrap(),
                    (text(), false)
                );
                bytes.extend(b"what a broken server adds");
                let (found, cut) = unpack(coding, 1 << 20, &bytes, piece).unwrap();
                assert!(found == text() && !cut, "{name} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_ends_too_early_is_an_error_and_nothing_at_all_is_none() {
        for (name, coding) in [("gzip", "gzip"), ("zlib", "deflate"), ("bare", "deflate")] {
            let bytes = packed(name);
            let half = &bytes[..bytes.len() / 2];
            assert!(unpack(coding, 1 << 20, half, 1_000).is_err(), "{name}");
            assert_eq!(
                unpack(coding, 1 << 20, b"", 1).unwrap(),
                (Vec::new(), false)
            );
        }
        assert!(unpack("br", 1 << 20, b"\x0b\x05\x80<h1>", 3).is_err());
        assert_eq!(unpack("br", 1 << 20, b"", 1).unwrap(), (Vec::new(), false));
    }

    #[test]
    fn the_bound_is_that_of_the_unpacked_bytes() {
        for (name, coding) in [("gzip", "gzip"), ("zlib", "deflate"), ("bare", "deflate")] {
            let bytes = packed(name);
            for most in [1, 5_000, text().len() - 1] {
                let (found, cut) = unpack(coding, most, &bytes, 1 << 20).unwrap();
                assert!(cut && found == text()[..most], "{name} up to {most}");
            }
            let (found, cut) = unpack(coding, text().len(), &bytes, 1_000).unwrap();
            assert!(!cut && found == text(), "{name} up to its end");
        }
    }

    #[test]
    fn a_window_that_no_browser_takes_is_refused_before_there_is_one() {
        // 30 bits, and a metablock of nothing.
        let large = [0x11, 0x1e, 0x03];
        for piece in [1, 3] {
            let refused = unpack("br", 1 << 20, &large, piece).unwrap_err();
            assert!(refused.to_string().contains("window"), "{refused}");
        }
    }

    #[test]
    fn packed_bytes_that_unpack_to_nothing_end_too() {
        // Empty stored blocks without end (RFC 1951 §3.2.4).
        let empty = [0, 0, 0, 0xff, 0xff].repeat(100_000);
        let (found, cut) = unpack("deflate", 1_000, &empty, 4_096).unwrap();
        assert!(cut && found.is_empty());
    }
}
