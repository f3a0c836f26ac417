#include "tests/power/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 1024 };

struct opened {
    bool is_traced;
    bool is_sync;
    uint32_t node;
};

struct entry {
    uint32_t dir;
    char name[TRACE_NAME_MAX];
    uint32_t node;
};

static struct trace trace;
static char root[4096];
static bool is_on;
static struct opened fds[FDS_MAX];
static struct entry *entries; // as the process sees them
static size_t entries_n;

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "power: %s\n", what);
        abort();
    }
}

static void *grown(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? 2 * *cap : 256;
    p = realloc(p, *cap * size);
    must(p != NULL, "out of memory");
    return p;
}

// --- notes ---

static struct trace_event *note(enum trace_what what, uint32_t node)
{
    trace.events = grown(trace.events, trace.n, &trace.cap, sizeof *trace.events);
    struct trace_event *event = &trace.events[trace.n++];
    *event = (struct trace_event){.what = what, .node = node};
    return event;
}

static uint32_t new_node(bool is_dir, const char *name)
{
    size_t cap = trace.nodes_cap;
    trace.nodes = grown(trace.nodes, trace.nodes_n, &cap, sizeof *trace.nodes);
    trace.nodes_cap = (uint32_t)cap;
    trace.nodes[trace.nodes_n] =
        (struct trace_node){.is_dir = is_dir, .is_memory = strcmp(name, "lock.mdb") == 0};
    return trace.nodes_n++;
}

// --- paths ---

static struct entry *entry_of(uint32_t dir, const char *name)
{
    for (size_t i = 0; i < entries_n; i++) {
        if (entries[i].dir == dir && strcmp(entries[i].name, name) == 0)
            return &entries[i];
    }
    return NULL;
}

// Where a path leads below the root: the directory and the last name (empty: the root itself).
// False: it does not.
static bool locate(const char *path, uint32_t *dir, char name[TRACE_NAME_MAX])
{
    size_t n = strlen(root);
    if (!is_on || strncmp(path, root, n) != 0 || (path[n] && path[n] != '/'))
        return false;
    *dir = TRACE_ROOT;
    name[0] = 0;
    for (path += n; *path;) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0)
            break;
        if (name[0]) {
            const struct entry *entry = entry_of(*dir, name);
            if (!entry)
                return false;
            *dir = entry->node;
        }
        must(length < TRACE_NAME_MAX, "a long name");
        memcpy(name, path, length);
        name[length] = 0;
        path += length;
    }
    return true;
}

static void add(uint32_t dir, const char *name, uint32_t node)
{
    static size_t cap;
    entries = grown(entries, entries_n, &cap, sizeof *entries);
    struct entry *entry = &entries[entries_n++];
    *entry = (struct entry){.dir = dir, .node = node};
    snprintf(entry->name, sizeof entry->name, "%s", name);
}

static void drop(uint32_t dir, const char *name)
{
    struct entry *entry = entry_of(dir, name);
    if (entry)
        *entry = entries[--entries_n];
}

static void make(uint32_t dir, const char *name, bool is_dir, uint32_t *node)
{
    *node = new_node(is_dir, name);
    add(dir, name, *node);
    struct trace_event *event = note(TRACE_ADD, *node);
    event->dir = dir;
    snprintf(event->name, sizeof event->name, "%s", name);
}

// --- the calls ---

static bool is_traced(int fd)
{
    return is_on && fd >= 0 && fd < FDS_MAX && fds[fd].is_traced;
}

static void note_write(int fd, const void *p, size_t n, off_t at)
{
    struct trace_event *event =
        note(fds[fd].is_sync ? TRACE_WRITE_SYNC : TRACE_WRITE, fds[fd].node);
    event->at = at;
    event->n = n;
    event->p = malloc(n + 1);
    must(event->p != NULL, "out of memory");
    memcpy(event->p, p, n);
}

static void note_truncate(uint32_t node, off_t size)
{
    note(TRACE_TRUNCATE, node)->at = size;
}

static void note_open(int fd, const char *path, int flags)
{
    uint32_t dir;
    uint32_t node;
    char name[TRACE_NAME_MAX];
    must(fd < FDS_MAX, "many files");
    fds[fd] = (struct opened){.is_traced = false};
    if (!locate(path, &dir, name))
        return;
    const struct entry *entry = name[0] ? entry_of(dir, name) : NULL;
    node = entry ? entry->node : TRACE_ROOT;
    if (name[0] && !entry)
        make(dir, name, false, &node);
    else if (flags & O_TRUNC)
        note_truncate(node, 0);
    fds[fd] = (struct opened){true, (flags & (O_DSYNC | O_SYNC)) != 0, node};
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, unsigned) : 0;
    va_end(args);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && is_on)
        note_open(fd, path, flags);
    return fd;
}

int close(int fd)
{
    if (is_traced(fd))
        fds[fd].is_traced = false;
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    ssize_t written = syscall(SYS_pwrite64, fd, p, n, at);
    if (written > 0 && is_traced(fd))
        note_write(fd, p, (size_t)written, at);
    return written;
}

ssize_t write(int fd, const void *p, size_t n)
{
    off_t at = is_traced(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = syscall(SYS_write, fd, p, n);
    if (written > 0 && is_traced(fd))
        note_write(fd, p, (size_t)written, at);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    off_t at = is_traced(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = syscall(SYS_writev, fd, parts, n);
    size_t left = written > 0 && is_traced(fd) ? (size_t)written : 0;
    for (int i = 0; left > 0; i++) {
        size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        note_write(fd, parts[i].iov_base, part, at);
        at += (off_t)part;
        left -= part;
    }
    return written;
}

int ftruncate(int fd, off_t size)
{
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0 && is_traced(fd))
        note_truncate(fds[fd].node, size);
    return result;
}

int fsync(int fd)
{
    if (is_traced(fd))
        note(TRACE_SYNC, fds[fd].node);
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (is_traced(fd))
        note(TRACE_SYNC, fds[fd].node);
    return (int)syscall(SYS_fdatasync, fd);
}

static void note_move(const char *from, const char *to)
{
    uint32_t dir;
    uint32_t to_dir;
    char name[TRACE_NAME_MAX];
    char to_name[TRACE_NAME_MAX];
    if (!locate(from, &dir, name))
        return;
    must(locate(to, &to_dir, to_name), "a move out of the directory");
    uint32_t node = entry_of(dir, name)->node;
    drop(dir, name);
    drop(to_dir, to_name);
    add(to_dir, to_name, node);
    struct trace_event *event = note(TRACE_MOVE, node);
    event->dir = dir;
    event->to_dir = to_dir;
    snprintf(event->name, sizeof event->name, "%s", name);
    snprintf(event->to_name, sizeof event->to_name, "%s", to_name);
}

int rename(const char *from, const char *to)
{
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (result == 0 && is_on)
        note_move(from, to);
    return result;
}

static void note_remove(const char *path)
{
    uint32_t dir;
    char name[TRACE_NAME_MAX];
    if (!locate(path, &dir, name))
        return;
    struct trace_event *event = note(TRACE_REMOVE, entry_of(dir, name)->node);
    event->dir = dir;
    snprintf(event->name, sizeof event->name, "%s", name);
    drop(dir, name);
}

int unlink(const char *path)
{
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (result == 0 && is_on)
        note_remove(path);
    return result;
}

int rmdir(const char *path)
{
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
    if (result == 0 && is_on)
        note_remove(path);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    uint32_t dir;
    uint32_t node;
    char name[TRACE_NAME_MAX];
    int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (result == 0 && locate(path, &dir, name))
        make(dir, name, true, &node);
    return result;
}

// --- from when till when ---

void trace_begin(const char *path)
{
    must(strlen(path) < sizeof root, "a long path");
    snprintf(root, sizeof root, "%s", path);
    trace = (struct trace){.n = 0};
    (void)new_node(true, "");
    is_on = true;
}

size_t trace_mark(void)
{
    (void)note(TRACE_MARK, TRACE_ROOT);
    return trace.n;
}

struct trace trace_end(void)
{
    is_on = false;
    entries_n = 0;
    return trace;
}

void trace_done(struct trace *ended)
{
    for (size_t i = 0; i < ended->n; i++)
        free(ended->events[i].p);
    free(ended->events);
    free(ended->nodes);
    *ended = (struct trace){.n = 0};
}
