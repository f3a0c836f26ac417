// Erasing words: which changes an order means, and the decision that names each. Folding the
// decision destroys them (fold_decision.c), here and on every device that hears of it.

#include <stdlib.h>

#include "proto/schema.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "sync/collect.h"
#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/meant.h"
#include "sync/merge.h"

struct erasing {
    struct hub_decider *decider;
    struct txn *txn;
    uint32_t community;
    const struct hub_erasing *what;
    struct device by; // where it is somebody's
    struct hub_edits edits;
    struct record_key *reached; // closed records whose hangers-on are still to be found
    size_t reached_n;
    size_t reached_cap;
    uint64_t erased;
    enum err err;
};

static void erasing_done(struct erasing *e)
{
    free(e->reached);
}

static void fail(struct erasing *e, enum err err)
{
    if (!e->err)
        e->err = err;
}

// --- one change ---

static void erase(struct erasing *e, const struct log_entry *entry)
{
    if (erased_get(e->txn, e->community, entry->device, entry->seq, log_tag(entry), NULL))
        return;
    struct change_ref ref = {BYTES(entry->device), entry->seq, log_tag(entry)};
    hub_edits_put(&e->edits, FIELD_ERASURE, &change_ref_message, &ref);
    e->erased++;
}

// One's own is what one wrote by any key.
static bool is_of_same_person(const struct erasing *e, const struct device *device)
{
    return memcmp(device_first(device), device_first(&e->by), HANDLE_SIZE) == 0;
}

// Whether a device's changes may be erased: what hubs decide may not.
static bool may_erase(struct erasing *e, const uint8_t handle[HANDLE_SIZE])
{
    struct device device;
    return device_get(e->txn, e->community, handle, &device) == OK && device.role != ROLE_HUB &&
           (!e->what->by || is_of_same_person(e, &device));
}

static void erase_named(struct erasing *e, const struct change_ref *ref)
{
    const uint8_t *handle = ref->device.n ? ref->device.p : e->what->by;
    uint64_t position;
    struct log_entry entry;
    if (!handle || !may_erase(e, handle))
        return;
    enum err err = log_find(e->txn, e->community, handle, ref->seq, &position);
    if (!err)
        err = log_get(e->txn, e->community, position, &entry);
    if (!err && entry.form == LOG_WHOLE && log_tag(&entry) == ref->tag)
        erase(e, &entry);
    fail(e, err == ERR_NOT_FOUND ? OK : err);
}

// --- records, and what hangs on them ---

static void note_reached(struct erasing *e, const struct record_key *record)
{
    if (e->reached_n == e->reached_cap) {
        size_t cap = e->reached_cap ? 2 * e->reached_cap : 64;
        struct record_key *grown = realloc(e->reached, cap * sizeof *grown);
        if (!grown) {
            fail(e, ERR_NOMEM);
            return;
        }
        e->reached = grown;
        e->reached_cap = cap;
    }
    e->reached[e->reached_n++] = *record;
}

static void close_record(struct erasing *e, const struct record_key *record, enum closed how)
{
    struct ref ref = {record->kind, BYTES(record->id)};
    if (closed_get(e->txn, e->community, record) >= how)
        return;
    closed_put(e->txn, e->community, record, how);
    hub_edits_put(&e->edits, how == CLOSED_WITH_ALL ? FIELD_CLOSING : FIELD_CLOSING_ALONE,
                  &ref_message, &ref);
    if (how == CLOSED_WITH_ALL)
        note_reached(e, record);
}
static bool ref_of(struct erasing *e, const struct live *edit, struct record_key *to)
{
    struct wire_field field;
    struct ref ref = {0};
    return edit->field == FIELD_ABOUT &&
           !txn_failed(e->txn, collect_edit(e->txn, e->community, edit, &field)) &&
           field.type == WIRE_SIZED &&
           message_decode(&ref_message, field.bytes, NULL, &ref, NULL) == OK && meant_key(&ref, to);
}

// Whether it is the word of whoever created the record: nobody else can hang it on something.
static bool is_creators(const struct live *edit)
{
    return memcmp(edit->key.record.id, edit->key.device, 8) == 0;
}

// Whether all that a record refers to is closed with all that hangs on it: then it goes, too. Never
// a person, who is nobody's.
static bool hangs_on_closed_alone(struct erasing *e, const struct record_key *record)
{
    struct collection collection COLLECT_CLEANUP = {.eye = NULL};
    bool any = false;
    bool alone = true;
    fail(e, collect_record(e->txn, e->community, record, &collection));
    for (size_t i = 0; i < collection.n; i++) {
        struct record_key to;
        if (!is_creators(&collection.edits[i]) || !ref_of(e, &collection.edits[i], &to))
            continue;
        any = true;
        alone = alone && closed_get(e->txn, e->community, &to) == CLOSED_WITH_ALL;
    }
    return any && alone && record->kind != KIND_PERSON;
}

static bool reach(const struct record_key *from, struct bytes extra, void *arg)
{
    (void)extra;
    struct erasing *e = arg;
    bool asks = from->kind == KIND_REQUEST || from->kind == KIND_DECISION;
    bool derived = from->kind == KIND_VOICE || from->kind == KIND_SAME_AS;
    if (!asks && (derived || hangs_on_closed_alone(e, from)))
        close_record(e, from, CLOSED_WITH_ALL);
    return !e->err;
}

static void close_reached(struct erasing *e)
{
    for (size_t i = 0; i < e->reached_n && !e->err; i++) {
        struct record_key record = e->reached[i];
        fail(e, about_each(e->txn, e->community, &record, 0, reach, e));
    }
}

static void close_all(struct erasing *e)
{
    for (size_t i = 0; i < e->what->records.n; i++) {
        struct record_key record;
        if (meant_key(LIST_AT(struct ref, e->what->records, i), &record))
            close_record(e, &record, CLOSED_WITH_ALL);
    }
    close_reached(e);
}

// --- which changes ---

// Closed for everybody, or named by whoever erases their own.
static struct meant meant_by(struct erasing *e)
{
    return (struct meant){e->txn, e->community, e->what->by ? &e->what->records : NULL};
}

// A change in the log, as far as an order asks.
struct candidate {
    uint64_t position;
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
};

static bool names_a_person(const struct erasing *e)
{
    for (size_t i = 0; i < e->what->records.n; i++) {
        if (LIST_AT(struct ref, e->what->records, i)->kind == KIND_PERSON)
            return true;
    }
    return false;
}

// A record that a person spoke is closed for their sake; what others said about it stays theirs.
static void close_spoken(struct erasing *e, const struct candidate *c)
{
    struct meant meant = meant_by(e);
    if (meant_speaker(&meant, c->position))
        close_record(e, &c->record, CLOSED_ALONE);
}

static void erase_meant(struct erasing *e, const struct candidate *c)
{
    struct meant meant = meant_by(e);
    bool own = e->what->by != NULL;
    if (meant_record(&meant, &c->record) || meant_voice(&meant, &c->envelope) ||
        (own && (meant_speaker(&meant, c->position) || meant_contact(&meant, &c->record))))
        erase(e, &c->entry);
}

typedef void candidate_function(struct erasing *e, const struct candidate *c);

static void consider(struct erasing *e, uint64_t position, candidate_function *each)
{
    struct candidate c = {.position = position};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = log_get(e->txn, e->community, position, &c.entry);
    bool is_whole = !err && c.entry.form == LOG_WHOLE;
    if (is_whole)
        err = merge_envelope(e->txn, c.entry.envelope, &arena, &c.envelope);
    if (is_whole && !err && c.envelope.kind != KIND_DECISION) {
        merge_record(&c.envelope, c.entry.device, c.entry.seq, log_tag(&c.entry), &c.record);
        each(e, &c);
    }
    fail(e, err == ERR_NOT_FOUND ? ERR_DAMAGED : err);
}

static void consider_chain(struct erasing *e, const struct device *device, candidate_function *each)
{
    for (uint32_t seq = 1; !e->err && seq && seq <= device->seq; seq++) {
        uint64_t position;
        fail(e, log_find(e->txn, e->community, device->handle, seq, &position));
        if (!e->err)
            consider(e, position, each);
    }
}

// Keys of whoever asks.
struct own_keys {
    struct erasing *e;
    struct buf devices; // struct device
};

static bool take_own(const struct device *device, void *arg)
{
    struct own_keys *keys = arg;
    if (device->role != ROLE_HUB && is_of_same_person(keys->e, device))
        buf_put(&keys->devices, bytes_of(device, sizeof *device));
    return true;
}

static void consider_own(struct erasing *e, candidate_function *each)
{
    struct own_keys keys = {.e = e};
    struct device device;
    device_each(e->txn, e->community, take_own, &keys);
    fail(e, keys.devices.err ? keys.devices.err : txn_error(e->txn));
    for (size_t at = 0; !e->err && at < keys.devices.n; at += sizeof device) {
        memcpy(&device, keys.devices.p + at, sizeof device);
        consider_chain(e, &device, each);
    }
    buf_done(&keys.devices);
}

// Reads everybody's log, or the asker's chains.
static void consider_all(struct erasing *e, candidate_function *each)
{
    uint64_t size = e->decider->community->size;
    if (e->what->by)
        consider_own(e, each);
    for (uint64_t position = 1; !e->what->by && position <= size && !e->err; position++)
        consider(e, position, each);
}

static struct erasing begin(struct hub_decider *decider, const struct hub_erasing *what)
{
    struct erasing e = {.decider = decider,
                        .txn = decider->txn,
                        .community = decider->community->number,
                        .what = what,
                        .edits = {.decider = decider, .asked = what->asked}};
    if (what->by)
        fail(&e, device_get(e.txn, e.community, what->by, &e.by));
    return e;
}

static enum err end(struct erasing *e, uint64_t *erased)
{
    enum err err = hub_edits_end(&e->edits);
    if (!e->err)
        e->err = err;
    erasing_done(e);
    if (e->err)
        return e->err;
    e->decider->effects.erased |= e->erased > 0;
    e->decider->effects.words += e->erased;
    *erased += e->erased;
    return txn_error(e->txn);
}

enum err hub_erase(struct hub_decider *decider, const struct hub_erasing *what, uint64_t *erased)
{
    struct list records = what->records;
    meant_sort(&records);
    struct erasing e = begin(decider, what);
    for (size_t i = 0; i < what->changes.n; i++)
        erase_named(&e, LIST_AT(struct change_ref, what->changes, i));
    if (what->records.n && !what->by)
        close_all(&e);
    if (what->records.n && !what->by && names_a_person(&e))
        consider_all(&e, close_spoken);
    if (what->records.n && !e.err)
        consider_all(&e, erase_meant);
    return end(&e, erased);
}

static void erase_again(struct erasing *e, const struct store_order *order)
{
    static const uint8_t not_known[HASH_SIZE];
    struct change_ref ref = {BYTES(order->handle), order->seq, order->tag};
    bool known = memcmp(order->body_hash, not_known, HASH_SIZE) != 0;
    if (erased_get(e->txn, e->community, order->handle, order->seq, order->tag, NULL))
        return;
    erased_put(e->txn, e->community, order->handle, order->seq, order->tag,
               known ? order->body_hash : NULL);
    hub_edits_put(&e->edits, FIELD_ERASURE, &change_ref_message, &ref);
    e->erased++;
}

enum err hub_erase_again(struct hub_decider *decider, const struct store_order *orders, size_t n,
                         uint64_t *erased)
{
    static const struct hub_erasing nothing;
    struct erasing e = begin(decider, &nothing);
    for (size_t i = 0; i < n; i++) {
        struct record_key record = {.kind = orders[i].kind};
        memcpy(record.id, orders[i].id, ID_SIZE);
        if (memcmp(orders[i].community, decider->community->id, COMMUNITY_SIZE) != 0)
            continue;
        if (orders[i].what == ORDER_ERASURE)
            erase_again(&e, &orders[i]);
        else if (orders[i].what == ORDER_CLOSING)
            close_record(&e, &record, CLOSED_WITH_ALL);
        else if (orders[i].what == ORDER_CLOSING_ALONE)
            close_record(&e, &record, CLOSED_ALONE);
    }
    return end(&e, erased);
}

// --- what is about closed records when it arrives ---

// What its creator says here that a record is about: whether that is closed with all, and whether
// it is a person who is closed.
static void look_at_about(struct erasing *e, const struct candidate *c, bool *hangs, bool *reaches)
{
    struct log_body body;
    struct wire_field field;
    *hangs = *reaches = false;
    if (memcmp(c->record.id, c->entry.device, 8) != 0 || c->envelope.kind == KIND_REQUEST ||
        txn_failed(e->txn, log_get_body(e->txn, e->community, c->position, &body)))
        return;
    struct wire_reader reader = wire_reader(body.fields);
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK) {
        struct ref ref = {0};
        struct record_key to;
        if (field.number != FIELD_ABOUT || field.type != WIRE_SIZED ||
            message_decode(&ref_message, field.bytes, NULL, &ref, NULL) || !meant_key(&ref, &to))
            continue;
        enum closed how = closed_get(e->txn, e->community, &to);
        *hangs |= how == CLOSED_WITH_ALL;
        *reaches |= how != CLOSED_NOT && to.kind == KIND_PERSON;
    }
}

// What hangs on what is closed, and a Contact of a closed person: its other changes say no more
// whose it is. All that a record is about is asked for only when this change says that it hangs.
static void close_arrived(struct erasing *e, const struct candidate *c)
{
    bool hangs;
    bool reaches;
    struct meant meant = meant_by(e);
    if (closed_get(e->txn, e->community, &c->record) == CLOSED_WITH_ALL)
        return;
    look_at_about(e, c, &hangs, &reaches);
    if (meant_voice(&meant, &c->envelope) || (hangs && hangs_on_closed_alone(e, &c->record)))
        close_record(e, &c->record, CLOSED_WITH_ALL);
    else if (reaches && c->record.kind == KIND_CONTACT)
        close_record(e, &c->record, CLOSED_ALONE);
}

static void erase_arrived(struct erasing *e, const struct candidate *c)
{
    struct meant meant = meant_by(e);
    if (meant_record(&meant, &c->record) || meant_speaker(&meant, c->position))
        erase(e, &c->entry);
}

// --- what was here of a record that is closed by what arrives ---

static void erase_change(struct erasing *e, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(e->txn, e->community, handle, seq, &position);
    if (!err)
        err = log_get(e->txn, e->community, position, &entry);
    if (!err && entry.form == LOG_WHOLE)
        erase(e, &entry);
    fail(e, err == ERR_NOT_FOUND ? OK : err);
}

static bool take_cover(const struct cover *cover, void *arg)
{
    buf_put(arg, bytes_of(cover, sizeof *cover));
    return true;
}

// Every change in effect that has put something to a record: its edits are live or gone over.
static void erase_edits(struct erasing *e, const struct record_key *record)
{
    struct collection collection COLLECT_CLEANUP = {.eye = NULL};
    struct buf covers BUF_CLEANUP = {0};
    struct cover cover;
    fail(e, collect_record(e->txn, e->community, record, &collection));
    cover_each_of_record(e->txn, e->community, record, take_cover, &covers);
    fail(e, covers.err);
    for (size_t i = 0; i < collection.n && !e->err; i++)
        erase_change(e, collection.edits[i].key.device, collection.edits[i].key.seq);
    for (size_t at = 0; at < covers.n && !e->err; at += sizeof cover) {
        memcpy(&cover, covers.p + at, sizeof cover);
        erase_change(e, cover.target.device, cover.target.seq);
        erase_change(e, cover.by_device, cover.by_seq);
    }
}

enum err hub_erase_arrived(struct hub_decider *decider, const uint64_t *positions, size_t n)
{
    static const struct hub_erasing everybodys;
    struct erasing e = begin(decider, &everybodys);
    uint64_t erased = 0;
    if (!closed_any(e.txn, e.community))
        n = 0;
    for (size_t i = 0; i < n && !e.err; i++)
        consider(&e, positions[i], close_arrived);
    close_reached(&e);
    for (size_t i = 0; i < e.reached_n && !e.err; i++)
        erase_edits(&e, &e.reached[i]);
    for (size_t i = 0; i < n && !e.err; i++)
        consider(&e, positions[i], erase_arrived);
    return end(&e, &erased);
}
