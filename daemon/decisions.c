#include "daemon/decisions.h"

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "sync/merge.h"

struct reading {
    struct txn *txn;
    const struct community *community;
    struct arena arena;
    struct log_entry entry;
    struct envelope envelope;
    struct decision decision; // what all of this change's have in common
};

// --- one edit ---

typedef bool take(struct bytes value, const struct community *community, struct decision *out);

static bool name_device(struct bytes handle, struct decision *out)
{
    out->has_device = handle.n == HANDLE_SIZE;
    if (out->has_device)
        memcpy(out->device, handle.p, HANDLE_SIZE);
    return out->has_device;
}

static bool take_incarnation(struct bytes value, const struct community *community,
                             struct decision *out)
{
    (void)value;
    (void)community;
    out->what = DECISION_FOUNDED;
    return true;
}

static bool take_enrolment(struct bytes value, const struct community *community,
                           struct decision *out)
{
    struct enrolment in = {0};
    if (message_decode(&enrolment_message, value, NULL, &in, NULL) || in.key.n != KEY_SIZE)
        return false;
    out->what = DECISION_ENROLLED;
    out->role = in.role;
    out->has_device = true;
    digest_handle(community->id, in.key.p, out->device);
    return true;
}

static bool take_grant(struct bytes value, const struct community *community, struct decision *out)
{
    (void)community;
    struct role_grant in = {0};
    if (message_decode(&role_grant_message, value, NULL, &in, NULL))
        return false;
    out->what = DECISION_ROLE;
    out->role = in.role;
    out->from = in.from;
    return name_device(in.device, out);
}

static bool take_revocation(struct bytes value, const struct community *community,
                            struct decision *out)
{
    (void)community;
    struct revocation in = {0};
    if (message_decode(&revocation_message, value, NULL, &in, NULL))
        return false;
    out->what = DECISION_REVOKED;
    out->from = in.from;
    return name_device(in.device, out);
}

static bool take_refusal(struct bytes value, const struct community *community,
                         struct decision *out)
{
    (void)community;
    struct refusal in = {0};
    if (message_decode(&refusal_message, value, NULL, &in, NULL))
        return false;
    out->what = DECISION_SET_APART;
    out->change = in.seq;
    out->reason = in.reason;
    return name_device(in.device, out);
}

static bool take_fork(struct bytes value, const struct community *community, struct decision *out)
{
    (void)community;
    struct fork in = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4096);
    if (message_decode(&fork_message, value, &arena, &in, NULL))
        return false;
    out->what = DECISION_FORK;
    out->change = in.last;
    return name_device(in.device, out);
}

static bool take_erasure(struct bytes value, const struct community *community,
                         struct decision *out)
{
    (void)community;
    struct change_ref in = {0};
    if (message_decode(&change_ref_message, value, NULL, &in, NULL))
        return false;
    out->what = DECISION_ERASED;
    out->change = in.seq;
    return name_device(in.device, out);
}

static bool take_closing(struct bytes value, const struct community *community,
                         struct decision *out)
{
    (void)community;
    struct ref in = {0};
    if (message_decode(&ref_message, value, NULL, &in, NULL) || in.id.n != ID_SIZE)
        return false;
    out->what = DECISION_CLOSED;
    out->closed.kind = in.kind;
    memcpy(out->closed.id, in.id.p, ID_SIZE);
    return true;
}

static bool take_edit(const struct reading *r, const struct wire_field *edit, struct decision *out)
{
    static take *const each[] = {
        [FIELD_INCARNATION] = take_incarnation, [FIELD_ENROLMENT] = take_enrolment,
        [FIELD_REFUSAL] = take_refusal,         [FIELD_GRANT] = take_grant,
        [FIELD_REVOCATION] = take_revocation,   [FIELD_FORK] = take_fork,
        [FIELD_ERASURE] = take_erasure,         [FIELD_CLOSING] = take_closing,
        [FIELD_CLOSING_ALONE] = take_closing,
    };
    return edit->number < sizeof each / sizeof *each && each[edit->number] &&
           edit->type == WIRE_SIZED && each[edit->number](edit->bytes, r->community, out);
}

// --- one change ---

// Without the body, which a reading of another change would put out of place.
static enum err open_change(struct reading *r, uint32_t seq)
{
    uint32_t community = r->community->number;
    r->decision = (struct decision){.seq = seq};
    enum err err = log_find(r->txn, community, r->community->log, seq, &r->decision.position);
    if (!err)
        err = log_get(r->txn, community, r->decision.position, &r->entry);
    if (!err)
        err = envelope_decode(r->entry.envelope, &r->arena, &r->envelope, NULL);
    r->decision.time = r->envelope.time;
    return err ? ERR_DAMAGED : OK;
}

static enum err read_fields(struct reading *r, struct bytes *fields)
{
    struct log_body body = {0};
    enum err err = log_get_body(r->txn, r->community->number, r->decision.position, &body);
    *fields = body.fields;
    return err ? ERR_DAMAGED : OK;
}

static struct reading reading_of(struct txn *txn, const struct community *community)
{
    struct reading r = {.txn = txn, .community = community};
    arena_init(&r.arena, MERGE_ARENA_MAX);
    return r;
}

// The record in which it was asked for.
static void note_asked(struct reading *r, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field edit;
    while (!wire_at_end(&reader) && wire_next(&reader, &edit) == OK) {
        struct ref ref = {0};
        if (edit.number != FIELD_ABOUT || edit.type != WIRE_SIZED ||
            message_decode(&ref_message, edit.bytes, NULL, &ref, NULL) || ref.id.n != ID_SIZE)
            continue;
        r->decision.asked.kind = ref.kind;
        memcpy(r->decision.asked.id, ref.id.p, ID_SIZE);
    }
}

// What the dot's edit decided, as withdrawn by the change that is read.
static bool take_withdrawn(const struct reading *r, const struct dot *dot, struct decision *out)
{
    struct reading before = reading_of(r->txn, r->community);
    struct bytes fields;
    struct wire_field edit;
    *out = r->decision;
    out->withdraws = true;
    out->withdrawn = dot->seq;
    bool found = bytes_equal(dot->device, BYTES(r->community->log)) &&
                 open_change(&before, dot->seq) == OK && read_fields(&before, &fields) == OK &&
                 fields_edit(fields, dot->index, &edit) && take_edit(r, &edit, out);
    arena_done(&before.arena);
    return found;
}

static bool tell_withdrawn(const struct reading *r, bool (*each)(const struct decision *, void *),
                           void *arg)
{
    struct decision out;
    for (size_t i = 0; i < r->envelope.over.n; i++) {
        if (take_withdrawn(r, LIST_AT(struct dot, r->envelope.over, i), &out) && !each(&out, arg))
            return false;
    }
    return true;
}

static void tell_edits(const struct reading *r, struct bytes fields,
                       bool (*each)(const struct decision *, void *), void *arg)
{
    struct wire_reader reader = wire_reader(fields);
    struct wire_field edit;
    bool go_on = true;
    while (go_on && !wire_at_end(&reader) && wire_next(&reader, &edit) == OK) {
        struct decision out = r->decision;
        if (take_edit(r, &edit, &out))
            go_on = each(&out, arg);
    }
}

enum err decisions_read(struct txn *txn, const struct community *community, uint32_t seq,
                        bool (*each)(const struct decision *decision, void *arg), void *arg)
{
    struct reading r = reading_of(txn, community);
    struct bytes fields;
    enum err err = open_change(&r, seq);
    if (!err)
        err = read_fields(&r, &fields);
    if (!err)
        note_asked(&r, fields);
    // Others' bodies were read for what is withdrawn.
    if (!err && tell_withdrawn(&r, each, arg))
        err = read_fields(&r, &fields);
    else
        fields = (struct bytes){NULL, 0};
    if (!err)
        tell_edits(&r, fields, each, arg);
    arena_done(&r.arena);
    return err;
}

enum err decisions_time(struct txn *txn, const struct community *community, uint32_t seq,
                        int64_t *time)
{
    struct reading r = reading_of(txn, community);
    enum err err = open_change(&r, seq);
    if (!err)
        *time = r.decision.time;
    arena_done(&r.arena);
    return err;
}

// --- names ---

const char *decision_name(enum decision_what what)
{
    static const char *const names[DECISION_COUNT] = {
        [DECISION_FOUNDED] = "founded",     [DECISION_ENROLLED] = "enrolled",
        [DECISION_ROLE] = "role",           [DECISION_REVOKED] = "revoked",
        [DECISION_SET_APART] = "set apart", [DECISION_FORK] = "fork",
        [DECISION_ERASED] = "erased",       [DECISION_CLOSED] = "closed",
    };
    return names[what];
}

const char *decision_reason(uint32_t reason)
{
    static const char *const names[] = {
        [REASON_NONE] = "none",
        [REASON_MALFORMED_FIELD] = "a field is malformed",
        [REASON_WRONG_ID] = "the id is wrong",
        [REASON_NOT_PERMITTED] = "the role does not allow it",
        [REASON_WRONG_CLASS] = "the class is wrong",
        [REASON_REVOKED] = "the device was revoked",
    };
    return reason < sizeof names / sizeof *names ? names[reason] : "a reason of a later version";
}

// --- who asked ---

static bool is_change_of(struct reading *r, const struct record_key *record)
{
    struct record_key found;
    arena_done(&r->arena);
    arena_init(&r->arena, MERGE_ARENA_MAX);
    if (r->entry.form == LOG_AGAIN ||
        memcmp(r->entry.device, r->community->log, HANDLE_SIZE) == 0 ||
        envelope_decode(r->entry.envelope, &r->arena, &r->envelope, NULL) ||
        r->envelope.kind != record->kind)
        return false;
    merge_record(&r->envelope, r->entry.device, r->entry.seq, log_tag(&r->entry), &found);
    return memcmp(found.id, record->id, ID_SIZE) == 0;
}

// A decision follows upon what asked for it in the same push, which is one device's.
bool decisions_asker(struct txn *txn, const struct community *community,
                     const struct decision *decision, uint32_t *reads, uint8_t handle[HANDLE_SIZE])
{
    struct reading r = reading_of(txn, community);
    bool found = false;
    if (decision->asked.kind == 0)
        return false;
    for (uint64_t at = decision->position - 1; at > 0 && *reads > 0 && !found; at--) {
        --*reads;
        if (log_get(txn, community->number, at, &r.entry))
            break;
        found = is_change_of(&r, &decision->asked);
    }
    if (found)
        memcpy(handle, r.entry.device, HANDLE_SIZE);
    arena_done(&r.arena);
    return found;
}
