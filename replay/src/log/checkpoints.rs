//! The checkpoints that a log is held against.

use std::collections::BTreeMap;

use transparency::{Checkpoint, Growth, Hash};

use super::{LogFinding, Witnesses};

/// A file that is said to hold a checkpoint.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    /// Its name, for whoever reads what was found.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The checkpoints by their size, with the roots of the log at these sizes as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    known: BTreeMap<u64, Vec<(String, Checkpoint)>>,
    roots: BTreeMap<u64, Hash>,
}

/// What the checkpoints say of the log.
pub(super) struct Told {
    pub(super) agreeing: usize,
    pub(super) newest: Option<Checkpoint>,
    pub(super) findings: Vec<LogFinding>,
}

impl Checkpoints {
    /// Reads the files; those that say nothing are findings.
    pub(super) fn open(witnesses: &Witnesses) -> (Self, Vec<LogFinding>) {
        let (mut checkpoints, mut refused) = (Self::default(), Vec::new());
        for CheckpointFile { name, text } in &witnesses.checkpoints {
            match Checkpoint::open(text, &witnesses.keys) {
                Ok(read) => {
                    let of_size = checkpoints.known.entry(read.size).or_default();
                    of_size.push((name.clone(), read));
                }
                Err(error) => refused.push(LogFinding::CheckpointRefused {
                    file: name.clone(),
                    error,
                }),
            }
        }
        let empty = Growth::default();
        checkpoints.note(&empty);
        (checkpoints, refused)
    }

    /// Keeps the root of a tree that there is a checkpoint of; says whether one vouches for the log up to here.
    pub(super) fn note(&mut self, growth: &Growth) -> bool {
        let Some(of_size) = self.known.get(&growth.size()) else {
            return false;
        };
        let root = growth.root();
        self.roots.insert(growth.size(), root);
        of_size.iter().any(|(_, read)| read.root == root)
    }

    /// Compares a log that ends at `head` and begins with this leaf.
    pub(super) fn compare(self, head: u64, first: Option<Hash>) -> Told {
        let mut told = Told {
            agreeing: 0,
            newest: None,
            findings: Vec::new(),
        };
        let (mut agreed, mut differs, mut other) = (0, None, None);
        for (size, checkpoints) in self.known {
            for (file, checkpoint) in checkpoints {
                let Checkpoint {
                    time, root, log, ..
                } = checkpoint;
                if first.is_some() && log.is_some() && log != first {
                    let found = LogFinding::OtherLog { size, time, file };
                    other.get_or_insert(found);
                } else if size > head {
                    told.findings.push(LogFinding::Truncated {
                        head,
                        size,
                        time,
                        file,
                    });
                } else if self.roots.get(&size) == Some(&root) {
                    told.agreeing += 1;
                    agreed = size;
                    told.newest = Some(checkpoint);
                } else if differs.is_none() {
                    differs = Some(LogFinding::CheckpointDiffers {
                        agreed,
                        size,
                        time,
                        file,
                    });
                }
            }
        }
        // The first that was cut off says most; what differs comes before it.
        told.findings.truncate(1);
        told.findings.splice(0..0, differs);
        told.findings.splice(0..0, other);
        told
    }
}
