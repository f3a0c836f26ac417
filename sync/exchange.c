#include "sync/exchange.h"

#include "base/sign.h"
#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/fold.h"

// --- the request ---

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
    uint8_t head[HASH_SIZE];
};

// PUSH_MOST: what always fits a request beside salts and vector, even if nothing can be packed.
enum { PACK_TARGET = 128 << 10, PUSH_MOST = REQUEST_MAX / 4 * 3 };

static enum err close_pack(struct pushing *p)
{
    if (p->changes.n == 0)
        return OK;
    if (p->changes.err)
        return p->changes.err;
    struct pack *pack = LIST_AT(struct pack, p->run->packs, p->run->packs.n++);
    enum err err = pack_make(buf_bytes(&p->changes), p->class == CLASS_ORDINARY, p->arena, pack);
    p->bytes += p->changes.n;
    buf_reset(&p->changes);
    return err;
}

static enum err class_of(struct bytes envelope, uint32_t *class)
{
    struct envelope decoded;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = envelope_decode(envelope, &arena, &decoded, NULL);
    *class = decoded.class;
    return err ? ERR_DAMAGED : OK;
}

static void put_change(struct pushing *p, const struct change *change)
{
    size_t mark = wire_open(&p->changes, 1);
    message_encode(&change_message, change, &p->changes);
    wire_close(&p->changes, mark);
}

static enum err push_whole(struct pushing *p, uint64_t position, const struct log_entry *entry)
{
    struct log_body body;
    uint32_t class;
    enum err err = class_of(entry->envelope, &class);
    if (!err && class != p->class)
        err = close_pack(p);
    if (!err)
        err = log_get_body(p->txn, p->community->number, position, &body);
    if (err)
        return err;
    p->class = class;
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
    if (entry.form == LOG_WHOLE)
        err = push_whole(p, position, &entry);
    else
        put_change(p, &(struct change){.leaf = arena_copy(p->arena, BYTES(entry.leaf))});
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
    return err ? err : sign_run(p, seq, seed);
}

static enum err request_push(struct txn *txn, const struct community *community,
                             const struct device *own, const uint8_t seed[32],
                             const struct progress *progress, size_t push_max, struct arena *arena,
                             struct sync_request *request)
{
    if (progress->receipt_seq >= own->seq || progress->forked || progress->unanswered ||
        push_max == 0)
        return OK;
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
    uint32_t tag = 0;
    if (log_find(vector->txn, vector->community, device->handle, device->seq, &position) == OK &&
        log_get(vector->txn, vector->community, position, &entry) == OK)
        tag = log_tag(&entry);
    struct bytes handle = arena_copy(vector->arena, BYTES(device->handle));
    struct chain_point *point = LIST_AT(struct chain_point, *vector->points, vector->points->n++);
    *point = (struct chain_point){.device = handle, .seq = device->seq, .tag = tag};
    return handle.p != NULL;
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

// The end of the own chain; while a push is unanswered, the last point that the hub confirmed, so
// that it tells whatever it has beyond.
static enum err request_own(struct txn *txn, const struct community *community,
                            const struct device *own, const struct progress *progress,
                            struct arena *arena, struct sync_request *request)
{
    uint8_t head[HASH_SIZE];
    request->own = arena_alloc(arena, 1, sizeof *request->own);
    if (!request->own)
        return ERR_NOMEM;
    bool asks = progress->unanswered && progress->receipt_seq < own->seq;
    request->own->seq = asks ? progress->receipt_seq : own->seq;
    enum err err = chain_head_at(txn, community, own, request->own->seq, head);
    if (!err && request->own->seq)
        request->own->head = arena_copy(arena, bytes_of(head, CUT_SIZE));
    return err;
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

enum err exchange_request(struct txn *txn, const struct community *community,
                          const struct device *own, const uint8_t seed[32],
                          const struct exchange_options *options, struct arena *arena,
                          struct sync_request *request, struct proof_asked *asked)
{
    struct progress progress;
    *request = (struct sync_request){.version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN};
    request->has_answer_max = true;
    request->answer_max = options->answer_max;
    progress_get(txn, community->number, &progress);
    enum err err = request_own(txn, community, own, &progress, arena, request);
    if (!err)
        err = request_cursor(&progress, arena, request);
    if (!err)
        err = proof_request(txn, community->number, request->cursor, arena, &request->seen, asked);
    if (!err && wants_vector(&progress))
        err = request_vector(txn, community, own, arena, request);
    if (!err)
        err = request_push(txn, community, own, seed, &progress, options->push_max, arena, request);
    return err ? err : txn_error(txn);
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

// --- the answer ---

// Whether the receipt lies on the own chain; `head` is the chain's there.
static enum err receipt_is_mine(struct txn *txn, const struct community *community,
                                const struct device *own, const struct receipt *receipt,
                                uint8_t head[HASH_SIZE], bool *mine)
{
    *mine = receipt->seq == 0;
    if (receipt->seq == 0 || receipt->seq > own->seq)
        return OK;
    enum err err = chain_head_at(txn, community, own, receipt->seq, head);
    *mine = !err && bytes_equal(receipt->head, bytes_of(head, CUT_SIZE));
    return err;
}

// Keeps the head where a receipt stands, as a run without signature, so that the next request need
// not hash its way there from the beginning of the chain.
static void note_head(struct txn *txn, const struct community *community, const struct device *own,
                      uint32_t seq, const uint8_t head[HASH_SIZE])
{
    struct log_run run = {.first = seq, .last = seq};
    memcpy(run.head, head, HASH_SIZE);
    log_put_run(txn, community->number, own->handle, &run);
}

enum err exchange_take_receipt(struct txn *txn, struct community *community,
                               const struct device *own, const struct receipt *receipt,
                               struct exchange_report *report)
{
    struct progress progress;
    uint8_t head[HASH_SIZE];
    bool mine;
    if (receipt->device.n && !bytes_equal(receipt->device, BYTES(own->handle)))
        return OK;
    enum err err = receipt_is_mine(txn, community, own, receipt, head, &mine);
    if (err)
        return err;
    progress_get(txn, community->number, &progress);
    progress.unanswered = false;
    if (!mine || receipt->standing == STANDING_FORK) {
        progress.forked = true;
        report->forked = true;
    } else {
        if (receipt->seq > progress.receipt_seq) {
            report->pushed += receipt->seq - progress.receipt_seq;
            note_head(txn, community, own, receipt->seq, head);
        }
        progress.receipt_seq = receipt->seq;
        report->receipt = receipt->seq;
        report->gap |= receipt->standing == STANDING_GAP;
        report->apart += (uint32_t)receipt->set_apart.n;
    }
    progress_put(txn, community->number, &progress);
    return txn_error(txn);
}

static void note_log(struct txn *txn, struct community *community, const uint8_t *told)
{
    uint8_t log[HANDLE_SIZE];
    memcpy(log, told, HANDLE_SIZE);
    if (memcmp(community->log, log, HANDLE_SIZE) == 0)
        return;
    memcpy(community->log, log, HANDLE_SIZE);
    community_put(txn, community);
}

enum err exchange_take_top(struct txn *txn, struct community *community,
                           const struct sync_response *response, struct exchange_report *report)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    progress.unanswered = false;
    if (response->view == 0) { // this device is revoked: the answer says nothing of the log
        progress_put(txn, community->number, &progress);
        return txn_error(txn);
    }
    const struct log_head *head = response->head;
    if (head && head->root.n) {
        // Left out where it is the cursor's.
        memcpy(progress.seen_log, head->log.n ? head->log.p : progress.log, HANDLE_SIZE);
        memcpy(progress.seen_root, head->root.p, HASH_SIZE);
        progress.seen_size = head->size;
        note_log(txn, community, progress.seen_log);
    }
    if (response->cursor_lost) {
        progress.by_vector = response->view == progress.view;
        progress.position = 0;
        memset(progress.log, 0, HANDLE_SIZE);
    } else if (!response->more && !head) { // nothing was new: all is here
        progress.by_vector = false;
    }
    progress.view = response->view;
    report->more |= response->more;
    progress_put(txn, community->number, &progress);
    return txn_error(txn);
}

struct taking {
    struct txn *txn;
    struct community *community;
    const struct device *own;
    struct arena *arena;
    struct exchange_report *report;
    struct entries entries;
};

static enum err check_entry(struct taking *t, const struct entry *entry, struct fault *fault)
{
    struct envelope envelope;
    uint32_t edits;
    if (entry->device >= t->entries.devices.n || entry->seq == 0)
        return fault_set(fault, ERR_MALFORMED, "Entry: of no device or without seq");
    if (entry->envelope.n + entry->fields.n > CHANGE_MAX)
        return fault_set(fault, ERR_LIMIT, "Entry: over %d bytes", CHANGE_MAX);
    enum err err = envelope_decode(entry->envelope, t->arena, &envelope, fault);
    return err ? err : fields_check(entry->fields, &edits, fault);
}

static void note_known(struct taking *t, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    struct device device;
    enum err err = device_get(t->txn, t->community->number, handle, &device);
    if (err || device.seq >= seq)
        return;
    device.seq = seq;
    device_put(t->txn, t->community->number, &device);
}

// New here, or a husk whose words have come.
static enum err entry_position(struct taking *t, const struct log_entry *entry, bool whole,
                               uint64_t *position)
{
    struct log_entry known;
    *position = 0;
    enum err err = log_find(t->txn, t->community->number, entry->device, entry->seq, position);
    if (err == ERR_NOT_FOUND) {
        *position = ++t->community->size;
        return OK;
    }
    if (!err)
        err = log_get(t->txn, t->community->number, *position, &known);
    if (!err && !(whole && known.form == LOG_HUSK && log_tag(&known) == log_tag(entry)))
        *position = 0;
    return err;
}

static enum err take_entry(struct taking *t, const struct entry *in)
{
    const struct bytes *handle = LIST_AT(struct bytes, t->entries.devices, in->device);
    bool whole = in->fields.p != NULL;
    struct log_entry entry = {
        .form = whole ? LOG_WHOLE : LOG_HUSK, .seq = in->seq, .envelope = in->envelope};
    struct log_body words = {.fields = in->fields};
    const struct log_body *body = whole ? &words : NULL;
    uint64_t position;
    if (bytes_equal(*handle, BYTES(t->own->handle)))
        return OK;
    memcpy(entry.device, handle->p, HANDLE_SIZE);
    be32_put(entry.leaf, in->tag);
    chain_erased(t->txn, t->community->number, &entry, &body);
    whole = body != NULL;
    enum err err = entry_position(t, &entry, whole, &position);
    if (err || position == 0)
        return err;
    log_put(t->txn, t->community->number, position, &entry, body);
    fold_change(t->txn, t->community, position, &entry, body);
    note_known(t, entry.device, entry.seq);
    t->report->pulled++;
    return txn_error(t->txn);
}

static enum err take_entries(struct taking *t, const struct pack *pack, struct fault *fault)
{
    struct bytes bytes;
    enum err err = pack_open(pack, t->arena, &bytes, fault);
    if (!err)
        err = message_decode(&entries_message, bytes, t->arena, &t->entries, fault);
    for (size_t i = 0; i < t->entries.entries.n && !err; i++)
        err = check_entry(t, LIST_AT(struct entry, t->entries.entries, i), fault);
    for (size_t i = 0; i < t->entries.entries.n && !err; i++)
        err = take_entry(t, LIST_AT(struct entry, t->entries.entries, i));
    return err;
}

// An answer that came twice does not move the cursor back.
static void advance(struct txn *txn, uint32_t community, const struct piece *piece,
                    struct exchange_report *report)
{
    struct progress progress;
    progress_get(txn, community, &progress);
    if (has_cursor(&progress) && piece->position <= progress.position)
        return;
    report->advanced = true;
    memcpy(progress.log, progress.seen_log, HANDLE_SIZE);
    memcpy(progress.root, piece->root.p, CUT_SIZE);
    progress.position = piece->position;
    progress_put(txn, community, &progress);
}

enum err exchange_take_piece(struct txn *txn, struct community *community, const struct device *own,
                             const struct piece *piece, struct arena *arena,
                             struct exchange_report *report, struct fault *fault)
{
    struct taking t = {txn, community, own, arena, report, {{0}, {0}}};
    if (piece->root.n != CUT_SIZE)
        return fault_set(fault, ERR_MALFORMED, "Piece: root is missing");
    enum err err = piece->pack ? take_entries(&t, piece->pack, fault) : OK;
    if (err)
        return err;
    advance(txn, community->number, piece, report);
    community_put(txn, community);
    return txn_error(txn);
}
