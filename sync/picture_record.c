// One record: its place in the picture, and what was said of it, change by change.

#include <stdlib.h>

#include "proto/change.h"
#include "storage/log.h"
#include "sync/joined.h"
#include "sync/merge.h"
#include "sync/picture_private.h"

enum { SAID_MAX = 10000, CURSOR_SIZE = 8 };

// A change that said something of the record, as its live edits and covers name it.
struct said {
    uint64_t position;
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
    uint32_t class;
};

struct telling {
    struct picturing p;
    const struct record_key *record;
    struct record_response *response;
    struct buf said; // struct said
    uint64_t after;
    size_t page_size;
    size_t bytes;
};

// --- the item ---

static void tell_item(struct telling *t)
{
    uint32_t group;
    struct sum sum;
    struct record_key root = {.kind = t->record->kind};
    struct joined *joined JOINED_CLEANUP =
        joined_new(t->p.txn, t->p.community->number, t->record->kind);
    enum err err = joined ? joined_group(joined, t->record->id, &group) : ERR_NOMEM;
    if (!err) {
        memcpy(root.id, joined_root(joined, group), ID_SIZE);
        err = sum_get(t->p.txn, t->p.community->number, &root, &sum);
    }
    if (err == ERR_NOT_FOUND)
        return;
    if (err && !t->p.err)
        t->p.err = err;
    if (!t->p.err && picture_is_shown(&t->p, &sum))
        t->response->item = picture_item(&t->p, &root, &sum);
}

// --- which changes ---

static bool add(struct telling *t, uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq)
{
    struct said said = {.class = class, .seq = seq};
    memcpy(said.device, device, HANDLE_SIZE);
    t->response->more |= t->said.n >= SAID_MAX * sizeof said;
    if (!t->response->more)
        buf_put(&t->said, bytes_of(&said, sizeof said));
    return !t->response->more && !t->said.err;
}

static bool add_live(const struct live *live, void *arg)
{
    return add(arg, live->key.class, live->key.device, live->key.seq);
}

// What went over another, and what was gone over.
static bool add_cover(const struct cover *cover, void *arg)
{
    return add(arg, cover->target.class, cover->target.device, cover->target.seq) &&
           add(arg, cover->target.class, cover->by_device, cover->by_seq);
}

static int by_position(const void *a, const void *b)
{
    const struct said *x = a;
    const struct said *y = b;
    return x->position < y->position ? -1 : x->position > y->position;
}

// Those that are here, each once, in the order of the log.
static void find_positions(struct telling *t)
{
    struct said *said = (struct said *)(void *)t->said.p;
    size_t n = t->said.n / sizeof *said;
    size_t kept = 0;
    for (size_t i = 0; i < n && !t->p.err; i++) {
        struct said one = said[i];
        enum err err =
            log_find(t->p.txn, t->p.community->number, one.device, one.seq, &one.position);
        if (!err)
            said[kept++] = one;
        else if (err != ERR_NOT_FOUND)
            t->p.err = err;
    }
    if (kept > 1)
        qsort(said, kept, sizeof *said, by_position);
    n = kept;
    kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || said[kept - 1].position != said[i].position)
            said[kept++] = said[i];
    }
    t->said.n = kept * sizeof *said;
}

// --- a change ---

static struct bytes copy(struct telling *t, struct bytes bytes)
{
    struct bytes made = arena_copy(t->p.arena, bytes);
    if (bytes.n && !made.p && !t->p.err)
        t->p.err = ERR_NOMEM;
    t->bytes += bytes.n;
    return made;
}

struct over {
    struct telling *t;
    struct record_edit *edit;
};

static bool take_over(const struct cover *cover, void *arg)
{
    struct over *over = arg;
    over->edit->over_device = copy(over->t, BYTES(cover->by_device));
    over->edit->over_seq = cover->by_seq;
    return false;
}

static void tell_edit(struct telling *t, const struct said *said, uint32_t tag, uint8_t index,
                      struct bytes field, struct record_edit *edit)
{
    struct live live;
    struct over over = {t, edit};
    struct edit_key key = {.record = *t->record, .class = said->class, .seq = said->seq};
    key.index = index;
    memcpy(key.device, said->device, HANDLE_SIZE);
    *edit = (struct record_edit){.edit = copy(t, field)};
    enum err err = live_get(t->p.txn, t->p.community->number, &key, &live);
    if (err && err != ERR_NOT_FOUND && !t->p.err)
        t->p.err = err;
    edit->live = !err && live.tag == tag;
    if (!edit->live)
        cover_each(t->p.txn, t->p.community->number, &key, tag, take_over, &over);
}

static void tell_edits(struct telling *t, const struct said *said, uint32_t tag,
                       struct record_change *change)
{
    struct log_body body;
    struct wire_field field;
    struct record_edit *edits = picture_alloc(&t->p, EDITS_MAX, sizeof *edits);
    enum err err = log_get_body(t->p.txn, t->p.community->number, said->position, &body);
    if (err && !t->p.err)
        t->p.err = err;
    if (t->p.err)
        return;
    // Its own memory: a body is the transaction's until three others were read.
    struct wire_reader reader = wire_reader(copy(t, body.fields));
    while (!t->p.err && change->edits.n < EDITS_MAX && !wire_at_end(&reader)) {
        if (wire_next(&reader, &field)) {
            t->p.err = txn_damaged(t->p.txn);
            break;
        }
        size_t i = change->edits.n++;
        tell_edit(t, said, tag, (uint8_t)i, field.whole, &edits[i]);
    }
    change->edits.p = edits;
}

static bool may_see(const struct telling *t, const struct said *said)
{
    return !t->p.eye->mask &&
           (!t->p.eye->eye || eye_sees(t->p.eye->eye, said->class, said->device, t->record));
}

static void tell_change(struct telling *t, const struct said *said)
{
    struct log_entry entry;
    struct envelope envelope;
    struct record_change *change =
        LIST_AT(struct record_change, t->response->history, t->response->history.n);
    enum err err = log_get(t->p.txn, t->p.community->number, said->position, &entry);
    if (!err)
        err = merge_envelope(t->p.txn, copy(t, entry.envelope), t->p.arena, &envelope);
    if (err && !t->p.err)
        t->p.err = err;
    if (t->p.err)
        return;
    *change = (struct record_change){.position = said->position,
                                     .device = copy(t, BYTES(said->device)),
                                     .seq = said->seq,
                                     .time = envelope.time,
                                     .erased = entry.form != LOG_WHOLE};
    if (!change->erased)
        tell_edits(t, said, log_tag(&entry), change);
    t->response->history.n++;
}

static void put_cursor(struct telling *t, uint64_t position)
{
    uint8_t *cursor = picture_alloc(&t->p, 1, CURSOR_SIZE);
    if (!cursor)
        return;
    be64_put(cursor, position);
    t->response->next_page = bytes_of(cursor, CURSOR_SIZE);
}

static void tell_history(struct telling *t)
{
    const struct said *said = (const struct said *)(const void *)t->said.p;
    size_t n = t->said.n / sizeof *said;
    t->response->history.p = picture_alloc(&t->p, t->page_size, sizeof(struct record_change));
    for (size_t i = 0; i < n && !t->p.err; i++) {
        if (said[i].position <= t->after || !may_see(t, &said[i]))
            continue;
        if (t->response->history.n == t->page_size || t->bytes > RECORD_MAX) {
            const struct record_change *last =
                LIST_AT(struct record_change, t->response->history, t->response->history.n - 1);
            put_cursor(t, last->position);
            return;
        }
        tell_change(t, &said[i]);
    }
}

static enum err begin(struct telling *t, const struct record_request *request)
{
    t->page_size = request->page_size ? request->page_size : PAGE_DEFAULT;
    if (t->page_size > PAGE_MAX || (request->page.n && request->page.n != CURSOR_SIZE))
        return ERR_MALFORMED;
    t->after = request->page.n ? be64_get(request->page.p) : 0;
    return OK;
}

enum err picture_record(struct txn *txn, const struct community *community,
                        const struct record_key *record, const struct record_request *request,
                        const struct picture_eye *eye, struct arena *arena,
                        struct record_response *response, struct fault *fault)
{
    struct telling t = {.p = {txn, community, eye, arena, OK}};
    t.record = record;
    t.response = response;
    enum err err = begin(&t, request);
    if (err)
        return fault_set(fault, err, "RecordRequest: page or page_size is wrong");
    err = picture_begin(&t.p, fault);
    if (err)
        return err;
    response->least = eye->least;
    tell_item(&t);
    if (!eye->mask) {
        t.p.err = t.p.err ? t.p.err : live_each(txn, community->number, record, add_live, &t);
        cover_each_of_record(txn, community->number, record, add_cover, &t);
        t.p.err = t.p.err ? t.p.err : t.said.err;
        find_positions(&t);
        tell_history(&t);
    }
    buf_done(&t.said);
    return picture_end(&t.p, fault);
}
