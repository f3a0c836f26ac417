#include "sync/fold.h"

#include "base/sign.h"
#include "proto/schema.h"
#include "storage/device.h"
#include "sync/digest.h"

// --- what refers to what ---

static void refer(struct txn *txn, uint32_t community, uint32_t to_kind, struct bytes to_id,
                  const struct record_key *from, struct bytes extra)
{
    if (to_id.n != ID_SIZE || to_kind == 0 || to_kind > KIND_MAX)
        return;
    struct record_key to = {.kind = to_kind};
    memcpy(to.id, to_id.p, ID_SIZE);
    about_put(txn, community, &to, from, extra);
}

static struct bytes subject_id(struct bytes part)
{
    return part.n == 4 + ID_SIZE ? bytes_of(part.p + 4, ID_SIZE) : (struct bytes){0};
}

static void refer_by_parts(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    if (change->envelope->parts.n != 2)
        return;
    struct bytes a = *LIST_AT(struct bytes, change->envelope->parts, 0);
    struct bytes b = *LIST_AT(struct bytes, change->envelope->parts, 1);
    struct bytes a_id = subject_id(a);
    struct bytes b_id = subject_id(b);
    if (change->record.kind == KIND_VOICE && a_id.n && b.n == ID_SIZE) {
        refer(txn, community, be32_get(a.p), a_id, &change->record, b);
    } else if (change->record.kind == KIND_SAME_AS && a_id.n && b_id.n) {
        refer(txn, community, be32_get(a.p), a_id, &change->record, b_id);
        refer(txn, community, be32_get(b.p), b_id, &change->record, a_id);
    }
}

// A Voice and a SameAs are about their parts alone: a field may not stand in their way.
static void refer_by_fields(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    struct wire_reader reader = wire_reader(change->fields);
    if (change->record.kind == KIND_VOICE || change->record.kind == KIND_SAME_AS)
        return;
    while (!wire_at_end(&reader)) {
        struct wire_field field;
        struct ref ref = {0};
        if (wire_next(&reader, &field))
            return;
        if (field.number == FIELD_ABOUT && field.type == WIRE_SIZED &&
            message_decode(&ref_message, field.bytes, NULL, &ref, NULL) == OK)
            refer(txn, community, ref.kind, ref.id, &change->record, (struct bytes){0});
    }
}

// --- decisions ---

static const struct merge_watch fold_watch;

// What others than hubs write as a Decision never has an effect, whether a hub has said so yet or
// not. So no decision is ever about decisions, and nothing here nests without end.
static bool may_decide(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    struct device author;
    return change->record.kind != KIND_DECISION ||
           (device_get(txn, community, change->device, &author) == OK && author.role == ROLE_HUB);
}

static void take_effect(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    if (!may_decide(txn, community, change))
        return;
    refer_by_parts(txn, community, change);
    refer_by_fields(txn, community, change);
    merge_apply(txn, community, change, &fold_watch);
}

// A change of the log, copied out of the transaction, ready for the merge.
struct recalled {
    struct arena arena;
    struct envelope envelope;
    struct merge_change change;
};

static enum err recall_parts(struct txn *txn, uint32_t community, uint64_t position,
                             struct recalled *recalled)
{
    struct log_entry entry;
    struct log_body body = {0};
    enum err err = log_get(txn, community, position, &entry);
    if (!err && entry.form == LOG_WHOLE)
        err = log_get_body(txn, community, position, &body);
    if (err)
        return err;
    struct merge_change *change = &recalled->change;
    struct bytes envelope = arena_copy(&recalled->arena, entry.envelope);
    if (body.fields.p)
        change->fields = arena_copy(&recalled->arena, body.fields);
    change->seq = entry.seq;
    change->tag = log_tag(&entry);
    change->position = position;
    change->envelope = &recalled->envelope;
    memcpy(change->device, entry.device, HANDLE_SIZE);
    return envelope_decode(envelope, &recalled->arena, &recalled->envelope, NULL);
}

// Lets the change that is meant take effect, or no longer, where it is here.
static void refold(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                   uint32_t seq, uint32_t tag, bool in_effect)
{
    uint64_t position;
    struct recalled recalled = {0};
    if (log_find(txn, community, device, seq, &position))
        return;
    arena_init(&recalled.arena, MERGE_ARENA_MAX);
    if (recall_parts(txn, community, position, &recalled) == OK && recalled.change.tag == tag) {
        struct merge_change *change = &recalled.change;
        merge_record(&recalled.envelope, device, seq, tag, &change->record);
        if (in_effect)
            take_effect(txn, community, change);
        else
            merge_revert(txn, community, change, &fold_watch);
    }
    arena_done(&recalled.arena);
}

// A refusal of a hub's own decision has no effect: decisions do not undo each other in circles.
static void decide_refusal(struct txn *txn, uint32_t community, struct bytes bytes, bool alive)
{
    struct refusal refusal = {0};
    struct device author;
    if (message_decode(&refusal_message, bytes, NULL, &refusal, NULL) ||
        refusal.device.n != HANDLE_SIZE)
        return;
    if (device_get(txn, community, refusal.device.p, &author) == OK && author.role == ROLE_HUB)
        return;
    uint8_t handle[HANDLE_SIZE];
    memcpy(handle, refusal.device.p, HANDLE_SIZE);
    // A later version's reason may not fit; that there is one must not be lost.
    bool known = refusal.reason && refusal.reason <= UINT8_MAX;
    enum reason reason = known ? (enum reason)refusal.reason : REASON_NOT_PERMITTED;
    apart_put(txn, community, handle, refusal.seq, refusal.tag, alive ? reason : REASON_NONE);
    refold(txn, community, handle, refusal.seq, refusal.tag, !alive);
}

static void decide_enrolment(struct txn *txn, const struct community *community, struct bytes bytes)
{
    struct enrolment enrolment = {0};
    struct device device = {0};
    uint8_t handle[HANDLE_SIZE];
    if (message_decode(&enrolment_message, bytes, NULL, &enrolment, NULL) ||
        enrolment.key.n != KEY_SIZE || enrolment.role > ROLE_OBSERVER)
        return;
    digest_handle(community->id, enrolment.key.p, handle);
    bool known = device_get(txn, community->number, handle, &device) == OK;
    if (known && memcmp(device.key, enrolment.key.p, KEY_SIZE) != 0)
        return;
    memcpy(device.handle, handle, HANDLE_SIZE);
    memcpy(device.key, enrolment.key.p, KEY_SIZE);
    device.role = (enum role)enrolment.role;
    device_put(txn, community->number, &device);
}

static void fold_decision(struct txn *txn, uint32_t number, const struct live *edit, bool alive,
                          void *arg)
{
    (void)arg;
    struct device author;
    struct community community;
    struct log_body body;
    struct wire_field field;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, CHANGE_MAX);
    if (edit->key.record.kind != KIND_DECISION ||
        device_get(txn, number, edit->key.device, &author) || author.role != ROLE_HUB ||
        community_get_number(txn, number, &community) ||
        log_get_body(txn, number, edit->position, &body) ||
        !fields_edit(body.fields, edit->key.index, &field) || field.type != WIRE_SIZED)
        return;
    struct bytes value = arena_copy(&arena, field.bytes);
    if (edit->field == FIELD_ENROLMENT && alive)
        decide_enrolment(txn, &community, value);
    else if (edit->field == FIELD_REFUSAL)
        decide_refusal(txn, number, value, alive);
}

static const struct merge_watch fold_watch = {fold_decision, NULL};

// The identity key's word that this chain speaks for it; of the community's founder when there was
// no log before.
static bool incarnation_holds(const struct community *community, const uint8_t author[HANDLE_SIZE],
                              const struct incarnation *incarnation)
{
    uint8_t id[COMMUNITY_SIZE];
    uint8_t handle[HANDLE_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    if (!incarnation->identity_key.n || !incarnation->chain_key.n || !incarnation->nonce.n ||
        !incarnation->signature.n)
        return false;
    digest_handle(community->id, incarnation->chain_key.p, handle);
    digest_community(incarnation->identity_key.p, incarnation->nonce.p, id);
    if (memcmp(handle, author, HANDLE_SIZE) != 0 || memcmp(id, community->id, COMMUNITY_SIZE) != 0)
        return false;
    digest_incarnation_transcript(community->id, incarnation->chain_key.p, incarnation,
                                  &transcript);
    return !transcript.err && sign_check(incarnation->identity_key.p, buf_bytes(&transcript),
                                         incarnation->signature.p);
}

static void fold_incarnation(struct txn *txn, const struct community *community,
                             const struct merge_change *change)
{
    struct wire_field field;
    struct incarnation incarnation = {0};
    struct device hub = {0};
    if (change->record.kind != KIND_DECISION || change->seq != 1 ||
        !fields_edit(change->fields, 0, &field) || field.number != FIELD_INCARNATION ||
        field.type != WIRE_SIZED ||
        message_decode(&incarnation_message, field.bytes, NULL, &incarnation, NULL) ||
        !incarnation_holds(community, change->device, &incarnation))
        return;
    if (device_get(txn, community->number, change->device, &hub) == ERR_NOT_FOUND)
        hub = (struct device){.seq = 0};
    memcpy(hub.handle, change->device, HANDLE_SIZE);
    memcpy(hub.key, incarnation.chain_key.p, KEY_SIZE);
    memcpy(hub.identity, incarnation.identity_key.p, KEY_SIZE);
    hub.role = ROLE_HUB;
    device_put(txn, community->number, &hub);
}

void fold_change(struct txn *txn, const struct community *community, uint64_t position,
                 const struct log_entry *entry, const struct log_body *body)
{
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (entry->form == LOG_BARE || envelope_decode(entry->envelope, &arena, &envelope, NULL) ||
        apart_get(txn, community->number, entry->device, entry->seq, log_tag(entry)) != REASON_NONE)
        return;
    struct merge_change change = {
        .envelope = &envelope,
        .fields = body ? body->fields : (struct bytes){0},
        .seq = entry->seq,
        .tag = log_tag(entry),
        .position = position,
    };
    memcpy(change.device, entry->device, HANDLE_SIZE);
    merge_record(&envelope, entry->device, entry->seq, change.tag, &change.record);
    fold_incarnation(txn, community, &change);
    take_effect(txn, community->number, &change);
}
