// Records for clients that keep no store of their own.

#include "proto/schema.h"
#include "sync/hub.h"
#include "sync/tree.h"
#include "sync/view.h"

static struct eye eye_of(const struct hub_caller *caller)
{
    return (struct eye){caller->device.role, caller->device.handle};
}

static enum err read_failed(enum err err, struct fault *fault)
{
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "no such record");
    if (err == ERR_LIMIT || err == ERR_NOMEM)
        return fault_set(fault, ERR_LIMIT, "the record is too large for one answer");
    return err ? fault_set(fault, err, "the record could not be read: %s", err_text(err)) : OK;
}

enum err hub_get(struct txn *txn, const struct hub_caller *caller,
                 const struct get_request *request, struct arena *arena,
                 struct get_response *response, struct fault *fault)
{
    struct eye eye = eye_of(caller);
    struct record_key record = {.kind = request->kind};
    if (request->kind == 0 || request->kind > KIND_MAX || request->id.n != ID_SIZE)
        return fault_set(fault, ERR_MALFORMED, "GetRequest: kind or id is missing");
    memcpy(record.id, request->id.p, ID_SIZE);
    response->record = arena_alloc(arena, 1, sizeof *response->record);
    if (!response->record)
        return ERR_NOMEM;
    enum err err = view_record(txn, &caller->community, &record, &eye, arena, response->record);
    if (!err && response->record->record.n > RECORD_MAX)
        err = ERR_LIMIT;
    return read_failed(err, fault);
}

struct listing {
    struct txn *txn;
    const struct hub_caller *caller;
    struct arena *arena;
    struct list_response *response;
    size_t size; // of the page
    struct bytes after;
    const struct record_key *about; // NULL: whatever
    uint8_t *last;                  // id of the last record that was looked at
    size_t bytes;
    size_t looked; // records looked at, and voices counted
    bool full;
    enum err err;
};

// What one answer may look at: with the rest the next page goes on.
enum { LOOKED_MAX = 20000 };

static bool part_is(struct bytes part, const struct record_key *to)
{
    return part.n == 4 + ID_SIZE && be32_get(part.p) == to->kind &&
           memcmp(part.p + 4, to->id, ID_SIZE) == 0;
}

static bool edit_is(struct bytes edit, const struct record_key *to)
{
    struct wire_field field;
    struct ref ref = {0};
    struct wire_reader reader = wire_reader(edit);
    return wire_next(&reader, &field) == OK &&
           message_decode(&ref_message, field.bytes, NULL, &ref, NULL) == OK &&
           ref.kind == to->kind && bytes_equal(ref.id, BYTES(to->id));
}

// What is referred to may have been gone over since it was noted.
static bool still_about(const struct record_view *view, const struct record_key *to)
{
    for (size_t i = 0; i < view->parts.n; i++) {
        if (part_is(*LIST_AT(struct bytes, view->parts, i), to))
            return true;
    }
    const struct field_view *first = view->fields.n ? view->fields.p : NULL;
    for (size_t i = 0; first && first->field == FIELD_ABOUT && i < first->edits.n; i++) {
        if (edit_is(LIST_AT(struct live_edit, first->edits, i)->edit, to))
            return true;
    }
    return false;
}

static size_t voices_of(const struct record_view *view)
{
    const struct tally *tally = view->tally;
    return tally ? tally->for_ + tally->against + tally->unsure : 0;
}

// Nothing of it is seen, or it is damaged or too large for an answer: the others are given.
static bool is_left_out(enum err err)
{
    return err == ERR_NOT_FOUND || err == ERR_DAMAGED || err == ERR_NOMEM || err == ERR_LIMIT;
}

// Adds a record to the page. False when the page is full or failed.
static bool list_one(struct listing *l, const struct record_key *record)
{
    struct eye eye = eye_of(l->caller);
    struct list *records = &l->response->records;
    struct record_view *view = LIST_AT(struct record_view, *records, records->n);
    l->full = records->n == l->size || l->bytes > RECORD_MAX || l->looked > LOOKED_MAX;
    if (l->full)
        return false;
    enum err err = view_record(l->txn, &l->caller->community, record, &eye, l->arena, view);
    // With the memory used up nothing more fits, even if what used it was not given; a record that
    // is too large by itself is left out.
    l->full = err == ERR_NOMEM;
    if (l->full && l->looked > 0)
        return false;
    l->looked += 1 + voices_of(view);
    if (err == OK && view->record.n <= RECORD_MAX && (!l->about || still_about(view, l->about))) {
        records->n++;
        l->bytes += view->record.n * 2;
    } else if (err && !is_left_out(err)) {
        l->err = err;
    }
    memcpy(l->last, record->id, ID_SIZE);
    l->response->next_page = bytes_of(l->last, ID_SIZE);
    return !l->err && !l->full;
}

static bool list_about(const struct record_key *from, struct bytes extra, void *arg)
{
    (void)extra;
    struct listing *l = arg;
    if (l->after.n && memcmp(from->id, l->after.p, ID_SIZE) <= 0)
        return true;
    return list_one(l, from);
}

static void list_kind(struct listing *l, uint32_t kind)
{
    struct record_key record;
    const uint8_t *after = l->after.n ? l->after.p : NULL;
    while (!l->err) {
        enum err err = live_next_record(l->txn, l->caller->community.number, kind, after, &record);
        if (err == ERR_NOT_FOUND)
            return;
        l->err = err;
        if (err || !list_one(l, &record))
            return;
        after = record.id;
    }
}

enum err hub_list(struct txn *txn, const struct hub_caller *caller,
                  const struct list_request *request, struct arena *arena,
                  struct list_response *response, struct fault *fault)
{
    size_t size = request->page_size ? request->page_size : PAGE_DEFAULT;
    *response = (struct list_response){0};
    if (request->kind == 0 || request->kind > KIND_MAX || size > PAGE_MAX ||
        (request->page.n && request->page.n != ID_SIZE) ||
        (request->about && (request->about->kind == 0 || request->about->kind > KIND_MAX ||
                            request->about->id.n != ID_SIZE)))
        return fault_set(fault, ERR_MALFORMED,
                         "ListRequest: kind, page, page_size or about is wrong");
    struct listing l = {.txn = txn, .caller = caller, .arena = arena, .response = response};
    l.size = size;
    l.after = request->page;
    response->records.p = arena_alloc(arena, size + 1, sizeof(struct record_view));
    l.last = arena_alloc(arena, 1, ID_SIZE);
    if (!response->records.p || !l.last)
        return ERR_NOMEM;
    if (request->about) {
        struct record_key to = {.kind = request->about->kind};
        memcpy(to.id, request->about->id.p, ID_SIZE);
        l.about = &to;
        enum err err =
            about_each(txn, caller->community.number, &to, request->kind, list_about, &l);
        // One reference that is damaged does not hide the others.
        if (!l.err)
            l.err = err == ERR_DAMAGED ? txn_error(txn) : err;
    } else {
        list_kind(&l, request->kind);
    }
    if (!l.full)
        response->next_page = (struct bytes){0};
    return read_failed(l.err, fault);
}

enum err hub_me(struct txn *txn, const struct hub_caller *caller, struct arena *arena,
                struct me_response *response, struct fault *fault)
{
    uint8_t root[HASH_SIZE];
    const struct device *device = &caller->device;
    const struct community *community = &caller->community;
    enum err err = tree_root(txn, community->number, community->size, root);
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    struct log_head *log = arena_alloc(arena, 1, sizeof *log);
    if (!log)
        return ERR_NOMEM;
    *log = (struct log_head){arena_copy(arena, BYTES(community->log)), community->size,
                             arena_copy(arena, BYTES(root))};
    *response = (struct me_response){
        .device = arena_copy(arena, BYTES(device->handle)),
        .community = arena_copy(arena, BYTES(community->id)),
        .role = (uint32_t)device->role,
        .seq = device->seq,
        .head = arena_copy(arena, BYTES(device->head)),
        .log = log,
    };
    bool made = log->log.p && log->root.p && response->device.p && response->community.p &&
                response->head.p;
    return made ? OK : ERR_NOMEM;
}
