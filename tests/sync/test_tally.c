// Voices on a record: each person once, whatever joins whom, and in time that grows with what there
// is. Everything lies on the hub, pushed by one device.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/table.h"
#include "sync/collect.h"
#include "sync/tally.h"
#include "sync/view.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"

enum { MANY = 300, PAIRS_MAX = 3000 };

static struct world world;
static struct arena arena;
static struct crowd crowd;

static void set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 11);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&crowd, &world, 0, &arena);
}

static void tear_down(void)
{
    crowd_done(&crowd);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(tally, .init = set_up, .fini = tear_down);

// --- what is read ---

// The linker puts this in front of collect_record: how many records were read is what the cost of
// counting hangs on.
static size_t records_read;

enum err real_collect_record(struct txn *txn, uint32_t community, const struct record_key *record,
                             struct collection *collection) __asm__("__real_collect_record");
enum err counted_collect_record(struct txn *txn, uint32_t community,
                                const struct record_key *record,
                                struct collection *collection) __asm__("__wrap_collect_record");

enum err counted_collect_record(struct txn *txn, uint32_t community,
                                const struct record_key *record, struct collection *collection)
{
    records_read++;
    return real_collect_record(txn, community, record, collection);
}

static struct tally tally_of(const struct record_key *record)
{
    struct tally tally;
    struct community community;
    crowd_push(&crowd);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    records_read = 0;
    cr_assert_eq(tally_count(txn, &community, record, &tally), OK);
    return tally;
}

static void expect_tally(const struct record_key *record, uint32_t for_, uint32_t against,
                         uint32_t unsure, const char *what)
{
    struct tally tally = tally_of(record);
    cr_expect_eq(tally.for_, for_, "%s: %u for", what, tally.for_);
    cr_expect_eq(tally.against, against, "%s: %u against", what, tally.against);
    cr_expect_eq(tally.unsure, unsure, "%s: %u unsure", what, tally.unsure);
}

// --- shapes ---

struct shape {
    const char *name;
    size_t pairs;
    // Which two the i-th pair joins.
    void (*pair)(size_t i, size_t *a, size_t *b);
    size_t parts; // groups that are left when pair MANY / 2 is parted
};

static void chain_pair(size_t i, size_t *a, size_t *b)
{
    *a = i;
    *b = i + 1;
}

static void cycle_pair(size_t i, size_t *a, size_t *b)
{
    *a = i;
    *b = (i + 1) % MANY;
}

static void star_pair(size_t i, size_t *a, size_t *b)
{
    *a = MANY / 3;
    *b = i < MANY / 3 ? i : i + 1;
}

// A tree in which each has two below it, and a ring around the leaves.
static void web_pair(size_t i, size_t *a, size_t *b)
{
    *a = i < MANY - 1 ? i / 2 : i - MANY + 1 + MANY / 2;
    *b = i < MANY - 1 ? i + 1 : *a + 1;
}

static const struct shape shapes[] = {
    {"chain", MANY - 1, chain_pair, 2},
    {"cycle", MANY, cycle_pair, 1},
    {"star", MANY - 1, star_pair, 2},
    {"web", MANY - 1 + MANY / 2 - 1, web_pair, 1},
};

static struct world_change said[PAIRS_MAX];

static void join(const struct shape *shape, const struct record_key *records)
{
    for (size_t i = 0; i < shape->pairs; i++) {
        size_t a;
        size_t b;
        shape->pair(i, &a, &b);
        said[i] = crowd_same(&crowd, &records[a], &records[b], NULL);
    }
}

static void part(const struct shape *shape, const struct record_key *records, size_t i)
{
    size_t a;
    size_t b;
    shape->pair(i, &a, &b);
    (void)crowd_same(&crowd, &records[a], &records[b], &said[i]);
}

static void part_all(const struct shape *shape, const struct record_key *records)
{
    for (size_t i = 0; i < shape->pairs; i++) {
        if (i != MANY / 2)
            part(shape, records, i);
    }
}

static void try_persons(const struct shape *shape)
{
    static struct record_key persons[MANY];
    struct record_key need = crowd_need(&crowd, shape->name).record;
    // The last to speak is somewhere in the middle.
    for (uint32_t i = 0; i < MANY; i++) {
        persons[i] = crowd_person(i);
        bool last = i == MANY / 7;
        crowd_voice(&crowd, &need, persons[i].id, last ? STANCE_AGAINST : STANCE_FOR,
                    last ? 1000 : 10 + i);
    }
    expect_tally(&need, MANY - 1, 1, 0, shape->name);
    join(shape, persons);
    expect_tally(&need, 0, 1, 0, shape->name);
    part(shape, persons, MANY / 2);
    struct tally tally = tally_of(&need);
    cr_expect_eq(tally.against, 1, "%s", shape->name);
    cr_expect_eq(tally.for_, shape->parts - 1, "%s: %u", shape->name, tally.for_);
    part_all(shape, persons);
    expect_tally(&need, MANY - 1, 1, 0, shape->name);
}

Test(tally, of_joined_persons_is_one_voice_and_of_parted_ones_each_their_own)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_persons(&shapes[i]);
    expect_no_leaks();
}

// Each need has a voice of somebody else, and all have one of the same person.
static void try_subjects(const struct shape *shape)
{
    static struct record_key needs[MANY];
    struct record_key everywhere = crowd_person(100000);
    for (uint32_t i = 0; i < MANY; i++) {
        struct record_key person = crowd_person(i);
        bool last = i == MANY - 1;
        needs[i] = crowd_need(&crowd, shape->name).record;
        crowd_voice(&crowd, &needs[i], person.id, STANCE_FOR, 10);
        crowd_voice(&crowd, &needs[i], everywhere.id, last ? STANCE_UNSURE : STANCE_AGAINST,
                    10 + i);
    }
    expect_tally(&needs[0], 1, 1, 0, shape->name);
    join(shape, needs);
    expect_tally(&needs[0], MANY, 0, 1, shape->name);
    expect_tally(&needs[MANY / 2], MANY, 0, 1, shape->name);
    part(shape, needs, MANY / 2);
    struct tally first = tally_of(&needs[0]);
    size_t a;
    size_t b;
    shape->pair(MANY / 2, &a, &b);
    struct tally one = tally_of(&needs[a]);
    struct tally other = tally_of(&needs[b]);
    bool whole = shape->parts == 1;
    cr_expect_eq(one.for_ + other.for_, whole ? 2 * MANY : MANY, "%s", shape->name);
    cr_expect(first.for_ == one.for_ || first.for_ == other.for_, "%s", shape->name);
    part_all(shape, needs);
    expect_tally(&needs[0], 1, 1, 0, shape->name);
    expect_tally(&needs[MANY - 1], 1, 0, 1, shape->name);
}

Test(tally, of_joined_subjects_is_one_for_all_and_of_parted_ones_each_its_own)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_subjects(&shapes[i]);
    expect_no_leaks();
}

Test(tally, of_many_joined_both_ways_counts_each_group_of_persons_once)
{
    enum { GROUP = 10 };
    static struct record_key persons[MANY];
    static struct record_key needs[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        persons[i] = crowd_person(i);
        needs[i] = crowd_need(&crowd, "a bench").record;
        crowd_voice(&crowd, &needs[i], persons[i].id, i % GROUP ? STANCE_AGAINST : STANCE_FOR,
                    1000 - i % GROUP);
        if (i % GROUP)
            (void)crowd_same(&crowd, &persons[i - 1], &persons[i], NULL);
    }
    join(&shapes[1], needs);
    expect_tally(&needs[42], MANY / GROUP, 0, 0, "the first of each group spoke last");
}

// --- what does not count ---

Test(tally, of_one_person_on_joined_subjects_is_what_they_said_last)
{
    struct record_key person = crowd_person(1);
    struct record_key other = crowd_person(2);
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    struct record_key seat = crowd_need(&crowd, "a seat").record;
    crowd_voice(&crowd, &bench, person.id, STANCE_FOR, 2000);
    crowd_voice(&crowd, &seat, person.id, STANCE_AGAINST, 1000);
    crowd_voice(&crowd, &seat, other.id, STANCE_UNSURE, 500);
    struct world_change same = crowd_same(&crowd, &bench, &seat, NULL);
    expect_tally(&bench, 1, 0, 1, "joined");
    expect_tally(&seat, 1, 0, 1, "joined");
    crowd_voice(&crowd, &seat, person.id, STANCE_AGAINST, 3000);
    expect_tally(&bench, 0, 1, 1, "later");
    (void)crowd_same(&crowd, &bench, &seat, &same);
    expect_tally(&bench, 1, 0, 0, "parted");
    expect_tally(&seat, 0, 1, 1, "parted");
}

Test(tally, counts_what_was_taken_back_nowhere)
{
    struct record_key person = crowd_person(1);
    struct record_key twin = crowd_person(2);
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    crowd_voice(&crowd, &bench, person.id, STANCE_FOR, 1000);
    crowd_voice(&crowd, &bench, twin.id, STANCE_WITHDRAWN, 2000);
    expect_tally(&bench, 1, 0, 0, "of two");
    struct world_change same = crowd_same(&crowd, &person, &twin, NULL);
    expect_tally(&bench, 0, 0, 0, "of one, who took it back");
    (void)crowd_same(&crowd, &person, &twin, &same);
    crowd_voice(&crowd, &bench, person.id, STANCE_WITHDRAWN, 1000);
    expect_tally(&bench, 0, 0, 0, "taken back at the same instant, by a later change");
    crowd_voice(&crowd, &bench, person.id, (enum stance)77, 3000);
    expect_tally(&bench, 0, 0, 0, "a later version's stance");
}

// Takes the words of a change out of the hub's store, as a broken disk might.
static void lose_body(uint32_t seq)
{
    struct key key = {.n = 0};
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(log_find(txn, world.community, world.devices[0].handle, seq, &position), OK);
    key_u32(&key, world.community);
    key_u64(&key, position);
    table_delete(txn, TABLE_BODY, key_of(&key));
    cr_assert_eq(txn_commit(&txn), OK);
}

// Makes the live edit of a change unreadable.
static void spoil_live(const struct world_change *change)
{
    struct key key = {.n = 0};
    struct walk walk;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    key_u32(&key, world.community);
    key_u16(&key, (uint16_t)change->record.kind);
    key_bytes(&key, BYTES(change->record.id));
    walk_begin(&walk, txn, TABLE_LIVE, key_of(&key), bytes_of(NULL, 0));
    cr_assert(walk_next(&walk));
    struct key found = {.n = 0};
    key_bytes(&found, walk.key);
    walk_end(&walk);
    table_put(txn, TABLE_LIVE, key_of(&found), bytes_of("x", 1));
    cr_assert_eq(txn_commit(&txn), OK);
}

// Whether the record's view says that something may be missing.
static void expect_damage(const struct record_key *record, bool damaged)
{
    struct hub_caller caller = world_caller(&world, 0);
    struct eye eye = {.role = caller.device.role, .device = caller.device.handle};
    struct record_view view;
    struct arena room ARENA_CLEANUP;
    arena_init(&room, 1 << 20);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(view_record(txn, &caller.community, record, &eye, &room, &view), OK);
    cr_expect_eq(view.damaged, damaged);
}

Test(tally, leaves_a_damaged_voice_out_and_counts_the_others)
{
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    struct world_change voices[20];
    for (uint32_t i = 0; i < 20; i++)
        voices[i] = crowd_voice(&crowd, &bench, crowd_person(i).id, STANCE_FOR, 10);
    expect_tally(&bench, 20, 0, 0, "sound");
    expect_damage(&bench, false);
    lose_body(voices[7].seq);
    expect_tally(&bench, 19, 0, 0, "without its words");
    expect_damage(&bench, true);
    spoil_live(&voices[12]);
    expect_tally(&bench, 18, 0, 0, "without its edit");
    expect_damage(&bench, true);
}

Test(tally, takes_a_damaged_sameness_for_none)
{
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    struct record_key persons[3] = {crowd_person(0), crowd_person(1), crowd_person(2)};
    struct world_change same[2];
    for (size_t i = 0; i < 3; i++)
        crowd_voice(&crowd, &bench, persons[i].id, STANCE_FOR, 10);
    for (size_t i = 0; i < 2; i++)
        same[i] = crowd_same(&crowd, &persons[i], &persons[i + 1], NULL);
    expect_tally(&bench, 1, 0, 0, "sound");
    lose_body(same[0].seq);
    expect_tally(&bench, 2, 0, 0, "one is damaged");
    expect_damage(&bench, true);
    spoil_live(&same[1]);
    expect_tally(&bench, 3, 0, 0, "both are");
}

// --- what it costs ---

static size_t cost_of(uint32_t first, uint32_t n)
{
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    for (uint32_t i = 0; i < n; i++) {
        struct record_key person = crowd_person(first + i);
        struct record_key next = crowd_person(first + i + 1);
        crowd_voice(&crowd, &bench, person.id, STANCE_FOR, 10);
        if (i + 1 < n)
            (void)crowd_same(&crowd, &person, &next, NULL);
    }
    expect_tally(&bench, 1, 0, 0, "all are one");
    return records_read;
}

Test(tally, reads_each_voice_and_each_sameness_once)
{
    cr_expect_eq(cost_of(0, 500), 500 + 499);
    cr_expect_eq(cost_of(10000, 2000), 2000 + 1999);
}

Test(tally, of_forty_persons_all_joined_with_each_other_reads_one_sameness_for_each)
{
    enum { FORTY = 40 };
    struct record_key bench = crowd_need(&crowd, "a bench").record;
    for (uint32_t i = 0; i < FORTY; i++) {
        struct record_key person = crowd_person(i);
        crowd_voice(&crowd, &bench, person.id, STANCE_FOR, 10);
        for (uint32_t k = 0; k < i; k++) {
            struct record_key other = crowd_person(k);
            (void)crowd_same(&crowd, &person, &other, NULL);
        }
    }
    expect_tally(&bench, 1, 0, 0, "all are one");
    cr_expect_eq(records_read, FORTY + FORTY - 1);
}
