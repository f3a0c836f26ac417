// What the log holds after a position: whole changes while any of their edits is live, husks else,
// in pieces that stand for themselves.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "storage/record.h"
#include "sync/hub_private.h"
#include "sync/hub_pull_private.h"
#include "sync/merge.h"
#include "sync/tree.h"

enum {
    PIECE_TARGET = 64 << 10, // unpacked bytes of a piece
    PIECE_LEAST = 1 << 10,
    SMALL = 8 << 10, // of what is packed as well as can be
    PIECES_MAX = 256,
    COMMON_END = 512,       // entries
    UNPACKED_MAX = 2 << 20, // bytes of entries in one answer, so that packing them is short, too
    SCAN_MAX = 20000, // entries looked at in one answer, so that a pull of mere skips is short, too
    // A slice: some milliseconds.
    SLICE_UNPACKED = PIECE_TARGET,
    SLICE_SCAN = 2000,
    SLICE_NONE = 256, // entries that are given at once
};

// --- the vector ---

int hub_by_device(const void *a, const void *b)
{
    const struct chain_point *x = a;
    const struct chain_point *y = b;
    return bytes_compare(x->device, y->device);
}

static bool vector_has(const struct pulling *p, const struct log_entry *entry)
{
    struct chain_point key = {.device = BYTES(entry->device)};
    if (p->vector.n == 0)
        return false;
    const struct chain_point *point =
        bsearch(&key, p->vector.p, p->vector.n, sizeof key, hub_by_device);
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

static struct kept_key kept_key_of(const struct pulling *p)
{
    return (struct kept_key){p->community.number, p->response->view, p->request->packings,
                             p->piece_from};
}

// A whole piece, once it is packed: many devices may ask for the same.
static void keep_piece(struct pulling *p, const struct piece *piece)
{
    enum { ROW = HANDLE_SIZE + 2 };
    BUF_CLEANUP struct buf authors = {0};
    const struct kept_key key = kept_key_of(p);
    if (!p->pulled->kept || !p->is_full || p->is_partial || p->class != CLASS_ORDINARY)
        return;
    for (uint32_t i = 0; i < p->devices_n; i++)
        buf_put(&authors, bytes_of(p->devices.p + (size_t)i * ROW + 2, HANDLE_SIZE));
    if (!authors.err)
        kept_put(p->pulled->kept, &key, piece, buf_bytes(&authors), p->now);
}

static bool take_kept(struct pulling *p)
{
    struct hub_pulled *pulled = p->pulled;
    struct list *pieces = &p->response->pieces;
    struct piece *piece = LIST_AT(struct piece, *pieces, pieces->n);
    const uint8_t *author = p->request->own_too ? NULL : p->caller->device.handle;
    const struct kept_key key = kept_key_of(p);
    if (!pulled->kept || pulled->position != p->piece_from || p->vector.n > 0 ||
        pulled->wanted < PIECE_TARGET ||
        !kept_get(pulled->kept, &key, author, p->now, p->arena, piece))
        return false;
    size_t n = piece->pack->data.n + 64;
    pieces->n++;
    pulled->budget -= n < pulled->budget ? n : pulled->budget;
    pulled->unpacked += piece->pack->size;
    pulled->position = p->piece_from = piece->position;
    return true;
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
    p->fresh += p->devices.n;
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
    enum err err = cut_root(p, &piece->root);
    if (!err && p->entries.n)
        keep_piece(p, piece);
    buf_reset(&p->entries);
    buf_reset(&p->devices);
    p->devices_n = 0;
    p->piece_from = p->pulled->position;
    p->is_partial = p->is_full = false;
    return err;
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
    if (!eye_sees(&p->eye, envelope.class, entry->device, &record)) {
        p->is_partial = true;
        return OK;
    }
    err = fields_of(p, position, entry, &record, envelope.class, &fields);
    if (!err && p->entries.n && envelope.class != p->class) {
        p->pulled->position--;
        p->is_full = true;
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
    // Whoever wants much gets whole pieces, and one more than there is room for: so all end at the
    // same places.
    if (p->pulled->wanted >= PIECE_TARGET)
        return PIECE_TARGET;
    size_t target = p->pulled->budget;
    return target < PIECE_LEAST ? PIECE_LEAST : target;
}

// Where pieces for all devices end, so that those whose own entries are left out are not for ever
// beside what is kept for the others.
static bool is_common_end(const struct pulling *p)
{
    uint64_t position = p->pulled->position;
    return p->entries.n > 0 && position % COMMON_END == 0 &&
           p->community.size - position > COMMON_END;
}

static enum err give_next(struct pulling *p)
{
    struct log_entry entry;
    p->pulled->position++;
    uint64_t position = p->pulled->position;
    enum err err = log_get(p->txn, p->community.number, position, &entry);
    bool is_wanted = !err && wanted(p, &entry);
    p->is_partial |= !err && !is_wanted && entry.form != LOG_BARE;
    if (is_wanted && entry.form == LOG_AGAIN) {
        position = entry.first;
        err = log_get(p->txn, p->community.number, position, &entry);
    }
    if (!err && is_wanted)
        err = give_entry(p, position, &entry);
    p->is_full = p->entries.n + p->devices.n >= PIECE_TARGET || is_common_end(p);
    if (!err && (p->is_full || p->entries.n + p->devices.n >= piece_target(p)))
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
    enum err err = OK;
    p->piece_from = from;
    while (!err && may_go_on(p) &&
           (!p->is_sliced || (pulled->position - from < SLICE_SCAN && p->fresh < SLICE_UNPACKED)))
        err = take_kept(p) ? OK : give_next(p);
    bool open = p->entries.n || pieces->n == 0 ||
                LIST_AT(struct piece, *pieces, pieces->n - 1)->position < pulled->position;
    if (!err && open && pulled->position > from)
        err = close_piece(p);
    p->response->more = pulled->position < p->community.size;
    pulled->is_unfinished = p->is_sliced && may_go_on(p);
    return err;
}

// What takes long begins with the next slice, behind those who wait for little.
enum err hub_begin_pieces(struct pulling *p, uint64_t from)
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
enum err hub_go_on_with_pieces(struct pulling *p)
{
    p->response->pieces = p->pulled->pieces;
    if (p->pulled->view == p->response->view)
        return give_pieces(p);
    p->response->more = true;
    p->pulled->is_unfinished = false;
    return OK;
}
