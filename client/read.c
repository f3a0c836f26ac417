#include <stdio.h>
#include <stdlib.h>

#include "client/reading.h"
#include "client/value.h"
#include "proto/schema.h"
#include "sync/joined.h"
#include "sync/view.h"

enum { RECORD_ARENA_MAX = 256 << 20, TITLE_OF_WORDS = 80 };

void *growing_add(struct growing *growing, struct arena *arena, size_t size)
{
    if (growing->n == growing->cap) {
        size_t cap = growing->cap ? growing->cap * 2 : 8;
        void *grown = arena_alloc(arena, cap, size);
        if (!grown)
            return NULL;
        if (growing->n)
            memcpy(grown, growing->p, growing->n * size);
        growing->p = grown;
        growing->cap = cap;
    }
    return (uint8_t *)growing->p + growing->n++ * size;
}

const struct field_view *reading_field(const struct record_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        if (field->field == number)
            return field;
    }
    return NULL;
}

static bool edit_field(const struct live_edit *edit, struct wire_field *field)
{
    struct wire_reader reader = wire_reader(edit->edit);
    return edit->edit.n && wire_next(&reader, field) == OK;
}

const char *reading_text(const struct record_view *view, uint32_t number, struct arena *arena)
{
    const struct field_view *field = reading_field(view, number);
    struct wire_field edit;
    if (!field || field->edits.n == 0 ||
        !edit_field(LIST_AT(struct live_edit, field->edits, field->edits.n - 1), &edit))
        return "";
    return value_text(view->kind, &edit, arena);
}

// --- fields ---

static enum err read_values(const struct reading *reading, const struct field_view *view,
                            struct folkmoot_field *out)
{
    struct folkmoot_value *values = arena_alloc(reading->arena, view->edits.n, sizeof *values);
    if (!values)
        return ERR_NOMEM;
    for (size_t i = 0; i < view->edits.n; i++) {
        const struct live_edit *edit = LIST_AT(struct live_edit, view->edits, i);
        struct wire_field field;
        if (!edit_field(edit, &field))
            return ERR_DAMAGED;
        values[i].text = value_text(reading->key.kind, &field, reading->arena);
        values[i].time = edit->time;
        values[i].seq = LIST_AT(struct dot, view->over, i)->seq;
        memcpy(values[i].device, edit->device.p, sizeof values[i].device);
        if (!values[i].text)
            return ERR_NOMEM;
    }
    out->values = values;
    out->values_n = view->edits.n;
    return OK;
}

static const char *field_name(uint32_t kind, uint32_t number, struct arena *arena)
{
    const struct schema_field *known = schema_field(kind, number);
    if (known)
        return known->name;
    char *name = arena_alloc(arena, 1, 20);
    if (name)
        snprintf(name, 20, "field %u", number);
    return name;
}

static enum err read_fields(const struct reading *reading, const struct record_view *view)
{
    struct folkmoot_field *fields = arena_alloc(reading->arena, view->fields.n, sizeof *fields);
    if (!fields)
        return ERR_NOMEM;
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *each = LIST_AT(struct field_view, view->fields, i);
        const struct schema_field *known = schema_field(view->kind, each->field);
        fields[i].number = each->field;
        fields[i].name = field_name(view->kind, each->field, reading->arena);
        fields[i].set = known ? known->set : true;
        fields[i].tension = each->tension;
        enum err err = fields[i].name ? read_values(reading, each, &fields[i]) : ERR_NOMEM;
        if (err)
            return err;
    }
    reading->out->fields = fields;
    reading->out->fields_n = view->fields.n;
    return OK;
}

// --- the title ---

// The beginning of the words, one line, cut at a whole character.
static const char *words_begin(const char *words, struct arena *arena)
{
    size_t n = strcspn(words, "\r\n");
    if (n > TITLE_OF_WORDS) {
        n = TITLE_OF_WORDS;
        while (n > 0 && ((uint8_t)words[n] & 0xc0) == 0x80)
            n--;
    }
    char *title = arena_alloc(arena, 1, n + sizeof "…");
    if (!title)
        return NULL;
    memcpy(title, words, n);
    memcpy(title + n, words[n] ? "…" : "", words[n] ? sizeof "…" : 1);
    return title;
}

static enum err read_title(const struct reading *reading, const struct record_view *view)
{
    const char *title = reading_text(view, FIELD_TITLE, reading->arena);
    if (title && !*title) {
        const char *words = reading_text(view, FIELD_WORDS, reading->arena);
        title = words ? words_begin(words, reading->arena) : NULL;
    }
    reading->out->title = title;
    return title ? OK : ERR_NOMEM;
}

// --- links ---

static bool add_link(struct growing *links, struct arena *arena, uint32_t kind, const uint8_t *id)
{
    struct folkmoot_link *link = growing_add(links, arena, sizeof *link);
    if (!link)
        return false;
    value_kind_name(kind, link->kind);
    memcpy(link->id, id, sizeof link->id);
    return true;
}

static enum err read_about(const struct reading *reading, const struct record_view *view)
{
    struct growing links = {0};
    if (view->kind == KIND_VOICE && view->parts.n == 2) {
        struct bytes subject = *LIST_AT(struct bytes, view->parts, 0);
        if (subject.n == 4 + ID_SIZE &&
            !add_link(&links, reading->arena, be32_get(subject.p), subject.p + 4))
            return ERR_NOMEM;
    }
    const struct field_view *about = reading_field(view, FIELD_ABOUT);
    for (size_t i = 0; about && i < about->edits.n; i++) {
        struct wire_field field;
        struct ref ref = {0};
        if (!edit_field(LIST_AT(struct live_edit, about->edits, i), &field) ||
            field.type != WIRE_SIZED ||
            message_decode(&ref_message, field.bytes, reading->arena, &ref, NULL) ||
            ref.id.n != ID_SIZE)
            continue;
        if (!add_link(&links, reading->arena, ref.kind, ref.id.p))
            return ERR_NOMEM;
    }
    reading->out->about = links.p;
    reading->out->about_n = links.n;
    return OK;
}

struct referring {
    const struct reading *reading;
    struct growing links;
    enum err err;
};

// The index of references keeps what was once said: only those who still say so count.
static bool still_refers(const struct referring *referring, const struct record_key *from)
{
    struct record_view view;
    const struct reading *reading = referring->reading;
    struct eye eye = {.role = ROLE_COORDINATOR, .device = reading->scope->device.handle};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, RECORD_ARENA_MAX);
    if (view_record(reading->scope->txn, &reading->scope->community, from, &eye, &arena, &view))
        return false;
    const struct field_view *about = reading_field(&view, FIELD_ABOUT);
    for (size_t i = 0; about && i < about->edits.n; i++) {
        struct wire_field field;
        struct ref ref = {0};
        if (edit_field(LIST_AT(struct live_edit, about->edits, i), &field) &&
            field.type == WIRE_SIZED &&
            message_decode(&ref_message, field.bytes, &arena, &ref, NULL) == OK &&
            ref.kind == reading->key.kind &&
            bytes_equal(ref.id, bytes_of(reading->key.id, ID_SIZE)))
            return true;
    }
    return false;
}

static bool refer(const struct record_key *from, struct bytes extra, void *arg)
{
    struct referring *referring = arg;
    (void)extra;
    if (from->kind == KIND_VOICE || from->kind == KIND_SAME_AS || !still_refers(referring, from))
        return true;
    if (!add_link(&referring->links, referring->reading->arena, from->kind, from->id))
        referring->err = ERR_NOMEM;
    return !referring->err;
}

static enum err read_from(const struct reading *reading)
{
    struct referring referring = {.reading = reading};
    enum err err = about_each(reading->scope->txn, reading->scope->community.number, &reading->key,
                              0, refer, &referring);
    reading->out->from = referring.links.p;
    reading->out->from_n = referring.links.n;
    return err ? err : referring.err;
}

static enum err read_same(const struct reading *reading)
{
    struct growing links = {0};
    struct record_key other;
    uint32_t group;
    struct joined *joined JOINED_CLEANUP =
        joined_new(reading->scope->txn, reading->scope->community.number, reading->key.kind);
    enum err err = joined ? joined_group(joined, reading->key.id, &group) : ERR_NOMEM;
    for (size_t i = 1; !err && joined_member(joined, group, i, &other); i++) {
        if (!add_link(&links, reading->arena, other.kind, other.id))
            err = ERR_NOMEM;
    }
    reading->out->same = links.p;
    reading->out->same_n = links.n;
    return err;
}

// --- a record ---

static void read_head(const struct reading *reading, const struct record_view *view)
{
    struct folkmoot_record *out = reading->out;
    value_kind_name(view->kind, out->kind);
    memcpy(out->id, reading->key.id, sizeof out->id);
    out->bytes = view->record.p;
    out->bytes_n = view->record.n;
    if (view->tally) {
        out->votes_for = view->tally->for_;
        out->votes_against = view->tally->against;
        out->votes_unsure = view->tally->unsure;
    }
}

static enum err read_record(struct reading *reading, enum folkmoot_depth depth)
{
    struct record_view view;
    struct eye eye = {.role = ROLE_COORDINATOR, .device = reading->scope->device.handle};
    uint64_t damage = txn_damage(reading->scope->txn);
    enum err err = view_record(reading->scope->txn, &reading->scope->community, &reading->key, &eye,
                               reading->arena, &view);
    if (err)
        return err;
    read_head(reading, &view);
    err = read_fields(reading, &view);
    if (!err)
        err = read_title(reading, &view);
    if (!err)
        err = read_about(reading, &view);
    if (!err)
        err = read_from(reading);
    if (!err)
        err = read_same(reading);
    if (!err && depth == FOLKMOOT_WHOLE)
        err = voices_read(reading);
    if (!err && depth == FOLKMOOT_WHOLE)
        err = history_read(reading);
    reading->out->damaged = txn_damage(reading->scope->txn) != damage;
    return err;
}

static enum err get(const struct scope *scope, const struct record_key *key,
                    enum folkmoot_depth depth, struct folkmoot_record *record)
{
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        return ERR_NOMEM;
    arena_init(arena, RECORD_ARENA_MAX);
    struct folkmoot_record out = {.memory = arena};
    struct reading reading = {scope, *key, arena, &out};
    enum err err = read_record(&reading, depth);
    if (!err)
        err = arena->err ? ERR_NOMEM : txn_error(scope->txn);
    if (err)
        folkmoot_record_done(&out);
    else
        *record = out;
    return err;
}

enum folkmoot_code folkmoot_record_get(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                       enum folkmoot_depth depth, struct folkmoot_record *record,
                                       struct folkmoot_error *error)
{
    struct scope scope;
    struct record_key key = {.kind = value_kind(kind)};
    state_clear(error);
    if (key.kind == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    memcpy(key.id, id, ID_SIZE);
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    enum err err = get(&scope, &key, depth, record);
    (void)state_end(fm, &scope, false, error);
    if (err == ERR_NOT_FOUND)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no such %.40s here", kind);
    return err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

void folkmoot_record_done(struct folkmoot_record *record)
{
    struct arena *arena = record->memory;
    if (arena)
        arena_done(arena);
    free(arena);
    *record = (struct folkmoot_record){0};
}
