#include "sync/view.h"

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/collect.h"
#include "sync/tally.h"

struct viewing {
    struct txn *txn;
    const struct community *community;
    struct arena *arena;
    struct record_view *view;
    struct buf record;
};

static enum err view_edit(struct viewing *v, const struct live *edit, struct live_edit *out,
                          struct dot *over)
{
    struct wire_field field;
    enum err err = collect_edit(v->txn, v->community->number, edit, &field);
    if (err)
        return err;
    buf_put(&v->record, field.whole);
    *out = (struct live_edit){.time = edit->time, .edit = arena_copy(v->arena, field.whole)};
    out->device = arena_copy(v->arena, BYTES(edit->key.device));
    *over = (struct dot){out->device, edit->key.seq, edit->key.index, edit->tag};
    return out->edit.p && out->device.p ? OK : ERR_NOMEM;
}

static bool edits_differ(struct list edits)
{
    for (size_t i = 1; i < edits.n; i++) {
        if (!bytes_equal(LIST_AT(struct live_edit, edits, i)->edit,
                         LIST_AT(struct live_edit, edits, 0)->edit))
            return true;
    }
    return false;
}

static enum err view_field(struct viewing *v, const struct live *edits, size_t n,
                           struct field_view *out)
{
    out->field = edits->field;
    out->edits = (struct list){arena_alloc(v->arena, n, sizeof(struct live_edit)), n};
    out->over = (struct list){arena_alloc(v->arena, n, sizeof(struct dot)), n};
    if (!out->edits.p || !out->over.p)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        enum err err = view_edit(v, &edits[i], LIST_AT(struct live_edit, out->edits, i),
                                 LIST_AT(struct dot, out->over, i));
        if (err)
            return err;
    }
    out->tension = collect_is_register(v->view->kind, out->field) && edits_differ(out->edits);
    return OK;
}

static size_t same_field(const struct live *edits, size_t n)
{
    size_t i = 1;
    while (i < n && edits[i].field == edits->field)
        i++;
    return i;
}

static enum err view_fields(struct viewing *v, const struct collection *collection)
{
    size_t fields = 0;
    for (size_t i = 0; i < collection->n; fields++)
        i += same_field(collection->edits + i, collection->n - i);
    struct field_view *views = arena_alloc(v->arena, fields, sizeof *views);
    if (!views)
        return ERR_NOMEM;
    v->view->fields = (struct list){views, fields};
    for (size_t i = 0; i < collection->n; views++) {
        size_t n = same_field(collection->edits + i, collection->n - i);
        enum err err = view_field(v, collection->edits + i, n, views);
        if (err)
            return err;
        i += n;
    }
    return OK;
}

static enum err view_parts(struct viewing *v, uint64_t position)
{
    struct log_entry entry;
    struct envelope envelope;
    enum err err = log_get(v->txn, v->community->number, position, &entry);
    if (err)
        return err == ERR_NOT_FOUND ? txn_damaged(v->txn) : err;
    struct bytes copy = arena_copy(v->arena, entry.envelope);
    if (!copy.p)
        return ERR_NOMEM;
    // That the arena is full concerns this answer alone.
    err = envelope_decode(copy, v->arena, &envelope, NULL);
    if (!err)
        v->view->parts = envelope.parts;
    return err && err != ERR_NOMEM ? txn_damaged(v->txn) : err;
}

static enum err view_tally_of(struct viewing *v, const struct record_key *record)
{
    struct tally *tally = arena_alloc(v->arena, 1, sizeof *tally);
    if (!tally)
        return ERR_NOMEM;
    enum err err = tally_count(v->txn, v->community, record, tally);
    if (!err && tally->for_ + tally->against + tally->unsure > 0)
        v->view->tally = tally;
    return err;
}

static enum err view_collected(struct viewing *v, const struct record_key *record,
                               const struct collection *collection)
{
    if (collection->n == 0)
        return ERR_NOT_FOUND;
    v->view->kind = record->kind;
    v->view->class = collection->edits->key.class;
    v->view->id = arena_copy(v->arena, BYTES(record->id));
    enum err err = view_parts(v, collection->edits->position);
    if (!err)
        err = view_fields(v, collection);
    if (!err)
        err = v->record.err;
    if (!err) {
        v->view->record = arena_copy(v->arena, buf_bytes(&v->record));
        err = v->view->record.p && v->view->id.p ? OK : ERR_NOMEM;
    }
    return err ? err : view_tally_of(v, record);
}

enum err view_record(struct txn *txn, const struct community *community,
                     const struct record_key *record, const struct eye *eye, struct arena *arena,
                     struct record_view *view)
{
    *view = (struct record_view){0};
    struct viewing v = {txn, community, arena, view, {0}};
    uint64_t damage = txn_damage(txn);
    struct collection collection COLLECT_CLEANUP = {.eye = eye};
    enum err err = collect_record(txn, community->number, record, &collection);
    if (!err)
        err = view_collected(&v, record, &collection);
    view->damaged = txn_damage(txn) != damage;
    if (err == ERR_NOT_FOUND && view->damaged)
        err = ERR_DAMAGED;
    buf_done(&v.record);
    return err;
}

static bool part_is(struct bytes part, const struct record_key *to)
{
    return part.n == 4 + ID_SIZE && be32_get(part.p) == to->kind &&
           memcmp(part.p + 4, to->id, ID_SIZE) == 0;
}

static bool edit_is(struct bytes edit, const struct record_key *to)
{
    struct wire_field field;
    struct ref ref = {0};
    struct wire_reader reader = wire_reader(edit);
    return wire_next(&reader, &field) == OK &&
           message_decode(&ref_message, field.bytes, NULL, &ref, NULL) == OK &&
           ref.kind == to->kind && bytes_equal(ref.id, BYTES(to->id));
}

bool view_is_about(const struct record_view *view, const struct record_key *to)
{
    for (size_t i = 0; i < view->parts.n; i++) {
        if (part_is(*LIST_AT(struct bytes, view->parts, i), to))
            return true;
    }
    const struct field_view *first = view->fields.n ? view->fields.p : NULL;
    for (size_t i = 0; first && first->field == FIELD_ABOUT && i < first->edits.n; i++) {
        if (edit_is(LIST_AT(struct live_edit, first->edits, i)->edit, to))
            return true;
    }
    return false;
}
