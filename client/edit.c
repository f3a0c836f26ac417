#include "client/draft.h"
#include "client/value.h"
#include "proto/change.h"
#include "storage/erasure.h"
#include "storage/log.h"

enum { EDIT_ARENA_MAX = 64 << 20 };

// --- references by id alone ---

static uint32_t kind_of(const uint8_t id[ID_SIZE], void *arg)
{
    const struct scope *scope = arg;
    uint32_t found = 0;
    for (uint32_t kind = 1; schema_kind(kind); kind++) {
        struct record_key record = {.kind = kind};
        memcpy(record.id, id, ID_SIZE);
        if (!present_any(scope->txn, scope->community.number, &record))
            continue;
        if (found)
            return 0;
        found = kind;
    }
    return found;
}

// --- what is to be written ---

static enum folkmoot_code find_kind(const char *name, const struct schema_kind **kind,
                                    struct folkmoot_error *error)
{
    *kind = schema_kind_by_name(name);
    if (!*kind)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", name);
    if ((*kind)->kind == KIND_DECISION)
        return state_fail(error, FOLKMOOT_INVALID, "only a hub decides");
    return FOLKMOOT_OK;
}

static bool is_given_before(const struct folkmoot_put *puts, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (puts[j].value && strcmp(puts[j].field, puts[i].field) == 0)
            return true;
    }
    return false;
}

static enum folkmoot_code draft_one(struct scope *scope, struct draft *draft,
                                    const struct folkmoot_put *puts, size_t i,
                                    struct folkmoot_error *error)
{
    const struct folkmoot_put *put = &puts[i];
    const struct schema_field *field = schema_field_by_name(draft->kind, put->field);
    if (!field)
        return state_fail(error, FOLKMOOT_INVALID, "%s: a %s has no such field", put->field,
                          draft->kind->name);
    if (!put->value) {
        draft_clear(draft, field->number, INT64_MAX);
        return FOLKMOOT_OK;
    }
    if (!field->set && is_given_before(puts, i))
        return state_fail(error, FOLKMOOT_INVALID, "%s: takes one value, two were given",
                          field->name);
    struct value_resolver resolver = {kind_of, scope};
    struct buf whole BUF_CLEANUP = {.max = CHANGE_MAX};
    struct fault fault = {0};
    enum err err = value_read(field, bytes_of_text(put->value), &resolver, &whole, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    draft_put(draft, field, buf_bytes(&whole), INT64_MAX);
    return FOLKMOOT_OK;
}

static enum folkmoot_code draft_all(struct scope *scope, struct draft *draft,
                                    const struct folkmoot_put *puts, size_t n,
                                    struct folkmoot_error *error)
{
    enum folkmoot_code code = FOLKMOOT_OK;
    for (size_t i = 0; i < n && !code; i++)
        code = draft_one(scope, draft, puts, i, error);
    return code;
}

static int64_t time_or_now(const struct folkmoot *fm, int64_t time)
{
    return time ? time : state_now(fm);
}

// --- adding ---

static enum folkmoot_code add(struct folkmoot *fm, struct scope *scope,
                              const struct schema_kind *kind, const struct folkmoot_put *puts,
                              size_t n, int64_t time, uint8_t *id, struct folkmoot_error *error)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, EDIT_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    enum err err = draft_init(&draft, scope, kind, NULL, time, &arena);
    if (err)
        return state_fail_err(error, err, NULL);
    enum folkmoot_code code = draft_all(scope, &draft, puts, n, error);
    if (!code && draft_is_empty(&draft))
        code =
            state_fail(error, FOLKMOOT_INVALID, "a %s without any value says nothing", kind->name);
    if (!code)
        code = draft_write(fm, scope, &draft, error);
    if (!code)
        memcpy(id, draft.record.id, ID_SIZE);
    return code;
}

enum folkmoot_code folkmoot_add(struct folkmoot *fm, const char *kind,
                                const struct folkmoot_put *puts, size_t n, int64_t time,
                                uint8_t *id, struct folkmoot_error *error)
{
    struct scope scope;
    const struct schema_kind *known;
    state_clear(error);
    enum folkmoot_code code = find_kind(kind, &known, error);
    if (!code && known->derived)
        code = state_fail(error, FOLKMOOT_INVALID, "a %s is not added: %s", kind,
                          known->kind == KIND_VOICE ? "say who thinks what with folkmoot_voice"
                                                    : "join records with folkmoot_same");
    if (!code)
        code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = add(fm, &scope, known, puts, n, time_or_now(fm, time), id, error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}

// --- editing ---

// A change to a record with a derived id bears its parts again.
static enum err recall_parts(struct scope *scope, struct draft *draft, struct arena *arena)
{
    struct log_entry entry;
    struct envelope envelope;
    if (!draft->kind->derived || draft->present.n == 0)
        return OK;
    enum err err =
        log_get(scope->txn, scope->community.number, draft->present.edits[0].live.position, &entry);
    if (err)
        return err;
    struct bytes copy = arena_copy(arena, entry.envelope);
    err = copy.p ? envelope_decode(copy, arena, &envelope, NULL) : ERR_NOMEM;
    if (err || envelope.parts.n != 2)
        return err ? err : ERR_DAMAGED;
    memcpy(draft->parts, envelope.parts.p, sizeof draft->parts);
    return OK;
}

// A person may be known (by a card) before anything was said of them.
static bool may_be_absent(const struct schema_kind *kind)
{
    return kind->kind == KIND_PERSON;
}

static enum folkmoot_code begin_draft(struct scope *scope, struct draft *draft,
                                      const struct schema_kind *kind, const uint8_t *id,
                                      int64_t time, struct arena *arena,
                                      struct folkmoot_error *error)
{
    enum err err = draft_init(draft, scope, kind, id, time, arena);
    if (!err)
        err = recall_parts(scope, draft, arena);
    if (err)
        return state_fail_err(error, err, NULL);
    if (draft->present.n == 0 && !may_be_absent(kind))
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no such %s here", kind->name);
    return FOLKMOOT_OK;
}

static enum folkmoot_code edit(struct folkmoot *fm, struct scope *scope,
                               const struct schema_kind *kind, const uint8_t *id,
                               const struct folkmoot_put *puts, size_t n, int64_t time,
                               struct folkmoot_error *error)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, EDIT_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    enum folkmoot_code code = begin_draft(scope, &draft, kind, id, time, &arena, error);
    if (!code)
        code = draft_all(scope, &draft, puts, n, error);
    if (!code && !draft_is_empty(&draft))
        code = draft_write(fm, scope, &draft, error);
    return code;
}

enum folkmoot_code folkmoot_edit(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                 const struct folkmoot_put *puts, size_t n, int64_t time,
                                 struct folkmoot_error *error)
{
    struct scope scope;
    const struct schema_kind *known;
    state_clear(error);
    enum folkmoot_code code = find_kind(kind, &known, error);
    if (!code)
        code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = edit(fm, &scope, known, id, puts, n, time_or_now(fm, time), error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}

// --- taking a value out ---

// Marks the live values that read like `value`. ERR_NOT_FOUND: there is none.
static enum err mark_equal(struct draft *draft, const struct schema_field *field, const char *value,
                           struct arena *arena)
{
    enum err err = ERR_NOT_FOUND;
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct present_edit *each = &draft->present.edits[i];
        if (each->live.field != field->number || !each->field.whole.p)
            continue;
        const char *text = value_text(draft->kind->kind, &each->field, arena);
        if (!text)
            return ERR_NOMEM;
        if (strcmp(text, value) == 0) {
            draft->gone[i] = true;
            err = OK;
        }
    }
    return err;
}

static enum folkmoot_code remove_value(struct folkmoot *fm, struct scope *scope,
                                       const struct schema_kind *kind, const uint8_t *id,
                                       const char *name, const char *value, int64_t time,
                                       struct folkmoot_error *error)
{
    const struct schema_field *field = schema_field_by_name(kind, name);
    if (!field)
        return state_fail(error, FOLKMOOT_INVALID, "%s: a %s has no such field", name, kind->name);
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, EDIT_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    enum folkmoot_code code = begin_draft(scope, &draft, kind, id, time, &arena, error);
    enum err err = code ? OK : mark_equal(&draft, field, value, &arena);
    if (err == ERR_NOT_FOUND)
        code = state_fail(error, FOLKMOOT_NOT_FOUND, "%s: no such value is there", name);
    else if (err)
        code = state_fail_err(error, err, NULL);
    return code ? code : draft_write(fm, scope, &draft, error);
}

enum folkmoot_code folkmoot_remove(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                   const char *field, const char *value, int64_t time,
                                   struct folkmoot_error *error)
{
    struct scope scope;
    const struct schema_kind *known;
    state_clear(error);
    enum folkmoot_code code = find_kind(kind, &known, error);
    if (!code)
        code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = remove_value(fm, &scope, known, id, field, value, time_or_now(fm, time), error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}

// --- correcting ---

static enum folkmoot_code put_beside(struct scope *scope, struct draft *draft,
                                     const struct folkmoot_correction *correction,
                                     struct folkmoot_error *error)
{
    if (!correction->value)
        return FOLKMOOT_OK;
    const struct schema_field *field = schema_field_by_name(draft->kind, correction->field);
    struct value_resolver resolver = {kind_of, scope};
    struct buf whole BUF_CLEANUP = {.max = CHANGE_MAX};
    struct fault fault = {0};
    enum err err = value_read(field, bytes_of_text(correction->value), &resolver, &whole, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    for (size_t i = 0; i < draft->present.n; i++) {
        if (bytes_equal(draft->present.edits[i].field.whole, buf_bytes(&whole))) {
            draft->gone[i] = false;
            return FOLKMOOT_OK;
        }
    }
    draft_put_raw(draft, buf_bytes(&whole));
    return FOLKMOOT_OK;
}

static enum folkmoot_code take_out(struct draft *draft,
                                   const struct folkmoot_correction *correction,
                                   struct arena *arena, struct folkmoot_error *error)
{
    const struct schema_field *field = schema_field_by_name(draft->kind, correction->field);
    if (!field)
        return state_fail(error, FOLKMOOT_INVALID, "%s: a %s has no such field", correction->field,
                          draft->kind->name);
    enum err err = correction->was ? mark_equal(draft, field, correction->was, arena) : OK;
    return err && err != ERR_NOT_FOUND ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

static bool note_cover(const struct cover *cover, void *arg)
{
    (void)cover;
    *(bool *)arg = true;
    return false;
}

// Whether it was here: then something was gone over.
static bool was_here(const struct scope *scope, const struct record_key *record)
{
    bool found = false;
    cover_each_of_record(scope->txn, scope->community.number, record, note_cover, &found);
    return found;
}

static enum folkmoot_code correct(struct folkmoot *fm, struct scope *scope,
                                  const struct schema_kind *kind, const uint8_t *id,
                                  const struct folkmoot_correction *corrections, size_t n,
                                  int64_t time, struct folkmoot_error *error)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, EDIT_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    enum folkmoot_code code = begin_draft(scope, &draft, kind, id, time, &arena, error);
    if (closed_get(scope->txn, scope->community.number, &draft.record) != CLOSED_NOT)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "this %s was erased for ever", kind->name);
    if (code == FOLKMOOT_NOT_FOUND && !kind->derived && was_here(scope, &draft.record))
        code = FOLKMOOT_OK;
    // What goes first, so that a value which goes and comes stays.
    for (size_t i = 0; i < n && !code; i++)
        code = take_out(&draft, &corrections[i], &arena, error);
    for (size_t i = 0; i < n && !code; i++)
        code = put_beside(scope, &draft, &corrections[i], error);
    if (!code && !draft_is_empty(&draft))
        code = draft_write(fm, scope, &draft, error);
    return code;
}

enum folkmoot_code folkmoot_correct(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                    const struct folkmoot_correction *corrections, size_t n,
                                    int64_t time, struct folkmoot_error *error)
{
    struct scope scope;
    const struct schema_kind *known;
    state_clear(error);
    enum folkmoot_code code = find_kind(kind, &known, error);
    if (!code)
        code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = correct(fm, &scope, known, id, corrections, n, time_or_now(fm, time), error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}
