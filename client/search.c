// Looking for words on a device: it walks over all records. Ten thousand take some hundredths of a
// second, and no index has to be kept, or forget.

#include <stdlib.h>

#include "client/state.h"
#include "client/value.h"
#include "proto/schema.h"
#include "storage/record.h"
#include "sync/collect.h"
#include "sync/search_query.h"

struct hit {
    struct record_key record;
    unsigned rank;
    uint64_t latest; // position of its latest text here
};

struct walk_words {
    const struct scope *scope;
    struct search_query query;
    struct hit *hits;
    size_t n;
    size_t cap;
    struct search_found found; // of one record
    uint64_t latest;
    enum err err;
};

static bool look_at_edit(const struct live *edit, void *arg)
{
    struct walk_words *w = arg;
    struct wire_field field;
    bool is_text = edit->field == FIELD_WORDS || edit->field == FIELD_TITLE;
    if (!is_text || edit->key.class != CLASS_ORDINARY)
        return true;
    // What is damaged is noted in the transaction, and the others are looked at.
    enum err err = collect_edit(w->scope->txn, w->scope->community.number, edit, &field);
    if (!err && field.type == WIRE_SIZED)
        search_look(&w->query, field.bytes, edit->field == FIELD_TITLE, &w->found);
    w->latest = edit->position > w->latest ? edit->position : w->latest;
    return true;
}

static void add_hit(struct walk_words *w, const struct record_key *record, unsigned rank)
{
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 64;
        struct hit *grown = realloc(w->hits, cap * sizeof *grown);
        if (!grown) {
            w->err = ERR_NOMEM;
            return;
        }
        w->hits = grown;
        w->cap = cap;
    }
    w->hits[w->n++] = (struct hit){*record, rank, w->latest};
}

static void look_at_record(struct walk_words *w, const struct record_key *record)
{
    w->found = (struct search_found){0};
    w->latest = 0;
    enum err err = live_each(w->scope->txn, w->scope->community.number, record, look_at_edit, w);
    w->err = err == ERR_DAMAGED ? OK : err;
    unsigned rank = search_rank(&w->query, &w->found);
    if (!w->err && rank != SEARCH_NOT)
        add_hit(w, record, rank);
}

static int by_rank(const void *a, const void *b)
{
    const struct hit *x = a;
    const struct hit *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->latest > y->latest ? -1 : x->latest < y->latest;
}

static enum err walk_all(struct walk_words *w)
{
    struct record_key record;
    struct txn *txn = w->scope->txn;
    uint32_t community = w->scope->community.number;
    enum err err = live_next(txn, community, NULL, &record);
    while (!err && !w->err) {
        look_at_record(w, &record);
        struct record_key after = record;
        err = live_next(txn, community, &after, &record);
    }
    if (w->n > 1)
        qsort(w->hits, w->n, sizeof *w->hits, by_rank);
    if (w->err || txn_error(txn))
        return w->err ? w->err : txn_error(txn);
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum folkmoot_code give(struct folkmoot *fm, const struct walk_words *w,
                               bool (*each)(const struct folkmoot_record *, void *), void *arg,
                               bool *damaged, struct folkmoot_error *error)
{
    bool on = true;
    for (size_t i = 0; on && i < w->n; i++) {
        char kind[16];
        struct folkmoot_record record;
        value_kind_name(w->hits[i].record.kind, kind);
        enum folkmoot_code code =
            folkmoot_record_get(fm, kind, w->hits[i].record.id, FOLKMOOT_BRIEF, &record, error);
        // It may have gone between the two looks.
        if (code && code != FOLKMOOT_NOT_FOUND && code != FOLKMOOT_STORE)
            return code;
        *damaged |= code == FOLKMOOT_STORE;
        if (!code) {
            on = each(&record, arg);
            folkmoot_record_done(&record);
        }
    }
    return FOLKMOOT_OK;
}

static enum folkmoot_code walk(struct folkmoot *fm, struct walk_words *w, bool *damaged,
                               struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    uint64_t damage = txn_damage(scope.txn);
    w->scope = &scope;
    enum err err = walk_all(w);
    *damaged = txn_damage(scope.txn) != damage;
    (void)state_end(fm, &scope, false, NULL);
    w->scope = NULL;
    return err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

enum folkmoot_code folkmoot_search(struct folkmoot *fm, const char *text,
                                   bool (*each)(const struct folkmoot_record *, void *), void *arg,
                                   struct folkmoot_error *error)
{
    struct walk_words w = {.n = 0};
    struct fault fault = {0};
    bool damaged = false;
    state_clear(error);
    if (fm->chosen == 0)
        return state_fail_none(fm, error);
    enum err err = search_query_read(bytes_of_text(text), &w.query, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    enum folkmoot_code code = walk(fm, &w, &damaged, error);
    if (!code)
        code = give(fm, &w, each, arg, &damaged, error);
    free(w.hits);
    if (!code && damaged)
        return state_fail(error, FOLKMOOT_STORE,
                          "the disk has damaged something: records may be missing");
    if (!code)
        state_clear(error);
    return code;
}
