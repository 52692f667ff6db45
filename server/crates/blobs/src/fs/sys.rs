//! System calls that the standard library does not offer. They go through libc, so that a recorder loaded in front of
//! it sees every effect on the disk.
#![expect(
    unsafe_code,
    reason = "the one place where the operating system is called directly"
)]

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many bytes an unprivileged process may still write to the file system that holds `path`.
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut answer = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a zero byte, and the kernel writes at most one `statvfs`.
    check(unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so it filled the structure.
    let answer = unsafe { answer.assume_init() };
    Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
}

/// How many files this process may have open.
pub(super) fn open_files_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes one `rlimit`.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit.rlim_cur)
}

/// Takes disk blocks for `length` bytes from `offset` without changing the length of the file.
pub(super) fn preallocate(file: &File, offset: u64, length: u64) -> io::Result<()> {
    let (offset, length) = (signed(offset)?, signed(length)?);
    // SAFETY: no memory is involved, and the descriptor is open as long as `file` is borrowed.
    check(unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, offset, length) })
}

/// Starts writing the changed pages of a range to the disk and does not wait for it. No promise of durability.
pub(super) fn start_writeback(file: &File, offset: u64, length: u64) -> io::Result<()> {
    let (offset, length) = (signed(offset)?, signed(length)?);
    // SAFETY: no memory is involved, and the descriptor is open as long as `file` is borrowed.
    check(unsafe { libc::sync_file_range(file.as_raw_fd(), offset, length, libc::SYNC_FILE_RANGE_WRITE) })
}

/// Tells the kernel to read ahead further than usual.
pub(super) fn advise_sequential(file: &File) -> io::Result<()> {
    // SAFETY: no memory is involved, and the descriptor is open as long as `file` is borrowed.
    let error = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_SEQUENTIAL) };
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

/// Up to `length` bytes from `offset` if they are in memory; `WouldBlock` when the first of them is not.
pub(super) fn read_from_memory(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(length);
    read_some(file, offset, length, &mut buffer, libc::RWF_NOWAIT)?;
    Ok(buffer)
}

/// Up to `length` bytes from `offset`: fewer only where the file ends.
pub(super) fn read(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(length);
    while buffer.len() < length {
        let position = offset.saturating_add(buffer.len() as u64);
        match read_some(file, position, length - buffer.len(), &mut buffer, 0) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer)
}

/// Appends up to `length` bytes to the spare room of `buffer`, which is never filled with zeros first.
fn read_some(
    file: &File,
    offset: u64,
    length: usize,
    buffer: &mut Vec<u8>,
    flags: libc::c_int,
) -> io::Result<usize> {
    let offset = signed(offset)?;
    let spare = buffer.spare_capacity_mut();
    let room = libc::iovec {
        iov_base: spare.as_mut_ptr().cast(),
        iov_len: spare.len().min(length),
    };
    // SAFETY: `room` lies inside the spare capacity, which is borrowed until after the call; the kernel writes there
    // and nowhere else, and never reads it.
    let count = unsafe { libc::preadv2(file.as_raw_fd(), &raw const room, 1, offset, flags) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel initialised the first `count` bytes of the spare capacity, which is at least that large.
    unsafe { buffer.set_len(buffer.len() + count) };
    Ok(count)
}

fn signed(value: u64) -> io::Result<libc::off_t> {
    libc::off_t::try_from(value).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
