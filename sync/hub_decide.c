// The hub's own chain: what it decides is a change that anyone can read.

#include "proto/schema.h"
#include "sync/author.h"
#include "sync/hub.h"
#include "sync/hub_private.h"

enum err hub_own_device(struct txn *txn, const struct community *community, struct device *hub,
                        struct secret *secret)
{
    enum err err = device_get(txn, community->number, community->log, hub);
    if (!err)
        err = secret_get(txn, community->number, secret);
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

// Salts are a stream from the random bytes that the caller gave.
static void next_salt(struct hub_decider *decider, uint8_t salt[SALT_SIZE])
{
    struct hash hash;
    uint8_t full[HASH_SIZE];
    hash_begin(&hash, "folkmoot decision salt");
    hash_put(&hash, bytes_of(decider->random, 32));
    hash_put_be32(&hash, decider->used++);
    hash_end(&hash, full);
    memcpy(salt, full, SALT_SIZE);
}

static enum err write(struct hub_decider *decider, const struct envelope *envelope,
                      struct bytes fields)
{
    struct device hub;
    struct secret secret;
    uint8_t salt[SALT_SIZE];
    enum err err = hub_own_device(decider->txn, decider->community, &hub, &secret);
    if (err)
        return txn_fail(decider->txn, err);
    next_salt(decider, salt);
    struct author author = {decider->community, &hub, secret.seed};
    decider->effects.last = hub.seq + 1;
    if (decider->effects.first == 0)
        decider->effects.first = decider->effects.last;
    err = author_write(decider->txn, &author, envelope, fields, salt, NULL, decider->fault);
    bytes_wipe(&secret, sizeof secret);
    return err;
}

// What refers to the record in which somebody asked, then the edits themselves.
static void put_asked(struct buf *fields, const struct record_key *asked)
{
    if (!asked)
        return;
    struct ref ref = {asked->kind, BYTES(asked->id)};
    size_t mark = wire_open(fields, FIELD_ABOUT);
    message_encode(&ref_message, &ref, fields);
    wire_close(fields, mark);
}

enum err hub_decide(struct hub_decider *decider, const struct record_key *asked,
                    struct bytes fields)
{
    struct buf all BUF_CLEANUP = {0};
    struct envelope envelope = {.kind = KIND_DECISION, .time = decider->now};
    buf_put(&all, fields);
    put_asked(&all, asked);
    return all.err ? all.err : write(decider, &envelope, buf_bytes(&all));
}

enum err hub_withdraw(struct hub_decider *decider, const struct record_key *asked,
                      const struct decided *decided)
{
    struct buf fields BUF_CLEANUP = {0};
    uint64_t position;
    struct log_entry entry;
    struct envelope before;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err =
        log_find(decider->txn, decider->community->number, decided->by, decided->seq, &position);
    if (!err)
        err = log_get(decider->txn, decider->community->number, position, &entry);
    if (!err)
        err = merge_envelope(decider->txn, entry.envelope, &arena, &before);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    merge_record(&before, decided->by, decided->seq, log_tag(&entry), &record);
    struct dot dot = {BYTES(decided->by), decided->seq, decided->index, log_tag(&entry)};
    struct envelope envelope = {
        .kind = KIND_DECISION, .id = BYTES(record.id), .time = decider->now, .over = {&dot, 1}};
    put_asked(&fields, asked);
    return fields.err ? fields.err : write(decider, &envelope, buf_bytes(&fields));
}

// --- many edits ---

enum { EDITS_BYTES_MAX = CHANGE_MAX / 2 };

static void decide_edits(struct hub_edits *edits)
{
    for (size_t i = 0; edits->n && i < edits->asked.n; i++)
        put_asked(&edits->fields, LIST_AT(struct record_key, edits->asked, i));
    if (!edits->err)
        edits->err = edits->fields.err;
    if (!edits->err && edits->n)
        edits->err = hub_decide(edits->decider, NULL, buf_bytes(&edits->fields));
    buf_reset(&edits->fields);
    edits->n = 0;
}

void hub_edits_put(struct hub_edits *edits, uint32_t field, const struct message *message,
                   const void *in)
{
    if (edits->err)
        return;
    if (edits->n + edits->asked.n == EDITS_MAX || edits->fields.n > EDITS_BYTES_MAX)
        decide_edits(edits);
    size_t mark = wire_open(&edits->fields, field);
    message_encode(message, in, &edits->fields);
    wire_close(&edits->fields, mark);
    edits->n++;
}

enum err hub_edits_end(struct hub_edits *edits)
{
    decide_edits(edits);
    buf_done(&edits->fields);
    return edits->err;
}
