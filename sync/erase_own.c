#include "sync/erase_own.h"

#include "storage/carry.h"
#include "storage/log.h"
#include "sync/fold.h"
#include "sync/meant.h"

struct erasing {
    struct txn *txn;
    uint32_t community;
    struct meant meant;
    void (*each)(const struct change_ref *, void *);
    void *arg;
    enum err err;
};

static bool is_meant(const struct erasing *e, uint64_t position, const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (envelope_decode(entry->envelope, &arena, &envelope, NULL))
        return false;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    return meant_record(&e->meant, &record) || meant_voice(&e->meant, &envelope, true) ||
           meant_speaker(&e->meant, position);
}

// Whether the change at a position has words that are meant.
static bool find_words(struct erasing *e, uint64_t position, struct log_entry *entry)
{
    enum err err = log_get(e->txn, e->community, position, entry);
    if (err && !e->err)
        e->err = err;
    return !err && entry->form == LOG_WHOLE && is_meant(e, position, entry);
}

static void erase_seq(struct erasing *e, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(e->txn, e->community, handle, seq, &position);
    if (err && !e->err)
        e->err = err;
    if (err || !find_words(e, position, &entry))
        return;
    struct change_ref ref = {.seq = seq, .tag = log_tag(&entry)};
    fold_erase(e->txn, e->community, handle, seq, ref.tag);
    if (e->each)
        e->each(&ref, e->arg);
}

// What an earlier key wrote and waits to be written anew is own, too.
static bool erase_carried(const struct carry *carry, void *arg)
{
    struct erasing *e = arg;
    uint64_t position;
    struct log_entry entry;
    if (!find_words(e, carry->position, &entry))
        return !e->err;
    bool stands = log_find(e->txn, e->community, carry->device, carry->seq, &position) == OK &&
                  position == carry->position;
    if (stands) {
        fold_erase(e->txn, e->community, carry->device, carry->seq, carry->tag);
    } else { // the hub's branch has its place
        log_drop(e->txn, e->community, carry->position);
        carry_delete(e->txn, e->community, carry->position);
    }
    return true;
}

enum err erase_own(struct txn *txn, const struct community *community, const struct device *own,
                   const struct list *records, void (*each)(const struct change_ref *, void *),
                   void *arg)
{
    struct erasing e = {.txn = txn, .community = community->number, .each = each, .arg = arg};
    e.meant = (struct meant){txn, community->number, records};
    for (uint32_t seq = 1; seq && seq <= own->seq && !e.err; seq++)
        erase_seq(&e, own->handle, seq);
    if (!e.err)
        carry_each(txn, e.community, erase_carried, &e);
    if (e.err)
        return txn_fail(txn, e.err == ERR_NOT_FOUND ? ERR_DAMAGED : e.err);
    return txn_error(txn);
}
