/* Loaded in front of libc by LD_PRELOAD: writes down every effect that a process has on the disk below one directory.
 *
 *   ZAS_RECORD_DIRECTORY  the directory, as an absolute path without links
 *   ZAS_RECORD_LOG        the file that the records are appended to; it lies elsewhere
 *
 * One lock is held over each call and the record of it, so that the order of the records is the order of the effects.
 * Only a sync works outside the lock, between a record of its beginning and one of its end: it promises what was
 * recorded before the first, and it does so from the second on.
 *
 * Everything goes to the kernel directly, not through the libc that this stands in front of.
 * What could change the disk and cannot be recorded is recorded as unsupported, which fails the test.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#if defined(__x86_64__)
static long raw6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long raw6(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "the recorder speaks to the kernel of x86_64 and aarch64 only"
#endif

#define RAW(number, a, b, c, d, e, f) \
    raw6((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* What a record says. The numbers are those of journal.rs. */
enum kind {
    STARTED = 1,
    CREATED = 2,
    MADE_DIRECTORY = 3,
    WRITTEN = 4,
    CUT = 5,
    ALLOCATED = 6,
    WRITEBACK = 7,
    SYNC_BEGUN = 8,
    SYNC_ENDED = 9,
    RENAMED = 10,
    LINKED = 11,
    UNLINKED = 12,
    REMOVED_DIRECTORY = 13,
    UNSUPPORTED = 14,
};

struct header {
    uint64_t size; /* of the record, this header included */
    uint64_t kind;
    uint64_t inode;
    uint64_t offset;
    uint64_t length;
    uint64_t extra;
    char call[16]; /* the name of the system call */
};

#define DESCRIPTORS 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;
static char root[PATH_MAX];
static size_t root_length;
static uint64_t next_sync = 1;
/* The inode behind each descriptor that was opened below the directory; 0 elsewhere. */
static _Atomic uint64_t inodes[DESCRIPTORS];

static void fail(const char *what) {
    RAW(SYS_write, 2, "recorder: ", 10, 0, 0, 0);
    RAW(SYS_write, 2, what, strlen(what), 0, 0, 0);
    RAW(SYS_write, 2, "\n", 1, 0, 0, 0);
    RAW(SYS_exit_group, 97, 0, 0, 0, 0, 0);
}

static int is_active(void) { return log_descriptor >= 0; }

static void acquire(void) { pthread_mutex_lock(&lock); }

static void release(void) { pthread_mutex_unlock(&lock); }

/* Gives a result of the kernel the form that callers of libc expect. */
static long answer(long result) {
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void append(const struct iovec *pieces, int count, size_t size) {
    long written = RAW(SYS_writev, log_descriptor, pieces, count, 0, 0, 0);
    if (written != (long)size) fail("the log cannot be written");
}

/* Up to two paths, or the bytes of a write: at most `length` of those in `data`. */
static void record(enum kind kind, const char *call, uint64_t inode, uint64_t offset, uint64_t length, uint64_t extra,
                   const char *first, const char *second, const struct iovec *data, int count) {
    struct header header = {0};
    struct iovec pieces[3 + 1024];
    int used = 1;
    size_t size = sizeof header;
    header.kind = kind;
    header.inode = inode;
    header.offset = offset;
    header.length = length;
    header.extra = extra;
    strncpy(header.call, call, sizeof header.call - 1);
    if (first) {
        pieces[used++] = (struct iovec){(void *)first, strlen(first) + 1};
        size += strlen(first) + 1;
    }
    if (second) {
        pieces[used++] = (struct iovec){(void *)second, strlen(second) + 1};
        size += strlen(second) + 1;
    }
    if (data) {
        uint64_t left = length;
        for (int i = 0; i < count && left > 0; i++) {
            uint64_t taken = data[i].iov_len < left ? data[i].iov_len : left;
            if (taken == 0) continue;
            if (used == 1024) fail("a write has too many pieces");
            pieces[used++] = (struct iovec){data[i].iov_base, taken};
            size += taken;
            left -= taken;
        }
        if (left > 0) fail("a write has fewer bytes than it wrote");
    }
    header.size = size;
    pieces[0] = (struct iovec){&header, sizeof header};
    append(pieces, used, size);
}

static void unsupported(const char *call, const char *what) {
    record(UNSUPPORTED, call, 0, 0, 0, 0, what, NULL, NULL, 0);
}

/* --- paths */

/* Writes an absolute path without empty parts and single dots. Returns whether it lies below the directory. */
static int resolve(int directory, const char *path, char *resolved) {
    char whole[PATH_MAX * 2];
    size_t at = 0;
    if (!path) return 0;
    if (path[0] != '/') {
        long length;
        if (directory == AT_FDCWD) {
            length = RAW(SYS_getcwd, whole, PATH_MAX, 0, 0, 0, 0);
            if (length <= 0) return 0;
            at = (size_t)length - 1;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            length = RAW(SYS_readlinkat, AT_FDCWD, link, whole, PATH_MAX, 0, 0);
            if (length <= 0) return 0;
            at = (size_t)length;
        }
        whole[at++] = '/';
    }
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(whole + at, path);
    size_t end = 0;
    for (const char *part = whole; *part;) {
        while (*part == '/') part++;
        size_t length = strcspn(part, "/");
        if (length == 0) break;
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (end > 0 && resolved[end - 1] != '/') end--;
            if (end > 0) end--;
        } else if (!(length == 1 && part[0] == '.')) {
            if (end + length + 2 > PATH_MAX) return 0;
            resolved[end++] = '/';
            memcpy(resolved + end, part, length);
            end += length;
        }
        part += length;
    }
    resolved[end] = 0;
    return strncmp(resolved, root, root_length) == 0 && (resolved[root_length] == '/' || resolved[root_length] == 0);
}

/* A path as the log names it: relative to the directory. */
static const char *relative(const char *resolved) {
    return resolved[root_length] == '/' ? resolved + root_length + 1 : resolved + root_length;
}

static int look(const char *path, struct stat *found) {
    return RAW(SYS_newfstatat, AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW, 0, 0) == 0;
}

static uint64_t inode_of(int descriptor, mode_t *mode, int64_t *size) {
    struct stat found;
    if (RAW(SYS_fstat, descriptor, &found, 0, 0, 0, 0) != 0) return 0;
    if (mode) *mode = found.st_mode;
    if (size) *size = found.st_size;
    return found.st_ino;
}

/* --- descriptors */

static uint64_t tracked(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS ? atomic_load(&inodes[descriptor]) : 0;
}

static void track(int descriptor, uint64_t inode) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        atomic_store(&inodes[descriptor], inode);
    } else if (descriptor >= 0 && inode) {
        unsupported("open", "a descriptor above the table");
    }
}

/* Opens under the lock, so that whether the file was made by this very call is known. */
static long open_recorded(int directory, const char *path, int flags, mode_t mode, const char *call) {
    char resolved[PATH_MAX];
    if (!is_active()) return RAW(SYS_openat, directory, path, flags, mode, 0, 0);
    int is_below = resolve(directory, path, resolved);
    if (!is_below) {
        long descriptor = RAW(SYS_openat, directory, path, flags, mode, 0, 0);
        if (descriptor >= 0) track((int)descriptor, 0);
        return descriptor;
    }
    acquire();
    struct stat before;
    int was_there = look(resolved, &before);
    long descriptor = RAW(SYS_openat, directory, path, flags, mode, 0, 0);
    if (descriptor >= 0) {
        mode_t kind = 0;
        uint64_t inode = inode_of((int)descriptor, &kind, NULL);
        track((int)descriptor, S_ISREG(kind) || S_ISDIR(kind) ? inode : 0);
        if ((flags & O_TMPFILE) == O_TMPFILE) unsupported(call, "O_TMPFILE");
        if (was_there && S_ISLNK(before.st_mode)) unsupported(call, "a symbolic link");
        if (!was_there && (flags & O_CREAT))
            record(CREATED, call, inode, 0, 0, 0, relative(resolved), NULL, NULL, 0);
        else if ((flags & O_TRUNC) && before.st_size > 0)
            record(CUT, call, inode, 0, 0, 0, NULL, NULL, NULL, 0);
    }
    release();
    return descriptor;
}

static mode_t mode_argument(int flags, va_list arguments) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(arguments, int) : 0;
}

#define OPEN(name)                                                          \
    EXPORT int name(const char *path, int flags, ...) {                     \
        va_list arguments;                                                  \
        va_start(arguments, flags);                                         \
        mode_t mode = mode_argument(flags, arguments);                      \
        va_end(arguments);                                                  \
        return (int)answer(open_recorded(AT_FDCWD, path, flags, mode, "open")); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                        \
    EXPORT int name(int directory, const char *path, int flags, ...) {      \
        va_list arguments;                                                  \
        va_start(arguments, flags);                                         \
        mode_t mode = mode_argument(flags, arguments);                      \
        va_end(arguments);                                                  \
        return (int)answer(open_recorded(directory, path, flags, mode, "openat")); \
    }
OPENAT(openat)
OPENAT(openat64)

EXPORT int __open_2(const char *path, int flags) {
    return (int)answer(open_recorded(AT_FDCWD, path, flags, 0, "open"));
}
EXPORT int __open64_2(const char *path, int flags) {
    return (int)answer(open_recorded(AT_FDCWD, path, flags, 0, "open"));
}
EXPORT int __openat_2(int directory, const char *path, int flags) {
    return (int)answer(open_recorded(directory, path, flags, 0, "openat"));
}
EXPORT int __openat64_2(int directory, const char *path, int flags) {
    return (int)answer(open_recorded(directory, path, flags, 0, "openat"));
}
EXPORT int creat(const char *path, mode_t mode) {
    return (int)answer(open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, "creat"));
}
EXPORT int creat64(const char *path, mode_t mode) {
    return (int)answer(open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, "creat"));
}

EXPORT int close(int descriptor) {
    if (!tracked(descriptor)) return (int)answer(RAW(SYS_close, descriptor, 0, 0, 0, 0, 0));
    acquire();
    track(descriptor, 0);
    long result = RAW(SYS_close, descriptor, 0, 0, 0, 0, 0);
    release();
    return (int)answer(result);
}

static long duplicated(long result, int old) {
    if (result >= 0 && is_active()) {
        acquire();
        track((int)result, tracked(old));
        release();
    }
    return answer(result);
}

EXPORT int dup(int old) { return (int)duplicated(RAW(SYS_dup, old, 0, 0, 0, 0, 0), old); }

EXPORT int dup3(int old, int new, int flags) { return (int)duplicated(RAW(SYS_dup3, old, new, flags, 0, 0, 0), old); }

EXPORT int dup2(int old, int new) {
    if (old == new) return (int)answer(RAW(SYS_fcntl, old, F_GETFD, 0, 0, 0, 0) < 0 ? -EBADF : old);
    return dup3(old, new, 0);
}

#define FCNTL(name)                                                   \
    EXPORT int name(int descriptor, int command, ...) {               \
        va_list arguments;                                            \
        va_start(arguments, command);                                 \
        long argument = va_arg(arguments, long);                      \
        va_end(arguments);                                            \
        long result = RAW(SYS_fcntl, descriptor, command, argument, 0, 0, 0); \
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)         \
            return (int)duplicated(result, descriptor);               \
        return (int)answer(result);                                   \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

/* --- bytes */

/* `offset` below 0: at the position of the descriptor, or at the end of a file opened for appending. */
static long write_recorded(int descriptor, const struct iovec *pieces, int count, int64_t offset, const char *call,
                           long number, long a, long b, long c, long d, long e) {
    uint64_t inode = tracked(descriptor);
    if (!inode) return answer(RAW(number, descriptor, a, b, c, d, e));
    acquire();
    long written = RAW(number, descriptor, a, b, c, d, e);
    if (written > 0) {
        if (inode_of(descriptor, NULL, NULL) != inode) {
            unsupported(call, "a descriptor changed behind the recorder's back");
        } else {
            int64_t start = offset;
            if (offset >= 0 && (RAW(SYS_fcntl, descriptor, F_GETFL, 0, 0, 0, 0) & O_APPEND))
                unsupported(call, "a position in a file opened for appending");
            if (offset < 0) start = RAW(SYS_lseek, descriptor, 0, SEEK_CUR, 0, 0, 0) - written;
            record(WRITTEN, call, inode, (uint64_t)start, (uint64_t)written, 0, NULL, NULL, pieces, count);
        }
    }
    release();
    return answer(written);
}

EXPORT ssize_t write(int descriptor, const void *data, size_t length) {
    struct iovec piece = {(void *)data, length};
    return write_recorded(descriptor, &piece, 1, -1, "write", SYS_write, (long)data, (long)length, 0, 0, 0);
}

#define PWRITE(name)                                                                              \
    EXPORT ssize_t name(int descriptor, const void *data, size_t length, off64_t offset) {        \
        struct iovec piece = {(void *)data, length};                                              \
        return write_recorded(descriptor, &piece, 1, offset, "pwrite64", SYS_pwrite64, (long)data, \
                              (long)length, (long)offset, 0, 0);                                  \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

EXPORT ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    return write_recorded(descriptor, pieces, count, -1, "writev", SYS_writev, (long)pieces, count, 0, 0, 0);
}

#define PWRITEV(name)                                                                              \
    EXPORT ssize_t name(int descriptor, const struct iovec *pieces, int count, off64_t offset) {   \
        return write_recorded(descriptor, pieces, count, offset, "pwritev", SYS_pwritev, (long)pieces, count, \
                              (long)offset, 0, 0);                                                 \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define PWRITEV2(name)                                                                             \
    EXPORT ssize_t name(int descriptor, const struct iovec *pieces, int count, off64_t offset, int flags) { \
        return write_recorded(descriptor, pieces, count, offset, "pwritev2", SYS_pwritev2, (long)pieces, count, \
                              (long)offset, 0, flags);                                             \
    }
PWRITEV2(pwritev2)
PWRITEV2(pwritev64v2)

/* --- sizes */

static long cut_recorded(int descriptor, off64_t length) {
    uint64_t inode = tracked(descriptor);
    if (!inode) return RAW(SYS_ftruncate, descriptor, length, 0, 0, 0, 0);
    acquire();
    long result = RAW(SYS_ftruncate, descriptor, length, 0, 0, 0, 0);
    if (result == 0) record(CUT, "ftruncate", inode, 0, (uint64_t)length, 0, NULL, NULL, NULL, 0);
    release();
    return result;
}
EXPORT int ftruncate(int descriptor, off_t length) { return (int)answer(cut_recorded(descriptor, length)); }
EXPORT int ftruncate64(int descriptor, off64_t length) { return (int)answer(cut_recorded(descriptor, length)); }

static long cut_path_recorded(const char *path, off64_t length) {
    char resolved[PATH_MAX];
    if (!is_active() || !resolve(AT_FDCWD, path, resolved)) return RAW(SYS_truncate, path, length, 0, 0, 0, 0);
    acquire();
    struct stat found;
    int was_there = look(resolved, &found);
    long result = RAW(SYS_truncate, path, length, 0, 0, 0, 0);
    if (result == 0 && was_there)
        record(CUT, "truncate", found.st_ino, 0, (uint64_t)length, 0, NULL, NULL, NULL, 0);
    release();
    return result;
}
EXPORT int truncate(const char *path, off_t length) { return (int)answer(cut_path_recorded(path, length)); }
EXPORT int truncate64(const char *path, off64_t length) { return (int)answer(cut_path_recorded(path, length)); }

static long allocate_recorded(int descriptor, int mode, off64_t offset, off64_t length) {
    uint64_t inode = tracked(descriptor);
    if (!inode) return RAW(SYS_fallocate, descriptor, mode, offset, length, 0, 0);
    acquire();
    long result = RAW(SYS_fallocate, descriptor, mode, offset, length, 0, 0);
    if (result == 0) {
        if (mode & ~FALLOC_FL_KEEP_SIZE) unsupported("fallocate", "a mode other than keeping the size");
        record(ALLOCATED, "fallocate", inode, (uint64_t)offset, (uint64_t)length, (uint64_t)mode, NULL, NULL, NULL, 0);
    }
    release();
    return result;
}
EXPORT int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    return (int)answer(allocate_recorded(descriptor, mode, offset, length));
}
EXPORT int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
    return (int)answer(allocate_recorded(descriptor, mode, offset, length));
}
EXPORT int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return (int)-allocate_recorded(descriptor, 0, offset, length);
}
EXPORT int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
    return (int)-allocate_recorded(descriptor, 0, offset, length);
}

/* --- syncs */

static long sync_recorded(int descriptor, long number, const char *call) {
    uint64_t inode = tracked(descriptor);
    if (!inode) return RAW(number, descriptor, 0, 0, 0, 0, 0);
    acquire();
    uint64_t sync = next_sync++;
    record(SYNC_BEGUN, call, inode, 0, 0, sync, NULL, NULL, NULL, 0);
    release();
    long result = RAW(number, descriptor, 0, 0, 0, 0, 0);
    acquire();
    /* The length says whether it succeeded. */
    record(SYNC_ENDED, call, inode, 0, result == 0, sync, NULL, NULL, NULL, 0);
    release();
    return result;
}
EXPORT int fsync(int descriptor) { return (int)answer(sync_recorded(descriptor, SYS_fsync, "fsync")); }
EXPORT int fdatasync(int descriptor) { return (int)answer(sync_recorded(descriptor, SYS_fdatasync, "fdatasync")); }

EXPORT int sync_file_range(int descriptor, off64_t offset, off64_t length, unsigned flags) {
    uint64_t inode = tracked(descriptor);
    if (!inode) return (int)answer(RAW(SYS_sync_file_range, descriptor, offset, length, flags, 0, 0));
    acquire();
    long result = RAW(SYS_sync_file_range, descriptor, offset, length, flags, 0, 0);
    /* It promises nothing: neither the size nor the cache of the drive. */
    if (result == 0)
        record(WRITEBACK, "sync_file_range", inode, (uint64_t)offset, (uint64_t)length, flags, NULL, NULL, NULL, 0);
    release();
    return (int)answer(result);
}

static void whole_disk(const char *call) {
    if (!is_active()) return;
    acquire();
    unsupported(call, "a sync of the whole disk");
    release();
}
EXPORT void sync(void) {
    RAW(SYS_sync, 0, 0, 0, 0, 0, 0);
    whole_disk("sync");
}
EXPORT int syncfs(int descriptor) {
    long result = RAW(SYS_syncfs, descriptor, 0, 0, 0, 0, 0);
    if (tracked(descriptor)) whole_disk("syncfs");
    return (int)answer(result);
}

/* --- names */

static long rename_recorded(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int from_below = is_active() && resolve(from_directory, from, old);
    int to_below = is_active() && resolve(to_directory, to, new);
    if (!from_below && !to_below) return RAW(SYS_renameat2, from_directory, from, to_directory, to, flags, 0);
    acquire();
    long result = RAW(SYS_renameat2, from_directory, from, to_directory, to, flags, 0);
    if (result == 0) {
        if (!from_below || !to_below || (flags & ~RENAME_NOREPLACE))
            unsupported("rename", "across the directory, or an exchange");
        else
            record(RENAMED, "rename", 0, 0, 0, 0, relative(old), relative(new), NULL, 0);
    }
    release();
    return result;
}
EXPORT int rename(const char *from, const char *to) {
    return (int)answer(rename_recorded(AT_FDCWD, from, AT_FDCWD, to, 0));
}
EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return (int)answer(rename_recorded(from_directory, from, to_directory, to, 0));
}
EXPORT int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    return (int)answer(rename_recorded(from_directory, from, to_directory, to, flags));
}

EXPORT int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    if (!is_active() || !resolve(to_directory, to, new))
        return (int)answer(RAW(SYS_linkat, from_directory, from, to_directory, to, flags, 0));
    acquire();
    long result = RAW(SYS_linkat, from_directory, from, to_directory, to, flags, 0);
    if (result == 0) {
        if (resolve(from_directory, from, old))
            record(LINKED, "link", 0, 0, 0, 0, relative(old), relative(new), NULL, 0);
        else
            unsupported("link", "across the directory");
    }
    release();
    return (int)answer(result);
}
EXPORT int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

static long unlink_recorded(int directory, const char *path, int flags) {
    char resolved[PATH_MAX];
    if (!is_active() || !resolve(directory, path, resolved)) return RAW(SYS_unlinkat, directory, path, flags, 0, 0, 0);
    acquire();
    long result = RAW(SYS_unlinkat, directory, path, flags, 0, 0, 0);
    if (result == 0) {
        if (flags & AT_REMOVEDIR)
            record(REMOVED_DIRECTORY, "rmdir", 0, 0, 0, 0, relative(resolved), NULL, NULL, 0);
        else
            record(UNLINKED, "unlink", 0, 0, 0, 0, relative(resolved), NULL, NULL, 0);
    }
    release();
    return result;
}
EXPORT int unlink(const char *path) { return (int)answer(unlink_recorded(AT_FDCWD, path, 0)); }
EXPORT int unlinkat(int directory, const char *path, int flags) {
    return (int)answer(unlink_recorded(directory, path, flags));
}
EXPORT int rmdir(const char *path) { return (int)answer(unlink_recorded(AT_FDCWD, path, AT_REMOVEDIR)); }
EXPORT int remove(const char *path) {
    long result = unlink_recorded(AT_FDCWD, path, 0);
    if (result == -EISDIR) result = unlink_recorded(AT_FDCWD, path, AT_REMOVEDIR);
    return (int)answer(result);
}

static long make_directory_recorded(int directory, const char *path, mode_t mode) {
    char resolved[PATH_MAX];
    if (!is_active() || !resolve(directory, path, resolved)) return RAW(SYS_mkdirat, directory, path, mode, 0, 0, 0);
    acquire();
    long result = RAW(SYS_mkdirat, directory, path, mode, 0, 0, 0);
    if (result == 0) {
        struct stat made;
        if (!look(resolved, &made)) fail("a directory that was just made is not there");
        record(MADE_DIRECTORY, "mkdir", made.st_ino, 0, 0, 0, relative(resolved), NULL, NULL, 0);
    }
    release();
    return result;
}
EXPORT int mkdir(const char *path, mode_t mode) { return (int)answer(make_directory_recorded(AT_FDCWD, path, mode)); }
EXPORT int mkdirat(int directory, const char *path, mode_t mode) {
    return (int)answer(make_directory_recorded(directory, path, mode));
}

EXPORT int symlinkat(const char *target, int directory, const char *path) {
    char resolved[PATH_MAX];
    long result = RAW(SYS_symlinkat, target, directory, path, 0, 0, 0);
    if (result == 0 && is_active() && resolve(directory, path, resolved)) {
        acquire();
        unsupported("symlink", relative(resolved));
        release();
    }
    return (int)answer(result);
}
EXPORT int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

/* --- ways around, which are only noticed */

static void noticed(int descriptor, const char *call, const char *what) {
    if (!tracked(descriptor)) return;
    acquire();
    unsupported(call, what);
    release();
}

static void *map(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    if ((flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) && !(flags & MAP_ANONYMOUS))
        noticed(descriptor, "mmap", "a shared writable mapping");
    long result = RAW(SYS_mmap, address, length, protection, flags, descriptor, offset);
    return (void *)answer(result);
}
EXPORT void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    return map(address, length, protection, flags, descriptor, offset);
}
EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    return map(address, length, protection, flags, descriptor, offset);
}

EXPORT ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    noticed(out, "copy_file_range", "bytes that the kernel copies");
    return answer(RAW(SYS_copy_file_range, in, from, out, to, length, flags));
}
#define SENDFILE(name)                                                       \
    EXPORT ssize_t name(int out, int in, off64_t *offset, size_t length) {   \
        noticed(out, "sendfile", "bytes that the kernel copies");            \
        return answer(RAW(SYS_sendfile, out, in, offset, length, 0, 0));     \
    }
SENDFILE(sendfile)
SENDFILE(sendfile64)
EXPORT ssize_t splice(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    noticed(out, "splice", "bytes that the kernel copies");
    return answer(RAW(SYS_splice, in, from, out, to, length, flags));
}

/* Streams write from inside libc. RocksDB's information log is one; nothing is ever read from it again. */
static void *stream(const char *name, const char *path, const char *mode) {
    char resolved[PATH_MAX];
    if (is_active() && strpbrk(mode, "wa+") && resolve(AT_FDCWD, path, resolved)) {
        const char *file = strrchr(resolved, '/') + 1;
        if (strncmp(file, "LOG", 3) != 0) {
            acquire();
            unsupported("fopen", relative(resolved));
            release();
        }
    }
    FILE *(*real)(const char *, const char *) = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, name);
    if (!real) fail("libc has no streams");
    return real(path, mode);
}
EXPORT FILE *fopen(const char *path, const char *mode) { return stream("fopen", path, mode); }
EXPORT FILE *fopen64(const char *path, const char *mode) { return stream("fopen64", path, mode); }

EXPORT long syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    long a = va_arg(arguments, long), b = va_arg(arguments, long), c = va_arg(arguments, long);
    long d = va_arg(arguments, long), e = va_arg(arguments, long), f = va_arg(arguments, long);
    va_end(arguments);
    if (is_active()) switch (number) {
        case SYS_copy_file_range:
            noticed((int)c, "copy_file_range", "bytes that the kernel copies");
            break;
        case SYS_write:
        case SYS_writev:
        case SYS_pwrite64:
        case SYS_pwritev:
        case SYS_pwritev2:
        case SYS_ftruncate:
        case SYS_fallocate:
        case SYS_fsync:
        case SYS_fdatasync:
            noticed((int)a, "syscall", "a call around libc");
            break;
        case SYS_openat:
        case SYS_openat2:
        case SYS_renameat2:
        case SYS_linkat:
        case SYS_unlinkat:
        case SYS_mkdirat:
        case SYS_io_uring_setup:
            acquire();
            unsupported("syscall", "a call around libc");
            release();
            break;
        default:
            break;
        }
    return answer(raw6(number, a, b, c, d, e, f));
}

/* --- start */

__attribute__((constructor)) static void start(void) {
    const char *directory = getenv("ZAS_RECORD_DIRECTORY"), *log = getenv("ZAS_RECORD_LOG");
    if (!directory || !log) return;
    if (directory[0] != '/' || strlen(directory) >= PATH_MAX) fail("ZAS_RECORD_DIRECTORY is no absolute path");
    strcpy(root, directory);
    root_length = strlen(root);
    long descriptor = RAW(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600, 0, 0);
    if (descriptor < 0) fail("ZAS_RECORD_LOG cannot be opened");
    /* Out of the way of what the program numbers itself. */
    long moved = RAW(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 900, 0, 0, 0);
    if (moved < 0) moved = descriptor;
    else RAW(SYS_close, descriptor, 0, 0, 0, 0, 0);
    log_descriptor = (int)moved;
    struct stat found;
    if (!look(root, &found) || !S_ISDIR(found.st_mode)) fail("ZAS_RECORD_DIRECTORY is no directory");
    acquire();
    record(STARTED, "", found.st_ino, 0, 0, 0, NULL, NULL, NULL, 0);
    release();
}
