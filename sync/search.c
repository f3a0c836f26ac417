#include "sync/search.h"

#include <stdlib.h>

#include "sync/search_private.h"

// Postings that one question may go through: some milliseconds.
enum { POSTINGS_MAX = 2 << 20 };

struct search *search_new(uint32_t community, uint64_t seed)
{
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return NULL;
    search->community = community;
    search->seed = seed;
    (void)pthread_mutex_init(&search->lock, NULL);
    return search;
}

void search_empty(struct search *search)
{
    (void)pthread_mutex_lock(&search->lock);
    for (size_t i = 0; i < search->segments_n; i++)
        segment_free(&search->segments[i]);
    free(search->documents);
    free(search->places);
    search->documents = NULL;
    search->places = NULL;
    search->n = search->cap = search->dead = search->places_n = 0;
    search->segments_n = 0;
    search->position = 0;
    search->is_damaged = false;
    (void)pthread_mutex_unlock(&search->lock);
}

void search_free(struct search **search)
{
    if (!*search)
        return;
    search_empty(*search);
    (void)pthread_mutex_destroy(&(*search)->lock);
    free(*search);
    *search = NULL;
}

void search_size(struct search *search, struct search_size *size)
{
    (void)pthread_mutex_lock(&search->lock);
    *size = (struct search_size){search->position, search->n - search->dead, search->segments_n,
                                 search->cap * sizeof *search->documents +
                                     search->places_n * sizeof *search->places};
    for (size_t i = 0; i < search->segments_n; i++)
        size->bytes += segment_bytes(search->segments[i]);
    (void)pthread_mutex_unlock(&search->lock);
}

// --- asking ---

// Of a document: whether all words so far are in it, in its title, whole.
enum { HAS = 1, IN_TITLE = 2, WHOLE = 4 };

struct asking {
    uint8_t *word; // of each document, for one word
    uint8_t *all;  // for all so far
    size_t postings;
};

static bool note(uint32_t document, bool in_title, bool whole, void *arg)
{
    struct asking *asking = arg;
    asking->word[document] |= (uint8_t)(HAS | (in_title ? IN_TITLE : 0) | (whole ? WHOLE : 0));
    return ++asking->postings < POSTINGS_MAX;
}

// False: it was too much.
static bool ask_word(const struct search *search, const struct search_term *term,
                     struct asking *asking)
{
    bool on = true;
    // The latest first, should it be too much.
    for (size_t i = search->segments_n; on && i-- > 0;)
        on = segment_each(search->segments[i], bytes_of(term->p, term->n), term->is_prefix, note,
                          asking);
    for (uint32_t i = 0; i < search->n; i++) {
        asking->all[i] &= asking->word[i];
        asking->word[i] = 0;
    }
    return on;
}

static bool fits(const struct document *document, uint8_t how, const struct search_ask *ask)
{
    return (how & HAS) && !document->is_dead && document->at < ask->before &&
           (ask->kind == 0 || ask->kind == document->kind) &&
           search_rank_of(how & WHOLE, how & IN_TITLE) == ask->rank;
}

static void give(const struct search *search, const uint8_t *all, const struct search_ask *ask,
                 bool (*each)(const struct search_candidate *candidate, void *arg), void *arg)
{
    for (uint32_t i = search->n; i-- > 0;) {
        const struct document *document = &search->documents[i];
        if (!fits(document, all[i], ask))
            continue;
        struct search_candidate candidate = {{.kind = document->kind}, document->at};
        memcpy(candidate.record.id, document->id, ID_SIZE);
        if (!each(&candidate, arg))
            return;
    }
}

static enum err ask_all(const struct search *search, const struct search_ask *ask,
                        bool (*each)(const struct search_candidate *candidate, void *arg),
                        void *arg, struct search_told *told)
{
    *told = (struct search_told){.position = search->position, .is_damaged = search->is_damaged};
    if (search->n == 0)
        return OK;
    uint8_t *bytes = calloc(2, search->n);
    if (!bytes)
        return ERR_NOMEM;
    struct asking asking = {.word = bytes, .all = bytes + search->n};
    memset(asking.all, HAS | IN_TITLE | WHOLE, search->n);
    for (size_t i = 0; i < ask->query->n; i++)
        told->is_cut |= !ask_word(search, &ask->query->terms[i], &asking);
    give(search, asking.all, ask, each, arg);
    free(bytes);
    return OK;
}

enum err search_each(struct search *search, const struct search_ask *ask,
                     bool (*each)(const struct search_candidate *candidate, void *arg), void *arg,
                     struct search_told *told)
{
    (void)pthread_mutex_lock(&search->lock);
    enum err err = ask_all(search, ask, each, arg, told);
    (void)pthread_mutex_unlock(&search->lock);
    return err;
}

// --- the latest of them ---

enum { ROOM = 2 * SEARCH_CANDIDATES_MAX };

struct latest {
    struct search_candidate *p; // ROOM
    size_t n;
    uint64_t least; // of those that are kept once there are enough
};

static int by_latest(const void *a, const void *b)
{
    const struct search_candidate *x = a;
    const struct search_candidate *y = b;
    return x->at > y->at ? -1 : x->at < y->at;
}

static void settle(struct latest *latest)
{
    qsort(latest->p, latest->n, sizeof *latest->p, by_latest);
    if (latest->n < SEARCH_CANDIDATES_MAX)
        return;
    latest->n = SEARCH_CANDIDATES_MAX;
    latest->least = latest->p[SEARCH_CANDIDATES_MAX - 1].at;
}

static bool keep_latest(const struct search_candidate *candidate, void *arg)
{
    struct latest *latest = arg;
    if (candidate->at < latest->least)
        return true;
    latest->p[latest->n++] = *candidate;
    if (latest->n == ROOM)
        settle(latest);
    return true;
}

enum err search_candidates(struct search *search, const struct search_ask *ask,
                           struct search_candidate *candidates, size_t *n, struct search_told *told)
{
    struct latest latest = {.p = malloc(ROOM * sizeof *latest.p)};
    if (!latest.p)
        return ERR_NOMEM;
    enum err err = search_each(search, ask, keep_latest, &latest, told);
    if (!err && latest.n > 0) {
        settle(&latest);
        memcpy(candidates, latest.p, latest.n * sizeof *candidates);
    }
    if (!err)
        *n = latest.n;
    free(latest.p);
    return err;
}
