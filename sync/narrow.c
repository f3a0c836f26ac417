#include "sync/narrow.h"

#include "storage/carry.h"
#include "storage/log.h"
#include "sync/eye.h"
#include "sync/fold.h"

// Without a coordinator's view all roles that sync see the same.
static bool is_seen(struct txn *txn, const struct log_entry *entry, const uint8_t own[HANDLE_SIZE])
{
    struct eye eye = {.role = ROLE_VOLUNTEER, .device = own};
    struct envelope envelope;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (merge_envelope(txn, entry->envelope, &arena, &envelope))
        return false;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    return eye_sees(&eye, envelope.class, entry->device, &record);
}

static void narrow_at(struct txn *txn, uint32_t community, uint64_t position,
                      const uint8_t own[HANDLE_SIZE])
{
    struct log_entry entry;
    struct carry carry;
    uint8_t device[HANDLE_SIZE];
    // What is damaged has no words that anybody could read.
    if (log_get(txn, community, position, &entry) || is_seen(txn, &entry, own) ||
        carry_get(txn, community, position, &carry))
        return;
    memcpy(device, entry.device, HANDLE_SIZE);
    fold_out(txn, community, device, entry.seq, log_tag(&entry));
    log_drop(txn, community, position);
}

void narrow_view(struct txn *txn, const struct community *community, const uint8_t own[HANDLE_SIZE])
{
    for (uint64_t position = 1; position <= community->size && !txn_error(txn); position++)
        narrow_at(txn, community->number, position, own);
}
