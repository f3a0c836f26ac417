// Any bytes as a SyncResponse that a device takes in, part by part; and a script of pieces, which a
// hub could have sent, had it gone mad. Whatever it is, the device's store stays sound, and there
// is a next request.

#include "proto/pack.h"
#include "proto/wire.h"
#include "sync/exchange.h"
#include "tests/fuzz/made.h"
#include "tests/fuzz/moot.h"

enum { ARENA_MAX = 64 << 20, PIECES = 4, ENTRIES = 16 };

struct hearing {
    struct txn *txn;
    const struct moot_device *device;
    struct community community;
    struct device row;
    struct arena arena;
    struct exchange_report report;
};

// What a part may be refused for; anything else would be the device's own failure.
static bool is_peer_fault(enum err err)
{
    return err == ERR_MALFORMED || err == ERR_LIMIT;
}

// A refused part ends the answer, and its transaction. Here that is one for all parts.
static enum err take_parts(struct hearing *h, const struct sync_response *response)
{
    struct fault fault = {0};
    enum err err = OK;
    for (size_t i = 0; i < response->receipts.n && !err; i++)
        err = exchange_take_receipt(h->txn, &h->community, &h->row,
                                    LIST_AT(struct receipt, response->receipts, i), &h->report);
    if (!err)
        err = exchange_take_top(h->txn, &h->community, &h->row, response, &h->report);
    assert(!err);
    for (size_t i = 0; i < response->pieces.n && !err; i++) {
        uint64_t before = h->community.size;
        err = exchange_take_piece(h->txn, &h->community, &h->row,
                                  LIST_AT(struct piece, response->pieces, i), &h->arena, &h->report,
                                  &fault);
        assert(!err || (is_peer_fault(err) && fault.err == err && fault.text[0]));
        assert(!err || h->community.size == before);
    }
    return err;
}

static void check_store(struct hearing *h)
{
    static const struct exchange_options options = {64 << 10, 64 << 10};
    struct sync_request request;
    struct proof_asked asked;
    struct buf encoded BUF_CLEANUP = {0};
    moot_rows(h->txn, moot_get(), h->device, &h->community, &h->row);
    enum err err = exchange_request(h->txn, &h->community, &h->row, h->device->seed, &options,
                                    &h->arena, &request, &asked);
    assert(!err);
    message_encode(&sync_request_message, &request, &encoded);
    assert(!encoded.err && encoded.n <= REQUEST_MAX);
    moot_check_records(h->txn, &h->community, h->device->handle);
}

static void hear(const struct moot_device *device, const struct sync_response *response)
{
    struct hearing h = {.txn = txn_begin_write(device->store), .device = device};
    moot_rows(h.txn, moot_get(), device, &h.community, &h.row);
    arena_init(&h.arena, ARENA_MAX);
    enum err err = take_parts(&h, response);
    if (!err) {
        // The same answer once more is nothing new.
        h.report = (struct exchange_report){0};
        moot_rows(h.txn, moot_get(), device, &h.community, &h.row);
        err = take_parts(&h, response);
        assert(!err);
        check_store(&h);
    }
    arena_done(&h.arena);
    txn_abort(&h.txn);
}

static void hear_bytes(struct bytes bytes)
{
    struct arena arena ARENA_CLEANUP;
    struct sync_response response = {0};
    arena_init(&arena, ARENA_MAX);
    if (message_decode(&sync_response_message, bytes, &arena, &response, NULL) == OK)
        hear(&moot_get()->devices[0], &response);
}

// --- pieces by a script ---

struct telling {
    struct script script;
    struct made made;
    struct arena arena;
};

static void put_entry(struct telling *t, const struct bytes *devices, struct buf *out)
{
    struct envelope envelope;
    struct buf encoded BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    uint8_t choice = script_u8(&t->script);
    made_envelope(&t->script, &t->made, &t->arena, &envelope);
    made_fields(&t->script, &t->made, envelope.kind, &fields);
    message_encode(&envelope_message, &envelope, &encoded);
    struct entry entry = {.device = choice & 3, .seq = choice >> 5, .tag = choice >> 2 & 1};
    entry.envelope = buf_bytes(&encoded);
    if (choice & 16)
        entry.fields = bytes_of(fields.p ? fields.p : (const void *)"", fields.n);
    size_t mark = wire_open(out, 2);
    message_encode(&entry_message, &entry, out);
    wire_close(out, mark);
    if (entry.seq)
        made_note(&t->made, &envelope, devices[entry.device & 1].p, entry.seq, entry.tag);
}

static void put_piece(struct telling *t, struct piece *piece)
{
    static const uint8_t root[CUT_SIZE];
    static const uint8_t stranger[HANDLE_SIZE] = "stranger";
    const struct moot *moot = moot_get();
    struct bytes devices[] = {BYTES(moot->devices[1].handle), BYTES(stranger),
                              BYTES(moot->devices[0].handle)};
    struct buf out BUF_CLEANUP = {0};
    for (int i = 0; i < 3; i++)
        wire_put_bytes(&out, 1, devices[i]);
    for (int i = 0; i < ENTRIES && !script_ended(&t->script); i++) {
        put_entry(t, devices, &out);
        if (script_u8(&t->script) & 0x80)
            break;
    }
    piece->root = BYTES(root);
    piece->position = script_u8(&t->script);
    piece->pack = arena_alloc(&t->arena, 1, sizeof *piece->pack);
    assert(piece->pack && !out.err);
    enum err err = pack_make(
        buf_bytes(&out), &(struct pack_wish){.packings = PACKINGS_KNOWN, .of = COLUMNS_OF_ENTRIES},
        &t->arena, piece->pack);
    assert(!err);
}

static void hear_script(const uint8_t *data, size_t size)
{
    struct telling telling = {.script = script_of(data, size)};
    struct piece pieces[PIECES] = {{0}};
    struct sync_response response = {.view = 1, .pieces = {pieces, 0}};
    arena_init(&telling.arena, ARENA_MAX);
    while (response.pieces.n < PIECES && !script_ended(&telling.script))
        put_piece(&telling, &pieces[response.pieces.n++]);
    hear(&moot_get()->devices[0], &response);
    arena_done(&telling.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hear_bytes(bytes_of(data, size));
    hear_script(data, size);
    return 0;
}
