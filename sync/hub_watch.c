// What changes, for callers who listen: the log's new entries, by the records that they are about.

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/counts.h"
#include "storage/log.h"
#include "sync/audience.h"
#include "sync/eye.h"
#include "sync/given.h"
#include "sync/hub_private.h"
#include "sync/merge.h"

// What one look may read, entries and what they lead to: whoever is further behind looks at
// everything again.
enum {
    WORK_MAX = 1000,
    ANSWERS_DEEP = 3,
    CURSOR_SIZE = HANDLE_SIZE + 8,
    SUBJECT_SIZE = 4 + ID_SIZE
};

struct watching {
    struct txn *txn;
    const struct hub_caller *caller;
    struct arena *arena;
    struct watch_response *response;
    size_t work;
    enum err err; // the first; sticks
};

// False: it is enough.
static bool work(struct watching *w)
{
    w->response->more |= w->work++ >= WORK_MAX;
    return !w->response->more && !w->err;
}

static uint32_t number_of(const struct watching *w)
{
    return w->caller->community.number;
}

// --- a record ---

static bool is_for(struct watching *w, uint32_t class, const uint8_t device[HANDLE_SIZE],
                   const struct record_key *record)
{
    struct eye eye = {.role = w->caller->device.role, .device = w->caller->device.handle};
    if (!hub_is_observer(w->caller))
        return eye_sees(&eye, class, device, record);
    enum err err = given_kind(record->kind)
                       ? audience_is_outside(w->txn, number_of(w), record, &eye.is_in_audience)
                       : OK;
    if (err == ERR_NOMEM && !w->err)
        w->err = err;
    return eye.is_in_audience;
}

static bool is_told(const struct watching *w, const struct ref *ref)
{
    for (size_t i = 0; i < w->response->changed.n; i++) {
        const struct ref *told = LIST_AT(struct ref, w->response->changed, i);
        if (told->kind == ref->kind && bytes_equal(told->id, ref->id))
            return true;
    }
    return false;
}

static void tell(struct watching *w, const struct record_key *record)
{
    struct mask mask = hub_mask(w->caller);
    struct record_key named = *record;
    enum err err = hub_is_observer(w->caller) ? mask_ids(&mask, named.kind, named.id, 1) : OK;
    struct ref ref = {named.kind, BYTES(named.id)};
    if (err || w->err || is_told(w, &ref)) {
        w->err = w->err ? w->err : err;
        return;
    }
    if (w->response->changed.n == WATCH_REFS_MAX) {
        w->response->more = true;
        return;
    }
    ref.id = arena_copy(w->arena, ref.id);
    if (!ref.id.p)
        w->err = ERR_NOMEM;
    else
        *LIST_AT(struct ref, w->response->changed, w->response->changed.n++) = ref;
}

// --- a change ---

struct said {
    struct envelope envelope;
    struct record_key record;
    uint8_t device[HANDLE_SIZE];
};

// What is looked at because of somebody's change is the community's own, if it is of a kind that
// is.
static void tell_other(struct watching *w, const struct said *said, uint32_t kind, struct bytes id)
{
    struct record_key record = {.kind = kind};
    const struct schema_kind *known = schema_kind(kind);
    if (id.n != ID_SIZE || !known || !work(w))
        return;
    memcpy(record.id, id.p, ID_SIZE);
    if (is_for(w, known->class, said->device, &record))
        tell(w, &record);
}

// An observer is not told of single voices, whose numbers it is given rounded.
static void tell_parts(struct watching *w, const struct said *said)
{
    for (size_t i = 0; i < said->envelope.parts.n && !hub_is_observer(w->caller); i++) {
        const struct bytes *part = LIST_AT(struct bytes, said->envelope.parts, i);
        // Whoever is one with somebody else moves the numbers of all that they spoke on.
        if (part->n == SUBJECT_SIZE && be32_get(part->p) == KIND_PERSON)
            w->response->more = true;
        else if (part->n == SUBJECT_SIZE)
            tell_other(w, said, be32_get(part->p), bytes_of(part->p + 4, ID_SIZE));
    }
}

static void tell_about(struct watching *w, const struct said *said, const struct wire_field *field)
{
    struct ref ref = {0};
    if (field->number == FIELD_ABOUT && field->type == WIRE_SIZED &&
        message_decode(&ref_message, field->bytes, NULL, &ref, NULL) == OK)
        tell_other(w, said, ref.kind, ref.id);
}

// What it was about before.
static void tell_over(struct watching *w, const struct said *said, const struct dot *dot)
{
    struct log_body body;
    struct wire_field field;
    uint64_t position;
    if (!work(w) || log_find(w->txn, number_of(w), dot->device.p, dot->seq, &position))
        return;
    enum err err = log_get_body(w->txn, number_of(w), position, &body);
    w->response->more |= err == ERR_DAMAGED;
    if (!err && fields_edit(body.fields, dot->index, &field))
        tell_about(w, said, &field);
}

// What it answers, and what that answers: their state may be another now.
struct answering {
    struct watching *w;
    const struct said *said;
    unsigned deep;
};

static bool tell_answered(const struct record_key *other, void *arg)
{
    struct answering *answering = arg;
    struct watching *w = answering->w;
    tell_other(w, answering->said, other->kind, BYTES(other->id));
    struct answering next = {w, answering->said, answering->deep + 1};
    if (next.deep < ANSWERS_DEEP && !w->response->more &&
        link_each(w->txn, number_of(w), other, true, tell_answered, &next))
        w->response->more = true;
    return !w->err && !w->response->more;
}

static void tell_all_answered(struct watching *w, const struct said *said)
{
    struct answering answering = {w, said, 0};
    if (said->record.kind >= KIND_CONSTRAINT && said->record.kind <= KIND_OUTCOME &&
        link_each(w->txn, number_of(w), &said->record, true, tell_answered, &answering))
        w->response->more = true;
}

// Decisions that change how others' changes count, who is one person, or destroy words.
static bool concerns_others(const struct said *said, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    bool any = said->envelope.over.n > 0;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK)
        any |= field.number >= FIELD_ENROLMENT && field.number <= FIELD_CLOSING_ALONE;
    return any;
}

static void tell_fields(struct watching *w, const struct said *said, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK)
        tell_about(w, said, &field);
    for (size_t i = 0; i < said->envelope.over.n && !w->response->more; i++)
        tell_over(w, said, LIST_AT(struct dot, said->envelope.over, i));
}

// An observer may have to forget it: what is withdrawn from its audience is told to nobody outside.
static bool moves_audience(const struct watching *w, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    bool any = false;
    while (hub_is_observer(w->caller) && !wire_at_end(&reader) && wire_next(&reader, &field) == OK)
        any |= field.number == FIELD_AUDIENCE || field.number == FIELD_SENSITIVITY;
    return any;
}

static void tell_change(struct watching *w, uint64_t position, const struct log_entry *entry)
{
    struct said said;
    struct log_body body = {.fields = {NULL, 0}};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    memcpy(said.device, entry->device, HANDLE_SIZE);
    enum err err =
        entry->form == LOG_WHOLE ? log_get_body(w->txn, number_of(w), position, &body) : OK;
    struct bytes fields = arena_copy(&arena, body.fields);
    if (!err)
        err = merge_envelope(w->txn, arena_copy(&arena, entry->envelope), &arena, &said.envelope);
    // What is damaged may have been anything.
    if (err || (body.fields.n && !fields.p)) {
        w->response->more = true;
        return;
    }
    merge_record(&said.envelope, entry->device, entry->seq, log_tag(entry), &said.record);
    if (said.record.kind == KIND_DECISION) {
        w->response->more |= concerns_others(&said, fields);
        return;
    }
    w->response->more |= moves_audience(w, fields) ||
                         (said.record.kind == KIND_PERSON && !hub_is_observer(w->caller));
    if (is_for(w, said.envelope.class, said.device, &said.record))
        tell(w, &said.record);
    tell_all_answered(w, &said);
    tell_parts(w, &said);
    tell_fields(w, &said, fields);
}

static void look_at(struct watching *w, uint64_t position)
{
    struct log_entry entry;
    enum err err = log_get(w->txn, number_of(w), position, &entry);
    if (!err && entry.form == LOG_AGAIN) {
        position = entry.first;
        err = log_get(w->txn, number_of(w), position, &entry);
    }
    if (!err && entry.form != LOG_AGAIN)
        tell_change(w, position, &entry);
    else
        w->response->more = true;
}

// --- the cursor ---

static enum err begin(const struct hub_caller *caller, const struct watch_request *request,
                      struct hub_watched *watched, bool *is_lost, struct fault *fault)
{
    const struct community *community = &caller->community;
    if (request->cursor.n != 0 && request->cursor.n != CURSOR_SIZE)
        return fault_set(fault, ERR_MALFORMED, "WatchRequest: cursor is wrong");
    *watched = (struct hub_watched){.is_begun = true, .position = community->size};
    memcpy(watched->log, community->log, HANDLE_SIZE);
    if (request->cursor.n == 0)
        return OK;
    uint64_t position = be64_get(request->cursor.p + HANDLE_SIZE);
    // A hub that was restored has another log.
    *is_lost =
        memcmp(request->cursor.p, community->log, HANDLE_SIZE) != 0 || position > community->size;
    if (!*is_lost)
        watched->position = position;
    return OK;
}

static void put_cursor(struct watching *w, const struct hub_watched *watched)
{
    uint8_t cursor[CURSOR_SIZE];
    memcpy(cursor, watched->log, HANDLE_SIZE);
    be64_put(cursor + HANDLE_SIZE, watched->position);
    w->response->cursor = arena_copy(w->arena, BYTES(cursor));
    if (!w->response->cursor.p && !w->err)
        w->err = ERR_NOMEM;
}

static void look(struct watching *w, struct hub_watched *watched)
{
    const struct community *community = &w->caller->community;
    w->response->more |= community->size - watched->position > WORK_MAX;
    while (watched->position < community->size && work(w) && !txn_error(w->txn))
        look_at(w, ++watched->position);
    if (w->response->more)
        watched->position = community->size;
}

enum err hub_watch(struct txn *txn, const struct hub_caller *caller,
                   const struct watch_request *request, struct hub_watched *watched,
                   struct arena *arena, struct watch_response *response, struct fault *fault)
{
    struct watching w = {txn, caller, arena, response, 0, OK};
    bool is_lost = false;
    *response = (struct watch_response){.more = false};
    enum err err = watched->is_begun ? OK : begin(caller, request, watched, &is_lost, fault);
    if (err)
        return err;
    response->changed.p = arena_alloc(arena, WATCH_REFS_MAX, sizeof(struct ref));
    if (!response->changed.p)
        return ERR_NOMEM;
    look(&w, watched);
    response->more |= is_lost;
    put_cursor(&w, watched);
    err = txn_error(txn) ? txn_error(txn) : w.err;
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    return hub_name_log(txn, &caller->community, arena, &response->log, fault);
}
