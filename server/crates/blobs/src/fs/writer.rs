//! One append on its way to the disk.

use std::fs::File;
use std::io::{self, IoSlice, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TryRecvError;
use zas_blocking::BLOB_WRITES;
use zas_core::{Hashing, UploadId};

use super::layout::shard_of;
use super::{Shared, sys};
use crate::running::RunningAppend;
use crate::{Append, Appended, Batch, Batches, BlobError, Checkpoint, Result};

/// Space is taken and the reserve looked at in steps of this size, so that a client's claim of a size takes nothing.
const SPACE_STEP: u64 = 64 * 1024 * 1024;

/// The disk works while the rest is received, instead of at the end: 8 MiB keep it busy with few calls.
const WRITEBACK_STEP: u64 = 8 * 1024 * 1024;

/// From this size on a batch is hashed beside its writing: below, waiting for each other costs what it gains.
const OVERLAP_FROM: u64 = 256 * 1024;

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
    /// There are no more batches now, or the bytes so far became durable and somebody should know.
    Paused(Box<Writer>, Option<Checkpoint>),
    /// There are no more batches at all.
    Finished(Appended),
}

/// Writes one name. It works on blocking threads while there are batches and waits for them elsewhere, so that slow
/// clients occupy no thread.
#[derive(Debug)]
pub(super) struct Writer {
    /// What comes next.
    pub(super) batches: Batches,
    shared: Arc<Shared>,
    stop: Stop,
    running: Arc<RunningAppend>,
    name: UploadId,
    file: Arc<File>,
    hashes: Vec<Hashing>,
    /// How long the content is.
    offset: u64,
    /// How much of it was acknowledged, or will be by the checkpoint under way.
    durable: u64,
    entry_is_durable: bool,
    /// Where the content will end, if the client said so.
    expected_end: Option<u64>,
    preallocated: u64,
    space_due: u64,
    written_back: u64,
    checkpoint_due: Option<u64>,
    is_finished: bool,
}

impl Writer {
    /// Opens the name, refusing when there is no space, and cuts off what lies behind the offset.
    pub(super) fn open(
        shared: Arc<Shared>,
        append: Append,
        running: RunningAppend,
        stop: Stop,
    ) -> Result<Self> {
        let Append {
            name,
            offset,
            hashes,
            batches,
            expected,
            checkpoints,
        } = append;
        check_running(&stop, name)?;
        shared.check_space(expected.unwrap_or(0))?;
        let file = open_file(&shared, name, offset)?;
        zas_failpoints::reach("append.after_open")
            .map_err(|error| shared.write_failed("open", name, error))?;
        let checkpoint_due = checkpoints
            .is_some()
            .then(|| offset.saturating_add(shared.checkpoint_bytes));
        let mut writer = Self {
            batches,
            stop,
            running: Arc::new(running),
            name,
            file: Arc::new(file),
            hashes,
            offset,
            durable: offset,
            // An offset is only known from an append that made the name durable.
            entry_is_durable: offset > 0,
            expected_end: expected.map(|expected| offset.saturating_add(expected)),
            preallocated: offset,
            space_due: offset.saturating_add(SPACE_STEP),
            written_back: offset,
            checkpoint_due,
            is_finished: false,
            shared,
        };
        if expected.is_some_and(|expected| expected >= SPACE_STEP) {
            writer.preallocate();
        }
        Ok(writer)
    }

    /// Writes `next` and what is ready behind it; without a `next` there is nothing more.
    pub(super) fn run(mut self: Box<Self>, mut next: Option<Batch>) -> Result<Turn> {
        while let Some(batch) = next {
            self.write(batch)?;
            if self.checkpoint_due.is_some_and(|due| self.offset >= due) {
                let checkpoint = self.checkpoint()?;
                return Ok(Turn::Paused(self, Some(checkpoint)));
            }
            next = match self.batches.try_recv() {
                Ok(batch) => Some(batch),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => return Ok(Turn::Paused(self, None)),
            };
        }
        self.finish().map(Turn::Finished)
    }

    fn write(&mut self, batch: Batch) -> Result<()> {
        check_running(&self.stop, self.name)?;
        let mut hashes = std::mem::take(&mut self.hashes);
        let written = if batch.length() < OVERLAP_FROM {
            hash(&mut hashes, &batch);
            self.write_pieces(&batch)
        } else {
            // Hashing costs about what copying into the page cache costs: done together they take half the time.
            self.shared.hashers.in_place_scope(|scope| {
                scope.spawn(|_| hash(&mut hashes, &batch));
                self.write_pieces(&batch)
            })
        };
        self.hashes = hashes;
        written
            .and_then(|()| zas_failpoints::reach("append.after_write"))
            .map_err(|error| self.failed("write", error))?;
        self.offset += batch.length();
        // Gives back its share of the upload budget.
        drop(batch);
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
        let length = self.offset - self.written_back;
        if length >= WRITEBACK_STEP {
            // A hint: the sync at the end writes what this did not, and reports what is wrong.
            let _ = sys::start_writeback(&self.file, self.written_back, length);
            self.written_back = self.offset;
        }
    }

    fn take_space(&mut self) -> Result<()> {
        if self.offset < self.space_due {
            return Ok(());
        }
        self.space_due = self.offset.saturating_add(SPACE_STEP);
        self.shared.check_space(0)?;
        self.preallocate();
        Ok(())
    }

    fn preallocate(&mut self) {
        let start = self.preallocated.max(self.offset);
        let end = self
            .offset
            .saturating_add(SPACE_STEP)
            .min(self.expected_end.unwrap_or(u64::MAX));
        // A hint as well: not every file system can, and whether there is space the write will tell.
        if end > start && sys::preallocate(&self.file, start, end - start).is_ok() {
            self.preallocated = end;
        }
    }

    fn checkpoint(&mut self) -> Result<Checkpoint> {
        self.make_durable()?;
        self.checkpoint_due = Some(self.offset.saturating_add(self.shared.checkpoint_bytes));
        Ok(Checkpoint {
            offset: self.offset,
            hashes: self.hashes.clone(),
        })
    }

    fn finish(mut self) -> Result<Appended> {
        if self.preallocated > self.offset {
            self.file
                .set_len(self.offset)
                .map_err(|error| self.failed("truncate", error))?;
        }
        self.make_durable()?;
        self.is_finished = true;
        Ok(Appended {
            offset: self.offset,
            hashes: std::mem::take(&mut self.hashes),
        })
    }

    /// The bytes first: a name without them would be worse than bytes without a name.
    fn make_durable(&mut self) -> Result<()> {
        check_running(&self.stop, self.name)?;
        let shared = &self.shared;
        zas_failpoints::reach("seal.before_data_sync")
            .and_then(|()| shared.disk.sync_data(&self.file))
            .and_then(|()| zas_failpoints::reach("seal.after_data_sync"))
            .map_err(|error| self.failed("sync", error))?;
        if !self.entry_is_durable {
            let shard = shared.layout.shard(shard_of(self.name));
            shared
                .disk
                .sync_directory(&shard)
                .and_then(|()| zas_failpoints::reach("seal.after_entry_sync"))
                .map_err(|error| self.failed("sync directory of", error))?;
            self.entry_is_durable = true;
        }
        self.durable = self.offset;
        Ok(())
    }

    fn failed(&self, action: &'static str, error: io::Error) -> BlobError {
        self.shared.write_failed(action, self.name, error)
    }
}

impl Drop for Writer {
    /// Gives the space of unacknowledged bytes back at once, on a thread that may wait for the disk. The next append
    /// of the name waits for that, too.
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let (file, durable, running) = (Arc::clone(&self.file), self.durable, Arc::clone(&self.running));
        let cut = move || {
            // If it fails, the next append cuts or the sweep deletes.
            let _ = file.set_len(durable);
            drop(running);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(BLOB_WRITES.run(cut))),
            Err(_) => cut(),
        }
    }
}

fn hash(hashes: &mut [Hashing], batch: &Batch) {
    for piece in &batch.pieces {
        hashes.iter_mut().for_each(|hashing| hashing.update(piece));
    }
}

fn open_file(shared: &Shared, name: UploadId, offset: u64) -> Result<File> {
    let shard = shard_of(name);
    shared
        .layout
        .make_shard(shard, &*shared.disk)
        .map_err(|error| shared.write_failed("make directory of", name, error))?;
    let too_short = |length| BlobError::TooShort {
        name,
        length,
        wanted: offset,
    };
    let mut file = shared
        .disk
        .open(&shared.layout.file(name), offset == 0)
        .map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return shared.write_failed("open", name, error);
            }
            if offset > 0 {
                return too_short(0);
            }
            shared.layout.forget_shard(shard);
            shared.write_failed("open", name, error)
        })?;
    let metadata = file
        .metadata()
        .map_err(|error| shared.write_failed("open", name, error))?;
    if metadata.len() < offset {
        return Err(too_short(metadata.len()));
    }
    // Also when the length is right: an append that did not end may have left blocks behind it.
    if metadata.len() > 0 || metadata.blocks() > 0 {
        file.set_len(offset)
            .map_err(|error| shared.write_failed("truncate", name, error))?;
    }
    file.seek(SeekFrom::Start(offset))
        .map_err(|error| shared.write_failed("seek in", name, error))?;
    Ok(file)
}

fn check_running(stop: &Stop, name: UploadId) -> Result<()> {
    if !stop.0.load(Ordering::Acquire) {
        return Ok(());
    }
    let source = io::Error::new(io::ErrorKind::Interrupted, "nobody waits for it any more");
    Err(super::storage("append to", &name, source))
}
