#include "sync/fingerprint.h"

#include "sync/view.h"

static enum err add_record(struct txn *txn, const struct community *community,
                           const struct record_key *record, struct hash *hash, uint64_t *records)
{
    static const uint8_t nobody[HANDLE_SIZE] = {0};
    struct eye eye = {.role = ROLE_MEMBER, .device = nobody};
    struct record_view view;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, (size_t)1 << 30);
    enum err err = view_record(txn, community, record, &eye, &arena, &view);
    if (err)
        return err == ERR_NOT_FOUND ? OK : err;
    hash_put_be32(hash, record->kind);
    hash_put(hash, BYTES(record->id));
    hash_put_sized(hash, view.record);
    ++*records;
    return OK;
}

enum err fingerprint(struct txn *txn, const struct community *community, uint8_t out[HASH_SIZE],
                     uint64_t *records)
{
    struct hash hash;
    struct record_key record;
    uint64_t count = 0;
    uint64_t damage = txn_damage(txn);
    enum err err = live_next(txn, community->number, NULL, &record);
    hash_begin(&hash, "folkmoot fingerprint v1");
    while (!err) {
        err = add_record(txn, community, &record, &hash, &count);
        if (!err)
            err = live_next(txn, community->number, &record, &record);
    }
    if (err == ERR_NOT_FOUND && txn_damage(txn) != damage)
        err = ERR_DAMAGED;
    if (err != ERR_NOT_FOUND)
        return err;
    hash_end(&hash, out);
    *records = count;
    return OK;
}
