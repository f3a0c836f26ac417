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
    struct buf found;   // struct change_ref: own changes that are meant
    struct buf carried; // struct carry
    enum err err;
};

static bool is_meant(const struct erasing *e, uint64_t position, const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (merge_envelope(e->txn, entry->envelope, &arena, &envelope))
        return false;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    return meant_record(&e->meant, &record) || meant_voice(&e->meant, &envelope) ||
           meant_speaker(&e->meant, position) || meant_contact(&e->meant, &record);
}

// Whether the change at a position has words that are meant.
static bool find_words(struct erasing *e, uint64_t position, struct log_entry *entry)
{
    enum err err = log_get(e->txn, e->community, position, entry);
    if (err && !e->err)
        e->err = err;
    return !err && entry->form == LOG_WHOLE && is_meant(e, position, entry);
}

static void find_seq(struct erasing *e, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(e->txn, e->community, handle, seq, &position);
    if (err && !e->err)
        e->err = err;
    if (err || !find_words(e, position, &entry))
        return;
    struct change_ref ref = {.seq = seq, .tag = log_tag(&entry)};
    buf_put(&e->found, bytes_of(&ref, sizeof ref));
}

static bool find_carried(const struct carry *carry, void *arg)
{
    struct erasing *e = arg;
    struct log_entry entry;
    if (find_words(e, carry->position, &entry))
        buf_put(&e->carried, bytes_of(carry, sizeof *carry));
    return !e->err;
}

static void erase_seq(struct erasing *e, const uint8_t handle[HANDLE_SIZE],
                      const struct change_ref *ref)
{
    fold_erase(e->txn, e->community, handle, ref->seq, ref->tag);
    if (e->each)
        e->each(ref, e->arg);
}

static void erase_carried(struct erasing *e, const struct carry *carry)
{
    uint64_t position;
    bool stands = log_find(e->txn, e->community, carry->device, carry->seq, &position) == OK &&
                  position == carry->position;
    if (stands) {
        fold_erase(e->txn, e->community, carry->device, carry->seq, carry->tag);
    } else { // the hub's branch has its place
        log_drop(e->txn, e->community, carry->position);
        carry_delete(e->txn, e->community, carry->position);
    }
    struct change_ref ref = {BYTES(carry->device), carry->seq, carry->tag};
    if (e->each)
        e->each(&ref, e->arg);
}

// All is found before the first is erased: one change may say what another is about.
static void erase_found(struct erasing *e, const uint8_t handle[HANDLE_SIZE])
{
    struct change_ref ref;
    struct carry carry;
    for (size_t at = 0; at < e->found.n; at += sizeof ref) {
        memcpy(&ref, e->found.p + at, sizeof ref);
        erase_seq(e, handle, &ref);
    }
    for (size_t at = 0; at < e->carried.n; at += sizeof carry) {
        memcpy(&carry, e->carried.p + at, sizeof carry);
        erase_carried(e, &carry);
    }
}

enum err erase_own(struct txn *txn, const struct community *community, const struct device *own,
                   const struct list *records, void (*each)(const struct change_ref *, void *),
                   void *arg)
{
    struct erasing e = {.txn = txn, .community = community->number, .each = each, .arg = arg};
    struct list sorted = *records;
    meant_sort(&sorted);
    e.meant = (struct meant){txn, community->number, records};
    for (uint32_t seq = 1; seq && seq <= own->seq && !e.err; seq++)
        find_seq(&e, own->handle, seq);
    // What an earlier key wrote and waits to be written anew is own, too.
    if (!e.err)
        carry_each(txn, e.community, find_carried, &e);
    if (!e.err)
        e.err = e.found.err ? e.found.err : e.carried.err;
    if (!e.err)
        erase_found(&e, own->handle);
    buf_done(&e.found);
    buf_done(&e.carried);
    if (e.err)
        return txn_fail(txn, e.err == ERR_NOT_FOUND ? ERR_DAMAGED : e.err);
    return txn_error(txn);
}
