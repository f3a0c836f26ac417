// The log of what was decided, as the hub's own chain tells it: who may what since when, what was
// set apart, erased, withdrawn, and who asked. Never words.

#include "base/text.h"
#include "daemon/admin_private.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/digest.h"

enum { LIMIT_DEFAULT = 200, LIMIT_MAX = 2000 };

struct auditing {
    struct txn *txn;
    const struct community *community;
    cJSON *list;
    int64_t time;
    uint32_t seq;
    char asked[2 * HANDLE_SIZE + 1]; // by which device; "": the admin
    size_t n;
    size_t max;
};

static void put_device(struct auditing *a, cJSON *item, struct bytes handle)
{
    struct device device;
    if (handle.n != HANDLE_SIZE)
        return;
    admin_hex(item, "device", handle);
    if (device_get(a->txn, a->community->number, handle.p, &device) == OK && device.label[0])
        (void)cJSON_AddStringToObject(item, "label", device.label);
}

static cJSON *put_line(struct auditing *a, const char *what)
{
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(item, "time", (double)a->time);
    admin_number(item, "seq", a->seq);
    (void)cJSON_AddStringToObject(item, "what", what);
    (void)cJSON_AddStringToObject(item, "asked_by", a->asked[0] ? a->asked : "admin");
    (void)cJSON_AddItemToArray(a->list, item);
    a->n++;
    return item;
}

static void put_role(cJSON *item, uint32_t role)
{
    (void)cJSON_AddStringToObject(item, "role", role_name((enum role)role));
}

static void put_change(struct auditing *a, cJSON *item, struct bytes handle, uint32_t seq)
{
    put_device(a, item, handle);
    admin_number(item, "change", seq);
}

static void audit_enrolment(struct auditing *a, struct bytes value)
{
    struct enrolment in = {0};
    uint8_t handle[HANDLE_SIZE];
    if (message_decode(&enrolment_message, value, NULL, &in, NULL) || in.key.n != KEY_SIZE)
        return;
    digest_handle(a->community->id, in.key.p, handle);
    cJSON *item = put_line(a, "enrolled");
    put_device(a, item, BYTES(handle));
    put_role(item, in.role);
}

static void audit_grant(struct auditing *a, struct bytes value)
{
    struct role_grant in = {0};
    if (message_decode(&role_grant_message, value, NULL, &in, NULL))
        return;
    cJSON *item = put_line(a, "role");
    put_device(a, item, in.device);
    put_role(item, in.role);
    admin_number(item, "from", in.from);
}

static void audit_revocation(struct auditing *a, struct bytes value)
{
    struct revocation in = {0};
    if (message_decode(&revocation_message, value, NULL, &in, NULL))
        return;
    cJSON *item = put_line(a, "revoked");
    put_device(a, item, in.device);
    admin_number(item, "from", in.from);
}

static void audit_refusal(struct auditing *a, struct bytes value)
{
    struct refusal in = {0};
    if (message_decode(&refusal_message, value, NULL, &in, NULL))
        return;
    cJSON *item = put_line(a, "set apart");
    put_change(a, item, in.device, in.seq);
    admin_number(item, "reason", in.reason);
}

static void audit_fork(struct auditing *a, struct bytes value)
{
    struct fork in = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4096);
    if (message_decode(&fork_message, value, &arena, &in, NULL))
        return;
    put_change(a, put_line(a, "fork"), in.device, in.last);
}

static void audit_erasure(struct auditing *a, struct bytes value)
{
    struct change_ref in = {0};
    if (message_decode(&change_ref_message, value, NULL, &in, NULL))
        return;
    put_change(a, put_line(a, "erased"), in.device, in.seq);
}

static void audit_closing(struct auditing *a, struct bytes value)
{
    struct ref in = {0};
    if (message_decode(&ref_message, value, NULL, &in, NULL))
        return;
    cJSON *item = put_line(a, "closed");
    const struct schema_kind *kind = schema_kind(in.kind);
    (void)cJSON_AddStringToObject(item, "kind", kind ? kind->name : "unknown");
    if (in.id.n == ID_SIZE)
        admin_hex(item, "id", in.id);
}

static void audit_edit(struct auditing *a, const struct wire_field *edit)
{
    static void (*const each[])(struct auditing *, struct bytes) = {
        [FIELD_ENROLMENT] = audit_enrolment, [FIELD_REFUSAL] = audit_refusal,
        [FIELD_GRANT] = audit_grant,         [FIELD_REVOCATION] = audit_revocation,
        [FIELD_FORK] = audit_fork,           [FIELD_ERASURE] = audit_erasure,
        [FIELD_CLOSING] = audit_closing,
    };
    if (edit->number == FIELD_INCARNATION)
        (void)put_line(a, "founded");
    else if (edit->number < sizeof each / sizeof *each && each[edit->number])
        each[edit->number](a, edit->bytes);
}

// The author of the record in which it was asked for stands at the beginning of its id: the first 8
// bytes of the handle.
static void note_asked(struct auditing *a, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field edit;
    a->asked[0] = 0;
    while (!wire_at_end(&reader) && wire_next(&reader, &edit) == OK) {
        struct ref ref = {0};
        if (edit.number == FIELD_ABOUT && edit.type == WIRE_SIZED &&
            message_decode(&ref_message, edit.bytes, NULL, &ref, NULL) == OK && ref.id.n == ID_SIZE)
            text_hex(bytes_of(ref.id.p, 8), a->asked);
    }
}

static void audit_fields(struct auditing *a, const struct envelope *envelope, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field edit;
    note_asked(a, fields);
    for (size_t i = 0; i < envelope->over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, envelope->over, i);
        admin_number(put_line(a, "withdrawn"), "decision", dot->seq);
    }
    while (!wire_at_end(&reader) && wire_next(&reader, &edit) == OK)
        audit_edit(a, &edit);
}

static enum err audit_one(struct auditing *a, const uint8_t hub[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 256 << 10);
    enum err err = log_find(a->txn, a->community->number, hub, seq, &position);
    if (!err)
        err = log_get(a->txn, a->community->number, position, &entry);
    if (!err)
        err = envelope_decode(entry.envelope, &arena, &envelope, NULL);
    if (!err)
        err = log_get_body(a->txn, a->community->number, position, &body);
    if (err)
        return ERR_DAMAGED;
    a->seq = seq;
    a->time = envelope.time;
    audit_fields(a, &envelope, body.fields);
    return OK;
}

static double number_of(const cJSON *request, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

cJSON *admin_audit(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)context;
    struct fault fault = {0};
    struct community community = {.number = 0};
    struct device hub;
    enum err err = admin_find_community(txn, admin_text(request, "community"), &community, &fault);
    if (!err)
        err = device_get(txn, community.number, community.log, &hub);
    if (err)
        return admin_fault(err, &fault);
    double from = number_of(request, "from", 1);
    double limit = number_of(request, "limit", LIMIT_DEFAULT);
    if (!(from >= 1 && from <= UINT32_MAX) || !(limit >= 1 && limit <= LIMIT_MAX))
        return admin_error("\"from\" is a decision's number, \"limit\" is 1 to 2000");
    cJSON *answer = admin_ok();
    struct auditing a = {.txn = txn,
                         .community = &community,
                         .list = cJSON_AddArrayToObject(answer, "decisions"),
                         .max = (size_t)limit};
    uint32_t seq = (uint32_t)from;
    for (; !err && seq <= hub.seq && a.n < a.max; seq++)
        err = audit_one(&a, hub.handle, seq);
    if (err) {
        cJSON_Delete(answer);
        return admin_error(err_text(err));
    }
    if (seq <= hub.seq)
        admin_number(answer, "next", seq);
    return answer;
}
