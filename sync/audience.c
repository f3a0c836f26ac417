#include "sync/audience.h"

#include "proto/schema.h"
#include "sync/collect.h"

bool audience_is_wide(uint32_t field, uint64_t value)
{
    if (field == FIELD_SENSITIVITY)
        return value == SENSITIVITY_ORDINARY;
    return value == AUDIENCE_ORGANISATIONS || value == AUDIENCE_PUBLIC;
}

static bool is_wide_enough(uint32_t field, uint64_t value, enum audience wanted)
{
    return audience_is_wide(field, value) && (field == FIELD_SENSITIVITY || value >= wanted);
}

enum err audience_reaches(struct txn *txn, uint32_t community, const struct record_key *record,
                          enum audience wanted, bool *is_reached)
{
    struct collection collection COLLECT_CLEANUP = {0};
    struct wire_field field;
    bool is_said = false;
    *is_reached = false;
    enum err err = collect_record(txn, community, record, &collection);
    for (size_t i = 0; !err && i < collection.n; i++) {
        const struct live *edit = &collection.edits[i];
        if (edit->field != FIELD_AUDIENCE && edit->field != FIELD_SENSITIVITY)
            continue;
        err = collect_edit(txn, community, edit, &field);
        if (err || !is_wide_enough(edit->field, field.value, wanted))
            return err;
        is_said |= edit->field == FIELD_AUDIENCE;
    }
    *is_reached = !err && is_said;
    return err;
}

enum err audience_is_outside(struct txn *txn, uint32_t community, const struct record_key *record,
                             bool *is_outside)
{
    return audience_reaches(txn, community, record, AUDIENCE_ORGANISATIONS, is_outside);
}
