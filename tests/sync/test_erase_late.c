// What arrives after an erasure, what an earlier key wrote, and what many orders at once cost.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/erasure.h"
#include "tests/leaks.h"
#include "tests/sync/field.h"

enum { OTHER = DEVICES, LATE };

// The linker gives the test the calls that read the log.
static size_t reads;

enum err __real_log_get(struct txn *txn, uint32_t community, uint64_t position,
                        struct log_entry *entry);
enum err __wrap_log_get(struct txn *txn, uint32_t community, uint64_t position,
                        struct log_entry *entry);

enum err __wrap_log_get(struct txn *txn, uint32_t community, uint64_t position,
                        struct log_entry *entry)
{
    reads++;
    return __real_log_get(txn, community, position, entry);
}

static void set_up(void)
{
    world_open(&world, LATE + 1);
    world_begin(&world, 4);
    network_settle(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(erase_late, .init = set_up, .fini = tear_down);

static void expect_kept(const struct world_change *change, size_t author, bool kept,
                        const char *what)
{
    const uint8_t *handle = world.devices[author].handle;
    cr_expect_eq(said_is_kept(world.hub, world.community, handle, change->seq), kept, "%s, the hub",
                 what);
    for (size_t i = 0; i < world.devices_n; i++) {
        struct world_device *device = &world.devices[i];
        cr_expect_eq(said_is_kept(device->store, device->community, handle, change->seq), kept,
                     "%s, device %zu", what, i);
    }
}

static void settle_without_late(void)
{
    for (int round = 0; round < 4; round++) {
        network_sync(&world, COORDINATOR);
        network_sync(&world, PHONE);
        network_sync(&world, OTHER);
    }
}

Test(erase_late, reaches_what_hangs_on_the_record_and_what_hangs_on_that)
{
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    network_settle(&world);
    struct world_change voice = said_voice(&world, LATE, &need.record, &person, "mine too");
    struct world_change remark = said_about(&world, LATE, KIND_REMARK, "where?", &need.record, 1);
    struct world_change deeper =
        said_about(&world, LATE, KIND_REMARK, "on the remark", &remark.record, 1);
    struct world_change on_voice =
        said_about(&world, LATE, KIND_REMARK, "on the voice", &voice.record, 1);
    said_erase_record(&world, COORDINATOR, &need.record);
    settle_without_late();
    network_settle(&world);
    expect_kept(&voice, LATE, false, "a voice on it");
    expect_kept(&remark, LATE, false, "a remark about it");
    expect_kept(&deeper, LATE, false, "a remark on that");
    expect_kept(&on_voice, LATE, false, "a remark on the voice");
    expect_all_the_same();
    expect_no_leaks();
}

// The remark that connects comes last: what hung on it was taken in before.
Test(erase_late, reaches_what_came_before_what_it_hangs_on)
{
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    network_settle(&world);
    struct world_change remark = said_about(&world, LATE, KIND_REMARK, "where?", &need.record, 1);
    struct world_change early =
        said_about(&world, OTHER, KIND_REMARK, "told by telephone", &remark.record, 1);
    struct world_change again = said_number(&world, OTHER, &early.record, 3999, 7);
    said_erase_record(&world, COORDINATOR, &need.record);
    settle_without_late();
    cr_expect(said_is_kept(world.hub, world.community, world.devices[OTHER].handle, early.seq),
              "nobody knows yet what it is about");
    network_settle(&world);
    expect_kept(&remark, LATE, false, "the remark that connects");
    expect_kept(&early, OTHER, false, "what came before it");
    expect_kept(&again, OTHER, false, "and what was added to that");
    expect_all_the_same();
}

Test(erase_late, for_a_speakers_sake_leaves_what_others_say_about_it)
{
    struct record_key speaker = said_person(1);
    struct record_key other = said_person(2);
    struct world_change need = said_need(&world, PHONE, "a bench", &speaker);
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &speaker);
    struct world_change voice = said_voice(&world, LATE, &need.record, &other, "for me, too");
    struct world_change remark = said_about(&world, LATE, KIND_REMARK, "where?", &need.record, 1);
    struct world_change edit = said_number(&world, LATE, &need.record, 14, 2);
    settle_without_late();
    network_settle(&world);
    expect_kept(&need, PHONE, false, "what the person said");
    expect_kept(&edit, LATE, false, "what is added to it");
    expect_kept(&voice, LATE, true, "another person's voice");
    expect_kept(&remark, LATE, true, "a remark");
    expect_all_the_same();
}

Test(erase_late, stays_so_when_a_speaker_is_erased_after_the_record)
{
    struct record_key speaker = said_person(1);
    struct world_change need = said_need(&world, PHONE, "a bench", &speaker);
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &need.record);
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &speaker);
    struct world_change remark = said_about(&world, LATE, KIND_REMARK, "where?", &need.record, 1);
    settle_without_late();
    network_settle(&world);
    expect_kept(&remark, LATE, false, "a remark about an erased record");
}

// --- one's own, by any key ---

Test(erase_late, by_a_new_key_takes_what_the_same_person_wrote_by_the_old_one)
{
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    struct world_change others = said_need(&world, OTHER, "a crossing", NULL);
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    // It is asked for by the old key, and carried over to the new one.
    said_erase(&world, copy, PHONE, &need);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    expect_kept(&need, PHONE, false, "a change that is named");
    expect_once("the other's");
    said_erase_record(&world, copy, &others.record);
    network_settle(&world);
    expect_kept(&others, OTHER, true, "somebody else's");
    struct world_change later = said_need(&world, PHONE, "a tree", NULL);
    network_settle(&world);
    said_erase_record(&world, copy, &later.record);
    network_settle(&world);
    expect_kept(&later, PHONE, false, "a record, by whichever key it was made");
    expect_no_leaks();
}

static enum err revoke_phone(struct hub_decider *decider, void *arg)
{
    (void)arg;
    return hub_revoke(decider, NULL, world.devices[PHONE].handle);
}

Test(erase_late, by_a_key_for_which_nobody_vouched_takes_nothing_of_another)
{
    struct world_change need = said_need(&world, PHONE, "a bench", NULL);
    network_settle(&world);
    uint8_t old[HANDLE_SIZE];
    memcpy(old, world.devices[PHONE].handle, sizeof old);
    world_decide(&world, revoke_phone, NULL);
    join_anew(PHONE, ROLE_VOLUNTEER);
    said_erase_record(&world, PHONE, &need.record);
    network_settle(&world);
    cr_expect(said_is_kept(world.hub, world.community, old, need.seq));
}

// --- what it costs ---

static size_t reads_of_erasing(size_t n)
{
    struct world_change needs[100];
    cr_assert_leq(n, 100);
    for (size_t i = 0; i < n; i++)
        needs[i] = said_need(&world, PHONE, "a bench", NULL);
    network_settle(&world);
    for (size_t i = 0; i < n; i++)
        said_erase_record(&world, PHONE, &needs[i].record);
    reads = 0;
    network_sync(&world, PHONE);
    size_t all = reads;
    for (size_t i = 0; i < n; i++)
        cr_expect_not(
            said_is_kept(world.hub, world.community, world.devices[PHONE].handle, needs[i].seq),
            "need %zu", i);
    network_settle(&world);
    return all;
}

Test(erase_late, of_many_records_at_once_reads_the_chain_once_for_many)
{
    for (size_t i = 0; i < 300; i++)
        said_need(&world, PHONE, "more to read", NULL);
    network_settle(&world);
    size_t one = reads_of_erasing(1);
    size_t many = reads_of_erasing(100);
    cr_expect_geq(one, 300, "the chain is read");
    cr_expect_leq(many, 4 * one + (size_t)100 * 40, "%zu, and %zu for one", many, one);
}

static bool count_due(const struct keep *keep, void *arg)
{
    (void)keep;
    ++*(size_t *)arg;
    return true;
}

static enum err due(struct hub_decider *decider, void *arg)
{
    uint64_t erased = 0;
    struct keep stale = {.until = 5, .record = {.kind = KIND_NEED}, .seq = 1};
    memcpy(stale.device, world.devices[PHONE].handle, HANDLE_SIZE);
    keep_put(decider->txn, decider->community->number, &stale);
    enum err err = hub_erase_due(decider, &erased);
    keep_each_due(decider->txn, decider->community->number, world.now, count_due, arg);
    return err;
}

Test(erase_late, does_not_come_again_for_a_date_whose_words_cannot_be_read)
{
    size_t n = 0;
    world_decide(&world, due, &n);
    cr_expect_eq(n, 0);
}
