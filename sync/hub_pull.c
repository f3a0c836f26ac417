// Giving what the log holds after a cursor: whole changes while any of their edits is live, husks
// else, in pieces that stand for themselves.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "storage/record.h"
#include "sync/eye.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/lineage.h"
#include "sync/merge.h"
#include "sync/narrow.h"
#include "sync/tree.h"

enum {
    PIECE_TARGET = 64 << 10, // unpacked bytes of a piece
    PIECE_LEAST = 1 << 10,
    SMALL = 8 << 10, // of what is packed as well as can be
    PIECES_MAX = 256,
    UNPACKED_MAX = 2 << 20, // bytes of entries in one answer, so that packing them is short, too
    SCAN_MAX = 20000, // entries looked at in one answer, so that a pull of mere skips is short, too
    // A slice: some milliseconds.
    SLICE_UNPACKED = PIECE_TARGET,
    SLICE_SCAN = 2000,
    SLICE_NONE = 256, // entries that are given at once
};

struct pulling {
    struct txn *txn;
    const struct hub_caller *caller;
    const struct sync_request *request;
    struct arena *arena;
    struct community community;
    struct eye eye;
    struct list vector; // the request's, sorted
    struct sync_response *response;
    struct hub_pulled *pulled;
    bool is_sliced;
    // the piece under construction
    struct buf entries;
    struct buf devices;
    uint32_t devices_n;
    uint32_t class;
};

static uint32_t view_number(const struct eye *eye)
{
    return role_may_see(eye->role, KIND_CONTACT, CLASS_PERSONAL) == REACH_ALL ? VIEW_OF_COORDINATORS
                                                                              : VIEW_OF_ALL;
}

// --- the cursor ---

// Whether this log has what was seen of one up to that size: this one, or one that it goes on from.
static bool is_within(const struct pulling *p, struct bytes log, uint64_t size)
{
    uint64_t most;
    return log.n == HANDLE_SIZE && lineage_reaches(p->txn, &p->community, log.p, &most) &&
           size <= most && size <= p->community.size;
}

static enum err cursor_holds(struct pulling *p, const struct cursor *cursor, bool *holds)
{
    uint8_t root[HASH_SIZE];
    *holds = false;
    if (cursor->view != view_number(&p->eye) || !is_within(p, cursor->log, cursor->position))
        return OK;
    enum err err = tree_root(p->txn, p->community.number, cursor->position, root);
    if (!err)
        *holds = bytes_equal(cursor->root, bytes_of(root, CUT_SIZE));
    return err;
}

static int by_device(const void *a, const void *b)
{
    const struct chain_point *x = a;
    const struct chain_point *y = b;
    return bytes_compare(x->device, y->device);
}

// Nothing of a chain is known whose change at that seq is another one here.
static enum err check_point(struct pulling *p, struct chain_point *point)
{
    uint64_t position;
    struct log_entry entry;
    if (point->tag == 0 || point->device.n != HANDLE_SIZE)
        return OK;
    enum err err = log_find(p->txn, p->community.number, point->device.p, point->seq, &position);
    if (!err)
        err = log_get(p->txn, p->community.number, position, &entry);
    if (!err && log_tag(&entry) != point->tag)
        point->seq = 0;
    return err == ERR_NOT_FOUND ? OK : err;
}

// A copy in the order of handles: it is asked for every entry.
static enum err sort_vector(struct pulling *p)
{
    struct list vector = p->request->vector;
    if (vector.n == 0)
        return OK;
    p->vector =
        (struct list){arena_alloc(p->arena, vector.n, sizeof(struct chain_point)), vector.n};
    if (!p->vector.p)
        return ERR_NOMEM;
    memcpy(p->vector.p, vector.p, vector.n * sizeof(struct chain_point));
    qsort(p->vector.p, vector.n, sizeof(struct chain_point), by_device);
    enum err err = OK;
    for (size_t i = 0; i < vector.n && !err; i++)
        err = check_point(p, LIST_AT(struct chain_point, p->vector, i));
    return err;
}

static bool vector_has(const struct pulling *p, const struct log_entry *entry)
{
    struct chain_point key = {.device = BYTES(entry->device)};
    if (p->vector.n == 0)
        return false;
    const struct chain_point *point =
        bsearch(&key, p->vector.p, p->vector.n, sizeof key, by_device);
    return point && entry->seq <= point->seq;
}

// --- pieces ---

static enum err cut_root(struct pulling *p, struct bytes *root)
{
    uint8_t full[HASH_SIZE];
    enum err err = tree_root(p->txn, p->community.number, p->pulled->position, full);
    if (err)
        return err;
    *root = arena_copy(p->arena, bytes_of(full, CUT_SIZE));
    return root->p ? OK : ERR_NOMEM;
}

static enum err pack_entries(struct pulling *p, struct pack *pack)
{
    const struct pack_wish wish = {
        .packings = p->class == CLASS_ORDINARY ? p->request->packings : 1 << PACKING_PLAIN,
        .of = COLUMNS_OF_ENTRIES,
        .effort = p->devices.n + p->entries.n <= SMALL ? PACK_WELL : PACK_QUICK,
    };
    buf_put(&p->devices, buf_bytes(&p->entries));
    if (p->entries.err || p->devices.err)
        return ERR_NOMEM;
    p->pulled->unpacked += p->devices.n;
    return pack_make(buf_bytes(&p->devices), &wish, p->arena, pack);
}

// Closes the piece under construction: it leads up to the last entry that was looked at.
static enum err close_piece(struct pulling *p)
{
    struct list *pieces = &p->response->pieces;
    struct piece *piece = LIST_AT(struct piece, *pieces, pieces->n);
    if (p->entries.n) {
        piece->pack = arena_alloc(p->arena, 1, sizeof *piece->pack);
        enum err err = piece->pack ? pack_entries(p, piece->pack) : ERR_NOMEM;
        if (err)
            return err;
        size_t n = piece->pack->data.n + 64;
        p->pulled->budget -= n < p->pulled->budget ? n : p->pulled->budget;
    } else if (pieces->n) {
        piece--;
        pieces->n--;
    }
    pieces->n++;
    piece->position = p->pulled->position;
    buf_reset(&p->entries);
    buf_reset(&p->devices);
    p->devices_n = 0;
    return cut_root(p, &piece->root);
}

static uint32_t device_index(struct pulling *p, const uint8_t device[HANDLE_SIZE])
{
    enum { ROW = HANDLE_SIZE + 2 }; // tag, length, handle
    for (uint32_t i = 0; i < p->devices_n; i++) {
        if (memcmp(p->devices.p + (size_t)i * ROW + 2, device, HANDLE_SIZE) == 0)
            return i;
    }
    wire_put_bytes(&p->devices, 1, bytes_of(device, HANDLE_SIZE));
    return p->devices.err ? 0 : p->devices_n++;
}

static void put_entry(struct pulling *p, const struct log_entry *entry, struct bytes fields)
{
    struct entry out = {
        .device = device_index(p, entry->device),
        .seq = entry->seq,
        .tag = log_tag(entry),
        .envelope = entry->envelope,
        .fields = fields,
    };
    size_t mark = wire_open(&p->entries, 2);
    message_encode(&entry_message, &out, &p->entries);
    wire_close(&p->entries, mark);
}

static bool wanted(const struct pulling *p, const struct log_entry *entry)
{
    bool own = memcmp(entry->device, p->caller->device.handle, HANDLE_SIZE) == 0;
    return entry->form != LOG_BARE && (!own || p->request->own_too) &&
           (entry->form == LOG_AGAIN || !vector_has(p, entry));
}

// While any edit is live; and what is set apart for a coordinator to judge, to one.
static bool words_are_for(struct pulling *p, const struct log_entry *entry,
                          const struct record_key *record, uint32_t class)
{
    uint32_t community = p->community.number;
    if (live_any_of_change(p->txn, community, record, class, entry->device, entry->seq))
        return true;
    if (p->eye.role != ROLE_COORDINATOR)
        return false;
    enum reason reason = apart_get(p->txn, community, entry->device, entry->seq, log_tag(entry));
    return reason == REASON_REVOKED || reason == REASON_NOT_PERMITTED;
}

static enum err fields_of(struct pulling *p, uint64_t position, const struct log_entry *entry,
                          const struct record_key *record, uint32_t class, struct bytes *fields)
{
    struct log_body body;
    *fields = (struct bytes){0};
    if (entry->form != LOG_WHOLE || !words_are_for(p, entry, record, class))
        return OK;
    enum err err = log_get_body(p->txn, p->community.number, position, &body);
    if (!err)
        *fields = body.fields;
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

// position: where the change stands, and its words.
static enum err give_entry(struct pulling *p, uint64_t position, const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct bytes fields;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = merge_envelope(p->txn, entry->envelope, &arena, &envelope);
    if (err)
        return err;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    if (!eye_sees(&p->eye, envelope.class, entry->device, &record))
        return OK;
    err = fields_of(p, position, entry, &record, envelope.class, &fields);
    if (!err && p->entries.n && envelope.class != p->class) {
        p->pulled->position--;
        err = close_piece(p);
        p->pulled->position++;
    }
    p->class = envelope.class;
    if (!err)
        put_entry(p, entry, fields);
    if (!err)
        err = p->entries.err ? p->entries.err : p->devices.err;
    return err;
}

static size_t piece_target(const struct pulling *p)
{
    size_t target = p->pulled->budget < PIECE_TARGET ? p->pulled->budget : PIECE_TARGET;
    return target < PIECE_LEAST ? PIECE_LEAST : target;
}

static enum err give_next(struct pulling *p)
{
    struct log_entry entry;
    p->pulled->position++;
    uint64_t position = p->pulled->position;
    enum err err = log_get(p->txn, p->community.number, position, &entry);
    bool is_wanted = !err && wanted(p, &entry);
    if (is_wanted && entry.form == LOG_AGAIN) {
        position = entry.first;
        err = log_get(p->txn, p->community.number, position, &entry);
    }
    if (!err && is_wanted)
        err = give_entry(p, position, &entry);
    if (!err && p->entries.n + p->devices.n >= piece_target(p))
        err = close_piece(p);
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

static bool may_go_on(const struct pulling *p)
{
    const struct hub_pulled *pulled = p->pulled;
    return pulled->position < p->community.size && pulled->budget > 0 &&
           pulled->position - pulled->from < SCAN_MAX && pulled->unpacked < UNPACKED_MAX &&
           p->response->pieces.n + 2 < PIECES_MAX;
}

static enum err give_pieces(struct pulling *p)
{
    struct hub_pulled *pulled = p->pulled;
    const struct list *pieces = &p->response->pieces;
    uint64_t from = pulled->position;
    size_t unpacked = pulled->unpacked;
    enum err err = OK;
    while (!err && may_go_on(p) &&
           (!p->is_sliced ||
            (pulled->position - from < SLICE_SCAN && pulled->unpacked - unpacked < SLICE_UNPACKED)))
        err = give_next(p);
    bool open = p->entries.n || pieces->n == 0 ||
                LIST_AT(struct piece, *pieces, pieces->n - 1)->position < pulled->position;
    if (!err && open && pulled->position > from)
        err = close_piece(p);
    p->response->more = pulled->position < p->community.size;
    pulled->is_unfinished = p->is_sliced && may_go_on(p);
    return err;
}

// What takes long begins with the next slice, behind those who wait for little.
static enum err begin_pieces(struct pulling *p, uint64_t from)
{
    struct hub_pulled *pulled = p->pulled;
    struct list *pieces = &p->response->pieces;
    pieces->p = arena_alloc(p->arena, PIECES_MAX, sizeof(struct piece));
    if (!pieces->p)
        return ERR_NOMEM;
    pulled->is_begun = true;
    pulled->view = p->response->view;
    pulled->from = pulled->position = from;
    pulled->is_unfinished = p->is_sliced && p->community.size - from > SLICE_NONE;
    return pulled->is_unfinished ? OK : give_pieces(p);
}

// Whoever sees another part of the log by now has got enough.
static enum err go_on(struct pulling *p)
{
    p->response->pieces = p->pulled->pieces;
    if (p->pulled->view == p->response->view)
        return give_pieces(p);
    p->response->more = true;
    p->pulled->is_unfinished = false;
    return OK;
}

// --- the answer ---

// What the caller has checked of this log; false when it is of another, or beyond its end.
static bool seen_size(const struct pulling *p, uint64_t *size)
{
    const struct log_head *seen = p->request->seen;
    const struct cursor *cursor = p->request->cursor;
    struct bytes log = seen && seen->log.n ? seen->log : cursor ? cursor->log : (struct bytes){0};
    *size = seen ? seen->size : cursor ? cursor->position : 0;
    return *size == 0 || is_within(p, log, *size);
}

// The head, and what leads to it from what was seen. Where that is too much for one answer the head
// is one on the way.
static enum err give_head(struct pulling *p, bool holds)
{
    struct sync_response *response = p->response;
    uint64_t from = 0;
    uint64_t to = p->community.size;
    enum err err = OK;
    response->head = arena_alloc(p->arena, 1, sizeof *response->head);
    if (!response->head)
        return ERR_NOMEM;
    if (seen_size(p, &from) && from < to) {
        struct device now; // the caller's chain may have grown since it was authenticated
        response->growth = arena_alloc(p->arena, 1, sizeof *response->growth);
        err = response->growth
                  ? device_get(p->txn, p->community.number, p->caller->device.handle, &now)
                  : ERR_NOMEM;
        if (!err)
            err = hub_grow(p->txn, &p->community, &now, from, p->arena, response->growth, &to);
    }
    if (!err)
        err = hub_sign_head(p->txn, &p->community, to, p->arena, response->head,
                            &response->head_signature);
    response->more |= to < p->community.size;
    // Left out where it is the cursor's.
    const struct cursor *cursor = p->request->cursor;
    if (!err && cursor && holds && bytes_equal(cursor->log, BYTES(p->community.log)))
        response->head->log = (struct bytes){0};
    return err;
}

static enum err give(struct pulling *p)
{
    const struct sync_request *request = p->request;
    uint64_t from = request->cursor ? request->cursor->position : 0;
    uint64_t size = p->community.size;
    uint64_t seen = 0;
    bool holds = true;
    enum err err = request->cursor ? cursor_holds(p, request->cursor, &holds) : OK;
    bool is_renamed =
        request->cursor && !bytes_equal(request->cursor->log, BYTES(p->community.log));
    bool news = !holds || from < size || !request->cursor || is_renamed;
    p->response->cursor_lost = !holds;
    p->response->more = !holds || from < size;
    if (!err && p->pulled->is_begun)
        err = go_on(p);
    else if (!err && holds && p->pulled->budget > 0 && from < size)
        err = begin_pieces(p, from);
    p->pulled->pieces = p->response->pieces;
    if (!err && !p->pulled->is_unfinished && (news || !seen_size(p, &seen) || seen != size))
        err = give_head(p, holds);
    return err;
}

static size_t budget_of(const struct sync_request *request)
{
    size_t budget = request->has_answer_max ? request->answer_max : ANSWER_DEFAULT;
    return budget < ANSWER_MAX ? budget : ANSWER_MAX;
}

enum err hub_pull(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const struct sync_request *request, struct list receipts, struct arena *arena,
                  struct hub_pulled *pulled, struct sync_response *response, struct fault *fault)
{
    struct hub_pulled whole = {.is_begun = false};
    *response = (struct sync_response){.receipts = receipts};
    if (caller->device.role == ROLE_NONE)
        return OK;
    response->clock = now;
    uint64_t damage = txn_damage(txn);
    struct pulling p = {.txn = txn,
                        .caller = caller,
                        .request = request,
                        .arena = arena,
                        .response = response,
                        .pulled = pulled ? pulled : &whole,
                        .is_sliced = pulled};
    p.eye = (struct eye){.role = caller->device.role, .device = caller->device.handle};
    if (!p.pulled->is_begun)
        p.pulled->budget = budget_of(request);
    response->view = view_number(&p.eye);
    if (request->packings != PACKINGS_KNOWN)
        response->packings = PACKINGS_KNOWN;
    enum err err = community_get_number(txn, caller->community.number, &p.community);
    if (!err)
        err = sort_vector(&p);
    if (!err)
        err = give(&p);
    if (!err)
        err = txn_error(txn);
    // What is left out here would be taken for never said.
    if (!err && txn_damage(txn) != damage)
        err = ERR_DAMAGED;
    buf_done(&p.entries);
    buf_done(&p.devices);
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    return OK;
}
