#include "client/draft.h"
#include "proto/change.h"
#include "storage/log.h"
#include "sync/fold.h"

enum { UNDO_ARENA_MAX = 64 << 20 };

// One of the device's own changes, read back.
struct undoing {
    struct folkmoot *fm;
    struct scope *scope;
    uint32_t seq;
    struct envelope envelope;
    struct draft draft;
    struct arena arena;
};

static enum folkmoot_code read_change(struct undoing *undoing, struct folkmoot_error *error)
{
    struct scope *scope = undoing->scope;
    struct log_entry entry;
    uint64_t position;
    uint32_t community = scope->community.number;
    enum err err = undoing->seq ? log_find(scope->txn, community, scope->device.handle,
                                           undoing->seq, &position)
                                : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "this device has not written such a change");
    if (!err)
        err = log_get(scope->txn, community, position, &entry);
    struct bytes copy = err ? (struct bytes){0} : arena_copy(&undoing->arena, entry.envelope);
    if (!err)
        err = copy.p ? envelope_decode(copy, &undoing->arena, &undoing->envelope, NULL) : ERR_NOMEM;
    struct record_key record;
    if (!err)
        merge_record(&undoing->envelope, scope->device.handle, undoing->seq, log_tag(&entry),
                     &record);
    const struct schema_kind *kind = err ? NULL : schema_kind(record.kind);
    if (!err && !kind)
        return state_fail(error, FOLKMOOT_INVALID,
                          "the change is of a kind that is not known here");
    int64_t now = state_now(undoing->fm);
    int64_t time = now > undoing->envelope.time ? now : undoing->envelope.time;
    if (!err)
        err = draft_init(&undoing->draft, scope, kind, record.id, time, &undoing->arena);
    if (!err && undoing->envelope.parts.n == 2)
        memcpy(undoing->draft.parts, undoing->envelope.parts.p, sizeof undoing->draft.parts);
    return err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

static void go_over_own(struct undoing *undoing)
{
    struct draft *draft = &undoing->draft;
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct edit_key *key = &draft->present.edits[i].live.key;
        if (key->seq == undoing->seq &&
            memcmp(key->device, undoing->scope->device.handle, HANDLE_SIZE) == 0)
            draft->gone[i] = true;
    }
}

// Whether bringing the value back is right: nobody has said anything else since, and no equal value
// stands there.
static bool has_room(const struct draft *draft, const struct schema_field *field,
                     const struct wire_field *value)
{
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct present_edit *each = &draft->present.edits[i];
        if (draft->gone[i] || each->live.field != value->number)
            continue;
        if (!field || !field->set || bytes_equal(each->field.whole, value->whole))
            return false;
    }
    return true;
}

static bool is_live(const struct draft *draft, const uint8_t device[HANDLE_SIZE],
                    const struct dot *dot)
{
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct edit_key *key = &draft->present.edits[i].live.key;
        if (key->seq == dot->seq && key->index == dot->index &&
            memcmp(key->device, device, HANDLE_SIZE) == 0)
            return true;
    }
    return false;
}

static enum err bring_back(struct undoing *undoing, const struct dot *dot)
{
    struct scope *scope = undoing->scope;
    struct draft *draft = &undoing->draft;
    const uint8_t *device = dot->device.n ? dot->device.p : scope->device.handle;
    uint64_t position;
    struct log_entry entry;
    struct wire_field value;
    if (is_live(draft, device, dot) ||
        log_find(scope->txn, scope->community.number, device, dot->seq, &position) ||
        log_get(scope->txn, scope->community.number, position, &entry) ||
        log_tag(&entry) != dot->tag ||
        apart_get(scope->txn, scope->community.number, device, dot->seq, dot->tag) != REASON_NONE)
        return OK;
    enum err err = present_words(scope->txn, scope->community.number, position, dot->index,
                                 &undoing->arena, &value);
    if (err)
        return err == ERR_NOMEM ? err : OK;
    if (has_room(draft, schema_field(draft->kind->kind, value.number), &value))
        draft_put_raw(draft, value.whole);
    return OK;
}

static enum folkmoot_code undo(struct undoing *undoing, struct folkmoot_error *error)
{
    enum folkmoot_code code = read_change(undoing, error);
    if (code)
        return code;
    go_over_own(undoing);
    enum err err = OK;
    for (size_t i = 0; i < undoing->envelope.over.n && !err; i++)
        err = bring_back(undoing, LIST_AT(struct dot, undoing->envelope.over, i));
    if (err)
        return state_fail_err(error, err, NULL);
    if (draft_is_empty(&undoing->draft))
        return state_fail(error, FOLKMOOT_INVALID,
                          "nothing of that change stands any more, so there is nothing to undo");
    return draft_write(undoing->fm, undoing->scope, &undoing->draft, error);
}

enum folkmoot_code folkmoot_undo(struct folkmoot *fm, uint32_t seq, struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    struct undoing undoing = {
        .fm = fm, .scope = &scope, .seq = seq ? seq : scope.device.seq, .draft = {.kind = NULL}};
    arena_init(&undoing.arena, UNDO_ARENA_MAX);
    code = undo(&undoing, error);
    draft_done(&undoing.draft);
    arena_done(&undoing.arena);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}
