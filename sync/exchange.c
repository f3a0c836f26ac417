// The device's side of Sync: what it asks.

#include "sync/exchange.h"

#include "base/sign.h"
#include "proto/change.h"
#include "proto/pack.h"
#include "storage/carry.h"
#include "storage/log.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/merge.h"

struct pushing {
    struct txn *txn;
    const struct community *community;
    const struct device *own;
    struct arena *arena;
    struct run *run;
    struct buf salts;
    struct buf changes; // of the pack under construction
    uint32_t class;     // of it
    size_t bytes;       // of all packs, unpacked
    uint32_t last;      // seq
    uint8_t head[HASH_SIZE];
};

// PUSH_MOST: what always fits a request beside salts and vector, even if nothing can be packed.
enum { PACK_TARGET = 512 << 10, PUSH_MOST = REQUEST_MAX / 4 * 3 };

static enum err close_pack(struct pushing *p)
{
    if (p->changes.err || p->salts.err)
        return p->changes.err ? p->changes.err : p->salts.err;
    if (p->changes.n == 0)
        return OK;
    struct pack *pack = LIST_AT(struct pack, p->run->packs, p->run->packs.n++);
    const struct pack_wish wish = {
        .packings = p->class == CLASS_ORDINARY ? PACKINGS_KNOWN : 1 << PACKING_PLAIN,
        .of = COLUMNS_OF_CHANGES,
        .effort = PACK_WELL,
    };
    enum err err = pack_make(buf_bytes(&p->changes), &wish, p->arena, pack);
    p->bytes += p->changes.n;
    buf_reset(&p->changes);
    return err;
}

static enum err class_of(struct pushing *p, struct bytes envelope, uint32_t *class)
{
    struct envelope decoded;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = merge_envelope(p->txn, envelope, &arena, &decoded);
    *class = decoded.class;
    return err;
}

static void put_change(struct pushing *p, const struct change *change)
{
    size_t mark = wire_open(&p->changes, 1);
    message_encode(&change_message, change, &p->changes);
    wire_close(&p->changes, mark);
}

// Packs never mix classes.
static enum err open_pack(struct pushing *p, struct bytes envelope)
{
    uint32_t class;
    enum err err = class_of(p, envelope, &class);
    if (!err && class != p->class)
        err = close_pack(p);
    p->class = class;
    return err;
}

static enum err push_whole(struct pushing *p, uint64_t position, const struct log_entry *entry)
{
    struct log_body body;
    enum err err = log_get_body(p->txn, p->community->number, position, &body);
    if (err)
        return err;
    struct change change = {.envelope = entry->envelope, .fields = body.fields};
    buf_put(&p->salts, BYTES(body.salt));
    put_change(p, &change);
    return OK;
}

static enum err push_change(struct pushing *p, uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(p->txn, p->community->number, p->own->handle, seq, &position);
    if (!err)
        err = log_get(p->txn, p->community->number, position, &entry);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    digest_head(p->community->id, p->own->key, seq, entry.leaf, p->head);
    err = open_pack(p, entry.envelope);
    if (!err && entry.form == LOG_WHOLE)
        err = push_whole(p, position, &entry);
    else if (!err) // its words were erased before it was sent
        put_change(
            p, &(struct change){.envelope = entry.envelope, .body_hash = BYTES(entry.body_hash)});
    if (!err && p->changes.n >= PACK_TARGET)
        err = close_pack(p);
    return err;
}

// Every run is a witness of the log as it was last checked.
static enum err put_seen(struct pushing *p)
{
    struct checked checked;
    checked_get(p->txn, p->community->number, &checked);
    if (checked.frontier.size == 0)
        return OK;
    p->run->seen = arena_alloc(p->arena, 1, sizeof *p->run->seen);
    if (!p->run->seen)
        return ERR_NOMEM;
    *p->run->seen =
        (struct log_head){arena_copy(p->arena, BYTES(checked.log)), checked.frontier.size,
                          arena_copy(p->arena, BYTES(checked.root))};
    return p->run->seen->log.p && p->run->seen->root.p ? OK : ERR_NOMEM;
}

static enum err sign_run(struct pushing *p, uint32_t last, const uint8_t seed[32])
{
    struct buf transcript BUF_CLEANUP = {0};
    uint8_t signature[SIGN_SIZE];
    struct run *run = p->run;
    enum err seen_err = put_seen(p);
    if (seen_err)
        return seen_err;
    digest_run_transcript(p->community->id, p->own->key, last, p->head, run->seen, &transcript);
    enum err err = transcript.err;
    if (!err)
        err = sign_make(seed, buf_bytes(&transcript), signature);
    if (err)
        return err;
    run->salts = arena_copy(p->arena, buf_bytes(&p->salts));
    run->signature = arena_copy(p->arena, BYTES(signature));
    return run->salts.p && run->signature.p ? OK : ERR_NOMEM;
}

static enum err push_run(struct pushing *p, const struct progress *progress, const uint8_t seed[32],
                         size_t push_max)
{
    uint32_t seq = progress->receipt_seq;
    enum err err = chain_head_at(p->txn, p->community, p->own, seq, p->head);
    p->run->first = seq + 1;
    while (!err && seq < p->own->seq && seq - progress->receipt_seq < RUN_CHANGES_MAX &&
           p->bytes + p->changes.n < push_max && p->run->packs.n + 2 < RUN_PACKS_MAX)
        err = push_change(p, ++seq);
    if (!err)
        err = close_pack(p);
    p->last = seq;
    return err ? err : sign_run(p, seq, seed);
}

static enum err request_push(struct txn *txn, const struct community *community,
                             const struct device *own, const uint8_t seed[32],
                             const struct progress *progress, size_t push_max, struct arena *arena,
                             struct sync_request *request, uint32_t *last)
{
    // The new chain begins with what is carried over, when that is known.
    if (progress->receipt_seq >= own->seq || progress->forked || progress->unanswered ||
        push_max == 0 || carry_any(txn, community->number))
        return txn_error(txn);
    struct pushing p = {.txn = txn, .community = community, .own = own, .arena = arena};
    p.run = arena_alloc(arena, 1, sizeof *p.run);
    if (p.run)
        p.run->packs.p = arena_alloc(arena, RUN_PACKS_MAX, sizeof(struct pack));
    if (!p.run || !p.run->packs.p)
        return ERR_NOMEM;
    if (push_max > PUSH_MOST)
        push_max = PUSH_MOST;
    enum err err = push_run(&p, progress, seed, push_max);
    buf_done(&p.salts);
    buf_done(&p.changes);
    request->push = (struct list){p.run, 1};
    *last = p.last;
    return err;
}

struct vector {
    struct txn *txn;
    uint32_t community;
    struct arena *arena;
    const struct device *own;
    struct list *points;
    bool full;
};

static bool add_point(const struct device *device, void *arg)
{
    struct vector *vector = arg;
    if (device->seq == 0 || memcmp(device->handle, vector->own->handle, HANDLE_SIZE) == 0)
        return true;
    vector->full = vector->points->n == VECTOR_MAX;
    if (vector->full)
        return false;
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(vector->txn, vector->community, device->handle, device->seq, &position);
    if (!err)
        err = log_get(vector->txn, vector->community, position, &entry);
    // What cannot be told of a chain comes again.
    if (err && err != ERR_NOT_FOUND)
        return true;
    struct chain_point *point = LIST_AT(struct chain_point, *vector->points, vector->points->n++);
    *point = (struct chain_point){.device = arena_copy(vector->arena, BYTES(device->handle)),
                                  .seq = device->seq,
                                  .tag = err ? 0 : log_tag(&entry)};
    return true;
}

// Up to where each device's chain is known. Past VECTOR_MAX devices the rest comes again, and does
// no harm.
static enum err request_vector(struct txn *txn, const struct community *community,
                               const struct device *own, struct arena *arena,
                               struct sync_request *request)
{
    struct vector vector = {txn, community->number, arena, own, &request->vector, false};
    request->vector.p = arena_alloc(arena, VECTOR_MAX, sizeof(struct chain_point));
    if (!request->vector.p)
        return ERR_NOMEM;
    device_each(txn, community->number, add_point, &vector);
    return txn_error(txn);
}

static bool has_cursor(const struct progress *progress)
{
    static const uint8_t none[HANDLE_SIZE];
    return memcmp(progress->log, none, HANDLE_SIZE) != 0;
}

static enum err name_own(struct txn *txn, const struct community *community,
                         const struct device *own, uint32_t seq, struct arena *arena,
                         struct sync_request *request)
{
    uint8_t head[HASH_SIZE];
    request->own = arena_alloc(arena, 1, sizeof *request->own);
    if (!request->own)
        return ERR_NOMEM;
    request->own->seq = seq;
    enum err err = chain_head_at(txn, community, own, seq, head);
    if (!err && seq)
        request->own->head = arena_copy(arena, bytes_of(head, CUT_SIZE));
    return err;
}

// The end of the own chain; while a push is unanswered, the last point that the hub confirmed, so
// that it tells whatever it has beyond.
static enum err request_own(struct txn *txn, const struct community *community,
                            const struct device *own, const struct progress *progress,
                            struct arena *arena, struct sync_request *request)
{
    bool asks = progress->unanswered && progress->receipt_seq < own->seq;
    uint32_t seq = asks ? progress->receipt_seq : own->seq;
    return name_own(txn, community, own, seq, arena, request);
}

// What could not be copied is missing in what was made.
static enum err end_request(struct txn *txn, const struct arena *arena, enum err err)
{
    if (!err)
        err = txn_error(txn);
    return !err && arena->err ? ERR_NOMEM : err;
}

enum err exchange_probe(struct txn *txn, const struct community *community,
                        const struct device *own, uint32_t seq, struct arena *arena,
                        struct sync_request *request)
{
    *request = (struct sync_request){
        .version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN, .has_answer_max = true};
    return end_request(txn, arena, name_own(txn, community, own, seq, arena, request));
}

// While the cursor is not yet where the log was last seen to end: an answer may have been cut.
static bool wants_vector(const struct progress *progress)
{
    bool at_end = has_cursor(progress) && progress->position >= progress->seen_size;
    return progress->by_vector && !at_end;
}

static enum err request_cursor(const struct progress *progress, struct arena *arena,
                               struct sync_request *request)
{
    if (!has_cursor(progress))
        return OK;
    request->cursor = arena_alloc(arena, 1, sizeof *request->cursor);
    if (!request->cursor)
        return ERR_NOMEM;
    *request->cursor = (struct cursor){arena_copy(arena, BYTES(progress->log)), progress->position,
                                       arena_copy(arena, BYTES(progress->root)), progress->view};
    return OK;
}

static enum err make_request(struct txn *txn, const struct community *community,
                             const struct device *own, const uint8_t seed[32],
                             const struct exchange_options *options,
                             const struct progress *progress, struct arena *arena,
                             struct sync_request *request, struct proof_asked *asked,
                             uint32_t *last)
{
    *request = (struct sync_request){.version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN};
    request->has_answer_max = true;
    request->answer_max = options->answer_max;
    *last = 0;
    enum err err = request_own(txn, community, own, progress, arena, request);
    if (!err)
        err = request_cursor(progress, arena, request);
    if (!err)
        err = proof_request(txn, community->number, request->cursor, arena, &request->seen, asked);
    if (!err && wants_vector(progress))
        err = request_vector(txn, community, own, arena, request);
    if (!err)
        err = request_push(txn, community, own, seed, progress, options->push_max, arena, request,
                           last);
    return end_request(txn, arena, err);
}

enum err exchange_request(struct txn *txn, const struct community *community,
                          const struct device *own, const uint8_t seed[32],
                          const struct exchange_options *options, struct arena *arena,
                          struct sync_request *request, struct proof_asked *asked)
{
    struct progress progress;
    uint32_t last;
    progress_get(txn, community->number, &progress);
    return make_request(txn, community, own, seed, options, &progress, arena, request, asked,
                        &last);
}

enum err exchange_letter(struct txn *txn, const struct community *community,
                         const struct device *own, const uint8_t seed[32],
                         const struct exchange_options *options, struct arena *arena,
                         struct sync_request *request, struct proof_asked *asked, uint32_t *last)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    progress.unanswered = false;
    return make_request(txn, community, own, seed, options, &progress, arena, request, asked, last);
}

void exchange_note_sent(struct txn *txn, const struct community *community, bool sent)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    progress.unanswered = sent;
    progress_put(txn, community->number, &progress);
}

uint32_t exchange_unsent(struct txn *txn, const struct community *community,
                         const struct device *own)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    return own->seq > progress.receipt_seq ? own->seq - progress.receipt_seq : 0;
}
