#include "tests/fuzz/serve.h"

#include <assert.h>

#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "storage/record.h"
#include "sync/digest.h"
#include "sync/merge.h"

enum {
    ARENA_MAX = 64 << 20, // as much as the daemon grants
    ANSWER_SLACK = 128 << 10,
};

struct serving {
    struct txn *txn;
    const struct moot_device *device;
    const struct sync_request *request;
    struct arena arena;
};

// What a push may change, to be compared.
struct state {
    uint64_t size;
    uint32_t seq;
    uint8_t head[HASH_SIZE];
};

static struct state state_of(const struct serving *s)
{
    struct community community;
    struct device row;
    moot_rows(s->txn, moot_get(), s->device, &community, &row);
    struct state state = {community.size, row.seq, {0}};
    memcpy(state.head, row.head, HASH_SIZE);
    return state;
}

static bool is_same(const struct state *a, const struct state *b)
{
    return a->size == b->size && a->seq == b->seq && memcmp(a->head, b->head, HASH_SIZE) == 0;
}

static bool is_peer_fault(enum err err)
{
    return err == ERR_MALFORMED || err == ERR_LIMIT || err == ERR_VERSION || err == ERR_FORBIDDEN;
}

static void check_receipt(const struct receipt *receipt, const struct state *before,
                          const struct state *after)
{
    assert(receipt->seq == after->seq && after->seq >= before->seq);
    if (after->seq)
        assert(bytes_equal(receipt->head, bytes_of(after->head, CUT_SIZE)));
    assert((receipt->standing != STANDING_OK) == (receipt->message.n > 0));
    // The changes, the decisions that set some of them apart, and what they asked for or showed.
    uint64_t grown = after->size - before->size;
    uint64_t decisions = (receipt->set_apart.n + EDITS_MAX - 1) / EDITS_MAX;
    assert(grown >= after->seq - before->seq + decisions);
    for (size_t i = 0; i < receipt->set_apart.n; i++) {
        const struct set_apart *one = LIST_AT(struct set_apart, receipt->set_apart, i);
        assert(one->seq > before->seq && one->seq <= after->seq && one->reason != REASON_NONE);
    }
}

// What the hub holds is what the device signed: the last run ends at the chain's end, and its
// signature fits the head there.
static void check_signed(const struct serving *s)
{
    struct community community;
    struct device row;
    struct log_run run;
    struct buf transcript BUF_CLEANUP = {0};
    moot_rows(s->txn, moot_get(), s->device, &community, &row);
    enum err err = log_run_upto(s->txn, community.number, row.handle, row.seq, &run);
    assert(!err && run.last == row.seq && memcmp(run.head, row.head, HASH_SIZE) == 0);
    struct log_head seen = {BYTES(run.seen_log), run.seen_size, BYTES(run.seen_root)};
    digest_run_transcript(community.id, row.key, run.last, row.head, &seen, &transcript);
    assert(!transcript.err && !sign_verify(row.key, buf_bytes(&transcript), run.signature));
}

// It keeps its place and has no effect.
static void check_apart(const struct serving *s, const struct set_apart *apart)
{
    struct community community;
    struct device row;
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
    uint64_t position;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    moot_rows(s->txn, moot_get(), s->device, &community, &row);
    enum err err = log_find(s->txn, community.number, row.handle, apart->seq, &position);
    if (!err)
        err = log_get(s->txn, community.number, position, &entry);
    if (!err)
        err = envelope_decode(entry.envelope, &arena, &envelope, NULL);
    assert(!err);
    merge_record(&envelope, row.handle, apart->seq, log_tag(&entry), &record);
    assert(apart_get(s->txn, community.number, row.handle, apart->seq, log_tag(&entry)) ==
           apart->reason);
    assert(!live_any_of_change(s->txn, community.number, &record, envelope.class, row.handle,
                               apart->seq));
}

static void check_all_apart(const struct serving *s, const struct receipt *receipt)
{
    for (size_t i = 0; i < receipt->set_apart.n; i++)
        check_apart(s, LIST_AT(struct set_apart, receipt->set_apart, i));
}

static enum err push(struct serving *s, const struct hub_caller *caller, struct list *receipts)
{
    static const uint8_t random[32] = "random";
    struct hub_push_plan *plan;
    struct fault fault = {0};
    struct state before = state_of(s);
    *receipts = (struct list){0};
    enum err err = hub_check_push(s->txn, caller, s->request, &s->arena, &plan, &fault);
    struct state checked = state_of(s);
    assert(is_same(&before, &checked));
    if (err) {
        assert(is_peer_fault(err) && fault.err == err && fault.text[0]);
        return err;
    }
    if (!plan)
        return OK;
    err = hub_push(s->txn, caller, MOOT_NOW, random, plan, &s->arena, receipts,
                   &(struct hub_effects){0}, &fault);
    assert(!err && receipts->n == 1);
    struct state after = state_of(s);
    check_receipt(LIST_AT(struct receipt, *receipts, 0), &before, &after);
    check_signed(s);
    check_all_apart(s, LIST_AT(struct receipt, *receipts, 0));
    return OK;
}

static void check_entry(const struct entries *entries, const struct entry *entry)
{
    struct arena arena ARENA_CLEANUP;
    struct envelope envelope;
    uint32_t edits;
    arena_init(&arena, 256 << 10);
    assert(entry->device < entries->devices.n && entry->seq > 0);
    enum err err = envelope_decode(entry->envelope, &arena, &envelope, NULL);
    if (!err)
        err = fields_check(entry->fields, &edits, NULL);
    assert(!err);
}

static void check_piece(const struct piece *piece)
{
    struct arena arena ARENA_CLEANUP;
    struct bytes bytes;
    struct entries entries = {{0}, {0}};
    arena_init(&arena, 16 << 20);
    assert(piece->root.n == CUT_SIZE);
    if (!piece->pack)
        return;
    enum err err = pack_open(piece->pack, &arena, &bytes, NULL);
    if (!err)
        err = message_decode(&entries_message, bytes, &arena, &entries, NULL);
    assert(!err && entries.entries.n > 0);
    for (size_t i = 0; i < entries.entries.n; i++)
        check_entry(&entries, LIST_AT(struct entry, entries.entries, i));
}

static void check_response(const struct serving *s, const struct sync_response *response)
{
    struct buf encoded BUF_CLEANUP = {0};
    uint64_t last = s->request->cursor ? s->request->cursor->position : 0;
    message_encode(&sync_response_message, response, &encoded);
    assert(!encoded.err && encoded.n <= ANSWER_MAX + ANSWER_SLACK);
    assert(!response->cursor_lost || response->pieces.n == 0);
    for (size_t i = 0; i < response->pieces.n; i++) {
        const struct piece *piece = LIST_AT(struct piece, response->pieces, i);
        assert(piece->position > last);
        last = piece->position;
        check_piece(piece);
    }
    struct state state = state_of(s);
    assert(response->pieces.n == 0 || last <= state.size);
    assert(response->pieces.n == 0 || response->more == (last < state.size));
}

static void pull(struct serving *s, const struct hub_caller *caller, struct list receipts)
{
    struct sync_response response;
    struct fault fault = {0};
    enum err err = hub_pull(s->txn, caller, MOOT_NOW, s->request, receipts, &s->arena, NULL,
                            &response, &fault);
    assert(!err);
    check_response(s, &response);
}

static enum err serve_once(struct serving *s, struct receipt *receipt)
{
    struct hub_caller caller;
    struct list receipts;
    *receipt = (struct receipt){0};
    arena_init(&s->arena, ARENA_MAX);
    moot_caller(s->txn, s->device, &caller);
    enum err err = push(s, &caller, &receipts);
    if (!err)
        pull(s, &caller, receipts);
    if (receipts.n) {
        const struct receipt *first = LIST_AT(struct receipt, receipts, 0);
        receipt->standing = first->standing;
        receipt->seq = first->seq;
    }
    arena_done(&s->arena);
    return err;
}

// Of a run after a gap the signature cannot be checked, and a later run may have filled the gap; so
// only what was taken in full must come out the same.
static void serve_again(struct serving *s, const struct receipt *first)
{
    struct state before = state_of(s);
    struct receipt second;
    enum err err = serve_once(s, &second);
    struct state after = state_of(s);
    if (first->standing == STANDING_OK)
        assert(!err && is_same(&before, &after));
}

enum err serve(const struct moot_device *device, const struct sync_request *request,
               struct receipt *receipt)
{
    struct receipt first;
    struct serving s = {
        .txn = txn_begin_write(moot_get()->hub), .device = device, .request = request};
    enum err err = serve_once(&s, &first);
    if (!err) {
        struct community community;
        struct device row;
        serve_again(&s, &first);
        moot_rows(s.txn, moot_get(), device, &community, &row);
        moot_check_records(s.txn, &community, device->handle);
    }
    txn_abort(&s.txn);
    if (receipt)
        *receipt = first;
    return err;
}
