#include "client/draft.h"
#include "client/titles.h"
#include "client/value.h"
#include "sync/erase_own.h"

enum { ERASE_ARENA_MAX = 1 << 20 };

// What the hub is asked for: edits of a Request, one after the other.
struct asking {
    struct buf edits;
    uint32_t erased; // changes, sent or not
};

static void put_edit(struct buf *edits, uint32_t field, const struct message *message,
                     const void *in)
{
    size_t mark = wire_open(edits, field);
    message_encode(message, in, edits);
    wire_close(edits, mark);
}

// Asked for even where the hub has not confirmed it: a push may arrive late, and a copy of this
// store may have sent it. What an earlier key wrote, this one cannot ask for.
static void note_change(const struct change_ref *ref, void *arg)
{
    struct asking *asking = arg;
    asking->erased++;
    if (!ref->device.n)
        put_edit(&asking->edits, FIELD_REQUEST_ERASE, &change_ref_message, ref);
}

// As many requests as it takes.
static enum folkmoot_code ask(struct folkmoot *fm, struct scope *scope, struct bytes edits,
                              struct folkmoot_error *error)
{
    struct wire_reader reader = wire_reader(edits);
    enum folkmoot_code code = FOLKMOOT_OK;
    while (!code && !wire_at_end(&reader)) {
        struct arena arena ARENA_CLEANUP;
        struct draft draft DRAFT_CLEANUP = {0};
        struct wire_field field;
        arena_init(&arena, ERASE_ARENA_MAX);
        enum err err =
            draft_init(&draft, scope, schema_kind(KIND_REQUEST), NULL, state_now(fm), &arena);
        while (!err && draft.edits < EDITS_MAX && !wire_at_end(&reader)) {
            err = wire_next(&reader, &field);
            if (!err)
                draft_put_raw(&draft, field.whole);
        }
        code = err ? state_fail_err(error, err, NULL) : draft_write(fm, scope, &draft, error);
    }
    return code;
}

static enum folkmoot_code erase(struct folkmoot *fm, struct scope *scope, struct ref *ref,
                                bool own_only, struct asking *asking, struct folkmoot_error *error)
{
    struct list records = {ref, 1};
    enum err err =
        erase_own(scope->txn, &scope->community, &scope->device, &records, note_change, asking);
    if (!err && !own_only) {
        buf_reset(&asking->edits);
        put_edit(&asking->edits, FIELD_REQUEST_ERASE_RECORD, &ref_message, ref);
    }
    if (!err)
        err = asking->edits.err;
    if (err)
        return state_fail_err(error, err, NULL);
    if (own_only && asking->erased == 0)
        return state_fail(error, FOLKMOOT_INVALID,
                          "this device has said nothing about it whose words are still there");
    return ask(fm, scope, buf_bytes(&asking->edits), error);
}

enum folkmoot_code folkmoot_erase(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                  bool own_only, uint32_t *erased, struct folkmoot_error *error)
{
    struct scope scope;
    struct asking asking = {.erased = 0};
    struct ref ref = {value_kind(kind), bytes_of(id, ID_SIZE)};
    state_clear(error);
    if (ref.kind == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    if (ref.kind == KIND_REQUEST || ref.kind == KIND_MEMBERSHIP || ref.kind == KIND_DECISION)
        return state_fail(error, FOLKMOOT_INVALID,
                          "a %s holds no words: it is asked of the hub, or decided by it", kind);
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = erase(fm, &scope, &ref, own_only, &asking, error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    buf_done(&asking.edits);
    titles_free(&fm->titles);
    code = code ? code : ended;
    if (!code && erased)
        *erased = asking.erased;
    return code;
}
