#include "client/draft.h"

#include "client/titles.h"
#include "proto/change.h"
#include "storage/log.h"
#include "sync/author.h"

enum err draft_init(struct draft *draft, const struct scope *scope, const struct schema_kind *kind,
                    const uint8_t *id, int64_t time, struct arena *arena)
{
    *draft = (struct draft){.kind = kind,
                            .record = {.kind = kind->kind},
                            .creates = !id,
                            .time = time,
                            .fields = {.max = CHANGE_MAX}};
    if (!id)
        return OK;
    memcpy(draft->record.id, id, ID_SIZE);
    enum err err = present_read(scope->txn, scope->community.number, &draft->record, kind->class,
                                arena, &draft->present);
    if (err || draft->present.n == 0)
        return err;
    draft->gone = arena_alloc(arena, draft->present.n, sizeof *draft->gone);
    return draft->gone ? OK : ERR_NOMEM;
}

void draft_done(struct draft *draft)
{
    buf_done(&draft->fields);
}

void draft_clear(struct draft *draft, uint32_t field, int64_t upto)
{
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct live *live = &draft->present.edits[i].live;
        if (live->field == field && live->time <= upto)
            draft->gone[i] = true;
    }
}

// Whether the change puts these very bytes already.
static bool has_put(const struct draft *draft, struct bytes whole)
{
    struct wire_reader reader = wire_reader(buf_bytes(&draft->fields));
    while (!wire_at_end(&reader)) {
        struct wire_field field;
        if (wire_next(&reader, &field))
            return false;
        if (bytes_equal(field.whole, whole))
            return true;
    }
    return false;
}

void draft_put_raw(struct draft *draft, struct bytes whole)
{
    if (has_put(draft, whole))
        return;
    buf_put(&draft->fields, whole);
    draft->edits++;
}

// A live value with these bytes; it stays, even if it was about to go.
static bool keep_equal(struct draft *draft, struct bytes whole)
{
    for (size_t i = 0; i < draft->present.n; i++) {
        if (bytes_equal(draft->present.edits[i].field.whole, whole)) {
            draft->gone[i] = false;
            return true;
        }
    }
    return false;
}

static bool stands_alone(const struct draft *draft, uint32_t field, struct bytes whole)
{
    bool any = false;
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct present_edit *edit = &draft->present.edits[i];
        if (edit->live.field != field)
            continue;
        if (!bytes_equal(edit->field.whole, whole))
            return false;
        any = true;
    }
    return any;
}

void draft_put(struct draft *draft, const struct schema_field *field, struct bytes whole,
               int64_t upto)
{
    if (field->set ? keep_equal(draft, whole) : stands_alone(draft, field->number, whole))
        return;
    if (!field->set)
        draft_clear(draft, field->number, upto);
    draft_put_raw(draft, whole);
}

bool draft_is_empty(const struct draft *draft)
{
    for (size_t i = 0; i < draft->present.n; i++) {
        if (draft->gone[i])
            return false;
    }
    return draft->edits == 0;
}

// --- writing ---

// The next dots to go over, from the at-th live edit on; `at` moves behind them.
static struct list next_dots(const struct draft *draft, const uint8_t own[HANDLE_SIZE], size_t *at,
                             struct dot dots[OVER_MAX])
{
    size_t n = 0;
    for (; *at < draft->present.n && n < OVER_MAX; (*at)++) {
        const struct live *live = &draft->present.edits[*at].live;
        if (!draft->gone[*at])
            continue;
        struct dot dot = {{0}, live->key.seq, live->key.index, live->tag};
        if (memcmp(live->key.device, own, HANDLE_SIZE) != 0)
            dot.device = BYTES(live->key.device);
        dots[n++] = dot;
    }
    return (struct list){dots, n};
}

static enum err write_one(struct folkmoot *fm, struct scope *scope, struct draft *draft,
                          struct list over, struct bytes fields, struct fault *fault)
{
    struct envelope envelope = {
        .kind = draft->kind->kind, .class = draft->kind->class, .time = draft->time, .over = over};
    if (draft->parts[0].n)
        envelope.parts = (struct list){draft->parts, 2};
    else if (!draft->creates)
        envelope.id = BYTES(draft->record.id);
    uint8_t salt[SALT_SIZE];
    state_random(fm, salt, sizeof salt);
    struct author author = {.community = &scope->community, .device = &scope->device};
    enum err err =
        author_write(scope->txn, &author, &envelope, fields, salt, &draft->record, fault);
    draft->creates = false;
    return err;
}

static enum err write_all(struct folkmoot *fm, struct scope *scope, struct draft *draft,
                          struct fault *fault)
{
    struct dot dots[OVER_MAX];
    size_t at = 0;
    struct list over = next_dots(draft, scope->device.handle, &at, dots);
    enum err err = write_one(fm, scope, draft, over, buf_bytes(&draft->fields), fault);
    while (!err) {
        over = next_dots(draft, scope->device.handle, &at, dots);
        if (over.n == 0)
            break;
        err = write_one(fm, scope, draft, over, (struct bytes){0}, fault);
    }
    return err;
}

enum folkmoot_code draft_write(struct folkmoot *fm, struct scope *scope, struct draft *draft,
                               struct folkmoot_error *error)
{
    if (draft->edits > EDITS_MAX)
        return state_fail(error, FOLKMOOT_INVALID, "%u values at once, at most %d", draft->edits,
                          EDITS_MAX);
    struct fault fault = {0};
    enum err err = draft->fields.err;
    if (err == ERR_LIMIT)
        fault_set(&fault, err, "the change is over %d bytes: say it in several", CHANGE_MAX);
    if (!err)
        err = write_all(fm, scope, draft, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    titles_note(fm->titles, &draft->record, buf_bytes(&draft->fields));
    return FOLKMOOT_OK;
}
