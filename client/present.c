#include "client/present.h"

#include <stdlib.h>

#include "proto/change.h"
#include "storage/log.h"
#include "sync/merge.h"

enum { PRESENT_MAX = 65536 };

struct gathering {
    struct live *edits;
    size_t n;
    size_t cap;
    uint32_t class;
    enum err err;
};

static bool gather(const struct live *live, void *arg)
{
    struct gathering *gathering = arg;
    if (live->key.class != gathering->class)
        return true;
    if (gathering->n == gathering->cap) {
        size_t cap = gathering->cap ? gathering->cap * 2 : 16;
        struct live *grown =
            cap <= PRESENT_MAX ? realloc(gathering->edits, cap * sizeof *grown) : NULL;
        gathering->err = grown ? OK : cap > PRESENT_MAX ? ERR_LIMIT : ERR_NOMEM;
        if (!grown)
            return false;
        gathering->edits = grown;
        gathering->cap = cap;
    }
    gathering->edits[gathering->n++] = *live;
    return true;
}

static int by_field_and_rank(const void *a, const void *b)
{
    const struct live *x = a;
    const struct live *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return merge_rank(x, y);
}

enum err present_words(struct txn *txn, uint32_t community, uint64_t position, uint32_t index,
                       struct arena *arena, struct wire_field *field)
{
    struct log_body body;
    enum err err = log_get_body(txn, community, position, &body);
    if (err)
        return err;
    if (!fields_edit(body.fields, index, field))
        return ERR_NOT_FOUND;
    struct bytes copy = arena_copy(arena, field->whole);
    struct wire_reader reader = wire_reader(copy);
    return copy.p ? wire_next(&reader, field) : ERR_NOMEM;
}

static enum err fill(struct txn *txn, uint32_t community, const struct gathering *gathering,
                     struct arena *arena, struct present *present)
{
    present->n = gathering->n;
    present->edits = arena_alloc(arena, gathering->n, sizeof *present->edits);
    if (!present->edits)
        return gathering->n ? ERR_NOMEM : OK;
    for (size_t i = 0; i < present->n; i++) {
        struct present_edit *edit = &present->edits[i];
        edit->live = gathering->edits[i];
        enum err err = present_words(txn, community, edit->live.position, edit->live.key.index,
                                     arena, &edit->field);
        if (err == ERR_NOMEM)
            return err;
        // Damaged words can still be gone over.
        if (err)
            edit->field = (struct wire_field){.number = edit->live.field};
    }
    return OK;
}

enum err present_read(struct txn *txn, uint32_t community, const struct record_key *record,
                      uint32_t class, struct arena *arena, struct present *present)
{
    struct gathering gathering = {.class = class};
    *present = (struct present){0};
    enum err err = live_each(txn, community, record, gather, &gathering);
    if (!err || err == ERR_DAMAGED)
        err = gathering.err;
    if (!err && gathering.n > 1)
        qsort(gathering.edits, gathering.n, sizeof *gathering.edits, by_field_and_rank);
    if (!err)
        err = fill(txn, community, &gathering, arena, present);
    free(gathering.edits);
    return err;
}

static bool note(const struct live *live, void *arg)
{
    (void)live;
    *(bool *)arg = true;
    return false;
}

bool present_any(struct txn *txn, uint32_t community, const struct record_key *record)
{
    bool any = false;
    enum err err = live_each(txn, community, record, note, &any);
    return any && (!err || err == ERR_DAMAGED);
}
