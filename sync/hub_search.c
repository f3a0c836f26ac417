// Looking for words: the index names records that may have them, and each is looked at as it is now
// and as far as the caller sees it.

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/names.h"

// What one answer may look at: with the rest the next page goes on.
enum { LOOKED_MAX = 20000, AT_SIZE = 8 };

struct searching {
    struct txn *txn;
    const struct hub_caller *caller;
    struct search *search;
    struct arena *arena;
    struct search_response *response;
    struct search_query query;
    uint32_t kind;
    size_t size; // of the page
    uint8_t *page;
    size_t bytes;
    size_t looked;
    bool full;
    enum err err;
};

// --- one record ---

static bool has_words(const struct searching *s, const struct record_view *view)
{
    struct search_found found = {0};
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        if (field->field != FIELD_WORDS && field->field != FIELD_TITLE)
            continue;
        for (size_t k = 0; k < field->edits.n; k++) {
            struct wire_field edit;
            struct wire_reader reader =
                wire_reader(LIST_AT(struct live_edit, field->edits, k)->edit);
            if (wire_next(&reader, &edit) == OK && edit.type == WIRE_SIZED)
                search_look(&s->query, edit.bytes, field->field == FIELD_TITLE, &found);
        }
    }
    return search_rank(&s->query, &found) != SEARCH_NOT;
}

// Notes where the page has come to: its key is what the records of this rank are ordered by.
static void note_page(struct searching *s, unsigned rank, struct bytes key)
{
    s->page[0] = (uint8_t)rank;
    memcpy(s->page + 1, key.p, key.n);
    s->response->next_page = bytes_of(s->page, 1 + key.n);
}

// Adds the record to the page if it fits. False when the page is full or failed.
static bool take(struct searching *s, const struct record_key *record, unsigned rank,
                 struct bytes key)
{
    struct list *records = &s->response->records;
    struct record_view *view = LIST_AT(struct record_view, *records, records->n);
    size_t voices;
    s->full = records->n == s->size || s->bytes > RECORD_MAX || s->looked > LOOKED_MAX;
    if (s->full)
        return false;
    enum err err = hub_look(s->txn, s->caller, record, NULL, s->arena, view, &voices);
    s->full = hub_is_used_up(err, s->arena);
    if (s->full && s->looked > 0)
        return false;
    s->looked += 1 + voices;
    if (!err && view->record.n <= RECORD_MAX && has_words(s, view)) {
        records->n++;
        s->bytes += view->record.n * 2;
    } else if (err && !hub_is_left_out(err, s->arena)) {
        s->err = err;
    }
    note_page(s, rank, key);
    return !s->err && !s->full;
}

// --- the records of a rank, the latest first ---

static void note_told(struct searching *s, const struct search_told *told)
{
    s->response->damaged |= told->is_damaged;
    s->response->incomplete |= told->is_cut || told->position < s->caller->community.size;
}

// `before`: in and out.
static bool take_some(struct searching *s, unsigned rank, uint64_t *before,
                      struct search_candidate *candidates)
{
    struct search_told told = {0};
    struct search_ask ask = {&s->query, s->kind, rank, *before};
    size_t n = 0;
    s->err = search_candidates(s->search, &ask, candidates, &n, &told);
    note_told(s, &told);
    for (size_t i = 0; !s->err && i < n; i++) {
        uint8_t key[AT_SIZE];
        be64_put(key, candidates[i].at);
        if (!take(s, &candidates[i].record, rank, BYTES(key)))
            return false;
        *before = candidates[i].at;
    }
    return !s->err && n > 0;
}

static void take_latest(struct searching *s, unsigned rank, struct bytes after)
{
    struct search_candidate *candidates = malloc(SEARCH_CANDIDATES_MAX * sizeof *candidates);
    if (!candidates) {
        s->err = ERR_NOMEM;
        return;
    }
    uint64_t before = after.n ? be64_get(after.p) : UINT64_MAX;
    while (take_some(s, rank, &before, candidates))
        continue;
    free(candidates);
}

// --- for an observer, in the order of names: neither when nor by whom they were made shows ---

static bool add_name(const struct search_candidate *candidate, void *arg)
{
    struct names *names = arg;
    names_add(names, candidate->record.id);
    return !names->err;
}

static void take_names(struct searching *s, unsigned rank, struct names *names)
{
    struct search_told told = {0};
    struct search_ask ask = {&s->query, s->kind, rank, UINT64_MAX};
    s->err = search_each(s->search, &ask, add_name, names, &told);
    note_told(s, &told);
    if (!s->err)
        s->err = names_end(names);
    for (size_t i = 0; !s->err && i < names->n; i++) {
        struct record_key record = {.kind = names->kind};
        memcpy(record.id, names->p[i], ID_SIZE);
        s->err = mask_id_back(&names->mask, names->kind, record.id);
        if (s->err || !take(s, &record, rank, bytes_of(names->p[i], ID_SIZE)))
            return;
    }
    s->full |= !s->err && names->more;
}

static void take_rank(struct searching *s, unsigned rank, struct bytes after)
{
    struct names names NAMES_CLEANUP = {
        .mask = hub_mask(s->caller), .kind = s->kind, .after = after};
    if (hub_is_observer(s->caller))
        take_names(s, rank, &names);
    else
        take_latest(s, rank, after);
}

// --- the request ---

static enum err check(struct searching *s, const struct search_request *request,
                      struct fault *fault)
{
    bool is_observer = hub_is_observer(s->caller);
    size_t key = is_observer ? ID_SIZE : AT_SIZE;
    if (request->kind > KIND_MAX || request->page_size > PAGE_MAX ||
        (request->page.n && (request->page.n != 1 + key || request->page.p[0] >= SEARCH_RANKS)))
        return fault_set(fault, ERR_MALFORMED, "SearchRequest: kind, page or page_size is wrong");
    if (is_observer && request->kind == 0)
        return fault_set(fault, ERR_MALFORMED,
                         "SearchRequest: an observer looks for records of one kind");
    s->kind = request->kind;
    s->size = request->page_size ? request->page_size : PAGE_DEFAULT;
    return search_query_read(request->text, &s->query, fault);
}

static void search_all(struct searching *s, struct bytes page)
{
    struct bytes after = page.n ? bytes_of(page.p + 1, page.n - 1) : page;
    for (unsigned rank = page.n ? page.p[0] : 0; rank < SEARCH_RANKS; rank++) {
        take_rank(s, rank, after);
        if (s->err || s->full)
            return;
        after = (struct bytes){NULL, 0};
    }
}

enum err hub_search(struct txn *txn, const struct hub_caller *caller, struct search *search,
                    const struct search_request *request, struct arena *arena,
                    struct search_response *response, struct fault *fault)
{
    struct searching s = {.txn = txn, .caller = caller, .search = search, .arena = arena};
    *response = (struct search_response){.incomplete = search == NULL};
    enum err err = check(&s, request, fault);
    if (err || !search)
        return err;
    s.response = response;
    response->records.p = arena_alloc(arena, s.size + 1, sizeof(struct record_view));
    s.page = arena_alloc(arena, 1, 1 + ID_SIZE);
    if (!response->records.p || !s.page)
        return ERR_NOMEM;
    uint64_t damage = txn_damage(txn);
    search_all(&s, request->page);
    if (!s.full)
        response->next_page = (struct bytes){NULL, 0};
    response->damaged |= txn_damage(txn) != damage;
    if (txn_error(txn))
        s.err = txn_error(txn);
    return s.err ? fault_set(fault, s.err, "the records could not be read: %s", err_text(s.err))
                 : OK;
}
