//! One name on its way to the disk.

use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TryRecvError;
use zas_blocking::BLOB_WRITES;
use zas_core::LocationName;

use super::layout::shard_of;
use super::{Shared, sys};
use crate::{Batch, Batches, BlobError, Result, Write};

/// Space is taken and the reserve looked at in steps of this size, so that a client's claim of a size takes nothing.
const SPACE_STEP: u64 = 64 * 1024 * 1024;

/// The disk works while the rest is received, instead of at the end: 8 MiB keep it busy with few calls.
const WRITEBACK_STEP: u64 = 8 * 1024 * 1024;

/// Tells a writer on another thread that nobody waits for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

/// Stops the writer when the future that waits for it is dropped.
#[derive(Debug)]
pub(super) struct StopOnDrop(Stop);

impl Stop {
    pub(super) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

/// How a stay on a blocking thread ended.
#[derive(Debug)]
pub(super) enum Turn {
    /// There are no more batches now.
    Paused(Box<Writer>),
    /// There are no more batches at all: so many bytes are durable.
    Finished(u64),
}

/// Writes one name. It works on blocking threads while there are batches and waits for them elsewhere, so that slow
/// clients occupy no thread.
#[derive(Debug)]
pub(super) struct Writer {
    /// What comes next.
    pub(super) batches: Batches,
    shared: Arc<Shared>,
    stop: Stop,
    name: LocationName,
    file: File,
    /// How many bytes are written.
    length: u64,
    /// How many bytes there will be, if the client said so.
    expected: Option<u64>,
    preallocated: u64,
    space_due: u64,
    written_back: u64,
    is_finished: bool,
}

impl Writer {
    /// Makes the name, refusing when there is no space or when it is there already.
    pub(super) fn open(shared: Arc<Shared>, write: Write, stop: Stop) -> Result<Self> {
        let Write {
            name,
            batches,
            expected,
        } = write;
        check_running(&stop, name)?;
        shared.check_space(expected.unwrap_or(0))?;
        let file = make_file(&shared, name)?;
        let mut writer = Self {
            batches,
            stop,
            name,
            file,
            length: 0,
            expected,
            preallocated: 0,
            space_due: SPACE_STEP,
            written_back: 0,
            is_finished: false,
            shared,
        };
        zas_failpoints::reach("write.after_open").map_err(|error| writer.failed("open", error))?;
        if expected.is_some_and(|expected| expected >= SPACE_STEP) {
            writer.preallocate();
        }
        Ok(writer)
    }

    /// Writes `next` and what is ready behind it; without a `next` there is nothing more.
    pub(super) fn run(mut self: Box<Self>, mut next: Option<Batch>) -> Result<Turn> {
        while let Some(batch) = next {
            self.write(&batch)?;
            // Gives back its share of the upload budget.
            drop(batch);
            next = match self.batches.try_recv() {
                Ok(batch) => Some(batch),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => return Ok(Turn::Paused(self)),
            };
        }
        self.finish().map(Turn::Finished)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        check_running(&self.stop, self.name)?;
        self.write_pieces(batch)
            .and_then(|()| zas_failpoints::reach("write.after_write"))
            .map_err(|error| self.failed("write", error))?;
        self.length += batch.length();
        self.start_writeback();
        self.take_space()
    }

    fn write_pieces(&self, batch: &Batch) -> io::Result<()> {
        let pieces = batch.pieces.iter().filter(|piece| !piece.is_empty());
        let mut slices: Vec<_> = pieces.map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match self.shared.disk.write(&self.file, rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn start_writeback(&mut self) {
        let length = self.length - self.written_back;
        if length >= WRITEBACK_STEP {
            // A hint: the sync at the end writes what this did not, and reports what is wrong.
            let _ = sys::start_writeback(&self.file, self.written_back, length);
            self.written_back = self.length;
        }
    }

    fn take_space(&mut self) -> Result<()> {
        if self.length < self.space_due {
            return Ok(());
        }
        self.space_due = self.length.saturating_add(SPACE_STEP);
        self.shared.check_space(0)?;
        self.preallocate();
        Ok(())
    }

    fn preallocate(&mut self) {
        let start = self.preallocated.max(self.length);
        let end = self
            .length
            .saturating_add(SPACE_STEP)
            .min(self.expected.unwrap_or(u64::MAX));
        // A hint as well: not every file system can, and whether there is space the write will tell.
        if end > start && sys::preallocate(&self.file, start, end - start).is_ok() {
            self.preallocated = end;
        }
    }

    fn finish(mut self) -> Result<u64> {
        if self.preallocated > self.length {
            self.file
                .set_len(self.length)
                .map_err(|error| self.failed("truncate", error))?;
        }
        self.make_durable()?;
        self.is_finished = true;
        Ok(self.length)
    }

    /// The bytes first: a name without them would be worse than bytes without a name.
    fn make_durable(&self) -> Result<()> {
        check_running(&self.stop, self.name)?;
        let shared = &self.shared;
        zas_failpoints::reach("seal.before_data_sync")
            .and_then(|()| shared.disk.sync_data(&self.file))
            .and_then(|()| zas_failpoints::reach("seal.after_data_sync"))
            .map_err(|error| self.failed("sync", error))?;
        shared
            .disk
            .sync_directory(&shared.layout.shard(shard_of(self.name)))
            .and_then(|()| zas_failpoints::reach("seal.after_entry_sync"))
            .map_err(|error| self.failed("sync directory of", error))
    }

    fn failed(&self, action: &'static str, error: io::Error) -> BlobError {
        self.shared.write_failed(action, self.name, error)
    }
}

impl Drop for Writer {
    /// Gives the space of bytes that nobody was told of back at once, on a thread that may wait for the disk.
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let path = self.shared.layout.file(self.name);
        // If it fails, whoever gave the name out deletes it.
        let remove = move || drop(fs::remove_file(path));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(BLOB_WRITES.run(remove))),
            Err(_) => remove(),
        }
    }
}

fn make_file(shared: &Shared, name: LocationName) -> Result<File> {
    let shard = shard_of(name);
    shared
        .layout
        .make_shard(shard, &*shared.disk)
        .map_err(|error| shared.write_failed("make directory of", name, error))?;
    let made = shared.disk.make_file(&shared.layout.file(name));
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BlobError::Exists(name),
        io::ErrorKind::NotFound => {
            shared.layout.forget_shard(shard);
            shared.write_failed("make", name, error)
        }
        _ => shared.write_failed("make", name, error),
    })
}

fn check_running(stop: &Stop, name: LocationName) -> Result<()> {
    if !stop.0.load(Ordering::Acquire) {
        return Ok(());
    }
    let source = io::Error::new(io::ErrorKind::Interrupted, "nobody waits for it any more");
    Err(super::storage("write", &name, source))
}
