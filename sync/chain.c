#include "sync/chain.h"

#include "storage/erasure.h"
#include "sync/digest.h"
#include "sync/fold.h"
#include "sync/tree.h"

enum err chain_head_at(struct txn *txn, const struct community *community,
                       const struct device *device, uint32_t seq, uint8_t head[HASH_SIZE])
{
    struct log_run run = {0};
    if (seq > device->seq)
        return ERR_NOT_FOUND;
    if (seq == device->seq) {
        memcpy(head, device->head, HASH_SIZE);
        return OK;
    }
    enum err err = log_run_upto(txn, community->number, device->handle, seq, &run);
    if (err && err != ERR_NOT_FOUND)
        return err;
    memcpy(head, run.head, HASH_SIZE);
    for (uint32_t n = run.last + 1; n <= seq; n++) {
        uint64_t position;
        struct log_entry entry;
        err = log_find(txn, community->number, device->handle, n, &position);
        if (!err)
            err = log_get(txn, community->number, position, &entry);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
        digest_head(community->id, device->key, n, entry.leaf, head);
    }
    return OK;
}

void chain_erased(struct txn *txn, uint32_t community, struct log_entry *entry,
                  const struct log_body **body)
{
    static const uint8_t no_salt[SALT_SIZE];
    if (!*body || !erased_get(txn, community, entry->device, entry->seq, log_tag(entry), NULL))
        return;
    entry->form = LOG_HUSK;
    if (memcmp((*body)->salt, no_salt, SALT_SIZE) != 0)
        digest_body((*body)->salt, (*body)->fields, entry->body_hash);
    *body = NULL;
}

void chain_append(struct txn *txn, struct community *community, struct device *device,
                  const struct log_entry *entry, const struct log_body *body)
{
    struct log_entry taken = *entry;
    chain_erased(txn, community->number, &taken, &body);
    uint64_t position = ++community->size;
    device->seq++;
    digest_head(community->id, device->key, device->seq, taken.leaf, device->head);
    log_put(txn, community->number, position, &taken, body);
    if (community->is_hub)
        tree_append(txn, community->number, position);
    fold_change(txn, community, position, &taken, body);
}

void chain_store(struct txn *txn, const struct community *community, const struct device *device)
{
    struct community stored = *community;
    community_put(txn, &stored);
    device_put(txn, community->number, device);
}
