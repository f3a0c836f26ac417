// Random histories on a bad line: once all is settled, every device and the hub hold what the model
// says, byte for byte. A seed that fails is replayed alone with FOLKMOOT_SEED=<seed>.

#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/schema.h"
#include "sync/tally.h"
#include "sync/view.h"
#include "tests/leaks.h"
#include "tests/sync/history.h"
#include "tests/sync/network.h"
#include "tests/sync/recount.h"

enum { SEEDS = 120, SEEDS_A_WORLD = 24, DEVICES = 4, STEPS = 60 };

// Who is asked: a store, and what of it is seen.
struct replica {
    const char *name;
    struct store *store;
    uint32_t community;
    struct eye eye;
    const uint8_t *told; // the device whose share the model shows; NULL: all
};

static uint64_t seed;

#define sure(condition, ...) cr_assert((condition), "FOLKMOOT_SEED=%llu: " __VA_ARGS__)
#define SEED                 ((unsigned long long)seed)

static enum err look(const struct replica *replica, const struct record_key *record,
                     struct arena *arena, struct record_view *view)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(replica->store);
    enum err err = community_get_number(txn, replica->community, &community);
    if (!err)
        err = view_record(txn, &community, record, &replica->eye, arena, view);
    return err ? err : txn_error(txn);
}

static struct tally tally_of(const struct replica *replica, const struct record_key *record)
{
    struct tally tally;
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(replica->store);
    sure(!community_get_number(txn, replica->community, &community), "no community", SEED);
    sure(!tally_count(txn, &community, record, &tally), "no tally", SEED);
    return tally;
}

static void compare_tensions(const struct model_view *model, const struct model_record *record,
                             const struct record_view *view, const char *name)
{
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        sure(field->tension == model_has_tension(model, record, field->field),
             "%s: field %u of kind %u: tension", SEED, name, field->field, record->kind);
    }
}

// Returns whether the record is there.
static bool compare_record(const struct replica *replica, const struct model_view *model,
                           const struct model_record *record)
{
    struct record_view view;
    struct record_key key = {.kind = record->kind};
    struct buf expected BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    memcpy(key.id, record->id, ID_SIZE);
    arena_init(&arena, 8 << 20);
    bool there = model_message(model, record, &expected);
    enum err err = look(replica, &key, &arena, &view);
    sure(err == (there ? OK : ERR_NOT_FOUND), "%s: kind %u: %s", SEED, replica->name, record->kind,
         err_text(err));
    if (there) {
        sure(bytes_equal(view.record, buf_bytes(&expected)), "%s: kind %u: other bytes", SEED,
             replica->name, record->kind);
        compare_tensions(model, record, &view, replica->name);
    }
    struct tally tally = tally_of(replica, &key);
    struct tally right = model_tally(model, record);
    sure(memcmp(&tally, &right, sizeof tally) == 0,
         "%s: kind %u: %u for, %u against, %u unsure instead of %u, %u, %u", SEED, replica->name,
         record->kind, tally.for_, tally.against, tally.unsure, right.for_, right.against,
         right.unsure);
    sure(tally.for_ + tally.against + tally.unsure <= HISTORY_PERSONS, "somebody counts twice",
         SEED);
    return there;
}

static bool is_first_of_record(const struct model *model, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (model->changes[k].record.kind == model->changes[i].record.kind &&
            memcmp(model->changes[k].record.id, model->changes[i].record.id, ID_SIZE) == 0)
            return false;
    }
    return true;
}

// Records of this replica that have anything live, decisions aside.
static size_t count_records(const struct replica *replica)
{
    size_t n = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_read(replica->store);
    for (uint32_t kind = 1; kind <= 900; kind++) {
        uint8_t after[ID_SIZE];
        struct record_key record;
        bool begun = false;
        while (kind != KIND_DECISION && (kind <= KIND_DECISION || kind == 900) &&
               live_next_record(txn, replica->community, kind, begun ? after : NULL, &record) ==
                   OK) {
            memcpy(after, record.id, ID_SIZE);
            begun = true;
            n++;
        }
    }
    return n;
}

static void compare_replica(const struct replica *replica, const struct model *model)
{
    struct model_view view;
    size_t there = 0;
    model_look(model, replica->told, &view);
    for (size_t i = 0; i < model->n; i++) {
        if (is_first_of_record(model, i) && model->changes[i].record.kind != KIND_DECISION)
            there += compare_record(replica, &view, &model->changes[i].record);
    }
    char why[400] = "";
    struct txn *txn = txn_begin_read(replica->store);
    sure(recount_is(&view, txn, replica->community, why), "%s: %s", SEED, replica->name, why);
    txn_abort(&txn);
    model_view_done(&view);
    // A replica's own store holds nothing else; the hub's eye of a device would be narrower.
    sure(there == count_records(replica), "%s: has records that nobody wrote", SEED, replica->name);
}

static struct replica hub_of(struct world *world)
{
    return (struct replica){"the hub",
                            world->hub,
                            world->community,
                            {.role = ROLE_COORDINATOR, .device = world->devices[0].handle},
                            NULL};
}

static struct replica device_of(struct world *world, size_t i)
{
    static const char *const names[] = {"device 0", "device 1", "device 2", "device 3"};
    struct world_device *device = &world->devices[i];
    bool all = device->role == ROLE_COORDINATOR;
    return (struct replica){names[i],
                            device->store,
                            device->community,
                            {.role = ROLE_COORDINATOR, .device = device->handle},
                            all ? NULL : device->handle};
}

// Decisions reach everybody, too: the same bytes everywhere.
static void compare_decisions(struct world *world)
{
    struct replica hub = hub_of(world);
    struct record_key record = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    for (const uint8_t *after = NULL;
         live_next_record(txn, hub.community, KIND_DECISION, after, &record) == OK;
         after = record.id) {
        struct record_view a;
        struct record_view b;
        struct arena arena ARENA_CLEANUP;
        arena_init(&arena, 8 << 20);
        sure(look(&hub, &record, &arena, &a) == OK, "the hub lost a decision", SEED);
        for (size_t i = 0; i < world->devices_n; i++) {
            struct replica device = device_of(world, i);
            sure(look(&device, &record, &arena, &b) == OK && bytes_equal(a.record, b.record),
                 "%s lacks a decision", SEED, device.name);
        }
    }
}

static void compare_all(struct history *history)
{
    struct world *world = history->world;
    struct replica hub = hub_of(world);
    compare_replica(&hub, &history->model);
    for (size_t i = 0; i < world->devices_n; i++) {
        struct replica device = device_of(world, i);
        compare_replica(&device, &history->model);
    }
    compare_decisions(world);
}

static void live_through(struct history *history)
{
    struct world *world = history->world;
    struct network network = {.n = 0};
    for (size_t i = 0; i < STEPS; i++) {
        if (dice_percent(&world->dice, 60))
            history_step(history);
        else
            network_stir(&network, world);
        if (dice_percent(&world->dice, 40))
            network_stir(&network, world);
    }
    network_done(&network);
    network_settle(world);
}

static void tallies_of(struct history *history, struct tally *tallies)
{
    struct replica hub = hub_of(history->world);
    for (size_t i = 0; i < history->records_n; i++)
        tallies[i] = tally_of(&hub, &history->records[i]);
}

// Joining and parting two persons leaves every count as if they had never been joined.
static void join_and_part(struct history *history)
{
    struct tally before[HISTORY_RECORDS_MAX];
    struct tally after[HISTORY_RECORDS_MAX];
    history_part(history);
    network_settle(history->world);
    tallies_of(history, before);
    history_join(history);
    network_settle(history->world);
    compare_all(history);
    history_part(history);
    network_settle(history->world);
    tallies_of(history, after);
    sure(memcmp(before, after, history->records_n * sizeof *before) == 0,
         "joining and parting changed a count", SEED);
}

static void try_seed(struct world *world, uint64_t which)
{
    static struct history history;
    seed = which;
    world_begin(world, seed);
    history_begin(&history, world);
    live_through(&history);
    compare_all(&history);
    if (seed % 4 == 0)
        join_and_part(&history);
    history_done(&history);
}

static void try_seeds(uint64_t first, size_t n)
{
    struct world world;
    for (size_t i = 0; i < n; i++) {
        if (i % SEEDS_A_WORLD == 0)
            world_open(&world, DEVICES);
        try_seed(&world, first + i);
        if (i % SEEDS_A_WORLD == SEEDS_A_WORLD - 1 || i == n - 1)
            world_close(&world);
    }
}

Test(properties, every_replica_holds_what_the_model_says_whatever_the_line_does, .timeout = 380)
{
    const char *one = getenv("FOLKMOOT_SEED");
    const char *many = getenv("FOLKMOOT_SEEDS");
    if (one)
        try_seeds(strtoull(one, NULL, 10), 1);
    else
        try_seeds(1, many ? strtoul(many, NULL, 10) : SEEDS);
    expect_no_leaks();
}
