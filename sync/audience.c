#include "sync/audience.h"

#include "proto/schema.h"
#include "sync/collect.h"

static bool is_for_outside(uint64_t audience)
{
    return audience == AUDIENCE_ORGANISATIONS || audience == AUDIENCE_PUBLIC;
}

enum err audience_of(struct txn *txn, uint32_t community, const struct collection *collection,
                     bool *is_outside)
{
    struct wire_field field;
    bool is_said = false;
    enum err err = OK;
    *is_outside = false;
    for (size_t i = 0; !err && i < collection->n; i++) {
        const struct live *edit = &collection->edits[i];
        if (edit->field != FIELD_AUDIENCE && edit->field != FIELD_SENSITIVITY)
            continue;
        err = collect_edit(txn, community, edit, &field);
        bool is_wide =
            !err && (edit->field == FIELD_AUDIENCE ? is_for_outside(field.value)
                                                   : field.value == SENSITIVITY_ORDINARY);
        if (!is_wide)
            return err;
        is_said |= edit->field == FIELD_AUDIENCE;
    }
    *is_outside = !err && is_said;
    return err;
}

enum err audience_is_outside(struct txn *txn, uint32_t community, const struct record_key *record,
                             bool *is_outside)
{
    struct collection collection COLLECT_CLEANUP = {0};
    *is_outside = false;
    enum err err = collect_record(txn, community, record, &collection);
    return err ? err : audience_of(txn, community, &collection, is_outside);
}
