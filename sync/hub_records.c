// Records for clients that keep no store of their own.

#include "proto/schema.h"
#include "sync/audience.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/names.h"
#include "sync/tree.h"
#include "sync/view.h"

static size_t voices_of(const struct record_view *view)
{
    const struct tally *tally = view->tally;
    return tally ? tally->for_ + tally->against + tally->unsure : 0;
}

void hub_observer_secret(const uint8_t identity_seed[SIGN_SEED_SIZE], uint8_t secret[32])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot observer secret v1");
    hash_put(&hash, bytes_of(identity_seed, SIGN_SEED_SIZE));
    hash_end(&hash, secret);
}

bool hub_is_observer(const struct hub_caller *caller)
{
    return role_may_call(caller->device.role, CALL_LIST) == REACH_AUDIENCE;
}

struct mask hub_mask(const struct hub_caller *caller)
{
    return (struct mask){caller->policy.observer_secret, caller->device.handle};
}

enum err hub_look(struct txn *txn, const struct hub_caller *caller, const struct record_key *record,
                  const struct record_key *about, struct arena *arena, struct record_view *view,
                  size_t *voices)
{
    struct eye eye = {.role = caller->device.role, .device = caller->device.handle};
    struct mask mask = hub_mask(caller);
    *voices = 0;
    enum err err = hub_is_observer(caller) ? audience_is_outside(txn, caller->community.number,
                                                                 record, &eye.is_in_audience)
                                           : OK;
    if (!err)
        err = view_record(txn, &caller->community, record, &eye, arena, view);
    if (err)
        return err;
    *voices = voices_of(view);
    if (about && !view_is_about(view, about))
        return ERR_NOT_FOUND;
    return hub_is_observer(caller) ? mask_view(&mask, arena, view) : OK;
}

bool hub_is_used_up(enum err err, const struct arena *arena)
{
    return err == ERR_NOMEM && arena->err == ERR_LIMIT;
}

static enum err read_failed(enum err err, const struct arena *arena, struct fault *fault)
{
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "no such record");
    if (err == ERR_LIMIT || hub_is_used_up(err, arena))
        return fault_set(fault, ERR_LIMIT, "the record is too large for one answer");
    return err ? fault_set(fault, err, "the record could not be read: %s", err_text(err)) : OK;
}

enum err hub_get(struct txn *txn, const struct hub_caller *caller,
                 const struct get_request *request, struct arena *arena,
                 struct get_response *response, struct fault *fault)
{
    size_t voices;
    struct record_key record = {.kind = request->kind};
    if (request->kind == 0 || request->kind > KIND_MAX || request->id.n != ID_SIZE)
        return fault_set(fault, ERR_MALFORMED, "GetRequest: kind or id is missing");
    memcpy(record.id, request->id.p, ID_SIZE);
    response->record = arena_alloc(arena, 1, sizeof *response->record);
    if (!response->record)
        return ERR_NOMEM;
    struct mask mask = hub_mask(caller);
    enum err err = hub_is_observer(caller) ? mask_id_back(&mask, record.kind, record.id) : OK;
    if (!err)
        err = hub_look(txn, caller, &record, NULL, arena, response->record, &voices);
    if (!err && response->record->record.n > RECORD_MAX)
        err = ERR_LIMIT;
    if (txn_error(txn))
        err = txn_error(txn);
    return read_failed(err, arena, fault);
}

struct listing {
    struct txn *txn;
    const struct hub_caller *caller;
    struct arena *arena;
    struct list_response *response;
    size_t size; // of the page
    struct bytes after;
    const struct record_key *about; // NULL: whatever
    struct names *names;            // of an observer's; NULL: of others'
    uint8_t *last;                  // name of the last record that was looked at
    size_t bytes;
    size_t looked; // records looked at, and voices counted
    bool full;
    enum err err;
};

// What one answer may look at: with the rest the next page goes on.
enum { LOOKED_MAX = 20000 };

bool hub_is_left_out(enum err err, const struct arena *arena)
{
    return err == ERR_NOT_FOUND || err == ERR_DAMAGED || err == ERR_LIMIT ||
           hub_is_used_up(err, arena);
}

// Adds a record, whose name is what the caller knows it by, to the page. False when the page is
// full or failed.
static bool list_one(struct listing *l, const struct record_key *record,
                     const uint8_t name[ID_SIZE])
{
    struct list *records = &l->response->records;
    struct record_view *view = LIST_AT(struct record_view, *records, records->n);
    size_t voices;
    l->full = records->n == l->size || l->bytes > RECORD_MAX || l->looked > LOOKED_MAX;
    if (l->full)
        return false;
    enum err err = hub_look(l->txn, l->caller, record, l->about, l->arena, view, &voices);
    // With the room used up nothing more fits, even if what used it was not given; a record that
    // is too large by itself is left out.
    l->full = hub_is_used_up(err, l->arena);
    if (l->full && l->looked > 0)
        return false;
    l->looked += 1 + voices;
    if (err == OK && view->record.n <= RECORD_MAX) {
        records->n++;
        l->bytes += view->record.n * 2;
    } else if (err && !hub_is_left_out(err, l->arena)) {
        l->err = err;
    }
    memcpy(l->last, name, ID_SIZE);
    l->response->next_page = bytes_of(l->last, ID_SIZE);
    return !l->err && !l->full;
}

// An observer's page is in the order of names, which are known once all ids are.
static bool list_id(struct listing *l, const struct record_key *record)
{
    if (!l->names)
        return list_one(l, record, record->id);
    names_add(l->names, record->id);
    return !l->names->err;
}

static void list_names(struct listing *l)
{
    struct names *names = l->names;
    l->err = names_end(names);
    for (size_t i = 0; !l->err && i < names->n; i++) {
        struct record_key record = {.kind = names->kind};
        memcpy(record.id, names->p[i], ID_SIZE);
        l->err = mask_id_back(&names->mask, names->kind, record.id);
        if (l->err || !list_one(l, &record, names->p[i]))
            return;
    }
    l->full |= names->more;
}

static bool list_about(const struct record_key *from, struct bytes extra, void *arg)
{
    (void)extra;
    struct listing *l = arg;
    if (!l->names && l->after.n && memcmp(from->id, l->after.p, ID_SIZE) <= 0)
        return true;
    return list_id(l, from);
}

static void list_all_about(struct listing *l, uint32_t kind)
{
    enum err err = about_each(l->txn, l->caller->community.number, l->about, kind, list_about, l);
    // One reference that is damaged does not hide the others.
    if (!l->err)
        l->err = err == ERR_DAMAGED ? txn_error(l->txn) : err;
}

static void list_kind(struct listing *l, uint32_t kind)
{
    struct record_key record;
    const uint8_t *after = l->after.n && !l->names ? l->after.p : NULL;
    while (!l->err) {
        enum err err = live_next_record(l->txn, l->caller->community.number, kind, after, &record);
        if (err == ERR_NOT_FOUND)
            return;
        l->err = err;
        if (err || !list_id(l, &record))
            return;
        after = record.id;
    }
}

static enum err read_about(const struct hub_caller *caller, const struct ref *ref,
                           struct record_key *about)
{
    struct mask mask = hub_mask(caller);
    about->kind = ref->kind;
    memcpy(about->id, ref->id.p, ID_SIZE);
    return hub_is_observer(caller) ? mask_id_back(&mask, about->kind, about->id) : OK;
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
    struct names names NAMES_CLEANUP = {
        .mask = hub_mask(caller), .kind = request->kind, .after = request->page};
    struct record_key about;
    uint64_t damage = txn_damage(txn);
    l.names = hub_is_observer(caller) ? &names : NULL;
    if (request->about) {
        l.err = read_about(caller, request->about, &about);
        l.about = &about;
    }
    if (!l.err && l.about)
        list_all_about(&l, request->kind);
    else
        list_kind(&l, request->kind);
    if (!l.err && l.names)
        list_names(&l);
    if (!l.full)
        response->next_page = (struct bytes){0};
    response->damaged = txn_damage(txn) != damage;
    if (txn_error(txn))
        l.err = txn_error(txn);
    return read_failed(l.err, arena, fault);
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
    bool is_first = device_first(device) == device->handle;
    *response = (struct me_response){
        .device = arena_copy(arena, BYTES(device->handle)),
        .community = arena_copy(arena, BYTES(community->id)),
        .role = (uint32_t)device->role,
        .seq = device->seq,
        .head = arena_copy(arena, BYTES(device->head)),
        .log = log,
        .first_device = arena_copy(arena, bytes_of(device->first, is_first ? 0 : HANDLE_SIZE)),
    };
    bool made = log->log.p && log->root.p && response->device.p && response->community.p &&
                response->head.p && response->first_device.p;
    return made ? OK : ERR_NOMEM;
}
