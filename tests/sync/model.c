#include "tests/sync/model.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "proto/wire.h"

void model_init(struct model *model, const uint8_t community[COMMUNITY_SIZE])
{
    *model = (struct model){0};
    memcpy(model->community, community, COMMUNITY_SIZE);
    arena_init(&model->arena, 256 << 20);
}

void model_done(struct model *model)
{
    arena_done(&model->arena);
    free(model->changes);
}

// --- names of things ---

static void hash_cut(struct hash *hash, void *out, size_t n)
{
    uint8_t full[HASH_SIZE];
    hash_end(hash, full);
    memcpy(out, full, n);
}

static void handle_of(const struct model *model, const uint8_t key[KEY_SIZE],
                      uint8_t handle[HANDLE_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot handle v1");
    hash_put(&hash, BYTES(model->community));
    hash_put(&hash, bytes_of(key, KEY_SIZE));
    hash_cut(&hash, handle, HANDLE_SIZE);
}

static uint32_t tag_of(const uint8_t salt[SALT_SIZE], struct bytes envelope, struct bytes fields)
{
    struct hash hash;
    uint8_t of_envelope[HASH_SIZE];
    uint8_t of_body[HASH_SIZE];
    uint8_t tag[4];
    hash_begin(&hash, "folkmoot envelope v1");
    hash_put(&hash, envelope);
    hash_end(&hash, of_envelope);
    hash_begin(&hash, "folkmoot body v1");
    hash_put(&hash, bytes_of(salt, SALT_SIZE));
    hash_put(&hash, fields);
    hash_end(&hash, of_body);
    hash_begin(&hash, "folkmoot leaf v1");
    hash_put(&hash, BYTES(of_envelope));
    hash_put(&hash, BYTES(of_body));
    hash_cut(&hash, tag, sizeof tag);
    return be32_get(tag);
}

static void name_record(struct model_change *change)
{
    const struct envelope *envelope = &change->envelope;
    uint8_t *id = change->record.id;
    change->record.kind = envelope->kind;
    if (envelope->id.n) {
        memcpy(id, envelope->id.p, ID_SIZE);
    } else if (envelope->parts.n) {
        struct hash hash;
        hash_begin(&hash, "folkmoot id v1");
        hash_put_be32(&hash, envelope->kind);
        for (size_t i = 0; i < envelope->parts.n; i++)
            hash_put_sized(&hash, *LIST_AT(struct bytes, envelope->parts, i));
        hash_cut(&hash, id, ID_SIZE);
    } else {
        memcpy(id, change->device, 8);
        be32_put(id + 8, change->seq);
        be32_put(id + 12, change->tag);
    }
}

static void *grown(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 64;
    p = realloc(p, *cap * size);
    assert(p);
    return p;
}

const struct model_change *model_add(struct model *model, const uint8_t key[KEY_SIZE], uint32_t seq,
                                     const uint8_t salt[SALT_SIZE], struct bytes envelope,
                                     struct bytes fields, enum model_fate fate)
{
    model->changes = grown(model->changes, model->n, &model->cap, sizeof *model->changes);
    struct model_change *change = &model->changes[model->n++];
    *change = (struct model_change){.seq = seq, .fate = fate};
    handle_of(model, key, change->device);
    change->tag = tag_of(salt, envelope, fields);
    change->fields = arena_copy(&model->arena, fields);
    enum err err = envelope_decode(arena_copy(&model->arena, envelope), &model->arena,
                                   &change->envelope, NULL);
    assert(!err);
    name_record(change);
    return change;
}

// --- what is live ---

static bool same_record(const struct model_record *a, const struct model_record *b)
{
    return a->kind == b->kind && memcmp(a->id, b->id, ID_SIZE) == 0;
}

bool model_tells(const struct model_change *change, const uint8_t *device)
{
    return !device || change->envelope.class == CLASS_ORDINARY ||
           memcmp(change->device, device, HANDLE_SIZE) == 0 ||
           memcmp(change->record.id, device, 8) == 0;
}

static bool goes_over(const struct model_change *by, const struct model_edit *edit)
{
    const struct model_change *of = edit->change;
    if (!same_record(&by->record, &of->record) || by->envelope.class != of->envelope.class)
        return false;
    if (of->record.kind == KIND_VOICE && edit->field == FIELD_VOICE_STANCE &&
        by->envelope.time < of->envelope.time)
        return false;
    for (size_t i = 0; i < by->envelope.over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, by->envelope.over, i);
        const uint8_t *device = dot->device.n ? dot->device.p : by->device;
        if (memcmp(device, of->device, HANDLE_SIZE) == 0 && dot->seq == of->seq &&
            dot->tag == of->tag && dot->index == edit->index)
            return true;
    }
    return false;
}

static bool is_live(const struct model *model, const uint8_t *device, const struct model_edit *edit)
{
    for (size_t i = 0; i < model->n; i++) {
        const struct model_change *by = &model->changes[i];
        if (by->fate != MODEL_REFUSED && model_tells(by, device) && goes_over(by, edit))
            return false;
    }
    return true;
}

static void look_at(const struct model *model, const uint8_t *device,
                    const struct model_change *change, struct model_view *view)
{
    struct wire_reader reader = wire_reader(change->fields);
    for (uint32_t i = 0; !wire_at_end(&reader); i++) {
        struct wire_field field;
        enum err err = wire_next(&reader, &field);
        assert(!err);
        struct model_edit edit = {
            change, i, field.number, field.value, field.type == WIRE_VARINT, field.whole};
        if (!is_live(model, device, &edit))
            continue;
        view->edits = grown(view->edits, view->n, &view->cap, sizeof *view->edits);
        view->edits[view->n++] = edit;
    }
}

void model_look(const struct model *model, const uint8_t *device, struct model_view *view)
{
    *view = (struct model_view){0};
    for (size_t i = 0; i < model->n; i++) {
        if (model->changes[i].fate == MODEL_COUNTS && model_tells(&model->changes[i], device))
            look_at(model, device, &model->changes[i], view);
    }
}

void model_view_done(struct model_view *view)
{
    free(view->edits);
}

// --- records ---

bool model_outranks(const struct model_edit *a, const struct model_edit *b)
{
    int order = memcmp(a->change->device, b->change->device, HANDLE_SIZE);
    if (a->change->envelope.time != b->change->envelope.time)
        return a->change->envelope.time > b->change->envelope.time;
    if (order)
        return order > 0;
    if (a->change->seq != b->change->seq)
        return a->change->seq > b->change->seq;
    return a->index > b->index;
}

static bool follows(const struct model_edit *a, const struct model_edit *b)
{
    return a->field != b->field ? a->field > b->field : model_outranks(a, b);
}

// The first of the record's edits behind `after` (NULL: of all).
static const struct model_edit *next_edit(const struct model_view *view,
                                          const struct model_record *record,
                                          const struct model_edit *after)
{
    const struct model_edit *next = NULL;
    for (size_t i = 0; i < view->n; i++) {
        const struct model_edit *edit = &view->edits[i];
        if (same_record(&edit->change->record, record) && (!after || follows(edit, after)) &&
            (!next || follows(next, edit)))
            next = edit;
    }
    return next;
}

bool model_message(const struct model_view *view, const struct model_record *record,
                   struct buf *out)
{
    const struct model_edit *edit = next_edit(view, record, NULL);
    bool any = edit != NULL;
    for (; edit; edit = next_edit(view, record, edit))
        buf_put(out, edit->bytes);
    return any;
}

bool model_has_tension(const struct model_view *view, const struct model_record *record,
                       uint32_t field)
{
    const struct schema_field *known = schema_field(record->kind, field);
    const struct model_edit *first = NULL;
    if (!known || known->set || (record->kind == KIND_VOICE && field == FIELD_VOICE_STANCE))
        return false;
    for (size_t i = 0; i < view->n; i++) {
        const struct model_edit *edit = &view->edits[i];
        if (edit->field != field || !same_record(&edit->change->record, record))
            continue;
        if (first && !bytes_equal(first->bytes, edit->bytes))
            return true;
        first = edit;
    }
    return false;
}

// --- voices ---

enum { GROUP_MAX = 64 };

struct group {
    uint8_t ids[GROUP_MAX][ID_SIZE];
    size_t n;
};

static bool group_has(const struct group *group, const uint8_t *id)
{
    for (size_t i = 0; i < group->n; i++) {
        if (memcmp(group->ids[i], id, ID_SIZE) == 0)
            return true;
    }
    return false;
}

static bool group_grow(struct group *group, const uint8_t *id)
{
    if (group_has(group, id))
        return false;
    assert(group->n < GROUP_MAX);
    memcpy(group->ids[group->n++], id, ID_SIZE);
    return true;
}

// Goes through all statements of sameness until none adds anything.
static void group_of(const struct model_view *view, uint32_t kind, const uint8_t *id,
                     struct group *group)
{
    *group = (struct group){0};
    group_grow(group, id);
    for (bool growing = true; growing;) {
        growing = false;
        for (size_t i = 0; i < view->n; i++) {
            const struct model_edit *edit = &view->edits[i];
            if (edit->change->record.kind != KIND_SAME_AS || edit->field != FIELD_SAME ||
                !edit->is_varint || edit->value != 1)
                continue;
            const struct bytes *parts = LIST_AT(struct bytes, edit->change->envelope.parts, 0);
            if (be32_get(parts[0].p) != kind)
                continue;
            if (group_has(group, parts[0].p + 4))
                growing |= group_grow(group, parts[1].p + 4);
            if (group_has(group, parts[1].p + 4))
                growing |= group_grow(group, parts[0].p + 4);
        }
    }
}

struct model_record model_root(const struct model_view *view, const struct model_record *record)
{
    struct group group;
    struct model_record root = *record;
    group_of(view, record->kind, record->id, &group);
    for (size_t i = 0; i < group.n; i++) {
        if (memcmp(group.ids[i], root.id, ID_SIZE) < 0)
            memcpy(root.id, group.ids[i], ID_SIZE);
    }
    return root;
}

// Whether nobody of the same group of persons outranks this stance on these subjects.
static bool speaks_last(const struct model_view *view, const struct group *subjects, uint32_t kind,
                        const struct model_edit *stance)
{
    struct group persons;
    const struct bytes *own = LIST_AT(struct bytes, stance->change->envelope.parts, 0);
    group_of(view, KIND_PERSON, own[1].p, &persons);
    for (size_t i = 0; i < view->n; i++) {
        const struct model_edit *other = &view->edits[i];
        if (other->change->record.kind != KIND_VOICE || other->field != FIELD_VOICE_STANCE)
            continue;
        const struct bytes *parts = LIST_AT(struct bytes, other->change->envelope.parts, 0);
        if (be32_get(parts[0].p) == kind && group_has(subjects, parts[0].p + 4) &&
            group_has(&persons, parts[1].p) && model_outranks(other, stance))
            return false;
    }
    return true;
}

struct tally model_tally(const struct model_view *view, const struct model_record *record)
{
    struct group subjects;
    struct tally tally = {0};
    group_of(view, record->kind, record->id, &subjects);
    for (size_t i = 0; i < view->n; i++) {
        const struct model_edit *edit = &view->edits[i];
        if (edit->change->record.kind != KIND_VOICE || edit->field != FIELD_VOICE_STANCE)
            continue;
        const struct bytes *parts = LIST_AT(struct bytes, edit->change->envelope.parts, 0);
        if (be32_get(parts[0].p) != record->kind || !group_has(&subjects, parts[0].p + 4) ||
            !speaks_last(view, &subjects, record->kind, edit))
            continue;
        tally.for_ += edit->value == STANCE_FOR;
        tally.against += edit->value == STANCE_AGAINST;
        tally.unsure += edit->value == STANCE_UNSURE;
    }
    return tally;
}
