#include "tests/power/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, HANGING_MAX = 4096, DEPTH_MAX = 8 };

struct entry {
    uint32_t dir;
    uint32_t node;
    char name[TRACE_NAME_MAX];
};

struct entries {
    struct entry all[64];
    size_t n;
};

struct disk {
    const struct trace *trace;
    enum disk_fault fault;
    size_t at;
    struct buf *content; // of each node, as it is surely on the disk
    struct entries entries;
    const struct trace_event *hanging[HANGING_MAX]; // of files and directories, in order
    size_t hanging_n;
};

struct disk *disk_new(const struct trace *trace, enum disk_fault fault)
{
    struct disk *disk = calloc(1, sizeof *disk);
    assert(disk);
    disk->trace = trace;
    disk->fault = fault;
    disk->content = calloc(trace->nodes_n, sizeof *disk->content);
    assert(disk->content);
    return disk;
}

void disk_free(struct disk **disk)
{
    for (uint32_t i = 0; i < (*disk)->trace->nodes_n; i++)
        buf_done(&(*disk)->content[i]);
    free((*disk)->content);
    free(*disk);
    *disk = NULL;
}

size_t disk_taken(const struct disk *disk)
{
    return disk->at;
}

// --- entries ---

static void put_entry(struct entries *entries, uint32_t dir, const char *name, uint32_t node)
{
    assert(entries->n < sizeof entries->all / sizeof *entries->all);
    struct entry *entry = &entries->all[entries->n++];
    *entry = (struct entry){.dir = dir, .node = node};
    snprintf(entry->name, sizeof entry->name, "%s", name);
}

static void drop_entry(struct entries *entries, uint32_t dir, const char *name)
{
    for (size_t i = 0; i < entries->n; i++) {
        if (entries->all[i].dir == dir && strcmp(entries->all[i].name, name) == 0) {
            entries->all[i] = entries->all[--entries->n];
            return;
        }
    }
}

static void change_entries(struct entries *entries, const struct trace_event *event)
{
    drop_entry(entries, event->dir, event->name);
    if (event->what == TRACE_ADD)
        put_entry(entries, event->dir, event->name, event->node);
    if (event->what == TRACE_MOVE) {
        drop_entry(entries, event->to_dir, event->to_name);
        put_entry(entries, event->to_dir, event->to_name, event->node);
    }
}

static bool is_of_entries(const struct trace_event *event)
{
    return event->what == TRACE_ADD || event->what == TRACE_REMOVE || event->what == TRACE_MOVE;
}

static bool is_write(const struct trace_event *event)
{
    return event->what == TRACE_WRITE || event->what == TRACE_WRITE_SYNC;
}

// --- content ---

static void set_size(struct buf *content, size_t size)
{
    if (size > content->n) {
        uint8_t *room = buf_room(content, size - content->n);
        assert(room);
        memset(room, 0, size - content->n);
    }
    content->n = size;
}

// Bytes from `from` to `to` of what an event writes.
static void put_bytes(struct buf *content, const struct trace_event *event, size_t from, size_t to)
{
    size_t at = (size_t)event->at + from;
    if (at + (to - from) > content->n)
        set_size(content, at + (to - from));
    memcpy(content->p + at, event->p + from, to - from);
}

static void change_content(struct buf *content, const struct trace_event *event)
{
    if (event->what == TRACE_TRUNCATE)
        set_size(content, (size_t)event->at);
    else if (event->n)
        put_bytes(content, event, 0, event->n);
}

// --- one event after the other ---

static void make_durable(struct disk *disk, const struct trace_event *event)
{
    if (is_of_entries(event))
        change_entries(&disk->entries, event);
    else
        change_content(&disk->content[event->node], event);
}

static bool concerns(const struct trace_event *event, uint32_t node)
{
    bool of_target = event->what == TRACE_MOVE && event->to_dir == node;
    return is_of_entries(event) ? event->dir == node || of_target : event->node == node;
}

static void sync_node(struct disk *disk, uint32_t node)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->hanging_n; i++) {
        const struct trace_event *event = disk->hanging[i];
        if (concerns(event, node))
            make_durable(disk, event);
        else
            disk->hanging[kept++] = event;
    }
    disk->hanging_n = kept;
}

static bool is_forgotten(const struct disk *disk, const struct trace_event *event)
{
    bool is_dir = disk->trace->nodes[event->node].is_dir;
    return disk->fault == (is_dir ? DISK_FORGETS_ENTRIES : DISK_FORGETS_SYNCS);
}

bool disk_step(struct disk *disk)
{
    if (disk->at == disk->trace->n)
        return false;
    const struct trace_event *event = &disk->trace->events[disk->at++];
    if (event->what == TRACE_WRITE_SYNC) {
        make_durable(disk, event);
    } else if (event->what == TRACE_SYNC) {
        if (!is_forgotten(disk, event))
            sync_node(disk, event->node);
    } else if (event->what != TRACE_MARK) {
        assert(disk->hanging_n < HANGING_MAX);
        disk->hanging[disk->hanging_n++] = event;
    }
    return true;
}

// The write that the crash comes in the middle of.
static const struct trace_event *in_flight(const struct disk *disk)
{
    const struct trace_event *next =
        disk->at < disk->trace->n ? &disk->trace->events[disk->at] : NULL;
    return next && is_write(next) ? next : NULL;
}

size_t disk_hanging(const struct disk *disk)
{
    size_t n = in_flight(disk) != NULL;
    for (size_t i = 0; i < disk->hanging_n; i++)
        n += !is_of_entries(disk->hanging[i]);
    return n;
}

// --- what a crash leaves ---

struct crash {
    const struct disk *disk;
    uint64_t kept;
    bool torn;
    struct dice *dice;
    struct entries entries;
    struct buf *content; // of each node; p NULL: as it is surely on the disk
    size_t seen;         // hanging writes so far
};

static struct buf *content_of(struct crash *crash, uint32_t node)
{
    struct buf *content = &crash->content[node];
    const struct buf *sure = &crash->disk->content[node];
    if (!content->p) {
        buf_put(content, buf_bytes(sure));
        buf_put_u8(content, 0); // so that it has memory, whatever its size
        content->n--;
        assert(!content->err);
    }
    return content;
}

static void tear(struct crash *crash, const struct trace_event *event)
{
    struct buf *content = content_of(crash, event->node);
    for (size_t from = 0; from < event->n;) {
        size_t to = from + SECTOR - ((size_t)event->at + from) % SECTOR;
        to = to < event->n ? to : event->n;
        if (dice_below(crash->dice, 2))
            put_bytes(content, event, from, to);
        from = to;
    }
}

static void leave_write(struct crash *crash, const struct trace_event *event)
{
    bool kept = crash->seen < 64 ? crash->kept >> crash->seen & 1 : dice_below(crash->dice, 2);
    crash->seen++;
    if (crash->torn && is_write(event))
        tear(crash, event);
    else if (kept)
        change_content(content_of(crash, event->node), event);
}

static void leave_all(struct crash *crash)
{
    const struct disk *disk = crash->disk;
    size_t in_order = 0;
    bool any_of_them = dice_below(crash->dice, 2);
    for (size_t i = 0; i < disk->hanging_n; i++)
        in_order += is_of_entries(disk->hanging[i]);
    size_t upto = dice_below(crash->dice, (uint32_t)in_order + 1);
    for (size_t i = 0, entry = 0; i < disk->hanging_n; i++) {
        const struct trace_event *event = disk->hanging[i];
        if (!is_of_entries(event))
            leave_write(crash, event);
        else if (any_of_them ? dice_below(crash->dice, 2) : entry++ < upto)
            change_entries(&crash->entries, event);
    }
    if (in_flight(disk))
        leave_write(crash, in_flight(disk));
}

// Files that are written through memory hold anything.
static void write_memory(int fd, size_t n, struct dice *dice)
{
    uint8_t bytes[64];
    dice_bytes(dice, bytes, sizeof bytes);
    for (size_t at = 0; at < n; at += sizeof bytes)
        (void)!write(fd, bytes, n - at < sizeof bytes ? n - at : sizeof bytes);
}

static void write_file(struct crash *crash, uint32_t node, const char *path)
{
    const struct buf *content =
        crash->content[node].p ? &crash->content[node] : &crash->disk->content[node];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    if (crash->disk->trace->nodes[node].is_memory) {
        write_memory(fd, content->n, crash->dice);
    } else {
        ssize_t n = content->n ? write(fd, content->p, content->n) : 0;
        assert(n == (ssize_t)content->n);
    }
    (void)close(fd);
}

static void write_dir(struct crash *crash, uint32_t dir, const char *path, int depth)
{
    char below[4096];
    assert(depth < DEPTH_MAX);
    for (size_t i = 0; i < crash->entries.n; i++) {
        const struct entry *entry = &crash->entries.all[i];
        if (entry->dir != dir)
            continue;
        int n = snprintf(below, sizeof below, "%s/%s", path, entry->name);
        assert(n > 0 && (size_t)n < sizeof below);
        if (!crash->disk->trace->nodes[entry->node].is_dir) {
            write_file(crash, entry->node, below);
            continue;
        }
        int failed = mkdir(below, 0700);
        assert(!failed);
        write_dir(crash, entry->node, below, depth + 1);
    }
}

void disk_crash(const struct disk *disk, uint64_t kept, bool torn, struct dice *dice,
                const char *path)
{
    struct crash crash = {
        .disk = disk, .kept = kept, .torn = torn, .dice = dice, .entries = disk->entries};
    crash.content = calloc(disk->trace->nodes_n, sizeof *crash.content);
    assert(crash.content);
    leave_all(&crash);
    write_dir(&crash, TRACE_ROOT, path, 0);
    for (uint32_t i = 0; i < disk->trace->nodes_n; i++)
        buf_done(&crash.content[i]);
    free(crash.content);
}
