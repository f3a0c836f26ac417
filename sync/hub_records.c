// Records for clients that keep no store of their own.

#include "proto/schema.h"
#include "sync/hub.h"
#include "sync/tree.h"
#include "sync/view.h"

static struct view_eye eye_of(const struct hub_caller *caller)
{
    return (struct view_eye){caller->device.role == ROLE_COORDINATOR, caller->device.handle};
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
    struct view_eye eye = eye_of(caller);
    struct record_key record = {.kind = request->kind};
    if (request->kind == 0 || request->kind > KIND_MAX || request->id.n != ID_SIZE)
        return fault_set(fault, ERR_MALFORMED, "GetRequest: kind or id is missing");
    memcpy(record.id, request->id.p, ID_SIZE);
    response->record = arena_alloc(arena, 1, sizeof *response->record);
    if (!response->record)
        return ERR_NOMEM;
    return read_failed(view_record(txn, &caller->community, &record, &eye, arena, response->record),
                       fault);
}

struct listing {
    struct txn *txn;
    const struct hub_caller *caller;
    struct arena *arena;
    struct list_response *response;
    size_t size; // of the page
    struct bytes after;
    size_t bytes;
    bool full;
    enum err err;
};

// Adds a record to the page. False when the page is full or failed.
static bool list_one(struct listing *l, const struct record_key *record)
{
    struct view_eye eye = eye_of(l->caller);
    struct list *records = &l->response->records;
    struct record_view *view = LIST_AT(struct record_view, *records, records->n);
    l->full = records->n == l->size || l->bytes > RECORD_MAX;
    if (l->full)
        return false;
    enum err err = view_record(l->txn, &l->caller->community, record, &eye, l->arena, view);
    if (err == OK) {
        records->n++;
        l->bytes += view->record.n * 2;
        l->response->next_page = view->id;
    } else if (err != ERR_NOT_FOUND && err != ERR_DAMAGED) {
        l->err = err;
    }
    return !l->err;
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
    if (!response->records.p)
        return ERR_NOMEM;
    if (request->about) {
        struct record_key to = {.kind = request->about->kind};
        memcpy(to.id, request->about->id.p, ID_SIZE);
        enum err err =
            about_each(txn, caller->community.number, &to, request->kind, list_about, &l);
        l.err = l.err ? l.err : err;
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
