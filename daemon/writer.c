#include "daemon/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/report.h"
#include "daemon/writer_queue.h"

enum {
    REST_MS = 1000, // after a commit that failed, and twice as long after each one more
    REST_MS_MAX = 30000,
    BATCH_US = 20000,        // then a batch is committed, whatever else waits
    SMALL_BYTES = 128 << 10, // of an item that need not wait for larger ones
};

struct writer {
    struct writer_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue inbox;          // by the lock
    struct queue outbox;         // by the lock
    bool stopping;               // by the lock
    bool flushing;               // by the lock
    bool asked;                  // for a sign of life; by the lock
    bool answered;               // that; by the lock
    struct writer_counts told;   // what is counted, as of the last batch; by the lock
    struct writer_counts counts; // the thread's
    struct queue small;          // taken from the inbox; the thread's
    struct queue large;          // so
    struct loop_bell *bell;
    size_t waiting;           // the loop's
    size_t waiting_bytes;     // the loop's
    bool said_goodbye;        // the thread's
    unsigned failures;        // commits that failed in a row; the thread's
    bool is_full;             // for want of room; the thread's
    int64_t rests_until;      // ms; the thread's
    atomic_uint deciding;     // items that are held
    void (*alive)(void *arg); // the loop's
    void *alive_arg;
};

// --- the thread ---

static int64_t now_ms(void)
{
    return (int64_t)(measure_now_us() / 1000);
}

static bool is_environments(enum err err)
{
    switch (err) {
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_FULL:
    case ERR_DAMAGED:
    case ERR_BUSY:
        return true;
    case OK:
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_VERSION:
    case ERR_UNAUTHENTICATED:
    case ERR_FORBIDDEN:
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_WRONG_STATE:
    case ERR_CUT:
    case ERR_QUOTA:
        break;
    }
    return false;
}

// Why nothing can be written now, for whoever asked.
static void refuse(struct writer *writer, struct writer_item *item)
{
    writer->counts.refused++;
    item->err = ERR_BUSY;
    fault_set(&item->fault, ERR_BUSY,
              writer->is_full
                  ? "the hub has no room left: what has a receipt is safe, and more can be taken "
                    "when its administrator has made room"
                  : "the hub cannot write at the moment: what has a receipt is safe; try again "
                    "later");
}

static void take_all(struct writer *writer, struct queue *batch)
{
    queue_move(&writer->small, batch);
    queue_move(&writer->large, batch);
}

static void refuse_all(struct writer *writer, struct writer_item *items)
{
    for (struct writer_item *item = items; item; item = item->next)
        refuse(writer, item);
}

// What a commit that failed leaves behind is unknown: open anew, and rest for longer each time.
static void recover(struct writer *writer, enum err err)
{
    unsigned doublings = writer->failures < 5 ? writer->failures : 5;
    int64_t rest = (int64_t)REST_MS << doublings;
    writer->failures++;
    writer->is_full = err == ERR_FULL;
    writer->counts.failing = err;
    writer->rests_until = now_ms() + (rest < REST_MS_MAX ? rest : REST_MS_MAX);
    report_event(REPORT_ERROR, &(struct report_about){.event = "commit_failed"},
                 "commit failed (%s), %u in a row: opening the store anew", err_text(err),
                 writer->failures);
    struct fault fault = {0};
    if (gate_reopen(writer->options.gate, &fault))
        report_event(REPORT_ERROR, &(struct report_about){.event = "store_closed"},
                     "the store cannot be opened: %s", fault.text);
    else
        writer->counts.reopened++;
}

static void hold(struct writer *writer, struct writer_item *item)
{
    if (!item->decides || item->is_held)
        return;
    item->is_held = true;
    atomic_fetch_add(&writer->deciding, 1);
}

bool writer_is_deciding(struct writer *writer)
{
    return atomic_load(&writer->deciding) > 0;
}

static enum err commit(struct writer *writer, struct txn **txn)
{
    enum err err = txn_error(*txn);
    if (err) {
        gate_abort(writer->options.gate, txn);
        return err;
    }
    uint64_t begun = measure_now_us();
    err = gate_commit(writer->options.gate, txn);
    measure_add(&writer->counts.commit, MEASURE_TIME, measure_now_us() - begun);
    if (err) {
        writer->counts.commits_failed++;
        recover(writer, err);
        return err;
    }
    if (writer->failures > 0)
        report_event(REPORT_INFO, &(struct report_about){.event = "commits_again"},
                     "commits succeed again");
    writer->counts.commits++;
    writer->counts.failing = OK;
    writer->failures = 0;
    return OK;
}

// An item that found no memory says nothing of the disk, and a damaged row is one of many.
static void note_failure(struct writer *writer, const struct writer_item *item, enum err err)
{
    const struct report_about about = {.event = "write_failed", .request = item->request};
    report_event(REPORT_WARNING, &about, "request %s could not be written: %s",
                 item->request[0] ? item->request : "of the hub's own", err_text(err));
    writer->is_full = err == ERR_FULL;
    if (err == ERR_FULL || err == ERR_IO)
        writer->counts.failing = err;
}

// One item in a transaction of its own.
static void run_alone(struct writer *writer, struct writer_item *item, bool again)
{
    struct txn *txn = gate_begin_write(writer->options.gate);
    if (!txn) {
        refuse(writer, item);
        return;
    }
    item->err = item->run(item, txn, again, &item->fault);
    bool failed = item->err && is_environments(item->err);
    if (failed || txn_error(txn)) {
        enum err err = failed ? item->err : txn_error(txn);
        gate_abort(writer->options.gate, &txn);
        note_failure(writer, item, err);
        if (err != ERR_NOMEM)
            refuse(writer, item);
    } else if (item->err) {
        gate_abort(writer->options.gate, &txn);
    } else {
        hold(writer, item);
        if (commit(writer, &txn))
            refuse(writer, item);
    }
}

static void count_batch(struct writer *writer, const struct writer_item *items)
{
    uint64_t n = 0;
    for (const struct writer_item *item = items; item; item = item->next)
        n++;
    if (n > 0)
        measure_add(&writer->counts.batch, MEASURE_ITEMS, n);
}

static void run_each_alone(struct writer *writer, struct writer_item *items)
{
    for (struct writer_item *item = items; item; item = item->next) {
        if (writer->failures > 0)
            refuse(writer, item);
        else
            run_alone(writer, item, true);
    }
}

// Runs items of a queue as long as the batch's time lasts, one at least. False: an item or the
// transaction failed by the environment's fault.
static bool run_some(struct queue *from, struct txn *txn, uint64_t until_us, struct queue *batch)
{
    struct writer_item *item = queue_take(from);
    while (item) {
        queue_put(batch, item);
        item->err = item->run(item, txn, false, &item->fault);
        if (is_environments(item->err) || txn_error(txn))
            return false;
        item = measure_now_us() < until_us ? queue_take(from) : NULL;
    }
    return true;
}

// The small ones first; of the large ones one, however many small ones there are.
static void write_batch(struct writer *writer, struct queue *batch)
{
    uint64_t until_us = measure_now_us() + BATCH_US;
    struct txn *txn = gate_begin_write(writer->options.gate);
    if (!txn) {
        recover(writer, writer->is_full ? ERR_FULL : ERR_IO);
        take_all(writer, batch);
        refuse_all(writer, batch->first);
        return;
    }
    bool is_sound = run_some(&writer->small, txn, until_us, batch) &&
                    run_some(&writer->large, txn, until_us, batch);
    struct writer_item *items = batch->first;
    count_batch(writer, items);
    if (!is_sound) {
        gate_abort(writer->options.gate, &txn);
        run_each_alone(writer, items);
        return;
    }
    contacts_write(writer->options.contacts, txn);
    for (struct writer_item *item = items; item; item = item->next)
        hold(writer, item);
    if (commit(writer, &txn) == OK)
        return;
    if (writer->failures > 0)
        refuse_all(writer, items); // unknown what took place: they ask again
    else
        run_each_alone(writer, items); // a note on a contact did not fit
}

static void work(struct writer *writer, struct queue *batch)
{
    if (writer->failures > 0 && now_ms() < writer->rests_until) {
        take_all(writer, batch);
        refuse_all(writer, batch->first);
    } else {
        write_batch(writer, batch);
    }
}

// By the lock.
static void answer(struct writer *writer)
{
    if (!writer->asked)
        return;
    writer->asked = false;
    writer->answered = true;
    loop_bell_ring(writer->bell);
}

static bool has_items(const struct writer *writer)
{
    return writer->inbox.first || writer->small.first || writer->large.first;
}

// By the lock.
static void await_work(struct writer *writer)
{
    answer(writer);
    while (!has_items(writer) && !writer->stopping && !writer->flushing) {
        (void)pthread_cond_wait(&writer->wake, &writer->lock);
        answer(writer);
    }
}

// By the lock.
static void sort_inbox(struct writer *writer)
{
    struct writer_item *item;
    while ((item = queue_take(&writer->inbox)))
        queue_put(item->bytes <= SMALL_BYTES ? &writer->small : &writer->large, item);
}

// Waits for work. False: there is none and never will be.
static bool await_batch(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    await_work(writer);
    bool go_on = has_items(writer) || writer->flushing;
    if (!go_on && !writer->said_goodbye) {
        // The last turn takes along what was noted of contacts, whether or not that succeeds.
        writer->said_goodbye = true;
        go_on = contacts_any(writer->options.contacts);
    }
    writer->flushing = false;
    sort_inbox(writer);
    (void)pthread_mutex_unlock(&writer->lock);
    return go_on;
}

static void hand_back(struct writer *writer, struct queue *batch)
{
    (void)pthread_mutex_lock(&writer->lock);
    queue_move(batch, &writer->outbox);
    writer->told = writer->counts;
    (void)pthread_mutex_unlock(&writer->lock);
    loop_bell_ring(writer->bell);
}

static void *run_thread(void *arg)
{
    struct writer *writer = arg;
    struct queue batch;
    queue_init(&batch);
    while (await_batch(writer)) {
        work(writer, &batch);
        hand_back(writer, &batch);
    }
    return NULL;
}

// --- the loop's side ---

static void deliver(void *arg)
{
    struct writer *writer = arg;
    struct queue done;
    queue_init(&done);
    bool was_full = writer_is_full(writer);
    (void)pthread_mutex_lock(&writer->lock);
    queue_move(&writer->outbox, &done);
    bool answered = writer->answered;
    writer->answered = false;
    (void)pthread_mutex_unlock(&writer->lock);
    if (done.first && writer->options.written)
        writer->options.written(writer->options.arg);
    while (done.first) {
        struct writer_item *item = done.first;
        done.first = item->next;
        writer->waiting--;
        writer->waiting_bytes -= item->bytes;
        unsigned held = item->is_held;
        item->done(item); // which frees it
        atomic_fetch_sub(&writer->deciding, held);
    }
    if (was_full && !writer_is_full(writer))
        writer->options.has_room(writer->options.arg);
    if (answered && writer->alive)
        writer->alive(writer->alive_arg);
}

static bool start_thread(struct writer *writer)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    // Signals are the loop's.
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, run_thread, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0;
}

static void free_writer(struct writer *writer)
{
    loop_bell_free(&writer->bell);
    (void)pthread_cond_destroy(&writer->wake);
    (void)pthread_mutex_destroy(&writer->lock);
    free(writer);
}

enum err writer_start(const struct writer_options *options, struct writer **out,
                      struct fault *fault)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    writer->options = *options;
    queue_init(&writer->inbox);
    queue_init(&writer->small);
    queue_init(&writer->large);
    queue_init(&writer->outbox);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->wake, NULL);
    writer->bell = loop_bell_new(options->loop, deliver, writer);
    if (!writer->bell || !start_thread(writer)) {
        free_writer(writer);
        return fault_set(fault, ERR_NOMEM, "the writer's thread could not be started");
    }
    *out = writer;
    return OK;
}

void writer_stop(struct writer **writer)
{
    if (!*writer)
        return;
    (void)pthread_mutex_lock(&(*writer)->lock);
    (*writer)->stopping = true;
    (void)pthread_cond_signal(&(*writer)->wake);
    (void)pthread_mutex_unlock(&(*writer)->lock);
    (void)pthread_join((*writer)->thread, NULL);
    deliver(*writer);
    free_writer(*writer);
    *writer = NULL;
}

bool writer_is_full(struct writer *writer)
{
    return writer->waiting >= writer->options.items_max ||
           writer->waiting_bytes >= writer->options.bytes_max;
}

void writer_put(struct writer *writer, struct writer_item *item)
{
    item->decides = item->is_held = false;
    item->err = OK;
    writer->waiting++;
    writer->waiting_bytes += item->bytes;
    (void)pthread_mutex_lock(&writer->lock);
    queue_put(&writer->inbox, item);
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

void writer_flush(struct writer *writer)
{
    if (!contacts_any(writer->options.contacts))
        return;
    (void)pthread_mutex_lock(&writer->lock);
    writer->flushing = true;
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

void writer_ask(struct writer *writer, void (*alive)(void *arg), void *arg)
{
    writer->alive = alive;
    writer->alive_arg = arg;
    (void)pthread_mutex_lock(&writer->lock);
    writer->asked = true;
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

size_t writer_waiting(struct writer *writer)
{
    return writer->waiting;
}

void writer_counts(struct writer *writer, struct writer_counts *counts)
{
    (void)pthread_mutex_lock(&writer->lock);
    *counts = writer->told;
    (void)pthread_mutex_unlock(&writer->lock);
}
