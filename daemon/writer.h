#pragma once

// The one thread that writes. It takes all that waits in its inbox, runs each item in one write
// transaction, commits once, and hands the items back to the loop. Group commit is what makes many
// small pushes cheap. A batch lasts some 20 ms: then it is committed, and what is left comes with
// the next; small items go first, and with each batch one large one.
//
// An item that fails by its peer's fault must have changed nothing; the others are committed. When
// an item fails by the environment's fault, or the commit does, the batch is aborted and each item
// is tried once more in a transaction of its own; what fails then is answered ERR_BUSY. After a
// failed commit the store is opened anew; while commits go on failing the writer rests, and all is
// answered ERR_BUSY at once.

#include "daemon/contacts.h"
#include "daemon/gate.h"
#include "daemon/loop.h"
#include "daemon/measure.h"

struct writer;

struct writer_item {
    struct writer_item *next;
    // On the writer's thread. `again`: an earlier run in a transaction that was aborted may have
    // left traces in the item's own memory.
    enum err (*run)(struct writer_item *item, struct txn *txn, bool again, struct fault *fault);
    // On the loop's thread, once, after the commit; err and fault say how it went.
    void (*done)(struct writer_item *item);
    size_t bytes; // of memory that it holds
    // Set by run: somebody may be cut off by what it does. From before its commit until `done` has
    // been called, writer_is_deciding.
    bool decides;
    bool is_held;     // the writer's own
    char request[16]; // by which the log names whose item it is; empty: nobody's
    enum err err;
    struct fault fault;
};

struct writer_options {
    struct gate *gate;
    struct contacts *contacts;
    struct loop *loop;
    size_t items_max; // in the inbox, before it is full
    size_t bytes_max; // held by items, before it is full
    // On the loop's thread: there is room again after writer_is_full.
    void (*has_room)(void *arg);
    // On the loop's thread: something may have been committed. NULL: nobody asks.
    void (*written)(void *arg);
    void *arg;
};

// Starts the thread. The options' objects outlive the writer.
enum err writer_start(const struct writer_options *options, struct writer **out,
                      struct fault *fault) must_check;
// Commits what waits, calls `done` for it, and ends the thread.
void writer_stop(struct writer **writer);
// The loop's thread. Whoever finds it full reads no further requests; what was read already may
// still be put.
bool writer_is_full(struct writer *writer) must_check;
void writer_put(struct writer *writer, struct writer_item *item);
// Whether a commit that may cut somebody off is under way, or not acted upon yet: until then
// nothing is sent to anybody. Any thread.
bool writer_is_deciding(struct writer *writer) must_check;
// Commits waiting notes on contacts, if there are any.
void writer_flush(struct writer *writer);
// Has the thread answer that it lives, between two batches; `alive` is then called on the loop's
// thread, unless the writer ends before. The loop's thread.
void writer_ask(struct writer *writer, void (*alive)(void *arg), void *arg);
// Of items that wait or are being written; the loop's thread.
size_t writer_waiting(struct writer *writer);

struct writer_counts {
    uint64_t commits;
    uint64_t commits_failed;
    uint64_t reopened;     // how often the store was opened anew
    uint64_t refused;      // items, for want of a store that takes them
    struct measure commit; // MEASURE_TIME
    struct measure batch;  // MEASURE_ITEMS, of a transaction
    enum err failing;      // why the last write found no place on disk; OK: it did
};

// Since the start. Any thread.
void writer_counts(struct writer *writer, struct writer_counts *counts);
