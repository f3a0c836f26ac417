#include "proto/schema.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "sync/counts.h"
#include "sync/digest.h"
#include "sync/fold_private.h"
#include "sync/lineage.h"

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

// --- taking effect ---

static void on_edit(struct txn *txn, uint32_t number, const struct live *edit, bool alive,
                    void *arg);

static const struct merge_watch fold_watch = {on_edit, NULL};

// What others than hubs write as a Decision never has an effect, whether a hub has said so yet or
// not, nor what a hub wrote that was lost when it was restored. So no decision is ever about
// decisions, and nothing here nests without end.
static bool may_decide(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    struct device author;
    return change->record.kind != KIND_DECISION ||
           (device_get(txn, community, change->device, &author) == OK && author.role == ROLE_HUB &&
            change->seq <= author.upto);
}

// A Voice or SameAs that is named by its id alone does not say what it is about. Every hub sets it
// apart, and until it does nothing comes of it: what is counted hangs on the parts.
static bool says_parts(const struct merge_change *change)
{
    uint32_t kind = change->record.kind;
    return (kind != KIND_VOICE && kind != KIND_SAME_AS) || change->envelope->parts.n == 2;
}

static void take_effect(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    if (!says_parts(change) || !may_decide(txn, community, change))
        return;
    refer_by_parts(txn, community, change);
    refer_by_fields(txn, community, change);
    struct counts_seen seen = {.change = change};
    const struct merge_watch watch = {on_edit, &seen};
    merge_apply(txn, community, change, &watch);
    counts_note_seen(txn, community, &seen);
}

static void lose_effect(struct txn *txn, uint32_t community, const struct merge_change *change)
{
    merge_revert(txn, community, change, &fold_watch);
    // On a device they may be dropped now.
    counts_keep_words(txn, community, &change->record, change->position, change->fields);
    counts_note(txn, community, &change->record, change->envelope);
}

// --- a change of the log, once more ---

// Copied out of the transaction, ready for the merge.
struct recalled {
    struct arena arena;
    struct envelope envelope;
    struct merge_change change;
};

static enum err recall_parts(struct txn *txn, uint32_t community, uint64_t position,
                             struct recalled *recalled)
{
    struct log_entry entry;
    struct log_body body = {.fields = {0}};
    enum err err = log_get(txn, community, position, &entry);
    if (!err && entry.form == LOG_WHOLE)
        err = log_get_body(txn, community, position, &body);
    if (err)
        return err;
    struct merge_change *change = &recalled->change;
    struct bytes envelope = arena_copy(&recalled->arena, entry.envelope);
    if (body.fields.p)
        change->fields = arena_copy(&recalled->arena, body.fields);
    if (!envelope.p || (body.fields.p && !change->fields.p))
        return ERR_NOMEM;
    change->seq = entry.seq;
    change->tag = log_tag(&entry);
    change->position = position;
    change->envelope = &recalled->envelope;
    memcpy(change->device, entry.device, HANDLE_SIZE);
    err = merge_envelope(txn, envelope, &recalled->arena, &recalled->envelope);
    if (!err)
        merge_record(&recalled->envelope, entry.device, entry.seq, change->tag, &change->record);
    return err;
}

// The change that is meant, where it is here. Ended by arena_done in any case.
static bool recall(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                   uint32_t seq, uint32_t tag, struct recalled *recalled)
{
    uint64_t position;
    *recalled = (struct recalled){.change = {.position = 0}};
    arena_init(&recalled->arena, MERGE_ARENA_MAX);
    return log_find(txn, community, device, seq, &position) == OK &&
           !txn_failed(txn, recall_parts(txn, community, position, recalled)) &&
           recalled->change.tag == tag;
}

void fold_again(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                uint32_t seq, uint32_t tag, bool in_effect)
{
    struct recalled recalled;
    // What never had an effect has none to be taken back.
    if (recall(txn, community, device, seq, tag, &recalled) && says_parts(&recalled.change) &&
        may_decide(txn, community, &recalled.change)) {
        if (in_effect)
            take_effect(txn, community, &recalled.change);
        else
            lose_effect(txn, community, &recalled.change);
    }
    arena_done(&recalled.arena);
}

void fold_out(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE], uint32_t seq,
              uint32_t tag)
{
    if (apart_get(txn, community, device, seq, tag) == REASON_NONE)
        fold_again(txn, community, device, seq, tag, false);
}

// A device has no salts of others, so the hash of their bodies is known to hubs alone.
static bool hash_body(const struct log_body *body, uint8_t body_hash[HASH_SIZE])
{
    static const uint8_t none[SALT_SIZE];
    if (memcmp(body->salt, none, SALT_SIZE) == 0)
        return false;
    digest_body(body->salt, body->fields, body_hash);
    return true;
}

// The change at a position, as far as erasing it asks. Words that cannot be read any more (their
// key is destroyed, and the database was restored) are erased all the same.
static void erase_at(struct txn *txn, uint32_t community, uint64_t position,
                     const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct log_body body;
    uint8_t body_hash[HASH_SIZE];
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = merge_envelope(txn, entry->envelope, &arena, &envelope);
    if (err) {
        txn_fail(txn, err);
        return;
    }
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    uint64_t damage = txn_damage(txn);
    bool known = false;
    if (!txn_failed(txn, log_get_body(txn, community, position, &body))) {
        known = hash_body(&body, body_hash);
        counts_keep_words(txn, community, &record, position, body.fields);
    }
    uint8_t device[HANDLE_SIZE];
    memcpy(device, entry->device, HANDLE_SIZE);
    erased_put(txn, community, device, entry->seq, log_tag(entry), known ? body_hash : NULL);
    if (!known)
        (void)erased_get(txn, community, device, entry->seq, log_tag(entry), body_hash);
    merge_erase(txn, community, &record, envelope.class, device, entry->seq, &fold_watch);
    counts_note(txn, community, &record, &envelope);
    txn_forgive(txn, damage);
    log_erase(txn, community, position, body_hash);
}

void fold_erase(struct txn *txn, uint32_t community, const uint8_t device[HANDLE_SIZE],
                uint32_t seq, uint32_t tag)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(txn, community, device, seq, &position);
    if (!err)
        err = log_get(txn, community, position, &entry);
    if (!err && entry.form == LOG_WHOLE && log_tag(&entry) == tag)
        erase_at(txn, community, position, &entry);
    else
        erased_put(txn, community, device, seq, tag, NULL);
}

// --- edits that mean something beyond their record ---

static void note_keep(struct txn *txn, uint32_t number, const struct live *edit, uint64_t until,
                      bool alive)
{
    struct keep keep = {.until = (int64_t)until,
                        .record = edit->key.record,
                        .seq = edit->key.seq,
                        .index = edit->key.index};
    memcpy(keep.device, edit->key.device, HANDLE_SIZE);
    if (alive)
        keep_put(txn, number, &keep);
    else
        keep_delete(txn, number, &keep);
}

// arg: what is seen of a change that takes effect, or NULL.
static void on_edit(struct txn *txn, uint32_t number, const struct live *edit, bool alive,
                    void *arg)
{
    if (arg)
        counts_see(arg, edit, alive);
    bool decides = edit->key.record.kind == KIND_DECISION;
    struct community community;
    struct log_body body;
    struct wire_field field;
    if ((!decides && edit->field != FIELD_KEEP_UNTIL) ||
        community_get_number(txn, number, &community) ||
        txn_failed(txn, log_get_body(txn, number, edit->position, &body)) ||
        !fields_edit(body.fields, edit->key.index, &field))
        return;
    if (!decides && field.type == WIRE_VARINT && community.is_hub)
        note_keep(txn, number, edit, field.value, alive);
    if (!decides || field.type != WIRE_SIZED)
        return;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, CHANGE_MAX);
    struct bytes value = arena_copy(&arena, field.bytes);
    if (!txn_failed(txn, value.p ? OK : ERR_NOMEM))
        fold_decision(txn, &community, edit, value, alive);
}

void fold_change(struct txn *txn, const struct community *community, uint64_t position,
                 const struct log_entry *entry, const struct log_body *body)
{
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (entry->form == LOG_BARE || merge_envelope(txn, entry->envelope, &arena, &envelope) ||
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
    lineage_take(txn, community, &change);
    take_effect(txn, community->number, &change);
}
