//! The records of `recorder.c`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::Path;

/// Size, kind, inode, offset, length, extra: eight bytes each, then the name of the call.
const NUMBERS: usize = 6;
const NAME: usize = 16;
const HEADER: usize = NUMBERS * 8 + NAME;

/// One thing that a process did to the disk. Paths are relative to the recorded directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A process began; the inode is the directory's.
    Started {
        /// The directory.
        inode: u64,
    },
    /// A file was made.
    Created {
        /// The file.
        inode: u64,
        /// Where.
        path: String,
    },
    /// A directory was made.
    MadeDirectory {
        /// The directory.
        inode: u64,
        /// Where.
        path: String,
    },
    /// Bytes were written.
    Written {
        /// The file.
        inode: u64,
        /// Their position.
        offset: u64,
        /// All of them.
        bytes: Vec<u8>,
    },
    /// The length was set.
    Cut {
        /// The file.
        inode: u64,
        /// The new length.
        length: u64,
    },
    /// Room was taken; the length becomes at least `end`, unless it was to be kept.
    Allocated {
        /// The file.
        inode: u64,
        /// Behind the last byte, or 0 when the length is kept.
        end: u64,
    },
    /// The kernel was asked to begin writing, which promises nothing.
    Writeback {
        /// The file.
        inode: u64,
    },
    /// A sync began.
    SyncBegun {
        /// What is synced.
        inode: u64,
        /// Its number.
        sync: u64,
    },
    /// A sync ended.
    SyncEnded {
        /// Its number.
        sync: u64,
        /// Whether it succeeded.
        is_done: bool,
    },
    /// A name was exchanged for another.
    Renamed {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// A second name was given.
    Linked {
        /// The first name.
        from: String,
        /// The second name.
        to: String,
    },
    /// A name was removed.
    Unlinked {
        /// The name.
        path: String,
    },
    /// A directory was removed.
    RemovedDirectory {
        /// The name.
        path: String,
    },
    /// Something that the recorder cannot describe.
    Unsupported {
        /// What it was.
        what: String,
    },
}

/// An effect with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The length of the log that holds this record and all before it.
    pub end: u64,
    /// The system call.
    pub call: String,
    /// What it did.
    pub effect: Effect,
}

/// Everything that was recorded, in order.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The records.
    pub records: Vec<Record>,
}

impl Journal {
    /// Reads a log. A last record that is not complete is left out.
    pub fn parse(log: &[u8]) -> Self {
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(header) = log.get(at..at + HEADER) {
            let number = |index: usize| {
                let bytes = header
                    .get(index * 8..index * 8 + 8)
                    .and_then(|bytes| bytes.try_into().ok());
                u64::from_le_bytes(bytes.expect("a header holds six numbers"))
            };
            let size = usize::try_from(number(0)).expect("a record fits in memory");
            assert!(size >= HEADER, "the log is damaged at {at}");
            let Some(payload) = log.get(at + HEADER..at + size) else {
                break;
            };
            at += size;
            records.push(Record {
                end: at as u64,
                call: text(header.get(NUMBERS * 8..).unwrap_or_default()),
                effect: effect(number(1), number(2), number(3), number(4), number(5), payload),
            });
        }
        Self { records }
    }

    /// What would have made the files that are in a directory now, every one of them synced. None of it counts as part
    /// of a log.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn of_directory(directory: &Path) -> io::Result<Self> {
        let mut journal = Self::default();
        let inode = fs::metadata(directory)?.ino();
        journal.add(Effect::Started { inode });
        journal.add_directory(inode, directory, "")?;
        Ok(journal)
    }

    /// This journal and then another one.
    #[must_use]
    pub fn followed_by(mut self, other: &Self) -> Self {
        self.records.extend(other.records.iter().cloned());
        self
    }

    fn add(&mut self, effect: Effect) {
        self.records.push(Record {
            end: 0,
            call: String::new(),
            effect,
        });
    }

    fn add_synced(&mut self, inode: u64) {
        self.add(Effect::SyncBegun { inode, sync: 0 });
        self.add(Effect::SyncEnded {
            sync: 0,
            is_done: true,
        });
    }

    fn add_directory(&mut self, own: u64, directory: &Path, path: &str) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (inode, name) = (entry.ino(), entry.file_name());
            let path = format!("{path}{}", name.to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(Effect::MadeDirectory {
                    inode,
                    path: path.clone(),
                });
                self.add_directory(inode, &entry.path(), &format!("{path}/"))?;
            } else {
                self.add(Effect::Created { inode, path });
                self.add(Effect::Written {
                    inode,
                    offset: 0,
                    bytes: fs::read(entry.path())?,
                });
                self.add_synced(inode);
            }
        }
        self.add_synced(own);
        Ok(())
    }

    /// How many records a log of this length holds.
    pub fn count_at(&self, length: u64) -> usize {
        self.records.partition_point(|record| record.end <= length)
    }

    /// The length of the log with the first `count` records.
    pub fn length_of(&self, count: usize) -> u64 {
        let last = count.checked_sub(1).and_then(|last| self.records.get(last));
        last.map_or(0, |record| record.end)
    }

    /// What the recorder could not describe.
    pub fn unsupported(&self) -> Vec<String> {
        let mut found = BTreeMap::<String, usize>::new();
        for record in &self.records {
            if let Effect::Unsupported { what } = &record.effect {
                *found.entry(format!("{}: {what}", record.call)).or_default() += 1;
            }
        }
        found
            .into_iter()
            .map(|(what, count)| format!("{what} ({count} times)"))
            .collect()
    }
}

/// Up to the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn effect(kind: u64, inode: u64, offset: u64, length: u64, extra: u64, payload: &[u8]) -> Effect {
    let first = || text(payload);
    let second = || text(payload.get(first().len() + 1..).unwrap_or_default());
    match kind {
        1 => Effect::Started { inode },
        2 => Effect::Created { inode, path: first() },
        3 => Effect::MadeDirectory { inode, path: first() },
        4 => Effect::Written {
            inode,
            offset,
            bytes: payload.to_vec(),
        },
        5 => Effect::Cut { inode, length },
        6 => Effect::Allocated {
            inode,
            end: if extra == 0 { offset + length } else { 0 },
        },
        7 => Effect::Writeback { inode },
        8 => Effect::SyncBegun { inode, sync: extra },
        9 => Effect::SyncEnded {
            sync: extra,
            is_done: length == 1,
        },
        10 => Effect::Renamed {
            from: first(),
            to: second(),
        },
        11 => Effect::Linked {
            from: first(),
            to: second(),
        },
        12 => Effect::Unlinked { path: first() },
        13 => Effect::RemovedDirectory { path: first() },
        14 => Effect::Unsupported { what: first() },
        unknown => panic!("no record is of kind {unknown}"),
    }
}
