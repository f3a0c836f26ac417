// A script of runs, rightly signed unless it says otherwise: what is behind the signature. The
// hub's answer is also foretold: a run is refused, makes a gap, leads to a fork or is taken.

#include "proto/pack.h"
#include "proto/wire.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "tests/fuzz/made.h"
#include "tests/fuzz/serve.h"

enum { RUNS = 4, CHANGES = 24, PACKS = 8, START_SEQ = 2 };

struct pushing {
    struct script *script;
    const struct moot_device *device;
    uint8_t key[KEY_SIZE];
    uint8_t heads[RUNS * CHANGES + START_SEQ + 1][HASH_SIZE]; // by seq, as this device knows them
    uint32_t end;
    struct made made;
    struct arena arena;
    struct buf changes; // of the pack under construction
    struct buf salts;
    struct run *run;
    bool is_first;
    bool forged; // the first run's signature, and it is not behind a gap
};

static void *must_alloc(struct pushing *p, size_t count, size_t size)
{
    void *out = arena_alloc(&p->arena, count, size);
    assert(out);
    return out;
}

static struct bytes must_copy(struct pushing *p, struct bytes bytes)
{
    struct bytes copy = arena_copy(&p->arena, bytes);
    assert(copy.p || bytes.n == 0);
    return copy;
}

// What the hub holds of this device, which is what the device starts from.
static void start(struct pushing *p)
{
    struct txn *txn = txn_begin_read(moot_get()->hub);
    struct community community;
    struct device row;
    moot_rows(txn, moot_get(), p->device, &community, &row);
    memcpy(p->key, row.key, KEY_SIZE);
    for (p->end = 0; p->end <= START_SEQ; p->end++) {
        enum err err = chain_head_at(txn, &community, &row, p->end, p->heads[p->end]);
        assert(!err);
    }
    p->end = START_SEQ;
    assert(row.seq == START_SEQ);
    txn_abort(&txn);
}

static void close_pack(struct pushing *p, bool zstd)
{
    struct list *packs = &p->run->packs;
    if (p->changes.n == 0 || packs->n == PACKS)
        return;
    assert(!p->changes.err);
    enum err err = pack_make(
        buf_bytes(&p->changes),
        &(struct pack_wish){.packings = zstd ? PACKINGS_KNOWN : 0, .of = COLUMNS_OF_CHANGES},
        &p->arena, LIST_AT(struct pack, *packs, packs->n++));
    assert(!err);
    buf_reset(&p->changes);
}

static void put_change(struct pushing *p, const struct change *change, uint8_t leaf[HASH_SIZE])
{
    uint8_t salt[SALT_SIZE] = {script_u8(p->script)};
    uint8_t body_hash[HASH_SIZE];
    size_t mark = wire_open(&p->changes, 1);
    message_encode(&change_message, change, &p->changes);
    wire_close(&p->changes, mark);
    if (change->leaf.n) {
        memcpy(leaf, change->leaf.p, HASH_SIZE);
        return;
    }
    if (change->body_hash.n) {
        digest_leaf(change->envelope, change->body_hash.p, leaf);
        return;
    }
    buf_put(&p->salts, BYTES(salt));
    digest_body(salt, change->fields, body_hash);
    digest_leaf(change->envelope, body_hash, leaf);
}

static void push_bare(struct pushing *p, uint8_t leaf[HASH_SIZE])
{
    uint8_t bare[HASH_SIZE] = {script_u8(p->script)};
    put_change(p, &(struct change){.leaf = BYTES(bare)}, leaf);
}

// Envelope and fields as the script has them.
static void push_raw(struct pushing *p, uint8_t leaf[HASH_SIZE])
{
    struct change change = {.envelope = script_bytes(p->script)};
    change.fields = script_bytes(p->script);
    put_change(p, &change, leaf);
}

// A husk has the hash of its body instead of words.
static void push_made(struct pushing *p, uint32_t seq, bool husk, uint8_t leaf[HASH_SIZE])
{
    static const uint8_t body_hash[HASH_SIZE] = "the hash of a body";
    struct envelope envelope;
    struct buf encoded BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    made_envelope(p->script, &p->made, &p->arena, &envelope);
    made_fields(p->script, &p->made, envelope.kind, &fields);
    message_encode(&envelope_message, &envelope, &encoded);
    assert(!encoded.err && !fields.err);
    struct change change = {.envelope = buf_bytes(&encoded), .fields = buf_bytes(&fields)};
    if (husk)
        change = (struct change){.envelope = change.envelope, .body_hash = BYTES(body_hash)};
    put_change(p, &change, leaf);
    made_note(&p->made, &envelope, p->device->handle, seq, be32_get(leaf));
}

static void push_one(struct pushing *p, uint32_t seq, uint8_t head[HASH_SIZE])
{
    uint8_t choice = script_u8(p->script);
    uint8_t leaf[HASH_SIZE];
    if ((choice & 15) == 15)
        push_bare(p, leaf);
    else if ((choice & 15) == 14)
        push_raw(p, leaf);
    else
        push_made(p, seq, (choice & 15) == 13, leaf);
    digest_head(moot_get()->community, p->key, seq, leaf, head);
    if (choice & 0x40)
        close_pack(p, choice & 0x80);
}

// The log head that the run says was seen; its parts may be missing.
static void put_seen(struct pushing *p)
{
    static const uint8_t log[HANDLE_SIZE] = "a hub's log";
    static const uint8_t root[HASH_SIZE] = "a root";
    uint8_t choice = script_u8(p->script);
    if (!(choice & 1))
        return;
    p->run->seen = must_alloc(p, 1, sizeof *p->run->seen);
    p->run->seen->size = choice;
    if (choice & 2)
        p->run->seen->log = BYTES(log);
    if (choice & 4)
        p->run->seen->root = BYTES(root);
}

static void sign(struct pushing *p, uint32_t last, const uint8_t head[HASH_SIZE])
{
    uint8_t signature[SIGN_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    put_seen(p);
    digest_run_transcript(moot_get()->community, p->key, last, head, p->run->seen, &transcript);
    enum err err = sign_make(p->device->seed, buf_bytes(&transcript), signature);
    assert(!transcript.err && !err);
    if (script_u8(p->script) == 0xff) {
        signature[script_u8(p->script) % SIGN_SIZE] ^= 1;
        p->forged |= p->is_first && p->run->first <= START_SEQ + 1;
    }
    p->run->signature = must_copy(p, BYTES(signature));
    p->run->salts = must_copy(p, buf_bytes(&p->salts));
    buf_reset(&p->salts);
}

// The last changes known or the next ones, and sometimes the ones after a gap.
static void push_run(struct pushing *p)
{
    uint32_t back = script_below(p->script, 4);
    uint32_t seq = p->end + 1 > back ? p->end + 1 - back : 1;
    uint32_t n = 1 + script_below(p->script, CHANGES);
    uint8_t head[HASH_SIZE];
    p->run->packs.p = must_alloc(p, PACKS, sizeof(struct pack));
    memcpy(head, p->heads[seq - 1], HASH_SIZE);
    p->run->first = seq + (script_u8(p->script) == 0xff);
    for (uint32_t i = 0; i < n && (i == 0 || !script_ended(p->script)); i++, seq++) {
        push_one(p, seq, head);
        memcpy(p->heads[seq], head, HASH_SIZE);
    }
    close_pack(p, true);
    buf_reset(&p->changes);
    if (seq - 1 > p->end)
        p->end = seq - 1;
    sign(p, seq - 1, head);
}

static void push_runs(struct pushing *p, struct sync_request *request)
{
    struct run *runs = must_alloc(p, RUNS, sizeof *runs);
    request->push.p = runs;
    while (request->push.n < RUNS && (request->push.n == 0 || !script_ended(p->script))) {
        p->is_first = request->push.n == 0;
        p->run = &runs[request->push.n++];
        push_run(p);
    }
}

static void put_points(struct pushing *p, struct sync_request *request)
{
    uint8_t choice = script_u8(p->script);
    request->own_too = choice & 1;
    request->has_answer_max = choice & 2;
    request->answer_max = (uint32_t)choice << 8;
    request->packings = choice & 4 ? PACKINGS_KNOWN : 0;
    if (choice & 8) {
        request->own = must_alloc(p, 1, sizeof *request->own);
        request->own->seq = script_below(p->script, p->end + 2);
        if (request->own->seq <= p->end)
            request->own->head = bytes_of(p->heads[request->own->seq], CUT_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = script_of(data, size);
    static struct pushing pushing;
    struct sync_request request = {.version = PROTOCOL_VERSION};
    pushing =
        (struct pushing){.script = &script, .device = &moot_get()->devices[script_u8(&script) & 1]};
    arena_init(&pushing.arena, 16 << 20);
    start(&pushing);
    push_runs(&pushing, &request);
    put_points(&pushing, &request);
    enum err err = serve(pushing.device, &request, NULL);
    assert(err || !pushing.forged);
    arena_done(&pushing.arena);
    buf_done(&pushing.changes);
    buf_done(&pushing.salts);
    return 0;
}
