#include "daemon/ready.h"

#include <stdlib.h>

#include "daemon/usage.h"
#include "storage/community.h"

struct ready {
    struct ready_options options;
    struct writer_item probe;
    bool is_probing;
};

struct ready *ready_new(const struct ready_options *options)
{
    struct ready *ready = calloc(1, sizeof *ready);
    if (ready)
        ready->options = *options;
    return ready;
}

void ready_free(struct ready **ready)
{
    free(*ready);
    *ready = NULL;
}

// --- the probe ---

static struct ready *ready_of(struct writer_item *item)
{
    return (struct ready *)(void *)((char *)item - offsetof(struct ready, probe));
}

static bool put_again(const struct community *community, void *txn)
{
    struct community same = *community;
    community_put(txn, &same);
    return false;
}

// A commit of nothing writes nothing: one row is written as it is.
static enum err run_probe(struct writer_item *item, struct txn *txn, bool again,
                          struct fault *fault)
{
    (void)item;
    (void)again;
    (void)fault;
    community_each(txn, put_again, txn);
    return txn_error(txn);
}

static void on_probed(struct writer_item *item)
{
    ready_of(item)->is_probing = false;
}

static void probe(struct ready *ready)
{
    if (ready->is_probing)
        return;
    ready->is_probing = true;
    ready->probe.run = run_probe;
    ready->probe.done = on_probed;
    writer_put(ready->options.writer, &ready->probe);
}

// --- the questions ---

static bool look_at_one(const struct community *community, void *arg)
{
    (void)community;
    (void)arg;
    return false;
}

static bool can_read(const struct ready *ready)
{
    struct txn *txn = gate_begin_read(ready->options.gate);
    if (!txn)
        return false;
    community_each(txn, look_at_one, NULL);
    bool can = txn_error(txn) == OK;
    gate_end_read(ready->options.gate, &txn);
    return can;
}

// Of a write that failed.
static const char *why_not_written(struct ready *ready)
{
    struct writer_counts counts;
    writer_counts(ready->options.writer, &counts);
    bool can_write = gate_can_write(ready->options.gate);
    if (counts.failing == OK && can_write)
        return NULL;
    probe(ready);
    if (counts.failing == ERR_FULL)
        return "the last write found no room on the disk or in the database";
    return can_write ? "the last write failed"
                     : "the store could be opened only to be read, or not at all";
}

const char *ready_why_not(struct ready *ready)
{
    uint64_t free_bytes;
    bool only_reads = false;
    if (*ready->options.is_stopping)
        return "the hub is stopping and does not listen";
    if (!can_read(ready))
        return "the store cannot be read";
    if (usage_of_disk(ready->options.state_dir, &free_bytes, &only_reads) && only_reads)
        return "the disk of state_dir may only be read";
    if (writer_is_full(ready->options.writer))
        return "the writer's inbox is full";
    return why_not_written(ready);
}
