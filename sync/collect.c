#include "sync/collect.h"

#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/merge.h"

static bool add(const struct live *edit, void *arg)
{
    struct collection *collection = arg;
    if (collection->eye &&
        !eye_sees(collection->eye, edit->key.class, edit->key.device, &edit->key.record))
        return true;
    if (collection->n == collection->cap) {
        size_t cap = collection->cap ? collection->cap * 2 : 16;
        struct live *edits = realloc(collection->edits, cap * sizeof *edits);
        collection->full = !edits;
        if (!edits)
            return false;
        collection->edits = edits;
        collection->cap = cap;
    }
    collection->edits[collection->n++] = *edit;
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

enum err collect_record(struct txn *txn, uint32_t community, const struct record_key *record,
                        struct collection *collection)
{
    enum err err = live_each(txn, community, record, add, collection);
    if (!err && collection->full)
        err = ERR_NOMEM;
    if (!err && collection->n > 1)
        qsort(collection->edits, collection->n, sizeof *collection->edits, by_field_and_rank);
    return err;
}

void collect_done(struct collection *collection)
{
    free(collection->edits);
    *collection = (struct collection){.eye = collection->eye};
}

enum err collect_edit(struct txn *txn, uint32_t community, const struct live *edit,
                      struct wire_field *field)
{
    struct log_body body;
    enum err err = log_get_body(txn, community, edit->position, &body);
    if (!err && !fields_edit(body.fields, edit->key.index, field))
        err = ERR_DAMAGED;
    return err == ERR_NOT_FOUND || err == ERR_DAMAGED ? txn_damaged(txn) : err;
}

bool collect_is_register(uint32_t kind, uint32_t number)
{
    const struct schema_field *field = schema_field(kind, number);
    bool is_stance = kind == KIND_VOICE && number == FIELD_VOICE_STANCE;
    return field && !field->set && !is_stance;
}
