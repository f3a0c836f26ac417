// What may be kept no longer is erased, by the right of whoever said until when.

#include <stdlib.h>

#include "storage/erasure.h"
#include "sync/hub.h"

enum { DUE_MAX = 256 };

struct due {
    struct keep rows[DUE_MAX];
    size_t n;
    bool is_done[DUE_MAX];
    struct ref refs[DUE_MAX]; // of those that are erased together
};

static bool take_due(const struct keep *keep, void *arg)
{
    struct due *due = arg;
    due->rows[due->n++] = *keep;
    return due->n < DUE_MAX;
}

// A coordinator's word holds for the whole record, anybody else's for their own changes.
static bool is_coordinators(const struct hub_decider *decider, const struct keep *keep)
{
    return role_at(decider->txn, decider->community->number, keep->device, keep->seq) ==
           ROLE_COORDINATOR;
}

// Whether two are due by the same right: then one reading of the log is enough.
static bool are_alike(const struct hub_decider *decider, const struct keep *a, const struct keep *b)
{
    bool everybodys = is_coordinators(decider, a);
    return everybodys == is_coordinators(decider, b) &&
           (everybodys || memcmp(a->device, b->device, HANDLE_SIZE) == 0);
}

static enum err erase_alike(struct hub_decider *decider, struct due *due, size_t first,
                            uint64_t *erased)
{
    const struct keep *row = &due->rows[first];
    struct hub_erasing what = {.by = is_coordinators(decider, row) ? NULL : row->device,
                               .records = {due->refs, 0}};
    for (size_t i = first; i < due->n; i++) {
        if (due->is_done[i] || !are_alike(decider, row, &due->rows[i]))
            continue;
        due->is_done[i] = true;
        due->refs[what.records.n++] =
            (struct ref){due->rows[i].record.kind, BYTES(due->rows[i].record.id)};
    }
    return hub_erase(decider, &what, erased);
}

enum err hub_erase_due(struct hub_decider *decider, uint64_t *erased)
{
    struct due *due = calloc(1, sizeof *due);
    enum err err = due ? OK : ERR_NOMEM;
    if (!err)
        keep_each_due(decider->txn, decider->community->number, decider->now, take_due, due);
    for (size_t i = 0; !err && i < due->n; i++) {
        if (!due->is_done[i])
            err = erase_alike(decider, due, i, erased);
    }
    // One whose words cannot be read any more would stay due for ever.
    for (size_t i = 0; !err && i < due->n; i++)
        keep_delete(decider->txn, decider->community->number, &due->rows[i]);
    free(due);
    return err ? err : txn_error(decider->txn);
}
