#include "tests/sync/failing.h"

#include <criterion/criterion.h>

#include "storage/table.h"
#include "tests/torture/fail.h"

enum { ROOM = 64 << 20, PLACES_MAX = 20000 };

struct trial {
    struct store *store;
    bool writes;
    failing_act *act;
    void *arg;
};

struct outcome {
    enum err err;
    bool is_noted; // damage; or it may be passed over
    struct fault fault;
    struct buf answer;
    struct buf tables; // after it
};

static void outcome_done(struct outcome *outcome)
{
    buf_done(&outcome->answer);
    buf_done(&outcome->tables);
}

static bool refuses(struct arena *arena)
{
    if (arena->is_lent || !fail_now(CALL_FOR_MEMORY))
        return false;
    arena->err = ERR_NOMEM;
    return true;
}

void *__real_arena_alloc(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t count, size_t size)
{
    return refuses(arena) ? NULL : __real_arena_alloc(arena, count, size);
}

struct bytes __real_arena_copy(struct arena *arena, struct bytes bytes);
struct bytes __wrap_arena_copy(struct arena *arena, struct bytes bytes);
struct bytes __wrap_arena_copy(struct arena *arena, struct bytes bytes)
{
    return refuses(arena) ? (struct bytes){0} : __real_arena_copy(arena, bytes);
}

enum err __real_table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value);
enum err __wrap_table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value);
enum err __wrap_table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value)
{
    return fail_now(CALL_FOR_A_ROW) ? ERR_NOT_FOUND : __real_table_get(txn, table, key, value);
}

static void dump(struct txn *txn, struct buf *out)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        struct walk walk WALK_CLEANUP;
        walk_begin(&walk, txn, (enum table)table, bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk)) {
            buf_put(out, walk.key);
            buf_put(out, walk.value);
        }
    }
}

void failing_say(struct failing *failing, const struct message *message, const void *in)
{
    bool before = fail_pause(true);
    message_encode(message, in, failing->answer);
    (void)fail_pause(before);
}

// place: which call fails; 0: none. Returns whether it has.
static bool try(const struct trial *trial, enum fail_what what, uint64_t place,
                struct outcome *outcome)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ROOM);
    struct txn *txn TXN_CLEANUP =
        trial->writes ? txn_begin_write(trial->store) : txn_begin_read(trial->store);
    struct failing failing = {txn, &arena, &outcome->fault, &outcome->answer, false};
    uint64_t damage = txn_damage(txn);
    fail_arm(what, place);
    outcome->err = trial->act(&failing, trial->arg);
    bool has_failed = fail_disarm();
    if (!outcome->err)
        outcome->err = txn_error(txn);
    outcome->is_noted = txn_damage(txn) != damage || failing.forgives;
    if (!outcome->err && trial->writes)
        dump(txn, &outcome->tables);
    return has_failed;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return bytes_equal(buf_bytes(&a->answer), buf_bytes(&b->answer)) &&
           bytes_equal(buf_bytes(&a->tables), buf_bytes(&b->tables));
}

static bool is_named(enum fail_what what, const struct outcome *outcome)
{
    switch ((unsigned)outcome->err) {
    case ERR_NOMEM:
        return what == FAIL_MEMORY || what == FAIL_STORAGE;
    case ERR_IO:
        return what == FAIL_STORAGE;
    case ERR_DAMAGED:
        return what == FAIL_ROW_DAMAGED;
    default:
        return what == FAIL_ROW_DAMAGED && outcome->is_noted;
    }
}

static bool is_as_expected(enum fail_what what, const struct outcome *is,
                           const struct outcome *sound)
{
    // What is not there may be right not to be: then that is all.
    if (what == FAIL_ROW_MISSING || what == FAIL_ROW_GONE)
        return is->err != ERR_NOMEM && is->err != ERR_IO;
    return (!is->err && is_same(is, sound)) || is_named(what, is);
}

static void check(const struct trial *trial, enum fail_what what, uint64_t place,
                  const struct outcome *sound)
{
    struct outcome is = {0};
    bool has_failed = try(trial, what, place, &is);
    cr_assert(has_failed, "place %zu of %d was not reached", (size_t)place, (int)what);
    cr_expect(is_as_expected(what, &is, sound), "place %zu of %d: %s: %s", (size_t)place, (int)what,
              err_text(is.err), is.fault.text);
    outcome_done(&is);
}

static void fail_each(const struct trial *trial, enum fail_what what, const struct outcome *sound)
{
    struct outcome counted = {0};
    try(trial, what, UINT64_MAX, &counted);
    outcome_done(&counted);
    uint64_t places = fail_counted();
    cr_assert_leq(places, PLACES_MAX, "too many places to try: %zu", (size_t)places);
    for (uint64_t place = 1; place <= places; place++)
        check(trial, what, place, sound);
}

static void fail_everywhere(const struct trial *trial)
{
    struct outcome sound = {0};
    try(trial, FAIL_MEMORY, 0, &sound);
    cr_assert_eq(sound.err, OK, "without a failure: %s: %s", err_text(sound.err), sound.fault.text);
    fail_each(trial, FAIL_MEMORY, &sound);
    fail_each(trial, FAIL_STORAGE, &sound);
    fail_each(trial, FAIL_ROW_MISSING, &sound);
    fail_each(trial, FAIL_ROW_GONE, &sound);
    fail_each(trial, FAIL_ROW_DAMAGED, &sound);
    outcome_done(&sound);
}

void failing_reads(struct store *store, failing_act *act, void *arg)
{
    fail_everywhere(&(struct trial){store, false, act, arg});
}

void failing_writes(struct store *store, failing_act *act, void *arg)
{
    fail_everywhere(&(struct trial){store, true, act, arg});
}
