/* Ends the process, or fills the disk, at the k-th call that writes below a folder. For LD_PRELOAD.

   KILL_BELOW  the folder (part of a path); KILL_AT  k, from 1; KILL_LOG  a file that gets a line for every such call
   KILL_HOW    "before" the call; "half": half of a write is done before; "full": the call fails with ENOSPC, the process
               goes on */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int calls = 0;

static int below(const char *path) {
    const char *folder = getenv("KILL_BELOW");
    return folder && path && strstr(path, folder);
}

static const char *path_of(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, path, 4095);
    path[n < 0 ? 0 : n] = 0;
    return path;
}

/* Counts a call; true where it is to fail with ENOSPC. */
static int fails(const char *name, const char *path, int file, const void *content, size_t size) {
    if (!below(path)) return 0;
    calls++;
    const char *log = getenv("KILL_LOG"), *at = getenv("KILL_AT"), *how = getenv("KILL_HOW");
    if (log) {
        char line[4300];
        int n = snprintf(line, sizeof line, "%s %s\n", name, path);
        int out = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT, 0644);
        syscall(SYS_write, out, line, n);
        syscall(SYS_close, out);
    }
    if (!at || atoi(at) != calls) return 0;
    if (how && !strcmp(how, "full")) {
        errno = ENOSPC;
        return 1;
    }
    if (content && how && !strcmp(how, "half")) syscall(SYS_write, file, content, size / 2);
    kill(getpid(), SIGKILL);
    pause();
    return 0;
}

#define REAL(name) static typeof(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *content, size_t size) {
    char path[4096];
    REAL(write);
    return fails("write", path_of(file, path), file, content, size) ? -1 : real(file, content, size);
}

int fsync(int file) {
    char path[4096];
    return fails("fsync", path_of(file, path), file, 0, 0) ? -1 : 0; /* the disk itself is not waited for */
}

int ftruncate64(int file, off64_t size) {
    char path[4096];
    REAL(ftruncate64);
    return fails("ftruncate", path_of(file, path), file, 0, 0) ? -1 : real(file, size);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return fails("rename", to, -1, 0, 0) ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL(unlink);
    return fails("unlink", path, -1, 0, 0) ? -1 : real(path);
}

int rmdir(const char *path) {
    REAL(rmdir);
    return fails("rmdir", path, -1, 0, 0) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails("mkdir", path, -1, 0, 0) ? -1 : real(path, mode);
}

int chmod(const char *path, mode_t mode) {
    REAL(chmod);
    return fails("chmod", path, -1, 0, 0) ? -1 : real(path, mode);
}

#define OPEN(name)                                                                          \
    int name(const char *path, int flags, ...) {                                            \
        REAL(name);                                                                         \
        mode_t mode = 0;                                                                    \
        if (flags & O_CREAT) {                                                              \
            va_list rest;                                                                   \
            va_start(rest, flags);                                                          \
            mode = va_arg(rest, mode_t);                                                    \
            va_end(rest);                                                                   \
            if (fails("open", path, -1, 0, 0)) return -1;                                   \
        }                                                                                   \
        return real(path, flags, mode);                                                     \
    }
OPEN(open)
OPEN(open64)
