#include "sync/given.h"

#include "proto/change.h"
#include "proto/schema.h"
#include "sync/audience.h"
#include "sync/joined.h"
#include "sync/view.h"

enum { SUBJECT_SIZE = 4 + ID_SIZE };

bool given_kind(uint32_t kind)
{
    const struct schema_kind *known = schema_kind(kind);
    bool is_administrative =
        kind == KIND_MEMBERSHIP || kind == KIND_DECISION || kind == KIND_REQUEST;
    return known && known->class == CLASS_ORDINARY && !is_administrative;
}

bool given_is_masked(const struct given_to *to)
{
    return to->audience != AUDIENCE_COMMUNITY;
}

struct mask given_mask(const struct given_to *to)
{
    return (struct mask){to->secret, to->handle};
}

// --- for the community: what is of persons is taken out ---

static bool is_subject(struct bytes part)
{
    return part.n == SUBJECT_SIZE && given_kind(be32_get(part.p));
}

static bool edit_is_about_person(const struct live_edit *edit)
{
    struct wire_field field;
    struct ref ref = {0};
    struct wire_reader reader = wire_reader(edit->edit);
    return wire_next(&reader, &field) ||
           message_decode(&ref_message, field.bytes, NULL, &ref, NULL) || !given_kind(ref.kind);
}

static void strip_about(struct field_view *view)
{
    struct live_edit *edits = view->edits.p;
    size_t kept = 0;
    for (size_t i = 0; i < view->edits.n; i++) {
        if (!edit_is_about_person(&edits[i]))
            edits[kept++] = edits[i];
    }
    view->edits.n = kept;
}

static bool field_is_given(uint32_t kind, uint32_t number)
{
    return number != FIELD_SPEAKER && number != FIELD_CONSENT && schema_field(kind, number);
}

static void strip_parts(struct record_view *view)
{
    struct bytes *parts = view->parts.p;
    size_t kept = 0;
    for (size_t i = 0; i < view->parts.n; i++) {
        if (is_subject(parts[i]))
            parts[kept++] = parts[i];
    }
    view->parts.n = kept;
}

static void strip(struct record_view *view)
{
    struct field_view *fields = view->fields.p;
    size_t kept = 0;
    for (size_t i = 0; i < view->fields.n; i++) {
        if (!field_is_given(view->kind, fields[i].field))
            continue;
        fields[i].over = (struct list){0};
        if (fields[i].field == FIELD_ABOUT)
            strip_about(&fields[i]);
        if (fields[i].edits.n > 0)
            fields[kept++] = fields[i];
    }
    view->fields.n = kept;
    strip_parts(view);
}

// --- for others: as an observer is shown it ---

static void round_down(uint32_t *count, uint32_t least)
{
    *count -= least ? *count % least : 0;
}

// A difference of two exports says no more than they do.
static void coarsen(struct record_view *view, uint32_t least)
{
    struct tally *tally = view->tally;
    if (!tally)
        return;
    round_down(&tally->for_, least);
    round_down(&tally->against, least);
    round_down(&tally->unsure, least);
    if (tally->for_ + tally->against + tally->unsure == 0)
        view->tally = NULL;
}

// --- both ---

static enum err name_group(struct txn *txn, const struct given_to *to,
                           const struct record_key *record, struct arena *arena,
                           struct given *given)
{
    uint32_t group;
    uint8_t *id = arena_alloc(arena, 1, ID_SIZE);
    struct joined *joined JOINED_CLEANUP = joined_new(txn, to->community.number, record->kind);
    enum err err = id && joined ? joined_group(joined, record->id, &group) : ERR_NOMEM;
    if (err)
        return err;
    memcpy(id, joined_root(joined, group), ID_SIZE);
    given->joined = bytes_of(id, ID_SIZE);
    struct mask mask = given_mask(to);
    return given_is_masked(to) ? mask_ids(&mask, record->kind, id, 1) : OK;
}

static enum err look_masked(struct txn *txn, const struct given_to *to,
                            const struct record_key *record, struct arena *arena,
                            struct record_view *view)
{
    struct eye eye = {.role = ROLE_OBSERVER, .device = to->handle};
    struct mask mask = given_mask(to);
    enum err err =
        audience_reaches(txn, to->community.number, record, to->audience, &eye.is_in_audience);
    if (!err && !eye.is_in_audience)
        return ERR_NOT_FOUND;
    if (!err)
        err = view_record(txn, &to->community, record, &eye, arena, view);
    if (!err)
        err = mask_view(&mask, arena, view);
    if (!err)
        coarsen(view, to->least);
    return err;
}

// A volunteer who wrote nothing sees what is the community's, and of persons nothing.
static enum err look_plain(struct txn *txn, const struct given_to *to,
                           const struct record_key *record, struct arena *arena,
                           struct record_view *view)
{
    static const uint8_t nobody[HANDLE_SIZE];
    struct eye eye = {.role = ROLE_VOLUNTEER, .device = nobody};
    enum err err = view_record(txn, &to->community, record, &eye, arena, view);
    if (!err)
        strip(view);
    return err;
}

// What is a statement about a person is all of that person.
static bool is_nothing(const struct record_view *view)
{
    return view->fields.n == 0 || (schema_kind(view->kind)->derived && view->parts.n == 0);
}

enum err given_record(struct txn *txn, const struct given_to *to, const struct record_key *record,
                      struct arena *arena, struct given *given)
{
    *given = (struct given){.joined = {0}};
    if (!given_kind(record->kind))
        return ERR_NOT_FOUND;
    enum err err = given_is_masked(to) ? look_masked(txn, to, record, arena, &given->view)
                                       : look_plain(txn, to, record, arena, &given->view);
    if (!err && is_nothing(&given->view))
        err = ERR_NOT_FOUND;
    return err ? err : name_group(txn, to, record, arena, given);
}
