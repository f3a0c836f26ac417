#include "sync/view.h"

#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/merge.h"

bool view_sees(const struct view_eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
               const struct record_key *record)
{
    if (class == CLASS_ORDINARY || eye->personal || memcmp(device, eye->device, HANDLE_SIZE) == 0)
        return true;
    return memcmp(record->id, eye->device, 8) == 0;
}

// --- collecting live edits ---

struct collection {
    const struct view_eye *eye; // NULL: sees all
    struct live *edits;
    size_t n;
    size_t cap;
    bool full;
};

static bool collect(const struct live *edit, void *arg)
{
    struct collection *collection = arg;
    if (collection->eye &&
        !view_sees(collection->eye, edit->key.class, edit->key.device, &edit->key.record))
        return true;
    if (collection->n == collection->cap) {
        size_t cap = collection->cap ? collection->cap * 2 : 16;
        struct live *edits = realloc(collection->edits, cap * sizeof *edits);
        collection->full = !edits;
        if (!edits)
            return false;
        collection->edits = edits;
        collection->cap = cap;
    }
    collection->edits[collection->n++] = *edit;
    return true;
}

static int by_field_and_rank(const void *a, const void *b)
{
    const struct live *x = a;
    const struct live *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return merge_rank(x, y);
}

static enum err collect_record(struct txn *txn, uint32_t community, const struct record_key *record,
                               struct collection *collection)
{
    enum err err = live_each(txn, community, record, collect, collection);
    if (!err && collection->full)
        err = ERR_NOMEM;
    if (!err && collection->n > 1)
        qsort(collection->edits, collection->n, sizeof *collection->edits, by_field_and_rank);
    return err;
}

static enum err edit_bytes(struct txn *txn, uint32_t community, const struct live *edit,
                           struct wire_field *field)
{
    struct log_body body;
    enum err err = log_get_body(txn, community, edit->position, &body);
    if (!err && !fields_edit(body.fields, edit->key.index, field))
        err = ERR_DAMAGED;
    return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
}

// --- one record ---

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
    enum err err = edit_bytes(v->txn, v->community->number, edit, &field);
    if (err)
        return err;
    buf_put(&v->record, field.whole);
    *out = (struct live_edit){.time = edit->time, .edit = arena_copy(v->arena, field.whole)};
    out->device = arena_copy(v->arena, BYTES(edit->key.device));
    *over = (struct dot){out->device, edit->key.seq, edit->key.index, edit->tag};
    return out->edit.p && out->device.p ? OK : ERR_NOMEM;
}

static bool is_register(uint32_t kind, uint32_t number)
{
    const struct schema_field *field = schema_field(kind, number);
    bool is_stance = kind == KIND_VOICE && number == FIELD_VOICE_STANCE;
    return field && !field->set && !is_stance;
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
    out->tension = is_register(v->view->kind, out->field) && edits_differ(out->edits);
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
    struct bytes copy = err ? entry.envelope : arena_copy(v->arena, entry.envelope);
    if (!err)
        err = envelope_decode(copy, v->arena, &envelope, NULL);
    if (!err)
        v->view->parts = envelope.parts;
    return err ? ERR_DAMAGED : OK;
}

static enum err view_tally_of(struct viewing *v, const struct record_key *record)
{
    struct tally *tally = arena_alloc(v->arena, 1, sizeof *tally);
    if (!tally)
        return ERR_NOMEM;
    enum err err = view_tally(v->txn, v->community, record, v->arena, tally);
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
                     const struct record_key *record, const struct view_eye *eye,
                     struct arena *arena, struct record_view *view)
{
    *view = (struct record_view){0};
    struct viewing v = {txn, community, arena, view, {0}};
    struct collection collection = {.eye = eye};
    enum err err = collect_record(txn, community->number, record, &collection);
    if (!err)
        err = view_collected(&v, record, &collection);
    free(collection.edits);
    buf_done(&v.record);
    return err;
}

// --- joined records ---

enum { JOINED_MAX = 10000 };

struct joining {
    struct txn *txn;
    uint32_t community;
    struct record_key *records;
    size_t n;
    uint32_t kind;
};

// The live `same` edits of a SameAs: true joins.
static bool same_holds(const struct joining *joining, const struct record_key *same_as)
{
    struct collection collection = {0};
    bool holds = false;
    if (collect_record(joining->txn, joining->community, same_as, &collection) == OK) {
        for (size_t i = 0; i < collection.n && !holds; i++) {
            struct wire_field field;
            holds =
                collection.edits[i].field == FIELD_SAME &&
                edit_bytes(joining->txn, joining->community, &collection.edits[i], &field) == OK &&
                field.type == WIRE_VARINT && field.value == 1;
        }
    }
    free(collection.edits);
    return holds;
}

static bool join_one(const struct record_key *same_as, struct bytes other, void *arg)
{
    struct joining *joining = arg;
    if (other.n != ID_SIZE)
        return true;
    for (size_t i = 0; i < joining->n; i++) {
        if (memcmp(joining->records[i].id, other.p, ID_SIZE) == 0)
            return true;
    }
    struct record_key record = {.kind = joining->kind};
    memcpy(record.id, other.p, ID_SIZE);
    if (same_holds(joining, same_as)) {
        struct record_key *grown =
            realloc(joining->records, (joining->n + 1) * sizeof *joining->records);
        if (!grown)
            return false;
        joining->records = grown;
        joining->records[joining->n++] = record;
    }
    return joining->n < JOINED_MAX;
}

enum err view_joined(struct txn *txn, const struct community *community,
                     const struct record_key *record, struct arena *arena, struct list *joined)
{
    struct joining joining = {txn, community->number, malloc(sizeof *joining.records), 1,
                              record->kind};
    enum err err = joining.records ? OK : ERR_NOMEM;
    if (!err)
        joining.records[0] = *record;
    for (size_t i = 0; i < joining.n && !err; i++) {
        struct record_key each = joining.records[i];
        err = about_each(txn, community->number, &each, KIND_SAME_AS, join_one, &joining);
    }
    if (!err) {
        struct bytes copy =
            arena_copy(arena, bytes_of(joining.records, joining.n * sizeof *joining.records));
        *joined = (struct list){(void *)(uintptr_t)copy.p, joining.n};
        err = copy.p ? OK : ERR_NOMEM;
    }
    free(joining.records);
    return err;
}

// --- voices ---

struct voice {
    uint8_t person[ID_SIZE]; // the least id of those it is joined with
    struct live stance;
};

struct hearing {
    struct txn *txn;
    const struct community *community;
    struct arena *arena;
    struct voice *voices;
    size_t n;
    size_t cap;
    enum err err;
};

static const struct live *latest_stance(const struct collection *collection)
{
    const struct live *latest = NULL;
    for (size_t i = 0; i < collection->n; i++) {
        if (collection->edits[i].field == FIELD_VOICE_STANCE)
            latest = &collection->edits[i];
    }
    return latest;
}

static enum err person_least(struct hearing *hearing, struct bytes person, uint8_t least[ID_SIZE])
{
    struct record_key key = {.kind = KIND_PERSON};
    struct list joined;
    memcpy(key.id, person.p, ID_SIZE);
    enum err err = view_joined(hearing->txn, hearing->community, &key, hearing->arena, &joined);
    memcpy(least, person.p, ID_SIZE);
    for (size_t i = 0; !err && i < joined.n; i++) {
        const struct record_key *other = LIST_AT(struct record_key, joined, i);
        if (memcmp(other->id, least, ID_SIZE) < 0)
            memcpy(least, other->id, ID_SIZE);
    }
    return err;
}

static enum err hear_room(struct hearing *hearing)
{
    if (hearing->n < hearing->cap)
        return OK;
    size_t cap = hearing->cap ? hearing->cap * 2 : 64;
    struct voice *voices = realloc(hearing->voices, cap * sizeof *voices);
    if (!voices)
        return ERR_NOMEM;
    hearing->voices = voices;
    hearing->cap = cap;
    return OK;
}

static bool hear(const struct record_key *voice, struct bytes person, void *arg)
{
    struct hearing *hearing = arg;
    struct collection collection = {0};
    if (person.n != ID_SIZE)
        return true;
    hearing->err = collect_record(hearing->txn, hearing->community->number, voice, &collection);
    const struct live *stance = latest_stance(&collection);
    if (!hearing->err && stance)
        hearing->err = hear_room(hearing);
    if (!hearing->err && stance) {
        struct voice *heard = &hearing->voices[hearing->n];
        heard->stance = *stance;
        hearing->err = person_least(hearing, person, heard->person);
        hearing->n += !hearing->err;
    }
    free(collection.edits);
    return !hearing->err;
}

static int by_person_and_rank(const void *a, const void *b)
{
    const struct voice *x = a;
    const struct voice *y = b;
    int order = memcmp(x->person, y->person, ID_SIZE);
    return order ? order : merge_rank(&x->stance, &y->stance);
}

static enum err count(struct hearing *hearing, const struct live *stance, struct tally *tally)
{
    struct wire_field field;
    enum err err = edit_bytes(hearing->txn, hearing->community->number, stance, &field);
    if (err)
        return err;
    uint64_t value = field.type == WIRE_VARINT ? field.value : 0;
    tally->for_ += value == STANCE_FOR;
    tally->against += value == STANCE_AGAINST;
    tally->unsure += value == STANCE_UNSURE;
    return OK;
}

static enum err count_voices(struct hearing *hearing, struct tally *tally)
{
    enum err err = OK;
    if (hearing->n)
        qsort(hearing->voices, hearing->n, sizeof *hearing->voices, by_person_and_rank);
    for (size_t i = 0; i < hearing->n && !err; i++) {
        const struct voice *voice = &hearing->voices[i];
        bool last = i + 1 == hearing->n || memcmp(voice[0].person, voice[1].person, ID_SIZE) != 0;
        if (last)
            err = count(hearing, &voice->stance, tally);
    }
    return err;
}

enum err view_tally(struct txn *txn, const struct community *community,
                    const struct record_key *record, struct arena *arena, struct tally *tally)
{
    *tally = (struct tally){0};
    struct list joined;
    struct arena scratch ARENA_CLEANUP;
    arena_init(&scratch, SIZE_MAX);
    struct hearing hearing = {.txn = txn, .community = community, .arena = &scratch};
    enum err err = view_joined(txn, community, record, arena, &joined);
    for (size_t i = 0; !err && i < joined.n; i++) {
        err = about_each(txn, community->number, LIST_AT(struct record_key, joined, i), KIND_VOICE,
                         hear, &hearing);
        if (!err)
            err = hearing.err;
    }
    if (!err)
        err = count_voices(&hearing, tally);
    free(hearing.voices);
    return err;
}
