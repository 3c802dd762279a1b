//! An uploaded list, read as it arrives: lines are cut out of chunks, judged, and only names and refusals are kept.

use aggregates::names::{Importer, Line, MAX_IMPORT_BYTES};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::{auth::hex, http::Error};

/// Rejected lines that are reported one by one; all of them are counted.
pub(super) const MOST_REPORTED: usize = 10_000;

/// The longest line that is looked at, bytes; no name is that long, so the rest of a longer one changes nothing.
const LONGEST_LINE: usize = 8 * 1024;

/// A line that holds no domain name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::http) struct RejectedLine {
    /// Counted from 1.
    pub line: u64,
    /// The start of the line.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What has been read of a list.
pub(super) struct ListOfNames {
    importer: Importer,
    digest: Sha256,
    bytes: u64,
    open_line: Vec<u8>,
    pub(super) names: Vec<String>,
    /// The line of each name.
    pub(super) lines: Vec<u64>,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    pub(super) reported: Vec<RejectedLine>,
}

impl ListOfNames {
    /// Begins an empty list.
    pub(super) fn new() -> Self {
        Self {
            importer: Importer::new(),
            digest: Sha256::new(),
            bytes: 0,
            open_line: Vec::new(),
            names: Vec::new(),
            lines: Vec::new(),
            duplicates: 0,
            rejected: 0,
            reported: Vec::new(),
        }
    }

    /// Takes in the next piece of the file.
    ///
    /// # Errors
    /// 413 past the most bytes, 422 past the most lines.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if self.bytes > MAX_IMPORT_BYTES {
            return Err(Error::TooLarge {
                field: "file",
                limit: usize::try_from(MAX_IMPORT_BYTES).unwrap_or(usize::MAX),
            });
        }
        self.digest.update(chunk);
        let mut lines = chunk.split(|byte| *byte == b'\n');
        // What stands before the first line break belongs to the line that is open.
        self.keep_open(lines.next().unwrap_or_default());
        for next in lines {
            self.close_line()?;
            self.keep_open(next);
        }
        Ok(())
    }

    /// Ends the file; answers its hash, hex, and how many lines it had.
    ///
    /// # Errors
    /// 422 past the most lines.
    pub(super) fn finish(&mut self) -> Result<(String, u64), Error> {
        if !self.open_line.is_empty() {
            self.close_line()?;
        }
        Ok((hex(&self.digest.clone().finalize()), self.importer.lines()))
    }

    fn keep_open(&mut self, piece: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.open_line.len());
        self.open_line
            .extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    fn close_line(&mut self) -> Result<(), Error> {
        let judged = self.importer.line(&self.open_line);
        self.open_line.clear();
        match judged.map_err(|error| Error::unprocessable("file", error))? {
            Line::Nothing => {}
            Line::Accepted(name) => {
                self.names.push(name.to_string());
                self.lines.push(self.importer.lines());
            }
            Line::Duplicate(_) => self.duplicates += 1,
            Line::Rejected {
                number,
                text,
                reason,
            } => {
                self.rejected += 1;
                if self.reported.len() < MOST_REPORTED {
                    self.reported.push(RejectedLine {
                        line: number,
                        text,
                        reason: reason.to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<String>, u64, Vec<RejectedLine>, String, u64) {
        let mut list = ListOfNames::new();
        for piece in pieces {
            list.push(piece).unwrap();
        }
        let (hash, lines) = list.finish().unwrap();
        (list.names, list.duplicates, list.reported, hash, lines)
    }

    #[test]
    fn rejected_lines_are_reported_with_number_and_reason() {
        let (names, duplicates, rejected, _, lines) =
            read(&[b"# list\nA.test\r\n\nb.test\na.test.\nno domain\nlocalhost"]);
        assert_eq!(names, ["a.test", "b.test"]);
        assert_eq!(duplicates, 1);
        assert_eq!(
            rejected.iter().map(|line| line.line).collect::<Vec<_>>(),
            [6, 7]
        );
        assert_eq!(
            rejected[1].reason,
            "only one label: a domain has at least two"
        );
        assert_eq!(lines, 7);
    }

    #[test]
    fn an_endless_line_is_one_rejected_line_and_bounded_memory() {
        let mut list = ListOfNames::new();
        for _ in 0..100 {
            list.push(&[b'a'; 10_000]).unwrap();
        }
        assert!(list.open_line.len() <= LONGEST_LINE);
        list.push(b"\nb.test").unwrap();
        list.finish().unwrap();
        assert_eq!((list.rejected, list.names.len()), (1, 1));
    }

    #[test]
    fn a_file_past_the_bounds_is_refused() {
        let mut list = ListOfNames::new();
        let piece = vec![b'#'; 1024 * 1024];
        for _ in 0..64 {
            list.push(&piece).unwrap();
        }
        assert!(matches!(
            list.push(b"#"),
            Err(Error::TooLarge { field: "file", .. })
        ));
        let mut list = ListOfNames::new();
        let lines = vec![b'\n'; 1_000_000];
        list.push(&lines).unwrap();
        assert!(matches!(list.push(b"\n\n"), Err(Error::Unprocessable(_))));
    }

    proptest! {
        #[test]
        fn where_the_chunks_are_cut_changes_nothing(
            text in "([a-c]{1,3}(\\.test)?\r?\n|#x\n|\n){0,20}[a-c]{0,3}",
            cut in 1_usize..9,
        ) {
            let whole = read(&[text.as_bytes()]);
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            prop_assert_eq!(read(&pieces), whole);
        }
    }
}
