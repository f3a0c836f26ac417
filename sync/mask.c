#include "sync/mask.h"

#include "base/cipher.h"
#include "base/hash.h"
#include "proto/schema.h"
#include "sync/role.h"

enum { TALLY_MIN = 5, SUBJECT_SIZE = 4 + ID_SIZE };

static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;
static const int64_t week_ms = (int64_t)7 * 24 * 60 * 60 * 1000;

// --- ids ---

static void make_key(const struct mask *mask, uint32_t kind, uint8_t key[CIPHER_KEY_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot observer id v1");
    hash_put(&hash, bytes_of(mask->secret, MASK_SECRET_SIZE));
    hash_put(&hash, bytes_of(mask->device, HANDLE_SIZE));
    hash_put_be32(&hash, kind);
    hash_end(&hash, key);
}

enum err mask_ids(const struct mask *mask, uint32_t kind, uint8_t *ids, size_t n)
{
    uint8_t key[CIPHER_KEY_SIZE];
    make_key(mask, kind, key);
    return n ? cipher_permute(key, bytes_of(ids, n * ID_SIZE), ids) : OK;
}

enum err mask_id_back(const struct mask *mask, uint32_t kind, uint8_t id[ID_SIZE])
{
    uint8_t key[CIPHER_KEY_SIZE];
    make_key(mask, kind, key);
    return cipher_permute_back(key, bytes_of(id, ID_SIZE), id);
}

// --- edits ---

static bool is_shown(uint32_t kind)
{
    return role_may_see(ROLE_OBSERVER, kind, CLASS_ORDINARY) != REACH_NONE;
}

// 1970 began on a Thursday.
int64_t mask_week(int64_t time)
{
    int64_t since = (time % week_ms + week_ms + 3 * day_ms) % week_ms;
    return time < INT64_MIN + since ? INT64_MIN : time - since;
}

static bool put_id(const struct mask *mask, uint32_t kind, uint32_t number, struct bytes id,
                   struct buf *out)
{
    uint8_t masked[ID_SIZE];
    if (id.n != ID_SIZE || !is_shown(kind))
        return false;
    memcpy(masked, id.p, ID_SIZE);
    enum err err = mask_ids(mask, kind, masked, 1);
    if (err && !out->err)
        out->err = err;
    wire_put_bytes(out, number, BYTES(masked));
    return true;
}

static bool put_about(const struct mask *mask, const struct wire_field *field, struct buf *out)
{
    struct ref ref = {0};
    if (message_decode(&ref_message, field->bytes, NULL, &ref, NULL))
        return false;
    size_t mark = wire_open(out, field->number);
    wire_put_uint(out, 1, ref.kind);
    bool is_put = put_id(mask, ref.kind, 2, ref.id, out);
    wire_close(out, mark);
    return is_put;
}

// Only what this version knows of a place.
static bool put_place(const struct wire_field *field, struct buf *out)
{
    struct place place = {0};
    if (message_decode(&place_message, field->bytes, NULL, &place, NULL))
        return false;
    size_t mark = wire_open(out, field->number);
    message_encode(&place_message, &place, out);
    wire_close(out, mark);
    return true;
}

static bool put_keep_until(const struct wire_field *field, struct buf *out)
{
    wire_put_uint(out, field->number, (uint64_t)mask_week((int64_t)field->value));
    return true;
}

// Puts the edit as it is shown. False when it is not.
static bool put_edit(const struct mask *mask, const struct schema_field *schema,
                     const struct wire_field *field, struct buf *out)
{
    switch (schema->number) {
    case FIELD_SPEAKER:
    case FIELD_CONSENT:
    case FIELD_SENSITIVITY:
        return false;
    case FIELD_ABOUT:
        return put_about(mask, field, out);
    case FIELD_PLACE:
        return put_place(field, out);
    case FIELD_KEEP_UNTIL:
        return put_keep_until(field, out);
    default:
        break;
    }
    switch (schema->type) {
    case SCHEMA_ID: // so far always of a Party
        return put_id(mask, KIND_PARTY, field->number, field->bytes, out);
    case SCHEMA_HANDLE:
    case SCHEMA_MESSAGE:
        return false;
    case SCHEMA_TEXT:
    case SCHEMA_ENUM:
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
    case SCHEMA_BOOL:
        break;
    }
    buf_put(out, field->whole);
    return true;
}

struct masking {
    const struct mask *mask;
    struct arena *arena;
    struct buf edit; // of one
    struct buf record;
};

static enum err mask_edit(struct masking *m, const struct schema_field *schema,
                          struct live_edit *edit, bool *is_kept)
{
    struct wire_field field;
    struct wire_reader reader = wire_reader(edit->edit);
    buf_reset(&m->edit);
    *is_kept = wire_next(&reader, &field) == OK && put_edit(m->mask, schema, &field, &m->edit);
    if (m->edit.err)
        return m->edit.err;
    if (!*is_kept)
        return OK;
    *edit = (struct live_edit){.time = mask_week(edit->time),
                               .edit = arena_copy(m->arena, buf_bytes(&m->edit))};
    buf_put(&m->record, buf_bytes(&m->edit));
    return m->record.err || !edit->edit.p ? ERR_NOMEM : OK;
}

// Keeps what is shown of a field's edits, in their order.
static enum err mask_field(struct masking *m, uint32_t kind, struct field_view *view)
{
    const struct schema_field *schema = schema_field(kind, view->field);
    struct live_edit *edits = view->edits.p;
    size_t kept = 0;
    for (size_t i = 0; schema && i < view->edits.n; i++) {
        bool is_kept;
        enum err err = mask_edit(m, schema, &edits[i], &is_kept);
        if (err)
            return err;
        if (is_kept)
            edits[kept++] = edits[i];
    }
    view->edits.n = kept;
    view->over = (struct list){0};
    return OK;
}

static enum err mask_fields(struct masking *m, struct record_view *view)
{
    struct field_view *fields = view->fields.p;
    size_t kept = 0;
    for (size_t i = 0; i < view->fields.n; i++) {
        enum err err = mask_field(m, view->kind, &fields[i]);
        if (err)
            return err;
        if (fields[i].edits.n > 0)
            fields[kept++] = fields[i];
    }
    view->fields.n = kept;
    view->record = arena_copy(m->arena, buf_bytes(&m->record));
    if (kept == 0)
        return ERR_NOT_FOUND;
    return view->record.p ? OK : ERR_NOMEM;
}

// --- the record ---

// Of what an id is derived from the subject is shown, and not the person.
static enum err mask_parts(const struct mask *mask, struct arena *arena, struct record_view *view)
{
    struct bytes *subject = view->parts.p;
    struct list parts = view->parts;
    view->parts = (struct list){0};
    if (parts.n == 0 || subject->n != SUBJECT_SIZE || !is_shown(be32_get(subject->p)))
        return OK;
    uint8_t *masked = arena_alloc(arena, 1, SUBJECT_SIZE);
    if (!masked)
        return ERR_NOMEM;
    memcpy(masked, subject->p, SUBJECT_SIZE);
    *subject = bytes_of(masked, SUBJECT_SIZE);
    view->parts = (struct list){subject, 1};
    return mask_ids(mask, be32_get(masked), masked + 4, 1);
}

static bool is_small(const struct tally *tally)
{
    return (uint64_t)tally->for_ + tally->against + tally->unsure < TALLY_MIN;
}

enum err mask_view(const struct mask *mask, struct arena *arena, struct record_view *view)
{
    struct masking m = {.mask = mask, .arena = arena};
    uint8_t *id = arena_alloc(arena, 1, ID_SIZE);
    if (!id)
        return ERR_NOMEM;
    memcpy(id, view->id.p, ID_SIZE);
    view->id = bytes_of(id, ID_SIZE);
    if (view->tally && is_small(view->tally))
        view->tally = NULL;
    enum err err = mask_ids(mask, view->kind, id, 1);
    if (!err)
        err = mask_parts(mask, arena, view);
    if (!err)
        err = mask_fields(&m, view);
    buf_done(&m.edit);
    buf_done(&m.record);
    return err;
}
