#include "sync/merge.h"

#include "proto/schema.h"
#include "storage/device.h"
#include "storage/log.h"
#include "sync/digest.h"

enum err merge_envelope(struct txn *txn, struct bytes bytes, struct arena *arena,
                        struct envelope *envelope)
{
    enum err err = envelope_decode(bytes, arena, envelope, NULL);
    if (err == ERR_NOMEM)
        return txn_fail(txn, err);
    return err ? txn_damaged(txn) : OK;
}

void merge_record(const struct envelope *envelope, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                  uint32_t tag, struct record_key *record)
{
    record->kind = envelope->kind;
    if (envelope->parts.n)
        digest_record_id(envelope->kind, envelope->parts, record->id);
    else if (envelope->id.n)
        memcpy(record->id, envelope->id.p, ID_SIZE);
    else
        digest_created_id(device, seq, tag, record->id);
}

int merge_rank(const struct live *a, const struct live *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    int order = memcmp(a->key.device, b->key.device, HANDLE_SIZE);
    if (order)
        return order;
    if (a->key.seq != b->key.seq)
        return a->key.seq < b->key.seq ? -1 : 1;
    return (int)a->key.index - (int)b->key.index;
}

// A stance that was said later than the change that goes over it stays (DESIGN: voices).
static bool cover_counts(const struct cover *cover, uint32_t field, int64_t time)
{
    bool is_stance = cover->target.record.kind == KIND_VOICE && field == FIELD_VOICE_STANCE;
    return !is_stance || cover->time >= time;
}

struct covered_question {
    uint32_t field;
    int64_t time;
    bool covered;
};

static bool ask_cover(const struct cover *cover, void *arg)
{
    struct covered_question *question = arg;
    question->covered = cover_counts(cover, question->field, question->time);
    return !question->covered;
}

static bool is_covered(struct txn *txn, uint32_t community, const struct live *edit)
{
    struct covered_question question = {edit->field, edit->time, false};
    cover_each(txn, community, &edit->key, edit->tag, ask_cover, &question);
    return question.covered;
}

static struct live edit_of(const struct merge_change *change, uint32_t index, uint32_t field)
{
    struct live edit = {
        .key = {change->record, change->envelope->class, {0}, change->seq, (uint8_t)index},
        .tag = change->tag,
        .field = field,
        .time = change->envelope->time,
        .position = change->position,
    };
    memcpy(edit.key.device, change->device, HANDLE_SIZE);
    return edit;
}

static struct cover cover_of(const struct merge_change *change, const struct dot *dot)
{
    struct cover cover = {
        .target = {change->record, change->envelope->class, {0}, dot->seq, (uint8_t)dot->index},
        .tag = dot->tag,
        .by_seq = change->seq,
        .time = change->envelope->time,
    };
    memcpy(cover.target.device, dot->device.n ? dot->device.p : change->device, HANDLE_SIZE);
    memcpy(cover.by_device, change->device, HANDLE_SIZE);
    return cover;
}

static void come_to_life(struct txn *txn, uint32_t community, const struct live *edit,
                         const struct merge_watch *watch)
{
    struct live known;
    if (live_get(txn, community, &edit->key, &known) == OK || is_covered(txn, community, edit))
        return;
    live_put(txn, community, edit);
    watch->changed(txn, community, edit, true, watch->arg);
}

static void go(struct txn *txn, uint32_t community, const struct live *edit,
               const struct merge_watch *watch)
{
    live_delete(txn, community, &edit->key);
    watch->changed(txn, community, edit, false, watch->arg);
}

static void apply_cover(struct txn *txn, uint32_t community, const struct cover *cover,
                        const struct merge_watch *watch)
{
    struct live target;
    cover_put(txn, community, cover);
    if (live_get(txn, community, &cover->target, &target) == OK && target.tag == cover->tag &&
        cover_counts(cover, target.field, target.time))
        go(txn, community, &target, watch);
}

// Nothing is built on what may be missing.
static void refuse_damage(struct txn *txn, uint64_t before)
{
    if (txn_damage(txn) != before)
        txn_fail(txn, ERR_DAMAGED);
}

void merge_apply(struct txn *txn, uint32_t community, const struct merge_change *change,
                 const struct merge_watch *watch)
{
    struct wire_reader reader = wire_reader(change->fields);
    uint64_t damage = txn_damage(txn);
    for (uint32_t i = 0; !wire_at_end(&reader); i++) {
        struct wire_field field;
        if (wire_next(&reader, &field))
            break;
        struct live edit = edit_of(change, i, field.number);
        come_to_life(txn, community, &edit, watch);
    }
    for (size_t i = 0; i < change->envelope->over.n; i++) {
        struct cover cover = cover_of(change, LIST_AT(struct dot, change->envelope->over, i));
        apply_cover(txn, community, &cover, watch);
    }
    refuse_damage(txn, damage);
}

// The edit that a cover went over, if its change is here, is of this record, and is in effect.
static bool find_covered(struct txn *txn, uint32_t community, const struct cover *cover,
                         struct live *edit)
{
    const struct edit_key *key = &cover->target;
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct record_key record;
    struct wire_field field;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (log_find(txn, community, key->device, key->seq, &position) ||
        apart_get(txn, community, key->device, key->seq, cover->tag) != REASON_NONE ||
        log_get(txn, community, position, &entry) || entry.form != LOG_WHOLE ||
        log_tag(&entry) != cover->tag || merge_envelope(txn, entry.envelope, &arena, &envelope) ||
        envelope.class != key->class ||
        txn_failed(txn, log_get_body(txn, community, position, &body)) ||
        !fields_edit(body.fields, key->index, &field))
        return false;
    merge_record(&envelope, key->device, key->seq, cover->tag, &record);
    *edit = (struct live){*key, cover->tag, field.number, envelope.time, position};
    return record.kind == key->record.kind && memcmp(record.id, key->record.id, ID_SIZE) == 0;
}

struct going {
    struct txn *txn;
    uint32_t community;
    const struct merge_watch *watch;
};

static bool let_go(const struct live *edit, void *arg)
{
    const struct going *going = arg;
    go(going->txn, going->community, edit, going->watch);
    return true;
}

void merge_erase(struct txn *txn, uint32_t community, const struct record_key *record,
                 uint32_t class, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                 const struct merge_watch *watch)
{
    struct going going = {txn, community, watch};
    enum err err = live_each_of_change(txn, community, record, class, device, seq, let_go, &going);
    txn_fail(txn, err);
}

void merge_revert(struct txn *txn, uint32_t community, const struct merge_change *change,
                  const struct merge_watch *watch)
{
    uint64_t damage = txn_damage(txn);
    merge_erase(txn, community, &change->record, change->envelope->class, change->device,
                change->seq, watch);
    for (size_t i = 0; i < change->envelope->over.n; i++) {
        struct cover cover = cover_of(change, LIST_AT(struct dot, change->envelope->over, i));
        struct live edit;
        cover_delete(txn, community, &cover);
        if (find_covered(txn, community, &cover, &edit))
            come_to_life(txn, community, &edit, watch);
    }
    refuse_damage(txn, damage);
}
