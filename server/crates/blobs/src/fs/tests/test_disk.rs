//! A disk that writes down what happens to it and fails as told.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use crate::fs::disk::{Disk, NativeDisk};

/// The real disk below a directory, with faults.
#[derive(Debug)]
pub(super) struct TestDisk {
    base: PathBuf,
    log: Mutex<Vec<String>>,
    free: AtomicU64,
    /// How many bytes a write takes at most.
    pub(super) write_size: AtomicUsize,
    /// How many bytes can still be written.
    pub(super) room: AtomicU64,
    fault: Mutex<Option<(&'static str, io::ErrorKind)>>,
    gate_is_closed: Mutex<bool>,
    gate: Condvar,
}

impl TestDisk {
    pub(super) fn new(base: &Path) -> Self {
        Self {
            base: base.to_owned(),
            log: Mutex::default(),
            free: AtomicU64::new(u64::MAX),
            write_size: AtomicUsize::new(usize::MAX),
            room: AtomicU64::new(u64::MAX),
            fault: Mutex::default(),
            gate_is_closed: Mutex::new(false),
            gate: Condvar::new(),
        }
    }

    pub(super) fn set_free(&self, free: u64) {
        self.free.store(free, Ordering::SeqCst);
    }

    /// The next `effect` fails.
    pub(super) fn fail(&self, effect: &'static str, kind: io::ErrorKind) {
        *self.fault.lock().unwrap() = Some((effect, kind));
    }

    /// Writes wait until the gate is opened.
    pub(super) fn close_gate(&self) {
        *self.gate_is_closed.lock().unwrap() = true;
    }

    pub(super) fn open_gate(&self) {
        *self.gate_is_closed.lock().unwrap() = false;
        self.gate.notify_all();
    }

    /// What happened since the last time, without repeated writes.
    pub(super) fn happened(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut *self.log.lock().unwrap());
        log.dedup();
        log
    }

    pub(super) fn forget(&self) {
        drop(self.happened());
    }

    fn note(&self, effect: &'static str, path: Option<&Path>) -> io::Result<()> {
        let path = path.map(|path| {
            path.strip_prefix(&self.base)
                .unwrap_or(path)
                .display()
                .to_string()
        });
        let entry = path.map_or_else(|| effect.to_owned(), |path| format!("{effect} {path}"));
        self.log.lock().unwrap().push(entry);
        let mut fault = self.fault.lock().unwrap();
        match *fault {
            Some((failing, kind)) if failing == effect => {
                *fault = None;
                Err(kind.into())
            }
            _ => Ok(()),
        }
    }
}

impl Disk for TestDisk {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.note("make directory", Some(path))?;
        NativeDisk.make_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.note("sync directory", Some(path))?;
        NativeDisk.sync_directory(path)
    }

    fn make_file(&self, path: &Path) -> io::Result<File> {
        self.note("make file", None)?;
        NativeDisk.make_file(path)
    }

    fn write(&self, mut file: &File, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.note("write", None)?;
        let closed = self.gate_is_closed.lock().unwrap();
        drop(self.gate.wait_while(closed, |closed| *closed).unwrap());

        let piece = pieces.first().map_or(&[] as &[u8], |piece| piece);
        let room = usize::try_from(self.room.load(Ordering::SeqCst)).unwrap_or(usize::MAX);
        let size = piece.len().min(self.write_size.load(Ordering::SeqCst)).min(room);
        if size == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = file.write(&piece[..size])?;
        self.room.fetch_sub(written as u64, Ordering::SeqCst);
        Ok(written)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.note("sync data", None)?;
        NativeDisk.sync_data(file)
    }
}
