// Joining anew: what becomes of the words of the old chain, of names and of who speaks.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/digest.h"
#include "sync/fold.h"
#include "tests/leaks.h"
#include "tests/sync/field.h"

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 11);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(rejoin_words, .init = set_up, .fini = tear_down);

static uint64_t place_of(size_t index, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[index].store);
    enum err err = log_find(txn, world.devices[index].community, handle, seq, &position);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    return position;
}

Test(rejoin_words, leaves_no_words_of_the_old_chain_behind)
{
    uint8_t old[HANDLE_SIZE];
    uint64_t places[2];
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    memcpy(old, world.devices[copy].handle, HANDLE_SIZE);
    places[0] = place_of(copy, old, w.need.seq);
    places[1] = place_of(copy, old, w.remark.seq);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    cr_expect_gt(place_of(copy, old, w.need.seq), places[1], "the other's change has its place");
    cr_expect_eq(place_of(copy, old, w.remark.seq), 0);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[copy].store);
    for (size_t i = 0; i < 2; i++) {
        struct log_body body;
        struct log_entry entry;
        uint32_t community = world.devices[copy].community;
        cr_expect_eq(log_get_body(txn, community, places[i], &body), ERR_NOT_FOUND);
        cr_expect_eq(log_get(txn, community, places[i], &entry), ERR_NOT_FOUND);
    }
}

static bool never(uint8_t id[ID_SIZE], void *arg)
{
    memset(id, 0xff, ID_SIZE); // not to be used
    ++*(size_t *)arg;
    return false;
}

Test(rejoin_words, keeps_what_an_import_called_its_records)
{
    size_t copy = part();
    size_t names = 0;
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    uint32_t community = world.devices[copy].community;
    struct txn *txn = txn_begin_write(world.devices[copy].store);
    name_put(txn, community, bytes_of_text("row 1"), KIND_NEED, w.need.record.id);
    name_put(txn, community, bytes_of_text("row 2"), KIND_VOICE, w.voices[1].record.id);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    uint32_t kind;
    uint8_t id[ID_SIZE];
    txn = txn_begin_write(world.devices[copy].store);
    cr_assert_eq(name_get(txn, community, bytes_of_text("row 1"), &kind, id), OK);
    cr_expect_arr_eq(id, expect_once("a bench at the market").id, ID_SIZE);
    cr_assert_eq(name_get(txn, community, bytes_of_text("row 2"), &kind, id), OK);
    cr_expect_arr_neq(id, w.voices[1].record.id, ID_SIZE);
    name_map(txn, community, never, &names);
    cr_expect_eq(names, 2);
    txn_abort(&txn);
}

// What the words of a change that was never sent went over stays gone, though the words are.
static enum err erase_here(size_t index, const struct world_change *change)
{
    struct world_device *device = &world.devices[index];
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    cr_assert_eq(log_find(txn, device->community, device->handle, change->seq, &position), OK);
    fold_erase(txn, device->community, device->handle, change->seq, change->tag);
    return txn_commit(&txn);
}

Test(rejoin_words, of_erased_words_carries_what_they_went_over)
{
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct world_change again = said_again(&world, copy, &need, PHONE, "not to be kept");
    struct world_change alone = said_need(&world, copy, "nor this", NULL);
    cr_assert_eq(erase_here(copy, &again), OK);
    cr_assert_eq(erase_here(copy, &alone), OK);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    expect_gone("before");
    expect_gone("not to be kept");
    expect_once("the other's");
    cr_expect_eq(world_caller(&world, copy).device.seq, 1, "what says nothing is not said");
    expect_all_the_same();
}

static enum err revoke_device(struct hub_decider *decider, void *arg)
{
    return hub_revoke(decider, NULL, world.devices[*(size_t *)arg].handle);
}

// A revoked key vouches for nobody.
Test(rejoin_words, of_a_revoked_member_brings_their_own_voice_as_the_person_that_they_are_now)
{
    struct record_key own = {.kind = KIND_PERSON};
    struct world_change need = said_need(&world, PHONE, "a crossing", NULL);
    network_settle(&world);
    size_t member = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
    digest_member(world.id, world.devices[member].handle, own.id);
    said_voice(&world, member, &need.record, &own, "it is dangerous");
    world_decide(&world, revoke_device, &member);
    join_anew(member, ROLE_MEMBER);
    cr_expect_eq(tally_of(&need.record).for_, 1);
    expect_once("it is dangerous");
}

// The hub judges by the role that the new key has.
Test(rejoin_words, under_a_lesser_role_has_the_rest_set_apart_by_the_hub)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    said_need(&world, copy, "as a volunteer", NULL);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_MEMBER), 1);
    expect_gone("as a volunteer");
    uint32_t seq = world_caller(&world, copy).device.seq;
    cr_expect_eq(seq, 1);
    cr_expect(said_is_kept(world.hub, world.community, world.devices[copy].handle, seq));
}

// Dots of an old chain are longer than those of one's own.
Test(rejoin_words, says_in_two_changes_what_fits_no_single_one_any_more)
{
    enum { DOTS = 200 };
    struct dot dots[DOTS];
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    struct envelope edit = {.kind = KIND_NEED, .id = BYTES(need.record.id), .time = world.now};
    for (size_t i = 0; i < DOTS; i++) {
        struct buf fields BUF_CLEANUP = {0};
        struct world_change change;
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("many words"));
        cr_assert_eq(world_write(&world, PHONE, &edit, buf_bytes(&fields), &change), OK);
        dots[i] = (struct dot){{0}, change.seq, 0, change.tag};
    }
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct buf fields BUF_CLEANUP = {0};
    static char words[16 << 10];
    memset(words, 'w', sizeof words);
    for (uint32_t field = 3900; field < 3904; field++) // of a future version
        wire_put_bytes(&fields, field, bytes_of(words, field == 3903 ? 14400 : sizeof words - 8));
    edit.over = (struct list){dots, DOTS};
    struct world_change big;
    cr_assert_eq(world_write(&world, copy, &edit, buf_bytes(&fields), &big), OK);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    cr_expect_eq(world_caller(&world, copy).device.seq, 2);
    expect_gone("many words");
    cr_expect_eq(seek_bytes(world.devices_n, bytes_of(words, sizeof words - 8)).n, 3);
    expect_all_the_same();
}
