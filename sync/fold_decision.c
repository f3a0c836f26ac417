// What hubs decide: who is enrolled in which role, what is set apart, erased, closed.

#include "proto/schema.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "sync/digest.h"
#include "sync/fold_private.h"

static struct decided decided_by(const struct live *edit)
{
    struct decided decided = {.seq = edit->key.seq, .index = edit->key.index};
    memcpy(decided.by, edit->key.device, HANDLE_SIZE);
    return decided;
}

static bool is_hub(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    struct device device;
    return device_get(txn, community, handle, &device) == OK && device.role == ROLE_HUB;
}

// --- set apart ---

// A refusal of a hub's own decision has no effect: decisions do not undo each other in circles.
static void decide_refusal(struct txn *txn, uint32_t community, const struct live *edit,
                           struct bytes value, bool alive)
{
    struct refusal refusal = {0};
    if (message_decode(&refusal_message, value, NULL, &refusal, NULL) ||
        refusal.device.n != HANDLE_SIZE || is_hub(txn, community, refusal.device.p))
        return;
    struct decided decided = decided_by(edit);
    // A later version's reason may not fit; that there is one must not be lost.
    bool known = refusal.reason && refusal.reason <= UINT8_MAX;
    enum reason reason = known ? (enum reason)refusal.reason : REASON_NOT_PERMITTED;
    const uint8_t *device = refusal.device.p;
    bool was_apart = apart_get(txn, community, device, refusal.seq, refusal.tag) != REASON_NONE;
    if (alive)
        apart_put(txn, community, device, refusal.seq, refusal.tag, &decided, reason);
    else
        apart_delete(txn, community, device, refusal.seq, refusal.tag, &decided);
    bool is_apart = apart_get(txn, community, device, refusal.seq, refusal.tag) != REASON_NONE;
    if (was_apart != is_apart)
        fold_again(txn, community, device, refusal.seq, refusal.tag, !is_apart);
}

// --- devices ---

// The role of the device's next change goes with what is decided. A hub's chain has no other.
static void refresh_role(struct txn *txn, const struct community *community,
                         const uint8_t handle[HANDLE_SIZE])
{
    struct device device;
    if (device_get(txn, community->number, handle, &device) || device.role == ROLE_HUB)
        return;
    device.role = role_at(txn, community->number, handle, UINT32_MAX);
    device_put(txn, community->number, &device);
    if (device.role == ROLE_NONE && community->is_hub)
        token_void(txn, community->number, handle);
}

static void set_role(struct txn *txn, const struct community *community,
                     const uint8_t handle[HANDLE_SIZE], const struct role_row *row, bool alive)
{
    if (is_hub(txn, community->number, handle))
        return;
    if (alive)
        role_put(txn, community->number, handle, row);
    else
        role_delete(txn, community->number, handle, row);
    refresh_role(txn, community, handle);
}

// The key of a handle never changes; the device stays known when its enrolment is withdrawn.
static bool know_device(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                        const uint8_t key[KEY_SIZE])
{
    struct device device = {0};
    enum err err = device_get(txn, community, handle, &device);
    if (!err)
        return memcmp(device.key, key, KEY_SIZE) == 0;
    memcpy(device.handle, handle, HANDLE_SIZE);
    memcpy(device.key, key, KEY_SIZE);
    device_put(txn, community, &device);
    return err == ERR_NOT_FOUND;
}

// Should several be named, it is the least of them: in whichever order they are heard of.
static void name_first(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                       struct bytes first)
{
    struct device device;
    if (first.n != HANDLE_SIZE || device_get(txn, community, handle, &device))
        return;
    bool is_named = device_first(&device) != device.handle;
    if (is_named && memcmp(device.first, first.p, HANDLE_SIZE) <= 0)
        return;
    memcpy(device.first, first.p, HANDLE_SIZE);
    device_put(txn, community, &device);
}

static void decide_enrolment(struct txn *txn, const struct community *community,
                             const struct live *edit, struct bytes value, bool alive)
{
    struct enrolment enrolment = {0};
    uint8_t handle[HANDLE_SIZE];
    if (message_decode(&enrolment_message, value, NULL, &enrolment, NULL) ||
        enrolment.key.n != KEY_SIZE || enrolment.role == 0 || enrolment.role > ROLE_OBSERVER)
        return;
    digest_handle(community->id, enrolment.key.p, handle);
    if (!know_device(txn, community->number, handle, enrolment.key.p))
        return;
    name_first(txn, community->number, handle, enrolment.first_device);
    struct role_row row = {enrolment.from, decided_by(edit), (enum role)enrolment.role};
    set_role(txn, community, handle, &row, alive);
}

static void decide_grant(struct txn *txn, const struct community *community,
                         const struct live *edit, struct bytes value, bool alive)
{
    struct role_grant grant = {0};
    if (message_decode(&role_grant_message, value, NULL, &grant, NULL) ||
        grant.device.n != HANDLE_SIZE || grant.role == 0 || grant.role > ROLE_OBSERVER)
        return;
    struct role_row row = {grant.from, decided_by(edit), (enum role)grant.role};
    set_role(txn, community, grant.device.p, &row, alive);
}

static void decide_revocation(struct txn *txn, const struct community *community,
                              const struct live *edit, struct bytes value, bool alive)
{
    struct revocation revocation = {0};
    if (message_decode(&revocation_message, value, NULL, &revocation, NULL) ||
        revocation.device.n != HANDLE_SIZE)
        return;
    struct role_row row = {revocation.from, decided_by(edit), ROLE_NONE};
    set_role(txn, community, revocation.device.p, &row, alive);
}

// --- words ---

static void decide_erasure(struct txn *txn, uint32_t community, struct bytes value)
{
    struct change_ref ref = {0};
    if (message_decode(&change_ref_message, value, NULL, &ref, NULL) ||
        ref.device.n != HANDLE_SIZE || is_hub(txn, community, ref.device.p))
        return;
    fold_erase(txn, community, ref.device.p, ref.seq, ref.tag);
}

static void decide_closing(struct txn *txn, uint32_t community, struct bytes value, enum closed how)
{
    struct ref ref = {0};
    if (message_decode(&ref_message, value, NULL, &ref, NULL) || ref.id.n != ID_SIZE ||
        ref.kind == 0 || ref.kind > KIND_MAX)
        return;
    struct record_key record = {.kind = ref.kind};
    memcpy(record.id, ref.id.p, ID_SIZE);
    closed_put(txn, community, &record, how);
}

void fold_decision(struct txn *txn, const struct community *community, const struct live *edit,
                   struct bytes value, bool alive)
{
    switch (edit->field) {
    case FIELD_ENROLMENT:
        decide_enrolment(txn, community, edit, value, alive);
        break;
    case FIELD_REFUSAL:
        decide_refusal(txn, community->number, edit, value, alive);
        break;
    case FIELD_GRANT:
        decide_grant(txn, community, edit, value, alive);
        break;
    case FIELD_REVOCATION:
        decide_revocation(txn, community, edit, value, alive);
        break;
    case FIELD_ERASURE: // for ever
        if (alive)
            decide_erasure(txn, community->number, value);
        break;
    case FIELD_CLOSING: // for ever
        if (alive)
            decide_closing(txn, community->number, value, CLOSED_WITH_ALL);
        break;
    case FIELD_CLOSING_ALONE:
        if (alive)
            decide_closing(txn, community->number, value, CLOSED_ALONE);
        break;
    default:
        break;
    }
}
