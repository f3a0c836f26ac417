#include "daemon/searching.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "daemon/random.h"
#include "daemon/report.h"

enum {
    NICE = 10,
    REST_MS = 30000, // after a failure
    GATHER_MS = 200, // what comes together is read together
};

struct indexed {
    uint32_t community;
    struct search *search;
    bool is_behind; // this thread's: it may be
};

struct searching {
    struct gate *gate;
    pthread_t thread;
    pthread_mutex_t lock; // of what follows
    pthread_cond_t wake;
    bool is_woken;
    bool stopping;
    struct indexed **indexed;
    size_t n;
    size_t cap;
    enum err failed; // this thread's: the last, told once
};

// --- the indexes ---

// By number, which communities have from 1 on in the order of their founding.
static struct indexed *find(const struct searching *searching, uint32_t community)
{
    for (size_t i = 0; i < searching->n; i++) {
        // Mostly the first guess is right.
        size_t at = (community - 1 + i) % searching->n;
        if (searching->indexed[at]->community == community)
            return searching->indexed[at];
    }
    return NULL;
}

struct search *searching_of(struct searching *searching, uint32_t community)
{
    (void)pthread_mutex_lock(&searching->lock);
    struct indexed *indexed = find(searching, community);
    (void)pthread_mutex_unlock(&searching->lock);
    return indexed ? indexed->search : NULL;
}

static bool make_place(struct searching *searching)
{
    if (searching->n < searching->cap)
        return true;
    size_t cap = searching->cap ? 2 * searching->cap : 16;
    struct indexed **grown = realloc(searching->indexed, cap * sizeof(struct indexed *));
    if (!grown)
        return false;
    searching->indexed = grown;
    searching->cap = cap;
    return true;
}

static struct indexed *add(struct searching *searching, uint32_t community)
{
    uint64_t seed;
    random_fill(&seed, sizeof seed);
    struct indexed *indexed = calloc(1, sizeof *indexed);
    if (!indexed)
        return NULL;
    indexed->community = community;
    indexed->search = search_new(community, seed);
    (void)pthread_mutex_lock(&searching->lock);
    bool is_added = indexed->search && make_place(searching);
    if (is_added)
        searching->indexed[searching->n++] = indexed;
    (void)pthread_mutex_unlock(&searching->lock);
    if (is_added)
        return indexed;
    search_free(&indexed->search);
    free(indexed);
    return NULL;
}

// --- following ---

// Only this thread adds, so it looks without the lock.
static bool look(const struct community *community, void *arg)
{
    struct searching *searching = arg;
    struct search_size size;
    if (!community->is_hub)
        return true;
    struct indexed *indexed = find(searching, community->number);
    if (!indexed)
        indexed = add(searching, community->number);
    if (!indexed)
        return false;
    search_size(indexed->search, &size);
    indexed->is_behind = size.position != community->size;
    return true;
}

static enum err look_at_all(struct searching *searching)
{
    struct txn *txn = gate_begin_read(searching->gate);
    if (!txn)
        return ERR_BUSY;
    community_each(txn, look, searching);
    // One that is damaged does not keep the others from being found.
    enum err err = txn_error(txn) == ERR_DAMAGED ? OK : txn_error(txn);
    gate_end_read(searching->gate, &txn);
    return err;
}

static bool is_stopping(struct searching *searching)
{
    (void)pthread_mutex_lock(&searching->lock);
    bool stopping = searching->stopping;
    (void)pthread_mutex_unlock(&searching->lock);
    return stopping;
}

static enum err follow(struct searching *searching, struct indexed *indexed)
{
    enum err err = OK;
    while (!err && indexed->is_behind && !is_stopping(searching)) {
        struct txn *txn = gate_begin_read(searching->gate);
        err = txn ? search_follow(indexed->search, txn, &indexed->is_behind) : ERR_BUSY;
        gate_end_read(searching->gate, &txn);
    }
    return err;
}

static enum err follow_all(struct searching *searching)
{
    enum err first = look_at_all(searching);
    for (size_t i = 0; i < searching->n; i++) {
        enum err err = follow(searching, searching->indexed[i]);
        first = first ? first : err;
    }
    return first;
}

static void tell(struct searching *searching, enum err err)
{
    if (err && err != searching->failed)
        report_event(REPORT_WARNING, &(struct report_about){.event = "search_failed"},
                     "what is searched for is not found in all records: %s", err_text(err));
    searching->failed = err;
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec then;
    (void)clock_gettime(CLOCK_REALTIME, &then);
    int64_t ns = then.tv_nsec + ms % 1000 * 1000000;
    then.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    then.tv_nsec = (long)(ns % 1000000000);
    return then;
}

// By the lock.
static void rest(struct searching *searching, int64_t ms)
{
    const struct timespec until = in_ms(ms);
    int code = 0;
    while (!searching->stopping && code == 0)
        code = pthread_cond_timedwait(&searching->wake, &searching->lock, &until);
}

// Waits until it is woken, or has rested after a failure. False: it is to stop.
static bool await(struct searching *searching)
{
    (void)pthread_mutex_lock(&searching->lock);
    if (searching->failed)
        rest(searching, REST_MS);
    else
        while (!searching->stopping && !searching->is_woken)
            (void)pthread_cond_wait(&searching->wake, &searching->lock);
    rest(searching, GATHER_MS);
    searching->is_woken = false;
    bool go_on = !searching->stopping;
    (void)pthread_mutex_unlock(&searching->lock);
    return go_on;
}

static void *run_thread(void *arg)
{
    struct searching *searching = arg;
    // Of this thread alone (Linux); that it may not be changed does no harm.
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    do
        tell(searching, follow_all(searching));
    while (await(searching));
    return NULL;
}

// --- its life ---

static void free_all(struct searching *searching)
{
    for (size_t i = 0; i < searching->n; i++) {
        search_free(&searching->indexed[i]->search);
        free(searching->indexed[i]);
    }
    free(searching->indexed);
    (void)pthread_cond_destroy(&searching->wake);
    (void)pthread_mutex_destroy(&searching->lock);
    free(searching);
}

enum err searching_start(struct gate *gate, struct searching **out, struct fault *fault)
{
    struct searching *searching = calloc(1, sizeof *searching);
    if (!searching)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    searching->gate = gate;
    (void)pthread_mutex_init(&searching->lock, NULL);
    (void)pthread_cond_init(&searching->wake, NULL);
    sigset_t all, before;
    (void)sigfillset(&all);
    // Signals are the loop's.
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&searching->thread, NULL, run_thread, searching);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code) {
        free_all(searching);
        return fault_set(fault, ERR_NOMEM, "the thread that searches could not be started");
    }
    *out = searching;
    return OK;
}

void searching_stop(struct searching **searching)
{
    if (!*searching)
        return;
    (void)pthread_mutex_lock(&(*searching)->lock);
    (*searching)->stopping = true;
    (void)pthread_cond_signal(&(*searching)->wake);
    (void)pthread_mutex_unlock(&(*searching)->lock);
    (void)pthread_join((*searching)->thread, NULL);
    free_all(*searching);
    *searching = NULL;
}

void searching_wake(struct searching *searching)
{
    (void)pthread_mutex_lock(&searching->lock);
    searching->is_woken = true;
    (void)pthread_cond_signal(&searching->wake);
    (void)pthread_mutex_unlock(&searching->lock);
}
