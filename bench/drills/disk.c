/* A disk that remembers what was promised: preloaded into a process, it writes down every change of the files under one
 * folder and every fsync of them, in order. bench/drills/disk.py makes of that what a power cut would have left behind.
 *
 * DISK_FOLDER   the folder, as realpath says it
 * DISK_LOG      where the changes are written down, outside of the folder
 * DISK_CONTROL  a file of `struct control`, mapped: what breaks, changed from outside at any time
 *
 * No fsync of theirs reaches the machine's own disk: what is durable is what the log says.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPENED = 1, WROTE, RESIZED, REMOVED, RENAMED, MADE, SYNC_BEGAN, SYNC_ENDED };

struct record { uint32_t kind, length; uint64_t file, offset, more; };

struct control {
    volatile uint32_t sync_us;   /* how long an fsync takes, at least */
    volatile uint32_t lies;      /* fsync answers 0 and does nothing */
    volatile uint32_t sync_fails;/* so many fsyncs from now on answer EIO */
    volatile uint32_t full;      /* no file grows: ENOSPC */
};

static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static struct control *control;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static uint64_t syncs;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("DISK_LOG"), *where = getenv("DISK_FOLDER"), *told = getenv("DISK_CONTROL");
    if (!log || !where || !told) return;
    int fd = REAL(open)(told, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) abort();
    control = map;
    snprintf(folder, sizeof folder, "%s", where);
    folder_length = strlen(folder);
    log_fd = REAL(open)(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
}

/* The path below our folder; NULL for everything else. "" is the folder itself. */
static const char *below(const char *path) {
    if (log_fd < 0 || strncmp(path, folder, folder_length)) return NULL;
    path += folder_length;
    return *path == '/' ? path + 1 : *path ? NULL : path;
}

static const char *path_of(int fd, char *buffer) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return below(buffer);
}

/* A path as it was given, made absolute; its folder's links are resolved, its own name is not. */
static const char *named(int at, const char *path, char *buffer) {
    if (log_fd < 0) return NULL;
    char whole[PATH_MAX] = "", parent[PATH_MAX];
    if (*path != '/') {
        char link[32];
        ssize_t length = -1;
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        if (at == AT_FDCWD) length = getcwd(whole, sizeof whole) ? (ssize_t)strlen(whole) : -1;
        else length = readlink(link, whole, sizeof whole - 1);
        if (length < 0) return NULL;
        whole[length] = 0;
    }
    size_t room = sizeof whole - strlen(whole);
    if ((size_t)snprintf(whole + strlen(whole), room, "/%s", path) >= room) return NULL;
    char *slash = strrchr(whole, '/');
    *slash = 0;
    if (!realpath(*whole ? whole : "/", parent)) return NULL;
    if ((size_t)snprintf(buffer, PATH_MAX, "%s/%s", parent, slash + 1) >= PATH_MAX) return NULL;
    return below(buffer);
}

static uint64_t file_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

static void note(uint32_t kind, uint64_t file, uint64_t offset, uint64_t more, const void *bytes, size_t length) {
    struct record record = {kind, (uint32_t)length, file, offset, more};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, length}};
    int kept = errno;
    ssize_t written = REAL(writev)(log_fd, parts, 2);
    if (written != (ssize_t)(sizeof record + length)) abort(); /* a log with a hole would acquit the guilty */
    errno = kept;
}

/* ------------------------------------------------------------------ opening */

static int opening(int at, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *ours = named(at, path, buffer);
    if (!ours) return REAL(openat64)(at, path, flags, mode);
    pthread_mutex_lock(&order);
    int existed = !faccessat(AT_FDCWD, buffer, F_OK, 0);
    int fd = REAL(openat64)(at, path, flags, mode);
    if (fd >= 0 && (ours = path_of(fd, buffer))) {
        uint64_t file = file_of(fd);
        note(OPENED, file, 0, !existed, ours, strlen(ours));
        if (existed && flags & O_TRUNC) note(RESIZED, file, 0, 0, "", 0);
    }
    pthread_mutex_unlock(&order);
    return fd;
}

#define MODE(flags, mode)                                    \
    mode_t mode = 0;                                         \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                   \
        va_list list;                                        \
        va_start(list, flags);                               \
        mode = va_arg(list, mode_t);                         \
        va_end(list);                                        \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opening(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opening(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opening(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return opening(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opening(at, path, flags, 0); }

/* ------------------------------------------------------------------ writing */

/* How much of a write still fits: all of it, or on a full disk what lies within the file as it is. */
static size_t fitting(int fd, size_t count, uint64_t offset) {
    struct stat found;
    if (!control->full || fstat(fd, &found) || offset + count <= (uint64_t)found.st_size) return count;
    return offset < (uint64_t)found.st_size ? (size_t)((uint64_t)found.st_size - offset) : 0;
}

static ssize_t writing(int fd, const void *bytes, size_t count, off64_t offset, int moves) {
    char buffer[PATH_MAX];
    if (log_fd < 0 || fd == log_fd || !path_of(fd, buffer)) {
        return moves ? REAL(write)(fd, bytes, count) : REAL(pwrite64)(fd, bytes, count, offset);
    }
    pthread_mutex_lock(&order);
    if (moves) offset = lseek64(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    size_t fits = fitting(fd, count, (uint64_t)offset);
    ssize_t written = -1;
    if (count && !fits) {
        errno = ENOSPC;
    } else {
        note(WROTE, file_of(fd), (uint64_t)offset, 0, bytes, fits);
        written = REAL(pwrite64)(fd, bytes, fits, offset);
        if (moves && written > 0) lseek64(fd, offset + written, SEEK_SET);
    }
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t write(int fd, const void *bytes, size_t count) { return writing(fd, bytes, count, 0, 1); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return writing(fd, bytes, count, at, 0); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return writing(fd, bytes, count, at, 0); }

/* This disk shares no blocks: who asks for that copies byte by byte. */
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t count, unsigned flags) {
    char buffer[PATH_MAX];
    if (log_fd < 0 || !path_of(out, buffer)) return REAL(copy_file_range)(in, in_at, out, out_at, count, flags);
    errno = EXDEV;
    return -1;
}

static int resizing(int fd, off64_t length) {
    char buffer[PATH_MAX];
    struct stat found;
    if (log_fd < 0 || !path_of(fd, buffer)) return REAL(ftruncate64)(fd, length);
    if (control->full && !fstat(fd, &found) && length > found.st_size) {
        errno = ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&order);
    note(RESIZED, file_of(fd), (uint64_t)length, 0, "", 0);
    int done = REAL(ftruncate64)(fd, length);
    pthread_mutex_unlock(&order);
    return done;
}

int ftruncate(int fd, off_t length) { return resizing(fd, length); }
int ftruncate64(int fd, off64_t length) { return resizing(fd, length); }

/* ------------------------------------------------------------------ names */

static int removing(int at, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *ours = named(at, path, buffer);
    if (!ours) return REAL(unlinkat)(at, path, flags);
    pthread_mutex_lock(&order);
    int done = REAL(unlinkat)(at, path, flags);
    if (!done) note(REMOVED, 0, 0, 0, ours, strlen(ours));
    pthread_mutex_unlock(&order);
    return done;
}

int unlink(const char *path) { return removing(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return removing(at, path, flags); }
int rmdir(const char *path) { return removing(AT_FDCWD, path, AT_REMOVEDIR); }

static int renaming(int from_at, const char *from, int to_at, const char *to) {
    char one[PATH_MAX], two[PATH_MAX], both[2 * PATH_MAX];
    const char *old = named(from_at, from, one), *new = named(to_at, to, two);
    if (!old && !new) return REAL(renameat)(from_at, from, to_at, to);
    if (!old || !new) abort(); /* in or out of the folder: not told of here */
    pthread_mutex_lock(&order);
    int done = REAL(renameat)(from_at, from, to_at, to);
    if (!done) {
        size_t length = (size_t)snprintf(both, sizeof both, "%s%c%s", old, 0, new);
        note(RENAMED, 0, 0, 0, both, length);
    }
    pthread_mutex_unlock(&order);
    return done;
}

int rename(const char *from, const char *to) { return renaming(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int at, const char *from, int to_at, const char *to) { return renaming(at, from, to_at, to); }

static int making(int at, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *ours = named(at, path, buffer);
    struct stat found;
    if (!ours) return REAL(mkdirat)(at, path, mode);
    pthread_mutex_lock(&order);
    int done = REAL(mkdirat)(at, path, mode);
    if (!done && !stat(buffer, &found)) note(MADE, found.st_ino, 0, 0, ours, strlen(ours));
    pthread_mutex_unlock(&order);
    return done;
}

int mkdir(const char *path, mode_t mode) { return making(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return making(at, path, mode); }

/* ------------------------------------------------------------------ the promise */

static int syncing(int fd) {
    char buffer[PATH_MAX];
    if (log_fd < 0 || !path_of(fd, buffer)) return REAL(fsync)(fd);
    if (control->lies) return 0;
    pthread_mutex_lock(&order);
    uint64_t file = file_of(fd), token = (uint64_t)getpid() << 32 | ++syncs;
    int fails = control->sync_fails > 0;
    if (fails) control->sync_fails--;
    note(SYNC_BEGAN, file, 0, token, "", 0);
    pthread_mutex_unlock(&order);
    if (control->sync_us) usleep(control->sync_us);
    pthread_mutex_lock(&order);
    note(SYNC_ENDED, file, fails, token, "", 0);
    pthread_mutex_unlock(&order);
    if (fails) errno = EIO;
    return fails ? -1 : 0;
}

int fsync(int fd) { return syncing(fd); }
int fdatasync(int fd) { return syncing(fd); }
