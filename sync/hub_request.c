// What devices ask of the hub by changes of their own, so that it is seen who wanted what.

#include "proto/schema.h"
#include "storage/log.h"
#include "sync/hub.h"
#include "sync/hub_private.h"

// Whatever ASKED_MAX Requests may name.
enum { ACTING_ARENA_MAX = ASKED_MAX * EDITS_MAX * 2 * ID_SIZE };

// One change that asks.
struct asking {
    struct hub_acting *acting;
    struct hub_decider *decider;
    const struct device *asker;
    const struct record_key *record;
    struct arena arena;
};

// The peer's faults are not the push's: whoever asked sees that nothing was decided.
static enum err left_out(enum err err)
{
    switch (err) {
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_FORBIDDEN:
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_WRONG_STATE:
        return OK;
    case OK:
    case ERR_VERSION:
    case ERR_UNAUTHENTICATED:
    case ERR_CUT:
    case ERR_QUOTA:
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_FULL:
    case ERR_DAMAGED:
    case ERR_BUSY:
        break;
    }
    return err;
}

static bool is_coordinator(const struct asking *a)
{
    return a->asker->role == ROLE_COORDINATOR;
}

// --- Membership: all of it in one change ---

struct membership {
    struct bytes device;
    bool has_role;
    bool has_revoked;
    enum role role;
    bool revoked;
};

static struct membership membership_of(struct bytes fields)
{
    struct membership m = {.role = ROLE_NONE};
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        if (field.number == FIELD_MEMBERSHIP_DEVICE) {
            m.device = field.bytes;
        } else if (field.number == FIELD_MEMBERSHIP_ROLE) {
            m.has_role = true;
            m.role = field.value < ROLE_COUNT ? (enum role)field.value : ROLE_NONE;
        } else if (field.number == FIELD_MEMBERSHIP_REVOKED) {
            m.has_revoked = true;
            m.revoked = field.value != 0;
        }
    }
    return m;
}

static enum err act_membership(struct asking *a, struct bytes fields)
{
    struct membership m = membership_of(fields);
    uint8_t handle[HANDLE_SIZE];
    enum err err = OK;
    if (m.device.n != HANDLE_SIZE)
        return OK;
    memcpy(handle, m.device.p, HANDLE_SIZE);
    if (m.has_revoked && m.revoked)
        err = hub_revoke(a->decider, a->record, handle);
    else if (m.has_revoked)
        err = hub_reinstate(a->decider, a->record, handle);
    if (!left_out(err) && m.has_role)
        err = hub_grant(a->decider, a->record, handle, m.role);
    return left_out(err);
}

// --- Request ---

static size_t count(struct bytes fields, uint32_t number)
{
    size_t n = 0;
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK)
        n += field.number == number && field.type == WIRE_SIZED;
    return n;
}

// The values of a repeated message, decoded.
static enum err values_of(struct asking *a, struct bytes fields, uint32_t number,
                          const struct message *message, struct list *values)
{
    size_t n = count(fields, number);
    uint8_t *p = arena_alloc(&a->arena, n + 1, message->size);
    struct wire_reader reader = wire_reader(fields);
    struct wire_field field;
    if (!p)
        return ERR_NOMEM;
    *values = (struct list){p, 0};
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        if (field.number == number && field.type == WIRE_SIZED &&
            message_decode(message, field.bytes, NULL, p + values->n * message->size, NULL) == OK)
            values->n++;
    }
    return OK;
}

// Erases what is gathered.
static enum err erase_gathered(struct hub_acting *acting)
{
    size_t changes = acting->changes.n / sizeof(struct change_ref);
    size_t records = acting->records.n / sizeof(struct ref);
    size_t asked = acting->asked.n / sizeof(struct record_key);
    struct hub_erasing what = {.by = acting->everybodys ? NULL : acting->by,
                               .changes = {acting->changes.p, changes},
                               .records = {acting->records.p, records},
                               .asked = {acting->asked.p, asked}};
    uint64_t erased = 0;
    bool full = acting->changes.err || acting->records.err || acting->asked.err;
    enum err err = full ? ERR_NOMEM : OK;
    if (!err && asked)
        err = left_out(hub_erase(acting->decider, &what, &erased));
    buf_reset(&acting->changes);
    buf_reset(&acting->records);
    buf_reset(&acting->asked);
    arena_done(&acting->arena);
    arena_init(&acting->arena, ACTING_ARENA_MAX);
    return err;
}

// All that is gathered is asked for by one right.
static enum err begin_gathering(struct hub_acting *acting, const struct asking *a)
{
    bool goes_on = acting->everybodys == is_coordinator(a) &&
                   memcmp(acting->by, a->asker->handle, HANDLE_SIZE) == 0 &&
                   acting->asked.n < ASKED_MAX * sizeof(struct record_key);
    enum err err = acting->asked.n && !goes_on ? erase_gathered(acting) : OK;
    acting->everybodys = is_coordinator(a);
    memcpy(acting->by, a->asker->handle, HANDLE_SIZE);
    return err;
}

static void gather(struct hub_acting *acting, const struct asking *a, const struct list *changes,
                   const struct list *records)
{
    for (size_t i = 0; i < changes->n; i++) {
        struct change_ref ref = *LIST_AT(struct change_ref, *changes, i);
        ref.device =
            arena_copy(&acting->arena, ref.device.n ? ref.device : BYTES(a->asker->handle));
        if (ref.device.p)
            buf_put(&acting->changes, bytes_of(&ref, sizeof ref));
        else
            acting->changes.err = ERR_NOMEM;
    }
    for (size_t i = 0; i < records->n; i++) {
        struct ref ref = *LIST_AT(struct ref, *records, i);
        ref.id = arena_copy(&acting->arena, ref.id);
        if (ref.id.p)
            buf_put(&acting->records, bytes_of(&ref, sizeof ref));
        else
            acting->records.err = ERR_NOMEM;
    }
    buf_put(&acting->asked, bytes_of(a->record, sizeof *a->record));
}

static enum err act_erase(struct asking *a, struct bytes fields)
{
    struct list changes;
    struct list records;
    enum err err = values_of(a, fields, FIELD_REQUEST_ERASE, &change_ref_message, &changes);
    if (!err)
        err = values_of(a, fields, FIELD_REQUEST_ERASE_RECORD, &ref_message, &records);
    if (err || (changes.n == 0 && records.n == 0))
        return err;
    err = begin_gathering(a->acting, a);
    if (!err)
        gather(a->acting, a, &changes, &records);
    return err;
}

static enum err act_release(struct asking *a, struct bytes fields)
{
    struct list changes;
    enum err err = values_of(a, fields, FIELD_REQUEST_RELEASE, &change_ref_message, &changes);
    for (size_t i = 0; !err && is_coordinator(a) && i < changes.n; i++) {
        const struct change_ref *ref = LIST_AT(struct change_ref, changes, i);
        uint32_t released;
        if (ref->device.n == HANDLE_SIZE)
            err = left_out(
                hub_release(a->decider, a->record, ref->device.p, ref->seq, ref->seq, &released));
    }
    return err;
}

void hub_act_begin(struct hub_acting *acting, struct hub_decider *decider)
{
    *acting = (struct hub_acting){.decider = decider};
    arena_init(&acting->arena, ACTING_ARENA_MAX);
}

enum err hub_act(struct hub_acting *acting, const struct device *asker,
                 const struct record_key *record, struct bytes fields)
{
    struct asking a = {
        .acting = acting, .decider = acting->decider, .asker = asker, .record = record};
    arena_init(&a.arena, (size_t)4 * CHANGE_MAX);
    enum err err = OK;
    if (record->kind == KIND_MEMBERSHIP && is_coordinator(&a))
        err = act_membership(&a, fields);
    if (record->kind == KIND_REQUEST)
        err = act_erase(&a, fields);
    if (!err && record->kind == KIND_REQUEST)
        err = act_release(&a, fields);
    arena_done(&a.arena);
    return err;
}

enum err hub_act_end(struct hub_acting *acting, enum err err)
{
    if (!err)
        err = erase_gathered(acting);
    buf_done(&acting->changes);
    buf_done(&acting->records);
    buf_done(&acting->asked);
    arena_done(&acting->arena);
    return err;
}
