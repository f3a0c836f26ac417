// How the index changes: documents, and the segments of their words.

#include <stdlib.h>

#include "sync/search_private.h"

enum { PLACES_MIN = 64, DOCUMENTS_MAX = 1 << 30 };

static void lock(struct search *search)
{
    (void)pthread_mutex_lock(&search->lock);
}

static void unlock(struct search *search)
{
    (void)pthread_mutex_unlock(&search->lock);
}

// --- documents ---

static uint64_t stir(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 32;
}

// Where the record's document is named, or would be.
static uint32_t place_of(const struct search *search, uint32_t kind, const uint8_t *id)
{
    uint64_t hash = stir(stir(search->seed, be64_get(id)), be64_get(id + 8) ^ kind);
    uint32_t at = (uint32_t)hash & (search->places_n - 1);
    while (search->places[at]) {
        const struct document *document = &search->documents[search->places[at] - 1];
        if (document->kind == kind && memcmp(document->id, id, ID_SIZE) == 0)
            break;
        at = (at + 1) & (search->places_n - 1);
    }
    return at;
}

// Places for as many documents as there is room for: half of them stay free. Of a record's
// documents the last one is named.
static enum err make_places(struct search *search)
{
    search->places_n = PLACES_MIN;
    while (search->places_n < 2 * search->cap)
        search->places_n *= 2;
    search->places = calloc(search->places_n, sizeof *search->places);
    if (!search->places)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < search->n; i++) {
        const struct document *document = &search->documents[i];
        search->places[place_of(search, document->kind, document->id)] = i + 1;
    }
    return OK;
}

// Documents in memory of their own, with room for `cap`; all or the living.
static enum err copy_documents(const struct search *search, uint32_t cap, bool all,
                               struct search *to)
{
    *to = (struct search){.seed = search->seed, .cap = cap < PLACES_MIN ? PLACES_MIN : cap};
    to->documents = malloc(to->cap * sizeof *to->documents);
    if (!to->documents)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < search->n; i++) {
        if (all || !search->documents[i].is_dead)
            to->documents[to->n++] = search->documents[i];
    }
    enum err err = make_places(to);
    if (err)
        free(to->documents);
    return err;
}

// By the lock.
static void take_documents(struct search *search, const struct search *from)
{
    free(search->documents);
    free(search->places);
    search->documents = from->documents;
    search->n = from->n;
    search->cap = from->cap;
    search->places = from->places;
    search->places_n = from->places_n;
}

static enum err make_room(struct search *search)
{
    struct search grown;
    if (search->n < search->cap)
        return OK;
    if (search->cap > DOCUMENTS_MAX)
        return ERR_LIMIT;
    enum err err = copy_documents(search, search->cap + search->cap / 2, true, &grown);
    if (err)
        return err;
    lock(search);
    take_documents(search, &grown);
    unlock(search);
    return OK;
}

struct document *search_document(const struct search *search, const struct record_key *record)
{
    if (search->n == 0)
        return NULL;
    uint32_t number = search->places[place_of(search, record->kind, record->id)];
    return number && !search->documents[number - 1].is_dead ? &search->documents[number - 1] : NULL;
}

void search_kill(struct search *search, struct document *document)
{
    lock(search);
    document->is_dead = true;
    search->dead++;
    unlock(search);
}

enum err search_add(struct search *search, const struct record_key *record, uint64_t at,
                    uint32_t *number)
{
    enum err err = make_room(search);
    if (err)
        return err;
    struct document *before = search_document(search, record);
    if (before)
        search_kill(search, before);
    lock(search);
    uint32_t place = place_of(search, record->kind, record->id);
    *number = search->n++;
    struct document *document = &search->documents[*number];
    *document = (struct document){.at = at, .kind = (uint16_t)record->kind};
    memcpy(document->id, record->id, ID_SIZE);
    search->places[place] = search->n;
    unlock(search);
    return OK;
}

// --- segments ---

// The new number of each document from `first` on; dead ones are gone.
static uint32_t *number_anew(const struct search *search, uint32_t first, bool close_gaps)
{
    uint32_t *numbers = malloc((search->n - first + 1) * sizeof *numbers);
    uint32_t next = first;
    for (uint32_t i = first; numbers && i < search->n; i++) {
        bool is_dead = search->documents[i].is_dead;
        numbers[i - first] = is_dead ? SEGMENT_GONE : close_gaps ? next : i;
        next += !is_dead;
    }
    return numbers;
}

// Puts one segment in the place of those from `from` on.
static void replace(struct search *search, size_t from, struct segment *segment)
{
    struct segment *old[SEGMENTS_MAX];
    lock(search);
    size_t n = search->segments_n - from;
    memcpy(old, search->segments + from, n * sizeof(struct segment *));
    search->segments[from] = segment;
    search->segments_n = from + 1;
    unlock(search);
    for (size_t i = 0; i < n; i++)
        segment_free(&old[i]);
}

// From which segment on all are no larger, together, than the one before them: they become one.
static size_t merge_from(const struct search *search)
{
    size_t from = search->segments_n - 1;
    size_t bytes = segment_bytes(search->segments[from]);
    while (from > 0 && segment_bytes(search->segments[from - 1]) < 2 * bytes)
        bytes += segment_bytes(search->segments[--from]);
    // Sizes double, so this many are never reached; should they be, all become one.
    return search->segments_n == SEGMENTS_MAX ? 0 : from;
}

static enum err merge_last(struct search *search)
{
    size_t from = merge_from(search);
    struct segment *merged = NULL;
    if (from + 1 == search->segments_n)
        return OK;
    uint32_t *numbers = number_anew(search, search->begins[from], false);
    if (!numbers)
        return ERR_NOMEM;
    enum err err = segment_merge((const struct segment *const *)(search->segments + from),
                                 search->segments_n - from, numbers, search->begins[from], &merged);
    free(numbers);
    if (!err)
        replace(search, from, merged);
    return err;
}

static void take_rewritten(struct search *search, const struct search *made,
                           struct segment *segment)
{
    lock(search);
    take_documents(search, made);
    search->dead = 0;
    for (size_t i = 0; i < search->segments_n; i++)
        segment_free(&search->segments[i]);
    search->segments[0] = segment;
    search->begins[0] = 0;
    search->segments_n = 1;
    unlock(search);
}

static enum err rewrite_all(struct search *search)
{
    struct search made = {.n = 0};
    struct segment *merged = NULL;
    uint32_t *numbers = number_anew(search, 0, true);
    enum err err = numbers ? segment_merge((const struct segment *const *)search->segments,
                                           search->segments_n, numbers, 0, &merged)
                           : ERR_NOMEM;
    free(numbers);
    if (!err)
        err = copy_documents(search, search->n - search->dead, false, &made);
    if (err)
        segment_free(&merged);
    else
        take_rewritten(search, &made, merged);
    return err;
}

enum err search_take(struct search *search, uint32_t first, struct bytes terms,
                     struct segment_word *words, size_t n, bool rewrite)
{
    struct segment *segment = NULL;
    if (n > 0) {
        enum err err = segment_make(terms, words, n, &segment);
        if (err)
            return err;
        lock(search);
        search->segments[search->segments_n] = segment;
        search->begins[search->segments_n++] = first;
        unlock(search);
    }
    if (rewrite || (search->dead > PLACES_MIN && search->dead > search->n / 2))
        return rewrite_all(search);
    return n > 0 ? merge_last(search) : OK;
}
