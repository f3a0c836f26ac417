// Own changes that have no effect, and why.

#include "client/state.h"
#include "client/value.h"
#include "proto/change.h"
#include "storage/log.h"
#include "sync/merge.h"

struct telling {
    const struct scope *scope;
    bool (*each)(const struct folkmoot_apart *, void *);
    void *arg;
};

static const char *text_of(enum reason reason)
{
    switch (reason) {
    case REASON_MALFORMED_FIELD:
        return "a value is not of the form that its field asks for";
    case REASON_WRONG_ID:
        return "the record's id is not of the form that its kind asks for";
    case REASON_NOT_PERMITTED:
        return "the role of this device did not allow it; a coordinator may let it take effect";
    case REASON_WRONG_CLASS:
        return "the kind asks for another class";
    case REASON_REVOKED:
        return "this device was revoked before; a coordinator may let it take effect";
    case REASON_NONE:
        break;
    }
    return "the hub does not say why in a way that this version knows";
}

static void describe(const struct scope *scope, const struct apart *apart,
                     struct folkmoot_apart *out)
{
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
    uint64_t position;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (log_find(scope->txn, scope->community.number, apart->device, apart->seq, &position) ||
        log_get(scope->txn, scope->community.number, position, &entry) ||
        merge_envelope(scope->txn, entry.envelope, &arena, &envelope))
        return;
    merge_record(&envelope, apart->device, apart->seq, apart->tag, &record);
    value_kind_name(record.kind, out->kind);
    memcpy(out->id, record.id, sizeof out->id);
    out->time = envelope.time;
}

static bool tell(const struct apart *apart, void *arg)
{
    const struct telling *telling = arg;
    struct folkmoot_apart out = {.seq = apart->seq, .why = text_of(apart->reason)};
    describe(telling->scope, apart, &out);
    return telling->each(&out, telling->arg);
}

enum folkmoot_code folkmoot_list_apart(struct folkmoot *fm,
                                       bool (*each)(const struct folkmoot_apart *, void *),
                                       void *arg, struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    struct telling telling = {&scope, each, arg};
    uint64_t damage = txn_damage(scope.txn);
    apart_each(scope.txn, scope.community.number, scope.device.handle, tell, &telling);
    if (txn_damage(scope.txn) != damage) {
        (void)state_end(fm, &scope, false, NULL);
        return state_fail_err(error, ERR_DAMAGED, NULL);
    }
    return state_end(fm, &scope, true, error);
}
